import {branchName} from '../../core/git/refs.ts';
import {gatesOf, type GateId} from '../../core/run/gates.ts';
import type {Run} from '../../core/run/run.ts';
import {hasWorker, stageName} from '../../core/run/stages.ts';
import {asks, openDialog} from '../forms/dialogs.ts';
import {logKind} from '../navigation.ts';
import {selectedRun, type State} from '../state.ts';
import {runVerb, type Step} from '../step.ts';
import {lastGood} from '../targets.ts';
import {needsIdle, needsRun, refusing, type KeyTable} from './record.ts';

/* The steps from the agent's work to a deploy. */

function gate(id: GateId) {
	return refusing(run => {
		// What led to a merge is over: the next step must not be crowded out by it.
		if (run.merge && (id === 'verify' || id === 'approve' || id === 'merge')) {
			return 'merged already';
		}

		const found = gatesOf(run).find(gate => gate.id === id)!;
		return found.state === 'blocked' ? found.because : undefined;
	});
}

function verify(state: State, run: Run): Step {
	const offer = state.offers[run.project.id];
	// What is offered is the policy of the branch that is checked out; the run's target may be another.
	if (offer?.verify.length === 0 && branchName(run.target) === offer.branches[0]) {
		return openDialog(state, 'init');
	}

	const step = runVerb(state, run.id, {argv: ['verify', run.id], title: 'verify'});
	return {state: step.state, effects: [...step.effects, {type: 'log', kind: 'verify', move: {to: 'end'}}]};
}

function openLog(state: State, id: string): Step {
	const log = logKind(state) === 'deploy' ? '--deploy' : '--verify';
	return {state, effects: [{type: 'terminal', argv: ['logs', id, log, '--pager'], pause: false}]};
}

const cannotReject = refusing(run => {
	if (run.merge) {
		return 'merged already';
	}

	return hasWorker(run.stage) ? `the run is ${stageName(run.stage)}` : undefined;
});

const needsFinding = refusing(run =>
	run.suspects.some(({fingerprint}) => !run.waived.includes(fingerprint)) ? undefined : 'no findings',
);

function needsLastGood(state: State): string | undefined {
	return (
		needsRun(state) ??
		needsIdle(state) ??
		(lastGood(state) ? undefined : 'no earlier deploy of this project to that target')
	);
}

function needsLog(state: State): string | undefined {
	const run = selectedRun(state);
	if (!run) {
		return needsRun(state);
	}

	const isThere = run.verification !== undefined || run.deployments.length > 0 || run.stage === 'verifying';
	return isThere ? undefined : 'not verified yet';
}

export const pipelineKeys = {
	audit: {
		keys: 'c',
		title: 'audit',
		places: ['fleet', 'gates'],
		footer: 11,
		disabled: gate('audit'),
		run: ({state, id}) =>
			runVerb(state, id, {argv: ['audit', id, '--json', '--progress'], title: 'audit', then: 'audit'}),
	},
	verify: {
		keys: 'v',
		title: 'verify',
		places: ['fleet', 'gates'],
		footer: 12,
		disabled: gate('verify'),
		run: ({state, run}) => verify(state, run!),
	},
	approve: {
		keys: 'y',
		title: 'approve',
		places: ['fleet', 'gates'],
		footer: 14,
		disabled: gate('approve'),
		run: asks('approve'),
	},
	merge: {
		keys: 'm',
		title: 'merge',
		places: ['fleet', 'gates'],
		footer: 15,
		disabled: gate('merge'),
		run: ({state, id}) => runVerb(state, id, {argv: ['merge', id], title: 'merge'}),
	},
	deploy: {
		keys: 'p',
		title: 'deploy',
		places: ['fleet', 'gates'],
		footer: 16,
		disabled: gate('deploy'),
		run: asks('deploy'),
	},
	rollback: {keys: 'B', title: 'roll back', places: ['fleet', 'gates'], disabled: needsLastGood, run: asks('rollback')},
	reject: {
		keys: 'X',
		title: 'reject',
		places: ['fleet', 'gates', 'changes'],
		footer: 17,
		disabled: cannotReject,
		run: asks('reject'),
	},
	'verify-output': {
		keys: 'w',
		title: 'verify or deploy log',
		places: ['fleet', 'gates'],
		disabled: needsLog,
		run: ({state, id}) => openLog(state, id),
	},
	waive: {
		keys: 'W',
		title: 'not a secret (dismiss finding)',
		places: ['fleet', 'gates'],
		disabled: needsFinding,
		run: asks('waive'),
	},
} as const satisfies KeyTable;
