import {branchName} from '../../core/git/refs.ts';
import {gatesOf, type GateId} from '../../core/run/gates.ts';
import {waitingDeploy} from '../../core/run/attention.ts';
import {openHere} from '../../core/publish/next.ts';
import type {Run} from '../../core/run/run.ts';
import {hasWorker, stageName} from '../../core/run/stages.ts';
import {asks, openDialog, openQueue} from '../forms/dialogs.ts';
import {glanceOf, isOutdatedIn} from '../list.ts';
import {logKind} from '../navigation.ts';
import {readyRuns} from '../ready.ts';
import {hasVerifyCommand} from '../verify-command.ts';
import {selectedRun, type State} from '../state.ts';
import {runVerb, runVerbsForAll, stay, type Handler, type Step} from '../step.ts';
import {lastGood, targets} from '../targets.ts';
import {needsIdle, needsRun, refusing, type KeyTable} from './record.ts';

/* The steps from the agent's work to a deploy. */

/** Why a step cannot be done now for the run; undefined where it can. */
function blocked(run: Run, id: GateId): string | undefined {
	// What led to a merge is over: the next step must not be crowded out by it.
	if (run.merge && (id === 'verify' || id === 'approve' || id === 'merge')) {
		return 'merged already';
	}

	const found = gatesOf(run).find(gate => gate.id === id)!;
	return found.state === 'blocked' ? found.because : undefined;
}

/** Why a step cannot be done for a run, by what is known of the others, too. */
function blockedIn(state: State, run: Run, id: GateId): string | undefined {
	if ((id === 'approve' || id === 'merge') && isOutdatedIn(run, state)) {
		return `outdated: ${branchName(run.target)} moved since; verify again (v)`;
	}

	const deploys = state.offers[run.project.id]?.deploy;
	return id === 'deploy' && deploys !== undefined && Object.keys(deploys).length === 0
		? (blocked(run, id) ?? 'the policy names no target')
		: blocked(run, id);
}

const gate = (id: GateId) => refusing((run, state) => blockedIn(state, run, id));

/** Of several runs that are selected in the list, those for which a step can be done now; undefined for one run. */
function several(state: State, id: GateId): readonly Run[] | undefined {
	const own = targets(state);
	return own.length > 1
		? own.filter(run => state.busy[run.id] === undefined && blockedIn(state, run, id) === undefined)
		: undefined;
}

/** Refuses a step where it can be done for none of the runs. */
const gates = (id: GateId) => (state: State) => {
	const runs = several(state, id);
	if (runs === undefined) {
		return gate(id)(state);
	}

	return runs.length === 0 ? `not possible for any of the ${targets(state).length} selected runs` : undefined;
};

/** A step of several runs, one after the other. */
const forAll = (state: State, runs: readonly Run[], verb: 'audit' | 'verify'): Step =>
	verb === 'audit'
		? runVerbsForAll(state, runs, {
				argvs: run => [['audit', run.id, '--json', '--progress']],
				title: verb,
				then: 'audit',
				isSerial: true,
			})
		: runVerbsForAll(state, runs, {argvs: run => [[verb, run.id]], title: verb, isSerial: true});

/** A step of the selected runs, or else of one. */
const each =
	(id: 'audit' | 'verify', one: Handler): Handler =>
	context => {
		const runs = several(context.state, id);
		return runs === undefined ? one(context) : forAll(context.state, runs, id);
	};

function verify(state: State, run: Run): Step {
	if (glanceOf(run, state).next === 'set-verify' || hasVerifyCommand(run, state) === false) {
		return openDialog(state, 'init');
	}

	const step = runVerb(state, run.id, {argv: ['verify', run.id], title: 'verify'});
	return {state: step.state, effects: [...step.effects, {type: 'log', kind: 'verify', move: {to: 'end'}}]};
}

function openLog(state: State, id: string): Step {
	const log = logKind(state) === 'deploy' ? '--deploy' : '--verify';
	return {state, effects: [{type: 'terminal', argv: ['logs', id, log, '--pager'], pause: false}]};
}

/** Whether a deploy of it was asked for that somebody has to say yes to. */
const isDeployAsked = (run: Run) => run.deployRequest?.asked !== undefined && waitingDeploy(run) !== undefined;

const cannotReject = refusing(run => {
	if (isDeployAsked(run)) {
		return undefined;
	}

	if (run.merge) {
		return 'merged already';
	}

	return hasWorker(run.stage) ? `the run is ${stageName(run.stage)}` : undefined;
});

/** Of what is published as it stands, and of what ended there, one looks how it is. */
const isOut = (run: Run) =>
	run.published !== undefined &&
	(run.published.state !== 'open' || openHere(run) !== undefined || !run.verification?.passed);

const cannotPublish = refusing(run => {
	if (isOut(run)) {
		return hasWorker(run.stage) ? `the run is ${stageName(run.stage)}` : undefined;
	}

	return run.merge ? 'merged already' : blockedPublish(run);
});

function blockedPublish(run: Run): string | undefined {
	return run.stage === 'verified' || run.stage === 'approved' ? undefined : 'verify first';
}

function publish(state: State, run: Run): Step {
	return isOut(run)
		? runVerb(state, run.id, {argv: ['publish', run.id, '--refresh'], title: 'look at the forge'})
		: openDialog(state, 'publish');
}

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

function needsReady(state: State): string | undefined {
	if (state.fleetBusy !== undefined) {
		return `${state.fleetBusy} in progress`;
	}

	return needsRun(state) ?? (readyRuns(state).length === 0 ? 'no run of this project is verified' : undefined);
}

const hasNext = refusing((run, state) => (glanceOf(run, state).next === undefined ? 'nothing to do now' : undefined));

export const pipelineKeys = {
	'next-step': {
		keys: 'return',
		title: 'next step',
		places: ['gates'],
		footer: 10,
		disabled: hasNext,
		// `act` does the action of that step in its place: which one that is, is known where all keys are.
		run: ({state}) => stay(state),
	},
	audit: {
		keys: 'c',
		title: 'audit',
		places: ['fleet', 'gates', 'checklist'],
		footer: 11,
		disabled: gates('audit'),
		run: each('audit', ({state, id}) =>
			runVerb(state, id, {argv: ['audit', id, '--json', '--progress'], title: 'audit', then: 'audit'}),
		),
	},
	verify: {
		keys: 'v',
		title: 'verify',
		places: ['fleet', 'gates'],
		footer: 12,
		disabled: gates('verify'),
		run: each('verify', ({state, run}) => verify(state, run!)),
	},
	approve: {
		keys: 'y',
		title: 'approve',
		places: ['fleet', 'gates'],
		footer: 14,
		disabled: gates('approve'),
		run: ({state}) => openQueue(state, 'approve', several(state, 'approve')),
	},
	merge: {
		keys: 'm',
		title: 'merge',
		places: ['fleet', 'gates'],
		footer: 15,
		disabled: gates('merge'),
		run: ({state}) =>
			openDialog(state, 'merge', (several(state, 'merge') ?? [selectedRun(state)!]).map(({id}) => id).join(' ')),
	},
	'merge-all': {
		keys: 'Q',
		title: 'merge all that is ready, verified together',
		places: ['fleet', 'gates'],
		disabled: needsReady,
		run: asks('merge-all'),
	},
	publish: {
		keys: 'F',
		title: 'publish at the forge, or look how it stands there',
		places: ['fleet', 'gates'],
		disabled: cannotPublish,
		run: ({state, run}) => publish(state, run!),
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
		run: ({state, run}) =>
			isDeployAsked(run!) ? openDialog(state, 'deploy-no', run!.deployRequest!.target) : openDialog(state, 'reject'),
	},
	request: {
		keys: 'I',
		title: 'ask others to approve',
		places: ['fleet', 'gates', 'changes'],
		disabled: gate('approve'),
		run: asks('request'),
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
