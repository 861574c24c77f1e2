import {existsSync, readdirSync, readFileSync} from 'node:fs';
import process from 'node:process';
import {isName, printable} from '../core/names.ts';
import {withoutExpired} from '../core/deploy/request.ts';
import {foldRun, withoutWorker} from '../core/run/evolve.ts';
import type {Run} from '../core/run/run.ts';
import {hasWorker, isStoppable, isSupervised, stageName} from '../core/run/stages.ts';
import {Refusal} from '../core/refusal.ts';
import {readJournal, Journal} from '../host/journal.ts';
import {Lock} from '../host/lock.ts';
import {groupName, removeCgroup} from '../host/cgroup.ts';
import {tidy, type RunPaths} from '../host/paths.ts';
import type {Context} from './context.ts';

/** The ids of all runs that have a folder. */
export function listRunIds({paths}: Pick<Context, 'paths'>): string[] {
	try {
		return readdirSync(`${paths.state}/runs`).filter(name => isName(name));
	} catch {
		return [];
	}
}

function fold(places: RunPaths): Run | undefined {
	try {
		return foldRun(readJournal(places.journal).entries);
	} catch {
		return undefined;
	}
}

/**
 * How long a list gives a supervisor to begin, milliseconds: on a busy machine a start takes seconds, and a run that is
 * about to start must not be called crashed.
 */
export const startPatienceMs = 10_000;

/**
 * A run as its journal tells it; a run whose worker is gone says so. Undefined for an empty or unreadable journal.
 * @param patienceMs how long one that was just asked to start is not taken for crashed: between the verb that wrote that
 * down and the supervisor that it starts, nobody has the lock
 */
export function readRun(places: RunPaths, patienceMs = 0): Run | undefined {
	const read = fold(places);
	const run = read && withoutExpired(read, Date.now());
	if (!run || !hasWorker(run.stage) || Lock.isHeld(places.lock) || supervisorLives(run)) {
		return run;
	}

	// The worker may have ended between the two looks. Whoever let the lock go had written its last line before.
	const last = fold(places);
	if (last?.stage === 'starting' && Date.now() - Date.parse(last.updatedAt) < patienceMs) {
		return last;
	}

	const gone = last && !supervisorLives(last) ? withoutWorker(last) : last;
	if (gone !== last && existsSync(places.socket)) {
		// A dead worker removes nothing: the first who looks does. With the lock, so that no new worker loses its own.
		const lock = Lock.acquire(places.lock);
		if (lock) {
			clean(places);
			lock.release();
		}
	}

	return gone;
}

/**
 * Whether the process that the journal names as a run's supervisor is
 * one, and is alive: it is never taken for dead, whatever its lock says.
 */
function supervisorLives(run: Run): boolean {
	if (run.pid === undefined || !isSupervised(run.stage)) {
		return false;
	}

	try {
		return readFileSync(`/proc/${run.pid}/cmdline`, 'utf8').split('\0')[0]!.trim() === `fleet-supervisor ${run.id}`;
	} catch {
		return false;
	}
}

/**
 * Ends a supervisor that does not answer, whatever keeps it: all that it started ends with it, and the next who looks
 * writes down that it is gone.
 * @returns false where the journal names none that is alive
 */
export function killSupervisor(run: Run): boolean {
	if (!supervisorLives(run)) {
		return false;
	}

	try {
		process.kill(run.pid!, 'SIGKILL');
		return true;
	} catch {
		return false;
	}
}

/** Takes away what a worker that was killed left. */
function clean(places: RunPaths): void {
	tidy(places);
	removeCgroup(groupName(places));
}

/** Every run, newest first. */
export function listRuns(context: Pick<Context, 'paths'>): Run[] {
	return listRunIds(context)
		.map(id => readRun(context.paths.run(id), startPatienceMs))
		.filter(run => run !== undefined)
		.sort((a, b) => b.createdAt.localeCompare(a.createdAt) || b.id.localeCompare(a.id));
}

function matchesOf(ids: readonly string[], text: string): string[] {
	if (ids.includes(text)) {
		return [text];
	}

	return isName(text) ? ids.filter(id => id.startsWith(text)) : [];
}

/** The run of that id; a beginning that only one run has is enough. */
export function findRun(context: Pick<Context, 'paths'>, text: string): Run {
	const matches = matchesOf(listRunIds(context), text);
	if (matches.length !== 1) {
		throw new Refusal(
			matches.length === 0
				? `there is no run "${printable(text)}"`
				: `"${text}" is the beginning of ${matches.length} runs`,
			matches.length === 0 ? 'fleet list --all' : `one of: ${matches.slice(0, 5).join(', ')}`,
		);
	}

	const run = readRun(context.paths.run(matches[0]!));
	if (!run) {
		throw new Refusal(`the journal of ${matches[0]} cannot be read`, `fleet journal verify ${matches[0]}`, 3);
	}

	return run;
}

/** How long another process may take to let go of a journal, milliseconds. */
const journalWaitMs = 15_000;

/**
 * Does work on a run as the writer of its journal. A worker that died is written down first.
 * @throws Refusal where another process works on the run
 */
export async function withJournal<Result>(
	context: Context,
	runId: string,
	work: (journal: Journal) => Promise<Result>,
): Promise<Result> {
	const places = context.paths.run(runId);
	const {fault} = readJournal(places.journal);
	if (fault) {
		throw new Refusal(
			`the journal of ${runId} is broken at line ${fault.line}: ${fault.because}`,
			'nothing is decided on a journal that was changed; look at it with fleet journal',
			3,
		);
	}

	// A supervisor keeps the journal for hours, and a gate for minutes: nobody
	// should wait for that. One that has written how its run ended lets go soon.
	const stage = readRun(places)?.stage;
	const live = stage !== undefined && isSupervised(stage);
	const patience = stage !== undefined && hasWorker(stage) ? 1000 : journalWaitMs;
	const journal = Journal.open(places, live ? 0 : patience);
	if (!journal) {
		throw new Refusal(
			live ? `${runId} is ${stageName(stage)}` : `${runId} is in use: another process has its journal`,
			live || (stage !== undefined && isStoppable(stage)) ? `fleet stop ${runId}` : 'wait for what is going on',
			3,
		);
	}

	try {
		if (!journal.state) {
			throw new Refusal(`the journal of ${runId} is empty`, 'fleet list');
		}

		if (supervisorLives(journal.run)) {
			throw new Refusal(`${runId} is ${journal.run.stage}`, `fleet stop ${runId}`, 3);
		}

		const gone = withoutWorker(journal.run);
		if (gone !== journal.run) {
			clean(places);
			journal.append({type: 'run.crashed', because: gone.because}, 'fleet');
		}

		return await work(journal);
	} finally {
		journal.close();
	}
}
