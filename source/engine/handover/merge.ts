import {branchName} from '../../core/git/refs.ts';
import {decideActor, decideMerge} from '../../core/run/rules.ts';
import type {Facts} from '../../core/run/facts.ts';
import type {Run} from '../../core/run/run.ts';
import {gateRefusal, Refusal} from '../../core/refusal.ts';
import type {Git, ProjectGit} from '../../host/git.ts';
import type {Journal} from '../../host/journal.ts';
import type {Yes} from './approve.ts';
import {Checkouts} from './checkouts.ts';
import {noteStatements} from '../people/notes.ts';
import {acceptRun} from '../people/statements.ts';
import type {Context} from '../context.ts';
import {refuseSecretReason} from '../grants/secret-text.ts';
import {readFacts} from './facts.ts';
import {makeMergeCommit} from './merge-commit.ts';
import {openFindings} from './suspects.ts';
import {readPolicy} from '../project/policy.ts';
import {openRun, rootOf} from '../project/projects.ts';
import {keepsYes} from '../train/carry.ts';
import {record} from '../record.ts';

/**
 * A merge that died after it had moved its target is written down as what it is, and the checkouts follow: without that
 * a person's next commit there would undo it.
 * @returns undefined where there was none, or its target never moved
 */
export async function finishInterrupted(
	context: Context,
	journal: Journal,
	{git, commonDir}: ProjectGit,
): Promise<{commit: string; checkout: string} | undefined> {
	const {run} = journal;
	const {merging} = run;
	if (
		!merging ||
		run.merge ||
		decideActor(context.actor, 'merge') ||
		(await git.run(['merge-base', '--is-ancestor', merging.commit, run.target])).code !== 0
	) {
		return undefined;
	}

	// A train moves its target over several runs at once, and the files with it.
	const move = {from: merging.train?.from ?? merging.base, to: merging.train?.tip ?? merging.commit};
	const checkout =
		(await git.resolve(`${run.target}^{commit}`)) === move.to
			? await (await Checkouts.find({git, commonDir, root: rootOf(context, run)}, run.target)).followLate(move)
			: 'left alone: the branch went on since';
	journal.append({type: 'merge.finished', target: run.target, commit: merging.commit, checkout}, context.actor);
	return {commit: merging.commit, checkout};
}

/** Whether an approval was signed where that is wanted, and holds for what it was carried to. */
async function refuseYes(
	context: Context,
	run: Run,
	{git, facts}: {readonly git: Git; readonly facts: Facts},
): Promise<Refusal | undefined> {
	const approval = run.approval!;
	if (!approval.carried) {
		const accepted = await acceptRun(context, run, {git, at: facts.base, facts, verify: approval.verify});
		return accepted instanceof Refusal ? accepted : undefined;
	}

	const kept = await keepsYes(context, run, {git, facts, policy: (await readPolicy(git, facts.base)).policy});
	return kept instanceof Refusal ? kept : undefined;
}

/**
 * Makes the approved merge real: a commit of the approved tree, and a compare-and-swap of the target. A checkout of
 * the target is brought along only where that loses nothing; otherwise the merge is refused and nothing is touched.
 * @returns the merge commit and what became of the checkout
 */
export async function merge(
	context: Context,
	journal: Journal,
	{because, key}: Pick<Yes, 'because' | 'key'>,
): Promise<{commit: string; checkout: string}> {
	await refuseSecretReason(context, journal.run.project, because);
	const {git, commonDir} = await openRun(context, journal.run);
	const {run} = journal;
	const done = await finishInterrupted(context, journal, {git, commonDir});
	if (done) {
		return done;
	}

	const facts = run.approval
		? await readFacts(context, journal, {git, gate: 'merge'})
		: {base: '', head: '', tree: '', policy: ''};
	const now = Date.now();
	const refusal =
		decideMerge(run, facts, {actor: context.actor, now}) ??
		(await refuseYes(context, run, {git, facts})) ??
		(await openFindings(context, {run, journal}, {git, tip: facts.base, ...facts}));
	if (refusal) {
		journal.append({type: 'gate.refused', gate: 'merge', because: refusal.because}, context.actor);
		throw refusal;
	}

	const name = branchName(run.target);
	const checkouts = await Checkouts.find({git, commonDir, root: rootOf(context, run)}, run.target);
	checkouts.refuseBusy(run.target);
	const {policy} = await readPolicy(git, facts.base);
	const commit = await makeMergeCommit(context, journal, {git, facts, policy: policy.merge, because, key});
	const move = {from: facts.base, to: commit};
	await checkouts.refuseInTheWay(move, `fleet merge ${run.id}`);
	record(journal, {type: 'merge', facts, commit}, {actor: context.actor, now});
	const swap = await git.run(['update-ref', '-m', `fleet: merge run ${run.id}`, run.target, commit, facts.base]);
	if (swap.code !== 0) {
		const because = `${name} moved in the last moment; nothing was merged`;
		journal.append({type: 'merge.aborted', target: run.target, because}, 'fleet');
		throw gateRefusal(`stale: ${because}`, `fleet verify ${run.id}`);
	}

	await noteStatements(git, journal.run, run.approval!);
	const checkout = await checkouts.follow(move);
	journal.append({type: 'merge.finished', target: run.target, commit, checkout}, context.actor);
	return {commit, checkout};
}
