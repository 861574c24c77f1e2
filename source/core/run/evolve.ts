import {agentChanges} from './evolve-agent.ts';
import {deployChanges} from './evolve-deploy.ts';
import {handoverChanges} from './evolve-handover.ts';
import {planChanges} from './evolve-plan.ts';
import {publishChanges} from '../publish/evolve.ts';
import {emptyPlan} from '../tasks/plan.ts';
import type {Changes} from './evolve-text.ts';
import type {Entry, EntryOf} from './event.ts';
import type {Run} from './run.ts';
import {hasWorker, type Stage, type WorkerStage} from './stages.ts';
import {noUsage} from './usage.ts';

const changes: Changes = {
	...agentChanges,
	...handoverChanges,
	...deployChanges,
	...planChanges,
	...publishChanges,
};

type Later = Exclude<Entry, {readonly type: 'run.created'}>;

function changesOf(run: Run, entry: Later): Partial<Run> {
	// Each function takes the entries of the type that it stands under: `Changes` says so, and the lookup forgets it.
	const change = changes[entry.type] as (run: Run, entry: Later) => Partial<Run>;
	return change(run, entry);
}

/** A run as it is made. */
function created(entry: EntryOf<'run.created'>): Run {
	return {
		id: entry.id,
		name: entry.name,
		project: entry.project,
		agent: entry.agent,
		argv: entry.argv,
		prompt: entry.prompt,
		task: entry.prompt,
		branch: entry.branch,
		base: entry.base,
		target: entry.target,
		worktree: entry.worktree,
		createdAt: entry.at,
		updatedAt: entry.at,
		attempt: 0,
		stage: 'starting',
		because: 'preparing the sandbox',
		since: entry.at,
		worked: {ms: 0, since: undefined},
		stuck: false,
		exit: undefined,
		sandbox: '',
		hits: [],
		notes: [],
		grants: entry.grants,
		endedGrants: [],
		listening: [],
		openPorts: [],
		denials: [],
		answered: [],
		dismissed: [],
		alarms: [],
		status: undefined,
		conversation: undefined,
		interactive: entry.interactive ?? false,
		usage: noUsage,
		budget: entry.budget,
		suspects: [],
		waived: [],
		captured: undefined,
		conflicts: undefined,
		rebase: undefined,
		verification: undefined,
		rounds: [],
		approval: undefined,
		statements: [],
		merge: undefined,
		deployments: [],
		audit: undefined,
		batch: entry.batch,
		after: entry.after,
		included: entry.included,
		path: entry.path,
		filters: entry.filters,
		withoutProfile: entry.profile === false ? true : undefined,
		plan: entry.plan ? emptyPlan : undefined,
		of: entry.of,
		pid: undefined,
		seq: entry.seq,
	};
}

/**
 * One more event. Pure, total, used by the engine and by the screen, so that they cannot disagree.
 * The first event must be `run.created`; an event that the state does not expect changes only what it says.
 */
export function evolve(run: Run | undefined, entry: Entry): Run {
	if (entry.type === 'run.created') {
		return created(entry);
	}

	if (!run) {
		throw new Error(`a journal starts with run.created, not with ${entry.type}`);
	}

	const next = changesOf(run, entry);
	const stage = next.stage ?? run.stage;
	const stuck = stage === 'queued' && (next.stuck ?? run.stuck);
	// Only what changed the stage began it: a refusal or a second line about the same is no new wait.
	return {
		...run,
		...next,
		phrase: next.because === undefined ? run.phrase : next.phrase,
		since: next.since ?? (stage === run.stage && stuck === run.stuck ? run.since : entry.at),
		stuck,
		// A supervisor that is found dead was at work until its last line at the least, and nobody knows more.
		worked: workedAfter(run, stage, entry.type === 'run.crashed' ? run.updatedAt : entry.at),
		updatedAt: entry.at,
		seq: entry.seq,
	};
}

function workedAfter({worked}: Run, stage: Stage, at: string): Run['worked'] {
	if (stage === 'running') {
		return worked.since === undefined ? {...worked, since: at} : worked;
	}

	return worked.since === undefined
		? worked
		: {ms: worked.ms + Math.max(0, Date.parse(at) - Date.parse(worked.since)), since: undefined};
}

/** Folds a whole journal. Undefined for an empty one. */
export function foldRun(entries: readonly Entry[]): Run | undefined {
	let run: Run | undefined;
	for (const entry of entries) {
		run = evolve(run, entry);
	}

	return run;
}

/** What is true of a run whose journal says that somebody works on it although nobody does. */
export function withoutWorker(run: Run): Run {
	if (!hasWorker(run.stage)) {
		return run;
	}

	const because = (
		{
			queued: 'the supervisor ended while the run was queued; nothing was started',
			starting: 'the supervisor ended before the agent started',
			running: 'the supervisor ended unexpectedly; the sandbox died with it',
			frozen: 'the supervisor ended unexpectedly; the sandbox died with it',
			checking: 'the check of its work was interrupted',
			verifying: 'verification was interrupted',
			merging: 'the merge was interrupted; merge again: it is finished, or begun anew',
			deploying: 'the deploy was interrupted; look at the target before trying again',
		} satisfies Record<WorkerStage, string>
	)[run.stage];
	return evolve(run, {type: 'run.crashed', because, seq: run.seq, at: run.updatedAt, actor: 'fleet', prev: ''});
}
