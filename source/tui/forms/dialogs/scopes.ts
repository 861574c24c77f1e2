import {policyPath} from '../../../core/names.ts';
import {learn as lessonsOf} from '../../../core/run/learn.ts';
import {selectedRun} from '../../state.ts';
import {runVerb} from '../../step.ts';
import {askAgain, type DialogDefinition} from './dialog.ts';

/* What every run of a project may reach. */

const learn: DialogDefinition = {
	open(state) {
		const run = selectedRun(state)!;
		return {
			title: `Add to project policy: ${run.project.id}`,
			runs: [run.id],
			verb: 'write',
			lines: [`written to ${policyPath} in your checkout; review it, then commit it`],
			fields: [
				{
					id: 'hosts',
					label: 'Hosts',
					value: lessonsOf(state.journal).proposal.join(' '),
					hint: 'remove what not every run needs; enter: write, esc: cancel',
				},
			],
		};
	},
	submit(state, dialog, values) {
		const [id = ''] = dialog.runs;
		const hosts = (values['hosts'] ?? '').split(/\s+/).filter(host => host !== '');
		return hosts.length === 0
			? askAgain(state, dialog, {field: 'hosts', because: 'name at least one host'})
			: runVerb(state, id, {argv: ['learn', id, '--propose', ...hosts], title: 'add to project policy'});
	},
};

export const scopeDialogs = {learn};
