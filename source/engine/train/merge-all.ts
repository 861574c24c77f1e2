import {randomBytes} from 'node:crypto';
import {branchName} from '../../core/git/refs.ts';
import {exitCodes, gateRefusal, Refusal} from '../../core/refusal.ts';
import {decideActor} from '../../core/run/rules.ts';
import type {Run} from '../../core/run/run.ts';
import {stageName} from '../../core/run/stages.ts';
import {rides, trainOrder} from '../../core/run/train.ts';
import type {Journal} from '../../host/journal.ts';
import type {Context} from '../context.ts';
import {refuseSecretReason} from '../grants/secret-text.ts';
import {finishInterrupted} from '../handover/merge.ts';
import {openRun, rootOf} from '../project/projects.ts';
import {readSettings} from '../project/settings.ts';
import {listRuns, withJournal} from '../runs.ts';
import {chooseSandbox} from '../sandbox/plan.ts';
import {Train, type Outcome} from './train.ts';

/* All that is ready at once: a train for each project and target. */

/** What is asked for. */
export type MergeAll = {
	/** The id of a project; undefined for every one. */ readonly project?: string | undefined;
	/** Ids; undefined for all that are verified or approved. */ readonly runs?: readonly string[] | undefined;
	/** Ids of runs that are left out. */ readonly without?: readonly string[] | undefined;
	/** A person's reason. */ readonly because?: string | undefined;
	/** The SSH key to sign with; git's `user.signingKey` by default. */ readonly key?: string | undefined;
	/** Says what would be done, and does nothing of it. */ readonly dryRun?: boolean | undefined;
	readonly signal?: AbortSignal | undefined;
	/** Told what is being done, in words. */ onProgress?(text: string): void;
	/** Told what the commands write. */ onOutput?(text: string): void;
};

/** What became of the runs of one project and target, in the order in which they were merged. */
export type TrainReport = {
	readonly train: string;
	readonly project: string;
	/** The full ref. */ readonly target: string;
	readonly outcomes: readonly Outcome[];
	/** Why it ended before its end; undefined where it did not. */ readonly stopped: Refusal | undefined;
};

/**
 * Merges all runs that are ready: those of one project and target are verified together, as their merge, and merged in
 * one move. What turns the result red, or conflicts, is left out, and the others go on. What no yes of a person's holds
 * for is verified together as well, on what the target is then, and waits for approval.
 * @throws Refusal where it is not to be done at all: for one train that stops, see `stopped`
 */
export async function mergeAll(context: Context, asked: MergeAll): Promise<TrainReport[]> {
	const refusal = decideActor(context.actor, 'merge');
	if (refusal) {
		throw refusal;
	}

	const {project, runs: wanted, without = [], because = ''} = asked;
	const runs = listRuns(context).filter(
		run =>
			(project === undefined || run.project.id === project) &&
			(wanted === undefined || wanted.includes(run.id)) &&
			!without.includes(run.id),
	);
	for (const id of wanted ?? []) {
		const run = runs.find(run => run.id === id);
		if (!run || !rides(run)) {
			throw gateRefusal(
				run ? `${id} is ${stageName(run.stage)}, and a train takes what is verified` : `there is no run "${id}"`,
				run ? `fleet show ${id}` : 'fleet list',
			);
		}
	}

	const groups = Map.groupBy(
		runs.filter(run => rides(run)),
		run => `${run.project.id} ${run.target}`,
	);
	const reports: TrainReport[] = [];
	for (const [, group] of [...groups].sort(([a], [b]) => (a < b ? -1 : 1))) {
		await refuseSecretReason(context, group[0]!.project, because);
		reports.push(await mergeGroup(context, asked, group));
	}

	return reports;
}

async function mergeGroup(context: Context, asked: MergeAll, group: readonly Run[]): Promise<TrainReport> {
	const first = group[0]!;
	const id = randomBytes(4).toString('hex');
	const outcomes: Outcome[] = [];
	let stopped: Refusal | undefined;
	try {
		const {git, commonDir} = await openRun(context, first);
		const project = {git, commonDir, root: rootOf(context, first)};
		const start = async (runs: readonly Run[], journals: ReadonlyMap<string, Journal>) => {
			const train = new Train(context, project, {
				id,
				journals,
				because: asked.because ?? '',
				key: asked.key,
				signal: asked.signal,
				sandbox: async () => (await chooseSandbox(context)).sandbox,
				settings: async () => (await readSettings(context.paths)).limits,
				onProgress: text => asked.onProgress?.(text),
				onOutput: text => asked.onOutput?.(text),
			});
			try {
				await (asked.dryRun ? train.plan(trainOrder(runs)) : train.run(trainOrder(runs)));
			} finally {
				outcomes.push(...train.outcomes);
			}
		};

		await (asked.dryRun
			? start(group, new Map())
			: holdAll(context, {group, outcomes}, async journals => {
					for (const [run, journal] of journals) {
						const done = await finishInterrupted(context, journal, {git, commonDir});
						if (done) {
							outcomes.push({run, state: 'merged', because: 'the merge was interrupted', ...done});
						}
					}

					const ready = [...journals.values()].map(journal => journal.run).filter(run => rides(run));
					if (ready.length > 0) {
						await start(ready, journals);
					}
				}));
	} catch (error) {
		if (!(error instanceof Refusal)) {
			throw error;
		}

		stopped = error;
	}

	return {train: id, project: first.project.id, target: first.target, outcomes, stopped};
}

/** Does work as the writer of all these journals. A run that somebody else has at that moment is left out. */
async function holdAll(
	context: Context,
	{group, outcomes}: {readonly group: readonly Run[]; readonly outcomes: Outcome[]},
	work: (journals: ReadonlyMap<string, Journal>) => Promise<void>,
): Promise<void> {
	const journals = new Map<string, Journal>();
	// By their names, so that two trains of the same runs do not each wait for one that the other has.
	const ids = group.map(run => run.id).sort();
	const hold = async (at: number): Promise<void> => {
		const id = ids[at];
		if (id === undefined) {
			return work(journals);
		}

		let isHeld = false;
		try {
			await withJournal(context, id, async journal => {
				isHeld = true;
				journals.set(id, journal);
				await hold(at + 1);
			});
		} catch (error) {
			if (isHeld || !(error instanceof Refusal)) {
				throw error;
			}

			outcomes.push({run: id, state: 'left', because: error.because, hint: error.hint});
			await hold(at + 1);
		}
	};

	await hold(0);
}

/** The exit code of what became of all of them. */
export function exitCodeOf(reports: readonly TrainReport[]): number {
	const outcomes = reports.flatMap(report => report.outcomes);
	const stopped = reports.flatMap(report => report.stopped ?? []);
	if (stopped.some(({exitCode}) => exitCode === exitCodes.inconclusive)) {
		return exitCodes.inconclusive;
	}

	return stopped.length > 0 || outcomes.some(({state}) => state === 'left' || state === 'approve')
		? exitCodes.gate
		: exitCodes.ok;
}

/** The name of a train's target. */
export const targetOf = ({target}: TrainReport): string => branchName(target);
