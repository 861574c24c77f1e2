import {branchName} from '../../core/git/refs.ts';
import {gateRefusal, Refusal} from '../../core/refusal.ts';
import type {ProjectCheckout} from '../../host/git.ts';
import type {Journal} from '../../host/journal.ts';
import type {Context} from '../context.ts';
import {Checkouts} from '../handover/checkouts.ts';
import {makeMergeCommit} from '../handover/merge-commit.ts';
import {noteStatements} from '../people/notes.ts';
import {record} from '../record.ts';
import type {Chain} from './chain.ts';

/* The move of a target over all runs of a chain: a merge commit for each, and one compare-and-swap. */

/** What became of one run. */
export type Merged = {readonly run: string; readonly commit: string; readonly checkout: string};

/**
 * Merges what was verified as a whole, or nothing of it. Each run's journal says beforehand what its target is to become,
 * so that a move which nobody saw the end of is written down as what it is by whoever looks next.
 * @throws Refusal where the target moved, a commit cannot be made, or a checkout is in the way; then nothing is merged
 */
export async function moveOver(
	context: Context,
	project: ProjectCheckout,
	{
		id,
		chain,
		journals,
		because,
		key,
	}: {
		readonly id: string;
		readonly chain: Chain;
		readonly journals: ReadonlyMap<string, Journal>;
		/** A person's reason. */ readonly because: string;
		/** The SSH key to sign with; git's `user.signingKey` by default. */ readonly key?: string | undefined;
	},
): Promise<Merged[]> {
	const {git} = project;
	const {tip, links, policy} = chain;
	const {target} = links[0]!.run;
	const checkouts = await Checkouts.find(project, target);
	checkouts.refuseBusy(target);
	const commits: string[] = [];
	for (const {run, facts, commit} of links) {
		const made = await makeCommit(context, journals.get(run.id)!, {
			git,
			facts: {...facts, base: commits.at(-1) ?? tip},
			policy: policy.merge,
			because,
			key,
		});
		if ((await git.line('rev-parse', `${made}^{tree}`)) !== (await git.line('rev-parse', `${commit}^{tree}`))) {
			throw gateRefusal(`the merge of ${run.id} comes to something else than what was verified`, 'fleet merge --all');
		}

		commits.push(made);
	}

	const move = {from: tip, to: commits.at(-1)!};
	await checkouts.refuseInTheWay(move, 'fleet merge --all');
	const train = {id, from: move.from, tip: move.to};
	const now = Date.now();
	const begun: Journal[] = [];
	try {
		for (const [index, {run, facts}] of links.entries()) {
			const journal = journals.get(run.id)!;
			record(journal, {type: 'merge', facts, commit: commits[index]!, train}, {actor: context.actor, now});
			begun.push(journal);
		}

		const reason = `fleet: merge runs ${links.map(({run}) => run.id).join(', ')}`;
		if ((await git.run(['update-ref', '-m', reason, target, move.to, move.from])).code !== 0) {
			throw gateRefusal(
				`stale: ${branchName(target)} moved in the last moment; nothing was merged`,
				'fleet merge --all',
			);
		}
	} catch (error) {
		for (const journal of begun) {
			journal.append({type: 'merge.aborted', target, because: (error as Error).message}, 'fleet');
		}

		throw error;
	}

	for (const journal of begun) {
		await noteStatements(git, journal.run, journal.run.approval!);
	}

	const checkout = await checkouts.follow(move);
	return links.map(({run}, index) => {
		const commit = commits[index]!;
		journals.get(run.id)!.append({type: 'merge.finished', target, commit, checkout}, context.actor);
		return {run: run.id, commit, checkout};
	});
}

/** A refusal says of which run it is. */
async function makeCommit(
	context: Context,
	journal: Journal,
	order: Parameters<typeof makeMergeCommit>[2],
): Promise<string> {
	return makeMergeCommit(context, journal, order).catch((error: unknown) => {
		throw error instanceof Refusal
			? new Refusal(`${journal.run.id}: ${error.because}`, error.hint, error.exitCode)
			: error;
	});
}
