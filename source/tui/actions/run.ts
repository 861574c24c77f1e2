import type {Run} from '../../core/run/run.ts';
import {isInForce} from '../../core/scope.ts';
import {openedBy} from '../../scopes/registry.ts';
import {hasWorker, stageName, type Stage} from '../../core/run/stages.ts';
import {asks, openDialog} from '../forms/dialogs.ts';
import {questionOf} from '../forms/dialogs/reply.ts';
import {openForm} from '../forms/new-run.ts';
import {selectedRun, tabs, type State} from '../state.ts';
import {bad, runVerb, runVerbForAll, type Step} from '../step.ts';
import {canStop, isDiscardable, targets} from '../targets.ts';
import {cannotUndo, undo} from '../undo.ts';
import {everywhere, needsIdle, needsRun, needsTarget, refusing, withRun, type KeyTable} from './record.ts';

/* A run's life: started, stopped, paused, resumed, discarded. */

/** The project of the folder that the screen was opened in, also one that was added since. */
function projectHere({projects, here}: State): string | undefined {
	const known =
		projects.find(project => project.id === here.project) ?? projects.find(({root}) => root === here.folder);
	return known?.id;
}

function newRun(state: State, run: Run | undefined): Step {
	const {projects} = state;
	// A heading is a project's only where the list is grouped by projects.
	const heading = projects.find(({id}) => state.list.group === 'project' && state.heading === `project:${id}`);
	// As `fleet run` does, it takes the folder's, wherever the cursor is.
	const project =
		heading?.id ?? projectHere(state) ?? run?.project.id ?? state.runs[0]?.project.id ?? projects[0]?.id ?? '';
	// The newest run's agent is the likeliest for the next one.
	return openForm(state, project, state.runs[0]?.agent ?? 'command');
}

/** A second `!` within this time after a pause is taken for the first one, pressed twice. */
const doublePressMs = 1000;

function panic(state: State): Step {
	const own = targets(state);
	const busy = own.find(run => state.busy[run.id] !== undefined);
	if (busy) {
		return bad(state, `${state.busy[busy.id]} ${busy.id}: still in progress`);
	}

	const running = own.filter(run => run.stage === 'running');
	if (running.length > 0) {
		return runVerbForAll(state, running, {argv: run => ['pause', run.id], title: 'pause'});
	}

	const now = state.keyAt ?? state.now;
	return own.some(run => run.stage === 'frozen' && now - Date.parse(run.since) < doublePressMs)
		? bad(state, 'just paused: press ! again to stop it')
		: openDialog(state, 'stop', 'stopped while paused');
}

/** A verb for those of the target runs that are in a stage. */
function runVerbForStage(state: State, stage: Stage, {verb, title}: {verb: string; title: string}): Step {
	const runs = targets(state).filter(run => run.stage === stage);
	return runVerbForAll(state, runs, {argv: run => [verb, run.id], title});
}

/** What a person who would resume a run may want in its place, by its stage. */
const resumeHints: Partial<Record<Stage, string>> = {
	frozen: ' (u continue)',
	discarded: ' (U restore)',
};

function refusesResume(run: Run): string | undefined {
	if (run.merge) {
		return 'merged already';
	}

	return hasWorker(run.stage) || run.stage === 'discarded'
		? `${run.id} is ${stageName(run.stage)}${resumeHints[run.stage] ?? ''}`
		: undefined;
}

const cannotResume = refusing(run => refusesResume(run));

const waitsForRun = (run: Run) => run.stage === 'queued' && run.after !== undefined;

const cannotTell = refusing(run => (run.stage === 'running' || waitsForRun(run) ? undefined : refusesResume(run)));

function tell(state: State, run: Run): Step {
	if (waitsForRun(run)) {
		return openDialog(state, 'release');
	}

	if (run.stage === 'running') {
		return openDialog(state, 'reply', questionOf(state));
	}

	// A command that was given a prompt is given another one; what has none can only run again.
	return openDialog(state, run.agent === 'command' && run.task === undefined ? 'rerun' : 'resume');
}

const needsProject = (state: State) => (state.projects.length === 0 ? 'no projects yet (+)' : undefined);
const needsRunning = (state: State) =>
	state.runs.some(run => run.stage === 'running') ? undefined : 'no run is running';
const cannotDiscard = (state: State) => needsIdle(state) ?? needsTarget(isDiscardable)(state);

function cannotAttach(state: State): string | undefined {
	const run = selectedRun(state);
	if (!run) {
		return needsRun(state);
	}

	return run.stage === 'running' ? undefined : `the run is ${stageName(run.stage)}`;
}

/** A port that can be opened, else one that could be granted: what listens comes first. */
function portOf(run: Run, now: number): {readonly port: number; readonly isGranted: boolean} | undefined {
	const granted = run.grants.flatMap(grant => {
		const {port} = openedBy(grant.scope);
		return port !== undefined && isInForce(grant, now) ? [port] : [];
	});
	const port = granted.find(port => run.listening.includes(port)) ?? granted[0];
	return port === undefined
		? run.listening.slice(0, 1).map(port => ({port, isGranted: false}))[0]
		: {port, isGranted: true};
}

function browse(state: State, run: Run): Step {
	const {port, isGranted} = portOf(run, state.now)!;
	return isGranted
		? runVerb(state, run.id, {argv: ['open', run.id, String(port)], title: 'open in your browser'})
		: openDialog(state, 'allow', `port:${port}`);
}

function cannotBrowse(state: State): string | undefined {
	const run = selectedRun(state);
	if (run?.stage !== 'running') {
		return cannotAttach(state);
	}

	return portOf(run, state.now) ? undefined : 'it listens on no port';
}

const needsPaused = needsTarget(
	run => run.stage === 'frozen',
	() => 'not paused',
);
const needsDiscarded = needsTarget(
	run => run.stage === 'discarded',
	() => 'not discarded',
);
const needsAlarm = needsTarget(
	run => run.alarms.length > 0,
	() => 'no alarms',
);

export const runKeys = {
	attach: {
		keys: 't',
		title: 'terminal; ctrl-q leaves it',
		places: ['fleet', ...tabs],
		footer: 7,
		disabled: cannotAttach,
		run: ({state, id}) => ({state, effects: [{type: 'terminal', argv: ['attach', id], pause: false}]}),
	},
	browser: {
		keys: '@',
		title: 'browser',
		places: withRun,
		footer: 6,
		disabled: cannotBrowse,
		run: ({state, run}) => browse(state, run!),
	},
	new: {
		keys: 'n',
		title: 'new',
		places: ['fleet', 'scopes', 'checklist', 'journal', 'network'],
		footer: 8,
		disabled: needsProject,
		run: ({state, run}) => newRun(state, run),
	},
	stop: {
		keys: 'x',
		title: 'stop',
		places: ['fleet', 'output', 'scopes', 'checklist', 'journal', 'network', 'gates'],
		footer: 20,
		disabled: needsTarget(canStop),
		run: asks('stop'),
	},
	panic: {
		keys: '!',
		title: 'pause; a paused run: stop',
		places: withRun,
		disabled: needsTarget(run => run.stage === 'running' || run.stage === 'frozen'),
		run: ({state}) => panic(state),
	},
	'freeze-all': {
		keys: 'ctrl-x',
		title: 'pause all runs',
		places: everywhere,
		disabled: needsRunning,
		run: asks('freeze-all'),
	},
	thaw: {
		keys: 'u',
		title: 'continue',
		places: withRun,
		disabled: needsPaused,
		run: ({state}) => runVerbForStage(state, 'frozen', {verb: 'continue', title: 'continue'}),
	},
	resume: {
		keys: 'r',
		title: 'reply, or resume',
		places: withRun,
		disabled: cannotTell,
		run: ({state, run}) => tell(state, run!),
	},
	rebase: {
		keys: 'R',
		title: 'send back: what failed or was said, or to rebase',
		places: withRun,
		disabled: cannotResume,
		run: asks('rebase'),
	},
	discard: {keys: 'D', title: 'discard', places: withRun, disabled: cannotDiscard, run: asks('discard')},
	restore: {
		keys: 'U',
		title: 'restore',
		places: ['fleet'],
		disabled: needsDiscarded,
		run: ({state}) => runVerbForStage(state, 'discarded', {verb: 'restore', title: 'restore'}),
	},
	undo: {
		keys: 'z',
		title: 'undo the last discard, pause or grant',
		places: ['fleet', 'gates', 'scopes', 'checklist', 'journal', 'network', 'compare', 'disk', 'vault'],
		disabled: cannotUndo,
		run: ({state}) => undo(state),
	},
	budget: {keys: 'b', title: 'budget', places: withRun, disabled: needsRun, run: asks('budget')},
	acknowledge: {
		keys: 'A',
		title: 'acknowledge alarms',
		places: withRun,
		disabled: needsAlarm,
		run: asks('acknowledge'),
	},
	'copy-branch': {
		keys: 'Y',
		title: 'copy branch',
		places: withRun,
		disabled: needsRun,
		run: ({state, run}) => ({state, effects: [{type: 'copy-text', text: run!.branch}]}),
	},
} as const satisfies KeyTable;
