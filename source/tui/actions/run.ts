import {branchName} from '../../core/git/refs.ts';
import {learn} from '../../core/run/learn.ts';
import type {Run} from '../../core/run/run.ts';
import {asks, openDialog} from '../forms/dialogs.ts';
import {targets} from '../keymap.ts';
import {logKind} from '../navigation.ts';
import {scopeRows} from '../scope-rows.ts';
import {placeOf, type State} from '../state.ts';
import {bad, runVerb, runVerbForAll, type Handlers, type Step} from '../step.ts';

/* What is done to runs: most of it is a verb, some of it asks first. */

function toggleScope(state: State, run: Run): Step {
	const row = scopeRows(run, state.now, state.vault?.secrets)[state.scroll];
	if (!row || row.state === 'fixed' || row.state === 'never') {
		return bad(
			state,
			`${row?.scope ?? 'this'} ${row?.state === 'fixed' ? 'is always on while the run runs' : 'cannot be granted'}`,
		);
	}

	return row.state === 'on'
		? runVerb(state, run.id, ['revoke', run.id, row.scope!], 'revoke')
		: openDialog(state, 'allow', row.scope);
}

/** A second press within this time after a freeze is one of haste, milliseconds. */
const hurry = 1000;

/** The denial that an offer is about: the selected row's on the scopes tab, else the newest. */
function denialOf(state: State, run: Run): string | undefined {
	const row =
		placeOf(state) === 'scopes'
			? scopeRows(run, state.now, state.vault?.secrets)[state.scroll]?.scope?.replace(/^network:/, '')
			: undefined;
	return run.denials.find(denial => denial.target === row)?.target ?? run.denials[0]?.target;
}

export const runActions = {
	attach: ({state, id}) => ({state, effects: [{type: 'terminal', argv: ['attach', id], pause: false}]}),
	grant: ({state, run}) => openDialog(state, 'allow', `network:${denialOf(state, run!)!}`),
	dismiss({state, run, id}) {
		const target = denialOf(state, run!)!;
		return runVerb(state, id, ['dismiss', id, target], 'dismiss');
	},
	learn: ({state}) =>
		learn(state.journal).proposal.length === 0
			? bad(state, 'no network request that a policy could allow')
			: openDialog(state, 'learn'),
	toggle: ({state, run}) => toggleScope(state, run!),
	audit: ({state, id}) => runVerb(state, id, ['audit', id, '--json', '--progress'], 'audit', 'audit'),
	verify({state, run, id}) {
		const offer = state.offers[run!.project.id];
		// What is offered is the policy of the branch that is checked out; the run's target may be another.
		if (offer?.verify.length === 0 && branchName(run!.target) === offer.branches[0]) {
			return openDialog(state, 'init');
		}

		const step = runVerb(state, id, ['verify', id], 'verify');
		return {state: step.state, effects: [...step.effects, {type: 'log', kind: 'verify', move: {to: 'end'}}]};
	},
	'verify-output': ({state, id}) => ({
		state,
		effects: [
			{
				type: 'terminal',
				argv: ['logs', id, logKind(state) === 'deploy' ? '--deploy' : '--verify', '--pager'],
				pause: false,
			},
		],
	}),
	stop: asks('stop'),
	panic({state}) {
		const own = targets(state);
		const running = own.filter(run => run.stage === 'running');
		const frozen = own.filter(run => run.stage === 'frozen');
		const going = own.find(run => state.busy[run.id] !== undefined);
		if (going) {
			return bad(state, `${state.busy[going.id]} ${going.id}: still in progress`);
		}

		if (running.length > 0) {
			return runVerbForAll(state, running, run => ['freeze', run.id], 'pause');
		}

		// Pressed once more in a hurry, it must not end what it was to hold.
		return frozen.some(run => (state.keyAt ?? state.now) - Date.parse(run.since) < hurry)
			? bad(state, 'just paused: press ! again to stop it')
			: openDialog(state, 'stop', 'stopped while paused');
	},
	'freeze-all': asks('freeze-all'),
	thaw: ({state}) =>
		runVerbForAll(
			state,
			targets(state).filter(run => run.stage === 'frozen'),
			run => ['thaw', run.id],
			'continue',
		),
	resume: ({state, run}) => openDialog(state, run!.agent === 'command' ? 'rerun' : 'resume'),
	rebase: ({state, id}) => runVerb(state, id, ['resume', id, '--rebase'], 'rebase'),
	restore: ({state}) =>
		runVerbForAll(
			state,
			targets(state).filter(run => run.stage === 'discarded'),
			run => ['restore', run.id],
			'restore',
		),
	merge: ({state, id}) => runVerb(state, id, ['merge', id], 'merge'),
	acknowledge: asks('acknowledge'),
	approve: asks('approve'),
	reject: asks('reject'),
	deploy: asks('deploy'),
	rollback: asks('rollback'),
	discard: asks('discard'),
	budget: asks('budget'),
	waive: asks('waive'),
	clean: asks('clean'),
	'copy-branch': ({state, run}) => ({state, effects: [{type: 'copy-text', text: run!.branch}]}),
} satisfies Handlers;
