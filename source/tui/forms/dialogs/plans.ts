import {standings} from '../../../core/tasks/order.ts';
import {escapeLine} from '../../../core/text/escape-controls.ts';
import {selectedRun} from '../../state.ts';
import {runVerb} from '../../step.ts';
import {fact, listNames, plural, type DialogDefinition} from './dialog.ts';

/* What is asked about a plan of tasks. */

const accept: DialogDefinition = {
	open(state) {
		const run = selectedRun(state);
		const tasks = run?.plan?.tasks ?? [];
		if (!run || tasks.length === 0) {
			return undefined;
		}

		const first = tasks.filter(({after}) => after.length === 0);
		const others = [
			...new Set(tasks.flatMap(({agent}) => (agent === undefined || agent === run.agent ? [] : [agent]))),
		];
		const models = run.grants.filter(({scope}) => scope.startsWith('model:')).map(({scope}) => scope);
		const {running} = state.settings.limits;
		const rest = tasks.length - first.length;
		return {
			title: `Accept the plan of ${run.id}: start ${plural(tasks.length, 'run')}?`,
			runs: [run.id],
			fields: [],
			yes: 'start them',
			lines: [
				fact('Now', listNames(first.map(({id}) => id)).join(', ')),
				...(rest === 0 ? [] : [fact('Later', `${rest}, each when what it waits for is merged`)]),
				fact('Agent', [run.agent, ...others].join(', ')),
				fact('At once', running === undefined ? 'no limit (limits.running)' : `${running} at most (limits.running)`),
				fact('May', ['this project, build', ...models].join(', ')),
				fact('Undo', 'none for what has started; D discards what has not'),
			],
		};
	},
	submit: (state, dialog) =>
		runVerb(state, dialog.runs[0], {
			argv: ['plan', 'accept', dialog.runs[0]!, '--yes', '--revision', dialog.subject!],
			title: 'accept the plan',
		}),
};

/** Something about one task, by its id. */
function ofTask(verb: 'release' | 'drop'): DialogDefinition {
	return {
		open(state, subject) {
			const run = selectedRun(state);
			const found = run && standings(run, state.runs).find(({task}) => task.id === subject);
			if (!found) {
				return undefined;
			}

			const after = run.plan!.tasks.filter(task => task.after.includes(found.task.id)).map(({id}) => id);
			return {
				title: verb === 'release' ? `Start ${subject} without waiting?` : `Drop ${subject}?`,
				runs: [run.id],
				fields: [],
				yes: verb === 'release' ? 'start it' : 'drop it',
				lines: [
					fact('Task', escapeLine(found.task.title)),
					...(found.because === '' ? [] : [fact('Now', escapeLine(found.because))]),
					...(after.length === 0 || verb === 'release'
						? []
						: [fact('Behind it', `${listNames(after).join(', ')}: waits until it is started or dropped, too`, 'warn')]),
					verb === 'release'
						? fact('Starts', 'from what is merged by now')
						: fact('Undo', 'none; a new run can do it (n)', 'warn'),
				],
			};
		},
		submit: (state, dialog) =>
			runVerb(state, dialog.runs[0], {
				argv: ['plan', verb, dialog.runs[0]!, dialog.subject!],
				title: `${verb} ${dialog.subject}`,
			}),
	};
}

export const planDialogs = {'plan-accept': accept, 'plan-release': ofTask('release'), 'plan-drop': ofTask('drop')};
