import {existsSync, readFileSync, realpathSync} from 'node:fs';
import path from 'node:path';
import {borrowedRef, branchName, branchRef, isBranchRef, sharedRefs} from '../core/git/refs.ts';
import {isFleetBranch} from '../core/names.ts';
import type {Mount} from '../core/plan.ts';
import type {Git} from './git.ts';
import type {RunPaths} from './paths.ts';

/* What a run borrows of the project's repository: objects, which it reads where they are, and the names of commits. */

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

/** Whether a run sees a ref of the project's: all but other runs' branches and what is decided about them, here or at a remote. */
function isVisible(ref: string, branch: string): boolean {
	const there = /^refs\/remotes\/[^/]+\/(.+)$/.exec(ref)?.[1];
	const name = isBranchRef(ref) ? branchName(ref) : there;
	return name === undefined || name === branch || !isFleetBranch(name);
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
export function keptRef(places: RunPaths): string {
	return borrowedRef(path.basename(places.worktree));
}

/**
 * What a run sees of the project, and saw before, stays there while the run does, whatever the person deletes or
 * rewrites: one commit whose parents are the base and all branches and tags that lead elsewhere.
 * @param run.base undefined where the branch itself is what it starts from
 */
export async function keepBorrowed(
	git: Git,
	places: RunPaths,
	{base, branch}: {readonly base: string | undefined; readonly branch: string},
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
