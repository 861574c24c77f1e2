import {execFileSync} from 'node:child_process';
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
import process from 'node:process';
import {borrowedRef, branchName, branchRef, isBranchRef, sharedRefs} from '../core/git/refs.ts';
import {isRunBranch} from '../core/names.ts';
import {dropUidOf, type Mount} from '../core/plan.ts';
import {Refusal} from '../core/refusal.ts';
import {Git} from './git.ts';
import {makeOwnGit, personRules, privateConfig, sparsePatterns, writeRules} from './own-git.ts';
import type {RunPaths} from './paths.ts';
import {replaceFile} from './write.ts';
import {ownStatusOf} from './status.ts';

/*
 * The three places of a run: W, its worktree; P, the git folder it sees; Q, the quarantine that only the host writes.
 */

/** What stands in W's `.git` on the host: no prompt, editor or person's git takes the agent's tree for a repository. */
function removedMark(runId: string): string {
	return `gitdir: /nonexistent/this-is-the-tree-of-fleet-run-${runId}-look-at-it-with-fleet-diff\n`;
}

/** Object folders of a repository, its own first, then its alternates, at most five deep. */
export function objectFolders(commonDir: string): string[] {
	const found: string[] = [];
	const visit = (folder: string, depth: number) => {
		if (depth > 5 || !existsSync(folder)) {
			return;
		}

		const real = realpathSync(folder);
		if (found.includes(real)) {
			return;
		}

		found.push(real);
		const alternates = path.join(real, 'info', 'alternates');
		if (existsSync(alternates)) {
			for (const line of readFileSync(alternates, 'utf8').split('\n')) {
				if (line !== '' && !line.startsWith('#')) {
					visit(path.resolve(real, line), depth + 1);
				}
			}
		}
	};

	visit(path.join(commonDir, 'objects'), 0);
	return found;
}

/** Where the real object folders are seen inside, read-only. */
export function baseMounts(commonDir: string): Mount[] {
	return objectFolders(commonDir).map((source, index) => ({source, target: `/run/fleet/base/${index}`, mode: 'read'}));
}

function own(uid: number | undefined, ...places: string[]): void {
	if (uid !== undefined && places.length > 0) {
		execFileSync('chown', ['-R', '-h', `${uid}:${uid}`, '--', ...places], {stdio: 'pipe'});
	}
}

/** The uid that a run's files belong to: the one that root drops to, or undefined for an ordinary user. */
export function ownerOf(runId: string): number | undefined {
	return process.getuid?.() === 0 ? dropUidOf(runId) : undefined;
}

/** Gives files made by the host to the run, where the host is root. */
export function giveToRun(runId: string, ...places: string[]): void {
	own(ownerOf(runId), ...places);
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
	/** Files of the person's that will be copied into W and are not the repository's. */
	readonly brought?: readonly string[] | undefined;
	/** Writes the branch's files into W, and an index of them to the path given. */
	fill(index: string): Promise<void>;
};

/** Copies an index with its time, by which git knows which of its entries it has to look at again. */
export function copyIndex(from: string, to: string): void {
	copyFileSync(from, to);
	const {atime, mtime} = statSync(from);
	utimesSync(to, atime, mtime);
}

/**
 * Makes W, P and Q. Either all three are there afterwards, or none and the branch neither.
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
	const lastLine = (text: string) => text.trim().split('\n').at(-1)?.replace('fatal: ', '') ?? '';
	if (base !== undefined) {
		// By itself, and only where there is none: what is taken back below was made here.
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

	try {
		const {code, stderr} = await git.run([
			'worktree',
			'add',
			'--quiet',
			'--no-checkout',
			'--lock',
			'--reason',
			`fleet run ${runId}`,
			places.worktree,
			branch,
		]);
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

/** Whether a run sees a ref of the project's: all but other runs' branches. */
function isVisible(ref: string, branch: string): boolean {
	return ref === branchRef(branch) || !isBranchRef(ref) || !isRunBranch(branchName(ref));
}

/**
 * The project's refs as a run sees them, a line for each: object
 * and name. Other runs' branches are other people's work.
 */
export async function projectRefs(git: Git, branch: string): Promise<string> {
	const refs = await git.raw('for-each-ref', '--format=%(objectname) %(refname)', ...sharedRefs);
	return refs
		.split('\n')
		.filter(line => line !== '' && isVisible(line.slice(line.indexOf(' ') + 1), branch))
		.map(line => `${line}\n`)
		.join('');
}

/** The ref under which the real repository keeps what a run borrows of it. */
function keptRef(places: RunPaths): string {
	return borrowedRef(path.basename(places.worktree));
}

/**
 * What a run sees of the project, and saw before, stays there while the run does, whatever the person deletes or
 * rewrites: one commit whose parents are the base and all branches and tags that lead elsewhere.
 * @param base undefined where the branch itself is what it starts from
 */
export async function keepBorrowed(
	git: Git,
	places: RunPaths,
	base: string | undefined,
	branch: string,
): Promise<void> {
	const start = (await git.resolve(`${base ?? branchRef(branch)}^{commit}`))!;
	const refs = (
		await git.raw(
			'for-each-ref',
			`--no-merged=${start}`,
			'--format=%(objectname) %(*objectname) %(refname)',
			...sharedRefs,
		)
	)
		.split('\n')
		.filter(line => line !== '');
	const others = refs
		.map(line => line.split(' '))
		.filter(([, , ref]) => isVisible(ref!, branch))
		.map(([object, peeled]) => (peeled === '' ? object! : peeled!));
	const who = 'fleet <fleet@fleet.invalid> 0 +0000';
	const before = await git.resolve(keptRef(places));
	const parents = [...new Set([...(before === undefined ? [] : [before]), start, ...others])]
		.map(parent => `parent ${parent}\n`)
		.join('');
	const tree = await git.resolve(`${start}^{tree}`);
	const text = `tree ${tree}\n${parents}author ${who}\ncommitter ${who}\n\nWhat a run borrows\n`;
	await git.must([
		'update-ref',
		keptRef(places),
		(await git.must(['hash-object', '-t', 'commit', '-w', '--stdin'], {input: text})).trim(),
	]);
}

async function createPrivate(
	{commonDir, branch, base, target, places, brought}: WorktreePlan,
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
	await keepBorrowed(git, places, base, branch);
	copyIndex(path.join(real, 'index'), path.join(folder, `worktrees/${admin}/index`));
	if (existsSync(path.join(commonDir, 'shallow'))) {
		copyFileSync(path.join(commonDir, 'shallow'), path.join(folder, 'shallow'));
	}
}

async function createQuarantine(commonDir: string, places: RunPaths, git: Git): Promise<void> {
	await makeOwnGit(places.quarantine, {git, commonDir, bare: true});
	connectQuarantine(commonDir, places);
}

/** Has Q find the project's objects where they are now. */
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

/** Whether a repository has a record of W. */
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
 * Puts the mark of a removed run where W's `.git` is, whatever an agent, or
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

/** The real repository's records of W: those that name it, whatever they are called. */
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

/** Removes W, P and the real repository's record of W. Branches and refs stay. Safe to call twice. */
export async function removeWorktree(commonDir: string, places: RunPaths): Promise<void> {
	const records = recordsOf(commonDir, places);
	for (const folder of [places.worktree, places.privateGit, places.scratch]) {
		if (existsSync(folder)) {
			// rm walks by descriptors and never through a link: neither deep trees nor swapped folders lead it astray.
			execFileSync('chmod', ['-R', 'u+rwX', '--', folder], {stdio: 'ignore'});
			execFileSync('rm', ['-rf', '--one-file-system', '--', folder], {stdio: 'pipe'});
		}
	}

	// `git worktree prune` would take other people's lost worktrees with it.
	for (const record of records) {
		rmSync(record, {recursive: true, force: true});
	}

	rmSync(places.quarantine, {recursive: true, force: true});
	await new Git({gitDir: commonDir}).run(['update-ref', '-d', keptRef(places)]);
}
