import {existsSync, readFileSync} from 'node:fs';
import path from 'node:path';
import {decideMerge} from '../core/decide.ts';
import {gateRefusal} from '../core/refusal.ts';
import {Git} from '../host/git.ts';
import type {Journal} from '../host/journal.ts';
import {checkSignature} from './approval.ts';
import {Checkout} from './bring-along.ts';
import type {Context} from './context.ts';
import {readFacts} from './facts.ts';
import {makeMergeCommit} from './merge-commit.ts';
import {readPolicy} from './policy.ts';
import {openRun} from './projects.ts';
import {changesOf} from './vet.ts';

/** Folders in which the target is checked out. */
async function checkouts(git: Git, target: string): Promise<string[]> {
	const records = (await git.raw('worktree', 'list', '--porcelain', '-z')).split('\0\0');
	return records.flatMap(record => {
		const lines = record.split('\0');
		const folder = lines.find(line => line.startsWith('worktree '))?.slice('worktree '.length);
		return folder && lines.includes(`branch ${target}`) && !lines.includes('bare') && existsSync(folder) ? [folder] : [];
	});
}

/** Git's own folder for a checkout, which names what is going on in it. */
async function gitDirOf(folder: string, commonDir: string, git: Git): Promise<string> {
	const names = (await git.raw('worktree', 'list', '--porcelain', '-z')).split('\0').filter(line => line.startsWith('worktree ')).map(line => line.slice('worktree '.length));
	if (names[0] === folder) {
		return commonDir;
	}

	return /^gitdir: (.+)\n?$/.exec(readFileSync(path.join(folder, '.git'), 'utf8'))?.[1] ?? commonDir;
}

const inProgress: Record<string, string> = {MERGE_HEAD: 'a merge', CHERRY_PICK_HEAD: 'a cherry-pick', REVERT_HEAD: 'a revert', 'rebase-merge': 'a rebase', 'rebase-apply': 'a rebase', BISECT_LOG: 'a bisect'};

/**
 * Makes the approved merge real: a commit of the approved tree, and a compare-and-swap of the target. A checkout of
 * the target is brought along only where that loses nothing; otherwise the merge is refused and nothing is touched.
 * @returns the merge commit and what became of the checkout
 */
export async function merge(context: Context, journal: Journal, because: string): Promise<{commit: string; checkout: string}> {
	const {git, commonDir} = await openRun(context, journal.run);
	const {run} = journal;
	const facts = run.approval ? await readFacts(context, journal, git, 'merge') : {base: '', head: '', tree: '', policy: ''};
	const refusal = decideMerge(run, context.actor, facts, Date.now()) ?? await checkSignature(git, run, run.approval!);
	if (refusal) {
		journal.append({type: 'gate.refused', gate: 'merge', because: refusal.because}, context.actor);
		throw refusal;
	}

	const name = run.target.replace('refs/heads/', '');
	const folders = await checkouts(git, run.target);
	const trees: Array<{folder: string; checkout: Checkout}> = [];
	for (const folder of folders) {
		const gitDir = await gitDirOf(folder, commonDir, git);
		const busy = Object.keys(inProgress).find(file => existsSync(path.join(gitDir, file)));
		if (busy) {
			throw gateRefusal(`${folder} is in the middle of ${inProgress[busy]}, so ${name} is left alone`, 'finish or abort it, then merge again');
		}

		trees.push({folder, checkout: new Checkout(new Git({gitDir, workTree: folder}), commonDir)});
	}

	const {policy} = await readPolicy(git, facts.base);
	const commit = await makeMergeCommit(context, run, git, facts, policy.merge, because);
	const changes = trees.length === 0 ? [] : await changesOf(git, facts.base, commit);
	for (const {folder, checkout} of trees) {
		const because = await checkout.inTheWay(facts.base, commit, changes);
		if (because !== undefined) {
			throw gateRefusal(`the merge would overwrite what is in ${folder}: ${because}`, `move it away, commit or stash it, then: fleet merge ${run.id}`);
		}
	}

	journal.append({type: 'merge.started', target: run.target, base: facts.base, head: facts.head, tree: facts.tree}, context.actor);
	const swap = await git.run(['update-ref', '-m', `fleet: merge run ${run.id}`, run.target, commit, facts.base]);
	if (swap.code !== 0) {
		journal.append({type: 'run.crashed', because: `${name} moved in the last moment; nothing was merged`}, 'fleet');
		throw gateRefusal(`stale: ${name} moved in the last moment; nothing was merged`, `fleet verify ${run.id}`);
	}

	let state = folders.length === 0 ? 'not checked out' : 'brought along';
	for (const {checkout} of trees) {
		const became = await checkout.bringAlong(facts.base, commit, changes);
		state = became === 'brought along' ? state : became;
	}

	journal.append({type: 'merge.finished', target: run.target, commit, checkout: state}, context.actor);
	return {commit, checkout: state};
}
