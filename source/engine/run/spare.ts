import {createHash} from 'node:crypto';
import {existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statfsSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import * as v from 'valibot';
import type {Run} from '../../core/run/run.ts';
import type {ProjectGit} from '../../host/git.ts';
import {countEntries, refreshStats} from '../../host/index-file.ts';
import {Lock} from '../../host/lock.ts';
import type {Paths, RunPaths} from '../../host/paths.ts';
import {removeFolder} from '../../host/remove-folder.ts';
import {giveToRun, own, ownerOf} from '../../host/run-owner.ts';
import {adminName, copyIndex} from '../../host/worktree.ts';
import {statusOf} from '../../host/status.ts';
import {movePlace, replaceFile} from '../../host/write.ts';
import type {Context} from '../context.ts';
import {bootId} from '../layers/store.ts';
import {parseOwn} from '../own-file.ts';
import {openRun} from '../project/projects.ts';
import {makeFillGit, writeFiles} from './write-files.ts';

/*
 * A worktree that is made ahead, for the next run of a project with many files: to write a hundred thousand files takes
 * seconds, to rename the folders that hold them does not. It is filled in the jail before any agent is near it, stands
 * where no sandbox sees it, and is one run's alone once it was taken. `spares/PROJECT/ready`: `tree`, `index`, `spare.json`.
 */

/** From as many files on a worktree is made ahead. */
const manyFiles = 20_000;

/** What is left free of a disk, bytes, and what each file is taken to need there. */
const room = {left: 4 * 1024 ** 3, file: 16 * 1024};

/** How long a start that goes on is left alone, milliseconds. */
const restMs = 3000;

const described = v.strictObject({
	commit: v.string(),
	/** The settings by which its files were written. */
	settings: v.string(),
	/** The user whose files they are, where root made it. */
	owner: v.optional(v.number()),
	/** The start of the machine in which it was made: what a crash left half written is not believed. */
	boot: v.string(),
});

export function sparesFolder(paths: Pick<Paths, 'state'>): string {
	return path.join(paths.state, 'spares');
}

/** The settings of a git folder that decide what is written into a file; undefined where not all files are written. */
function settingsOf(gitFolder: string): string | undefined {
	if (existsSync(path.join(gitFolder, 'info', 'sparse-checkout'))) {
		return undefined;
	}

	const hash = createHash('sha256');
	for (const name of ['config', 'fleet-attributes', 'info/attributes']) {
		hash
			.update(`${name}\0`)
			.update(readFileSync(path.join(gitFolder, name)))
			.update('\0');
	}

	return hash.digest('hex');
}

/**
 * Fills a new, empty worktree with what was made ahead. It may be of an older commit: what differs is written after.
 * @param wanted.gitFolder the git folder by whose settings the rest is written
 * @param wanted.index where an index of what is there goes
 * @returns false where there is none that fits; then the worktree is as it was
 */
export async function takeSpare(
	context: Context,
	{git}: Pick<ProjectGit, 'git'>,
	wanted: {
		readonly project: string;
		readonly runId: string;
		readonly commit: string;
		readonly worktree: string;
		readonly gitFolder: string;
		readonly index: string;
	},
): Promise<boolean> {
	const settings = settingsOf(wanted.gitFolder);
	if (settings === undefined) {
		return false;
	}

	const folder = path.join(sparesFolder(context.paths), wanted.project);
	const taken = path.join(folder, `taken-${process.pid}`);
	try {
		// Of two that want it, one has it.
		movePlace(path.join(folder, 'ready'), taken);
	} catch {
		// There is none.
		return false;
	}

	try {
		const facts = readFacts(taken);
		if (
			!facts ||
			facts.settings !== settings ||
			(facts.owner === undefined) !== (ownerOf(wanted.runId) === undefined) ||
			!(await isSameWriting(git, facts.commit, wanted.commit))
		) {
			return false;
		}

		const tree = path.join(taken, 'tree');
		for (const name of readdirSync(tree)) {
			movePlace(path.join(tree, name), path.join(wanted.worktree, name));
		}

		const index = path.join(taken, 'index');
		if (facts.owner !== ownerOf(wanted.runId)) {
			own(ownerOf(wanted.runId), wanted.worktree);
			refreshStats(index, wanted.worktree, facts.commit.length / 2);
		}

		copyIndex(index, wanted.index);
		giveToRun(wanted.runId, wanted.index);
		return true;
	} catch {
		// Such as an index that is damaged, or a disk that is full: all files are written, or that says what is wrong.
		clearSpare(wanted.worktree, wanted.index);
		return false;
	} finally {
		removeFolder(taken);
	}
}

/** Removes what was taken again, but for the worktree's own `.git`. */
export function clearSpare(worktree: string, index: string): void {
	for (const name of readdirSync(worktree).filter(name => name !== '.git')) {
		removeFolder(path.join(worktree, name));
	}

	rmSync(index, {force: true});
}

function readFacts(folder: string): v.InferOutput<typeof described> | undefined {
	try {
		const facts = parseOwn(described, readFileSync(path.join(folder, 'spare.json'), 'utf8'));
		return facts?.boot === bootId() ? facts : undefined;
	} catch {
		// Half a folder of a process that was killed.
		return undefined;
	}
}

/** Whether git, going from one commit to the other, leaves no file as rules of the first wrote it: it looks at changed files alone. */
async function isSameWriting(git: ProjectGit['git'], from: string, to: string): Promise<boolean> {
	const {code, stdout} = await git.run([
		'diff-tree',
		'-r',
		'--name-only',
		from,
		to,
		'--',
		':(top,glob)**/.gitattributes',
	]);
	return code === 0 && stdout === '';
}

/**
 * Makes a worktree ahead, beside the run that just began and for the one after it, where the project has many files and
 * the disk has room. What goes wrong is nobody's loss: the next start writes its files itself.
 */
export async function makeSpare(
	context: Context,
	run: Run,
	{from = manyFiles, rest = restMs}: {readonly from?: number; /** Milliseconds. */ readonly rest?: number} = {},
): Promise<void> {
	const places = context.paths.run(run.id);
	const files = countEntries(places.firstIndex) ?? 0;
	const folder = path.join(sparesFolder(context.paths), run.project.id);
	if (files < from || run.filters !== undefined || existsSync(path.join(folder, 'ready'))) {
		return;
	}

	await new Promise(resolve => {
		setTimeout(resolve, rest);
	});
	// Its project, or fleet itself, may have been removed meanwhile: nothing is made again then.
	if (!existsSync(places.folder)) {
		return;
	}

	mkdirSync(folder, {recursive: true, mode: 0o700});
	const {bavail, bsize} = statfsSync(folder);
	const lock =
		bavail * bsize > room.left + files * room.file ? Lock.acquire(path.join(folder, 'lock.sqlite')) : undefined;
	if (!lock) {
		return;
	}

	const fresh = path.join(folder, 'new');
	try {
		removeLeft(folder);
		if (!existsSync(path.join(folder, 'ready'))) {
			await fill(context, run, {places, fresh});
			movePlace(fresh, path.join(folder, 'ready'));
		}
	} catch {
		// Such as a disk that is full, or a run that was discarded meanwhile.
	} finally {
		removeFolder(fresh);
		lock.release();
	}
}

/** Removes what makers and takers that are gone left. Only for who holds the lock. */
function removeLeft(folder: string): void {
	for (const name of readdirSync(folder)) {
		const pid = Number(/^taken-(\d+)$/.exec(name)?.[1] ?? 0);
		if (name === 'new' || (pid > 0 && !existsSync(`/proc/${pid}`))) {
			removeFolder(path.join(folder, name));
		}
	}
}

async function fill(
	context: Context,
	run: Run,
	{places, fresh}: {readonly places: RunPaths; readonly fresh: string},
): Promise<void> {
	const {git, commonDir} = await openRun(context, run);
	const commit = (await git.resolve(`${run.target}^{commit}`)) ?? run.base;
	const [tree, scratch, gitFolder] = ['tree', 'scratch', 'git'].map(name => path.join(fresh, name)) as [
		string,
		string,
		string,
	];
	mkdirSync(fresh, {mode: 0o700});
	for (const place of [tree, scratch]) {
		mkdirSync(place, {mode: 0o700});
	}

	await makeFillGit(gitFolder, {git, commonDir, admin: adminName(places), filters: undefined});
	const settings = settingsOf(gitFolder);
	giveToRun(run.id, tree, scratch, gitFolder);
	const {code} = await writeFiles(context, {
		runId: run.id,
		places: {...places, jail: path.join(fresh, 'jail-')},
		git,
		commonDir,
		worktree: tree,
		scratch,
		gitFolder,
		commit,
	});
	const index = path.join(scratch, 'index');
	if (code !== 0 || settings === undefined || !existsSync(index)) {
		throw new Error('the files could not be written');
	}

	copyIndex(index, path.join(fresh, 'index'));
	removeFolder(scratch);
	removeFolder(gitFolder);
	const owner = ownerOf(run.id);
	const facts = {commit, settings, ...(owner === undefined ? {} : {owner}), boot: bootId()};
	replaceFile(path.join(fresh, 'spare.json'), JSON.stringify(facts, undefined, '\t'));
}

/** Removes worktrees that were made ahead. @param before those that were made before it, milliseconds */
export function removeSpares(paths: Pick<Paths, 'state'>, before: number): void {
	const base = sparesFolder(paths);
	for (const project of existsSync(base) ? readdirSync(base) : []) {
		const folder = path.join(base, project);
		const lock = Lock.acquire(path.join(folder, 'lock.sqlite'));
		try {
			const facts = path.join(folder, 'ready', 'spare.json');
			if (lock && (statusOf(facts)?.mtimeMs ?? 0) < before) {
				removeFolder(path.join(folder, 'ready'));
				removeLeft(folder);
			}
		} finally {
			lock?.release();
		}
	}
}
