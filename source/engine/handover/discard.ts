import {existsSync} from 'node:fs';
import {branchRef, fleetRefs, runHead, runRefs, trashHead, trashRefs} from '../../core/git/refs.ts';
import {gateRefusal} from '../../core/refusal.ts';
import type {Git} from '../../host/git.ts';
import type {Journal} from '../../host/journal.ts';
import {createWorktree, removeWorktree} from '../../host/worktree.ts';
import {capture} from './capture.ts';
import type {Context} from '../context.ts';
import {fillWorktree} from '../run/fill.ts';
import {openRun, rootOf} from '../project/projects.ts';
import {decideOn, record} from '../record.ts';

async function moveRefs(git: Git, from: string, to: string): Promise<string[]> {
	const refs = (await git.raw('for-each-ref', '--format=%(objectname) %(refname)', from))
		.split('\n')
		.filter(line => line !== '')
		.map(line => line.split(' ') as [string, string]);
	if (refs.length === 0) {
		return [];
	}

	const moved = refs.map(([object, ref]) => ({object, ref, destination: ref.replace(from, to)}));
	const commands = moved.flatMap(({object, ref, destination}) => [
		`update ${destination} ${object}`,
		`delete ${ref} ${object}`,
	]);
	await git.must(['update-ref', '--stdin'], {input: `start\n${commands.join('\n')}\nprepare\ncommit\n`});
	return moved.map(({destination}) => destination);
}

/**
 * Takes a run away, and keeps its work: captured first, its refs moved to refs/fleet/trash/<run> in one transaction,
 * and only then the folder removed.
 * @throws Refusal where something could not be captured; then nothing is removed
 */
export async function discard(context: Context, journal: Journal, because: string): Promise<string[]> {
	const {run} = journal;
	decideOn(journal, {type: 'discard', because, kept: []}, {actor: context.actor});

	const {git, commonDir} = await openRun(context, run);
	const places = context.paths.run(run.id);
	if (existsSync(places.worktree) && existsSync(places.privateGit)) {
		const {incomplete} = await capture(context, journal);
		if (incomplete) {
			throw gateRefusal(
				`the snapshot of ${run.id} is incomplete, so its folder is kept: ${incomplete}`,
				`look at ${places.worktree}`,
			);
		}
	} else if (existsSync(places.worktree)) {
		throw gateRefusal(
			`the private repository of ${run.id} is gone, so its folder is kept`,
			`look at ${places.worktree}`,
		);
	}

	const head = await git.resolve(branchRef(run.branch));
	if (head && (await git.resolve(runHead(run.id))) !== head) {
		await git.must(['update-ref', runHead(run.id), head]);
	}

	const kept = await moveRefs(git, runRefs(run.id), trashRefs(run.id));
	record(journal, {type: 'discard', because, kept}, {actor: context.actor});
	await removeWorktree(commonDir, places);
	if (head) {
		await git.must(['update-ref', '-d', branchRef(run.branch), head]);
	}

	return kept;
}

/** Brings a discarded run back: its refs, its branch, a fresh worktree. */
export async function restore(context: Context, journal: Journal, because: string): Promise<void> {
	const {run} = journal;
	decideOn(journal, {type: 'restore', because}, {actor: context.actor});

	const {git, commonDir} = await openRun(context, run);
	const places = context.paths.run(run.id);
	const head = (await git.resolve(trashHead(run.id))) ?? (await git.resolve(runHead(run.id)));
	if (!head) {
		throw gateRefusal(
			`the work of ${run.id} is not under refs/fleet/trash any more`,
			`git -C ${git.repository.gitDir} for-each-ref ${fleetRefs}`,
		);
	}

	const branch = branchRef(run.branch);
	const current = await git.resolve(branch);
	if (current !== undefined && current !== head) {
		throw gateRefusal(
			`a branch ${run.branch} exists already, at ${current.slice(0, 10)}`,
			`git -C ${git.repository.gitDir} branch -m ${run.branch} NEW-NAME`,
		);
	}

	await git.must(['update-ref', branch, head]);
	// What a removal that was interrupted left is in the way; its work is in the refs.
	await removeWorktree(commonDir, places);
	await createWorktree({
		runId: run.id,
		commonDir,
		branch: run.branch,
		base: undefined,
		target: run.target,
		places,
		fill: index =>
			fillWorktree(context, run.id, {
				git,
				commonDir,
				project: {id: run.project.id, root: rootOf(context, run)},
				places,
				commit: head,
				index,
			}),
	});
	await moveRefs(git, trashRefs(run.id), runRefs(run.id));
	record(journal, {type: 'restore', because}, {actor: context.actor});
}
