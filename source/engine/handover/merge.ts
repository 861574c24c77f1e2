import {existsSync, readFileSync, realpathSync} from 'node:fs';
import path from 'node:path';
import {branchName} from '../../core/git/refs.ts';
import {decideActor, decideMerge} from '../../core/run/rules.ts';
import {Refusal, gateRefusal} from '../../core/refusal.ts';
import {quoteWord} from '../../core/text/shell-words.ts';
import {discover, Git, type ProjectCheckout, type ProjectGit} from '../../host/git.ts';
import type {Journal} from '../../host/journal.ts';
import {checkSignature} from './signature.ts';
import {Checkout} from './bring-along.ts';
import type {Context} from '../context.ts';
import {refuseSecretReason} from '../grants/secret-text.ts';
import {readFacts} from './facts.ts';
import {makeMergeCommit} from './merge-commit.ts';
import {readPolicy} from '../project/policy.ts';
import {openRun, rootOf} from '../project/projects.ts';
import {record} from '../record.ts';
import {changesOf} from './vet.ts';

/** A folder in which the target is checked out, and git's own folder for it, which names what is going on there. */
type Place = {readonly folder: string; readonly gitDir: string};

/**
 * Where the files of the repository's own checkout are. Git lists
 * it by the folder of its git folder, wherever its files are.
 */
async function mainCheckout({git, commonDir, root}: ProjectCheckout): Promise<string> {
	const setting = await git.setting('core.worktree');
	if (setting !== undefined) {
		return path.resolve(commonDir, setting);
	}

	if (path.basename(commonDir) === '.git') {
		return path.dirname(commonDir);
	}

	const found = await discover(root);
	if (found instanceof Refusal || found.topLevel === undefined || realpathSync(found.gitDir) !== commonDir) {
		throw gateRefusal(
			`the target is checked out where git does not name: the files of ${commonDir}`,
			`git --git-dir=${quoteWord(commonDir)} config core.worktree PATH`,
		);
	}

	return found.topLevel;
}

/**
 * The git folder that a linked checkout names, where the repository
 * knows it; undefined where another one is in its place.
 */
function linkedGitDir(folder: string, commonDir: string): string | undefined {
	try {
		const gitDir = realpathSync(
			path.resolve(folder, /^gitdir: (.+)\n?$/.exec(readFileSync(path.join(folder, '.git'), 'utf8'))?.[1] ?? ''),
		);
		return path.dirname(gitDir) === path.join(commonDir, 'worktrees') ? gitDir : undefined;
	} catch {
		// There is no .git, or it leads nowhere: git itself would find no checkout there.
		return undefined;
	}
}

/** Where the target is checked out. @throws Refusal where that cannot be told */
async function checkouts(project: ProjectCheckout, target: string): Promise<Place[]> {
	const {git, commonDir} = project;
	const places: Place[] = [];
	for (const [index, record] of (await git.raw('worktree', 'list', '--porcelain', '-z')).split('\0\0').entries()) {
		const lines = record.split('\0');
		const listed = lines.find(line => line.startsWith('worktree '))?.slice('worktree '.length);
		if (listed === undefined || !lines.includes(`branch ${target}`) || lines.includes('bare')) {
			continue;
		}

		// The first is the repository's own.
		const folder = index === 0 ? await mainCheckout(project) : listed;
		const gitDir = index === 0 ? commonDir : linkedGitDir(folder, commonDir);
		if (gitDir !== undefined && existsSync(folder)) {
			places.push({folder, gitDir});
		}
	}

	return places;
}

const inProgress: Record<string, string> = {
	MERGE_HEAD: 'a merge',
	CHERRY_PICK_HEAD: 'a cherry-pick',
	REVERT_HEAD: 'a revert',
	'rebase-merge': 'a rebase',
	'rebase-apply': 'a rebase',
	BISECT_LOG: 'a bisect',
};

/**
 * A merge that died after it had moved its target is written down as what it is, and the checkouts follow: without that
 * a person's next commit there would undo it.
 * @returns undefined where there was none, or its target never moved
 */
async function finishInterrupted(
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

	let checkout = 'not checked out';
	if ((await git.resolve(`${run.target}^{commit}`)) !== merging.commit) {
		checkout = 'left alone: the branch went on since';
	} else {
		const changes = await changesOf(git, merging.base, merging.commit);
		for (const {folder, gitDir} of await checkouts({git, commonDir, root: rootOf(context, run)}, run.target)) {
			const own = new Checkout(new Git({gitDir, workTree: folder}), commonDir);
			const because = await own.inTheWay(merging.base, merging.commit, changes);
			const became =
				because === undefined || (await own.isAt(merging.commit))
					? await own.bringAlong(merging.base, merging.commit, changes)
					: `left behind: ${because}`;
			checkout = checkout === 'not checked out' || checkout === 'updated' ? became : checkout;
		}
	}

	journal.append({type: 'merge.finished', target: run.target, commit: merging.commit, checkout}, context.actor);
	return {commit: merging.commit, checkout};
}

/**
 * Makes the approved merge real: a commit of the approved tree, and a compare-and-swap of the target. A checkout of
 * the target is brought along only where that loses nothing; otherwise the merge is refused and nothing is touched.
 * @returns the merge commit and what became of the checkout
 */
export async function merge(
	context: Context,
	journal: Journal,
	because: string,
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
		decideMerge(run, facts, {actor: context.actor, now}) ?? (await checkSignature(git, run, run.approval!));
	if (refusal) {
		journal.append({type: 'gate.refused', gate: 'merge', because: refusal.because}, context.actor);
		throw refusal;
	}

	const name = branchName(run.target);
	const trees: Array<{folder: string; checkout: Checkout}> = [];
	for (const {folder, gitDir} of await checkouts({git, commonDir, root: rootOf(context, run)}, run.target)) {
		const busy = Object.keys(inProgress).find(file => existsSync(path.join(gitDir, file)));
		if (busy) {
			throw gateRefusal(
				`${folder} is in the middle of ${inProgress[busy]}, so ${name} is left alone`,
				'finish or abort it, then merge again',
			);
		}

		trees.push({folder, checkout: new Checkout(new Git({gitDir, workTree: folder}), commonDir)});
	}

	const {policy} = await readPolicy(git, facts.base);
	const commit = await makeMergeCommit(context, run, {git, facts, policy: policy.merge, because});
	const changes = trees.length === 0 ? [] : await changesOf(git, facts.base, commit);
	for (const {folder, checkout} of trees) {
		const because = await checkout.inTheWay(facts.base, commit, changes);
		if (because !== undefined) {
			throw gateRefusal(
				`the merge would overwrite what is in ${folder}: ${because}`,
				`move it away, commit or stash it, then: fleet merge ${run.id}`,
			);
		}
	}

	record(journal, {type: 'merge', facts, commit}, {actor: context.actor, now});
	const swap = await git.run(['update-ref', '-m', `fleet: merge run ${run.id}`, run.target, commit, facts.base]);
	if (swap.code !== 0) {
		const because = `${name} moved in the last moment; nothing was merged`;
		journal.append({type: 'merge.aborted', target: run.target, because}, 'fleet');
		throw gateRefusal(`stale: ${because}`, `fleet verify ${run.id}`);
	}

	let state = trees.length === 0 ? 'not checked out' : 'updated';
	for (const {checkout} of trees) {
		const became = await checkout.bringAlong(facts.base, commit, changes);
		state = became === 'updated' ? state : became;
	}

	journal.append({type: 'merge.finished', target: run.target, commit, checkout: state}, context.actor);
	return {commit, checkout: state};
}
