import {allBranches, branchName, branchRef} from '../../core/git/refs.ts';
import {decideRetarget} from '../../core/run/rules.ts';
import {isRunBranch, printable} from '../../core/names.ts';
import {Refusal} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import type {Git} from '../../host/git.ts';
import type {Journal} from '../../host/journal.ts';
import type {Context} from '../context.ts';
import {openRun} from '../project/projects.ts';
import {decideOn, record} from '../record.ts';

/** Branches that are looked at for what became of one. */
const candidates = 50;

/**
 * Where a target that is gone went, as far as that can be told:
 * renamed, or the branch that holds what the run began at.
 */
export async function findSuccessor(git: Git, run: Run): Promise<string | undefined> {
	const names = (
		await git.run([
			'for-each-ref',
			`--count=${candidates}`,
			'--sort=-committerdate',
			'--contains',
			run.base,
			'--format=%(refname)',
			allBranches,
		])
	).stdout
		.split('\n')
		.filter(name => name !== '' && !isRunBranch(branchName(name)));
	for (const name of names) {
		const {stdout} = await git.run(['reflog', 'show', '--max-count=20', '--format=%gs', name]);
		if (stdout.split('\n').some(line => line.startsWith(`Branch: renamed ${run.target} to `))) {
			return branchName(name);
		}
	}

	const head = (await git.run(['symbolic-ref', '--quiet', 'HEAD'])).stdout.trim();
	const likely = names.includes(head) ? head : names[0];
	return likely === undefined ? undefined : branchName(likely);
}

/**
 * Has a run merged into another branch. What was verified and approved was for the one before, and is void.
 * @throws Refusal where it is no branch that the run's work could be merged into
 */
export async function retarget(
	context: Context,
	journal: Journal,
	{branch, because}: {readonly branch: string; readonly because: string},
): Promise<void> {
	const {run} = journal;
	const refusal = decideRetarget(run, context.actor);
	if (refusal) {
		throw refusal;
	}

	const {git} = await openRun(context, run);
	const target = branchRef(branch);
	const wellFormed = (await git.run(['check-ref-format', target])).code === 0;
	const tip = wellFormed ? await git.resolve(`${target}^{commit}`) : undefined;
	if (!tip) {
		throw new Refusal(`there is no branch "${printable(branch)}"`, `git -C ${git.repository.gitDir} branch --list`);
	}

	const command = {type: 'retarget', target, because} as const;
	decideOn(journal, command, {actor: context.actor});
	if ((await git.run(['merge-base', run.base, tip])).code !== 0) {
		throw new Refusal(
			`${branch} has nothing to do with the commit that ${run.id} started from`,
			'name a branch that has',
		);
	}

	record(journal, command, {actor: context.actor});
}
