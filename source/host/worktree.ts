import {
	chmodSync,
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	realpathSync,
	rmSync,
	statSync,
	utimesSync,
	writeFileSync,
	copyFileSync,
} from 'node:fs';
import path from 'node:path';
import type {Filter} from '../core/git/filters.ts';
import {branchRef} from '../core/git/refs.ts';
import {Refusal} from '../core/refusal.ts';
import {keepBorrowed, keptRef, objectFolders, projectRefs} from './borrowed.ts';
import {Git} from './git.ts';
import {
	makeOwnGit,
	personRules,
	privateConfig,
	sparsePatterns,
	writeFilters,
	writeRules,
	writeSparse,
} from './own-git.ts';
import {lfsSeenAt} from './lfs.ts';
import type {RunPaths} from './paths.ts';
import {own, ownerOf} from './run-owner.ts';
import {removeTree} from './remove-tree.ts';
import {ownStatusOf} from './status.ts';
import {replaceFile} from './write.ts';

/*
 * The three places of a run: its worktree, which the agent writes; the private git folder, which the sandbox shows in
 * place of the project's; the quarantine, a bare repository that only the host writes. See `RunPaths`.
 */

/** What stands in the worktree's `.git` on the host: no prompt, editor or person's git takes the agent's tree for a repository. */
function removedMark(runId: string): string {
	return `gitdir: /nonexistent/this-is-the-tree-of-fleet-run-${runId}-look-at-it-with-fleet-diff\n`;
}

export type WorktreePlan = {
	readonly runId: string;
	readonly commonDir: string;
	readonly branch: string;
	/** Commit the branch is made at, or undefined where the branch exists. */
	readonly base: string | undefined;
	/** Full ref that HEAD of the private repository names. */
	readonly target: string;
	readonly places: RunPaths;
	/** Files of the person's that will be copied into the worktree and are not the repository's. */
	readonly brought?: readonly string[] | undefined;
	/** Patterns of the sparse checkout that it is to be; undefined for what the project itself is. */
	readonly sparse?: string | undefined;
	/** What its files pass, inside. */
	readonly filters?: readonly Filter[] | undefined;
	/** Writes the branch's files into the worktree, and an index of them to the path given. */
	fill(index: string): Promise<void>;
};

/** Copies an index with its time, by which git knows which of its entries it has to look at again. */
export function copyIndex(from: string, to: string): void {
	copyFileSync(from, to);
	const {atime, mtime} = statSync(from);
	utimesSync(to, atime, mtime);
}

/** The last line that git said, which has its reason. */
function lastLine(text: string): string {
	return text.trim().split('\n').at(-1)?.replace('fatal: ', '') ?? '';
}

/** By itself, and only where there is none: what is taken back after a failure was made here. */
async function createBranch(git: Git, {runId, branch}: WorktreePlan, base: string): Promise<void> {
	const made = await git.run([
		'update-ref',
		'-m',
		`fleet: run ${runId}`,
		branchRef(branch),
		base,
		'0'.repeat(base.length),
	]);
	if (made.code !== 0) {
		throw new Refusal(
			`git could not make the branch ${branch}: ${lastLine(made.stderr)}`,
			'look at: git branch --list',
		);
	}
}

/**
 * Makes the worktree, the private git folder and the quarantine. Either all three are there afterwards, or none and
 * the branch neither.
 * @throws Refusal where the branch or the folder exists already
 */
export async function createWorktree(plan: WorktreePlan): Promise<void> {
	const {runId, commonDir, branch, base, places} = plan;
	const git = new Git({gitDir: commonDir});
	if (existsSync(places.worktree)) {
		throw new Refusal(`${places.worktree} exists already`, 'choose another name');
	}

	if (base !== undefined && (await git.resolve(branchRef(branch)))) {
		throw new Refusal(`the branch ${branch} exists already`, 'choose another name with --name');
	}

	mkdirSync(path.dirname(places.worktree), {recursive: true, mode: 0o700});
	if (base !== undefined) {
		await createBranch(git, plan, base);
	}

	try {
		const {code, stderr} = await git.worktree(
			'add',
			'--quiet',
			'--no-checkout',
			'--lock',
			'--reason',
			`fleet run ${runId}`,
			places.worktree,
			branch,
		);
		if (code !== 0) {
			throw new Refusal(`git could not make the worktree: ${lastLine(stderr)}`, 'look at: git worktree list');
		}

		chmodSync(places.worktree, 0o700);
		const dotGit = readFileSync(path.join(places.worktree, '.git'), 'utf8');
		const admin = /^gitdir: (.+)\n?$/.exec(dotGit)?.[1];
		if (
			!admin ||
			(path.dirname(admin) !== path.join(commonDir, 'worktrees') &&
				realpathSync(path.dirname(admin)) !== path.join(realpathSync(commonDir), 'worktrees'))
		) {
			throw new Error(`git wrote an unexpected .git file: ${dotGit}`);
		}

		replaceFile(places.dotGit, `gitdir: ${path.join(commonDir, 'worktrees', path.basename(admin))}\n`, {mode: 0o644});
		if (plan.sparse !== undefined) {
			writeSparse(commonDir, path.basename(admin), plan.sparse);
		}

		own(ownerOf(runId), places.worktree);
		// Not by the person's git: it would run filters of theirs over files that an agent may have written.
		// Only the host writes it: what the files looked like then is told by it.
		const index = places.firstIndex;
		await plan.fill(index);
		copyIndex(index, path.join(commonDir, 'worktrees', path.basename(admin), 'index'));
		await createPrivate(plan, git, path.basename(admin));
		await createQuarantine(commonDir, places, git);
		markRemoved(runId, places);
		own(ownerOf(runId), path.join(places.worktree, '.git'), places.privateGit, places.dotGit);
	} catch (error) {
		try {
			await removeWorktree(commonDir, places);
		} finally {
			if (base !== undefined) {
				await git.run(['update-ref', '-d', branchRef(branch), base]);
			}
		}

		throw error;
	}
}

async function createPrivate(
	{commonDir, branch, base, target, places, brought, filters}: WorktreePlan,
	git: Git,
	admin: string,
): Promise<void> {
	const folder = places.privateGit;
	const real = path.join(commonDir, 'worktrees', admin);
	for (const part of [
		'objects/info',
		'objects/pack',
		'refs/heads',
		'refs/tags',
		'hooks',
		'info',
		'logs',
		`worktrees/${admin}/logs`,
	]) {
		mkdirSync(path.join(folder, part), {recursive: true, mode: 0o700});
	}

	const write = (name: string, content: string) => {
		writeFileSync(path.join(folder, name), content, {mode: 0o600});
	};

	write('HEAD', `ref: ${target}\n`);
	const sparse = await sparsePatterns(commonDir, admin);
	write(
		'config',
		(await privateConfig(git)) +
			writeRules(folder, commonDir, await personRules(git, commonDir, brought)) +
			writeFilters(folder, commonDir, {
				filters,
				write: path.join(commonDir, 'lfs', 'objects'),
				read: [lfsSeenAt],
			}) +
			(sparse?.config ?? ''),
	);
	if (sparse) {
		mkdirSync(path.join(folder, 'worktrees', admin, 'info'), {mode: 0o700});
		write(`worktrees/${admin}/info/sparse-checkout`, sparse.patterns);
	}

	write(
		'objects/info/alternates',
		objectFolders(commonDir)
			.map((_, index) => `/run/fleet/base/${index}\n`)
			.join(''),
	);
	const refs = await projectRefs(git, branch);
	write('packed-refs', refs);
	replaceFile(places.givenRefs, refs);
	write(`worktrees/${admin}/HEAD`, `ref: ${branchRef(branch)}\n`);
	write(`worktrees/${admin}/commondir`, '../..\n');
	write(`worktrees/${admin}/gitdir`, `${path.join(places.worktree, '.git')}\n`);
	await keepBorrowed(git, places, {base, branch});
	copyIndex(path.join(real, 'index'), path.join(folder, `worktrees/${admin}/index`));
	if (existsSync(path.join(commonDir, 'shallow'))) {
		copyFileSync(path.join(commonDir, 'shallow'), path.join(folder, 'shallow'));
	}
}

async function createQuarantine(commonDir: string, places: RunPaths, git: Git): Promise<void> {
	await makeOwnGit(places.quarantine, {git, commonDir, bare: true});
	connectQuarantine(commonDir, places);
}

/** Has the quarantine find the project's objects where they are now. */
export function connectQuarantine(commonDir: string, places: RunPaths): void {
	const folder = places.quarantine;
	const alternates = path.join(folder, 'objects', 'info', 'alternates');
	const wanted = objectFolders(commonDir)
		.map(folder => `${folder}\n`)
		.join('');
	if (!existsSync(path.dirname(alternates))) {
		return;
	}

	writeChanged(alternates, wanted);
	if (existsSync(path.join(commonDir, 'shallow'))) {
		writeChanged(path.join(folder, 'shallow'), readFileSync(path.join(commonDir, 'shallow'), 'utf8'));
	}
}

function writeChanged(file: string, wanted: string): void {
	if (!existsSync(file) || readFileSync(file, 'utf8') !== wanted) {
		replaceFile(file, wanted);
	}
}

/** Whether a repository has a record of the worktree. */
export function hasRecord(commonDir: string, places: RunPaths): boolean {
	return recordsOf(commonDir, places).length > 0;
}

/**
 * Names the repository where it is now, for a run that was made
 * while it was elsewhere. A sandbox that is up keeps what it has.
 */
export function relink(runId: string, commonDir: string, places: RunPaths): void {
	const file = places.dotGit;
	if (!existsSync(file)) {
		return;
	}

	const wanted = `gitdir: ${path.join(commonDir, 'worktrees', adminName(places))}\n`;
	if (readFileSync(file, 'utf8') !== wanted) {
		replaceFile(file, wanted, {mode: 0o644});
		own(ownerOf(runId), file);
	}

	connectQuarantine(commonDir, places);
}

/** The name under which the real repository knows the worktree. */
export function adminName(places: RunPaths): string {
	return path.basename(/^gitdir: (.+)\n?$/.exec(readFileSync(places.dotGit, 'utf8'))?.[1] ?? '');
}

/**
 * Puts the mark of a removed run where the worktree's `.git` is, whatever an agent, or
 * a repair in mid-run, left there. Only while no agent is alive.
 */
export function markRemoved(runId: string, places: RunPaths): void {
	const file = path.join(places.worktree, '.git');
	const wanted = removedMark(runId);
	const status = ownStatusOf(file);
	if (status?.isFile() && status.nlink === 1 && readFileSync(file, 'utf8') === wanted) {
		return;
	}

	rmSync(file, {recursive: true, force: true});
	writeFileSync(file, wanted, {flag: 'wx', mode: 0o644});
	own(ownerOf(runId), file);
}

/** The project's records of the worktree: those that name it, whatever they are called. */
function recordsOf(commonDir: string, places: RunPaths): string[] {
	const folder = path.join(commonDir, 'worktrees');
	const parent = path.dirname(places.worktree);
	const known = new Set(
		[parent, existsSync(parent) ? realpathSync(parent) : parent].map(place =>
			path.join(place, path.basename(places.worktree), '.git'),
		),
	);
	return existsSync(folder)
		? readdirSync(folder)
				.map(name => path.join(folder, name))
				.filter(record => {
					const file = path.join(record, 'gitdir');
					return ownStatusOf(file)?.isFile() && known.has(readFileSync(file, 'utf8').trim());
				})
		: [];
}

/** Removes the worktree, the private git folder, the quarantine and the project's record. Branches and refs stay. Safe to call twice. */
export async function removeWorktree(commonDir: string, places: RunPaths): Promise<void> {
	const records = recordsOf(commonDir, places);
	for (const folder of [places.worktree, places.privateGit, places.scratch]) {
		removeTree(folder);
	}

	// `git worktree prune` would take other people's lost worktrees with it.
	for (const record of records) {
		rmSync(record, {recursive: true, force: true});
	}

	rmSync(places.quarantine, {recursive: true, force: true});
	await new Git({gitDir: commonDir}).run(['update-ref', '-d', keptRef(places)]);
}
