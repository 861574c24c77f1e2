import {policyPath} from '../../../core/names.ts';
import {learn as lessonsOf} from '../../../core/run/learn.ts';
import {escapeLine} from '../../../core/text/escape-controls.ts';
import {targets} from '../../targets.ts';
import {selectedRun, type Field} from '../../state.ts';
import {runVerb, runVerbForAll} from '../../step.ts';
import {askAgain, reasonField, runsOf, type DialogDefinition} from './dialog.ts';

/* What runs may reach: of one run, and of every run of a project. */

const minuteMs = 60_000;
const minutesOfDay = 24 * 60;

/**
 * What was typed as a duration, as the verb takes it: `until 18:30` by the clock of this machine, and `1 min`
 * without its blank; anything else as it is.
 */
function durationArgument(text: string, now: number): string {
	const until = /^until (\d{1,2}):(\d\d)$/.exec(text);
	if (!until) {
		return text.replace(/^(\d+) ?min$/, '$1m');
	}

	const end = new Date(now);
	end.setHours(Number(until[1]), Number(until[2]), 0, 0);
	const minutes = Math.ceil((end.getTime() - now) / minuteMs);
	return `${minutes <= 0 ? minutes + minutesOfDay : minutes}m`;
}

const allow: DialogDefinition = {
	open(state, subject) {
		const runs = targets(state).filter(run => run.stage !== 'discarded');
		const scope: Field = {
			id: 'scope',
			label: 'Scope',
			value: '',
			hint: 'network:HOST[:PORT], files:PATH, secret:NAME or model:AGENT',
		};
		return {
			title: `Grant ${subject ?? 'a scope'}${runs.length > 1 ? ` to ${runs.length} runs` : ''}`,
			runs: runs.map(run => run.id),
			lines: subject?.startsWith('network:')
				? [`The run can send anything it can read to ${escapeLine(subject.slice('network:'.length))}.`]
				: [],
			fields: [
				...(subject === undefined ? [scope] : []),
				reasonField('required'),
				{
					id: 'duration',
					label: 'Duration',
					value: '30m',
					hint: '1 min, 15m, 1h, until 18:00; empty: until the run ends',
				},
			],
		};
	},
	submit(state, dialog, values) {
		const scope = dialog.subject ?? values['scope'] ?? '';
		const {reason} = values;
		if (scope === '') {
			return askAgain(state, dialog, {field: 'scope', because: 'a scope is needed'});
		}

		if (!reason) {
			return askAgain(state, dialog, {field: 'reason', because: 'a grant needs a reason'});
		}

		const duration = durationArgument(values['duration'] ?? '', state.now);
		const limit = duration === '' ? [] : ['--for', duration];
		return runVerbForAll(state, runsOf(state, dialog), {
			argv: run => ['allow', run.id, scope, '--because', reason, ...limit],
			title: 'allow',
		});
	},
};

const learn: DialogDefinition = {
	open(state) {
		const run = selectedRun(state)!;
		return {
			title: `Add to project policy: ${run.project.id}`,
			runs: [run.id],
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

export const scopeDialogs = {allow, learn};
