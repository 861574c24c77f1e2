import {lfs, readPointer, type Filter} from '../../core/git/filters.ts';
import {gateRefusal, type Refusal} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import {
	findForbidden,
	isPointer,
	onlyTakesAway,
	parseChanges,
	repositoryMode,
	shown,
	textOf,
	type Change,
	type Entry,
} from '../../core/git/tree.ts';
import {isOfSize, lfsStore} from '../../host/lfs.ts';
import type {Git, ProjectCheckout, ProjectGit} from '../../host/git.ts';
import {attributeFiles, readBlobs, readTree, withAttributes} from './attributes.ts';
import {broughtFiles} from './brought-files.ts';
import {knownCommits} from '../run/submodules.ts';

/* What must not be merged. Judged on the tree that the merge would be, against the tip that it would be merged into. */

/** What is wrong, and what to do about it where that is not to take it out. */
type Problem = {readonly because: string; readonly hint?: string};

/** Whose branch it is: a run of this machine, or one that somebody asks about from another. */
type Whose = Pick<Run, 'id' | 'base' | 'filters' | 'included'>;

export type Candidate = {readonly base: string; readonly head: string; readonly tree: string};

/**
 * What the merge would change. Submodules count, also those that the project's settings
 * tell git to overlook. @throws Refusal where it is more than can be looked through
 */
export async function changesOf(git: Git, base: string, tree: string): Promise<Change[]> {
	const {code, stdout} = await git.run(
		['diff-tree', '-r', '-z', '--raw', '--no-renames', '--no-abbrev', '--ignore-submodules=none', base, tree],
		{encoding: 'latin1'},
	);
	if (code !== 0) {
		throw gateRefusal(
			'it changes more files than can be looked through',
			`git diff --stat ${base.slice(0, 10)} ${tree.slice(0, 10)}`,
		);
	}

	return parseChanges(stdout);
}

/**
 * Files that are stored in another form than people see (Git LFS, git-crypt, and their like): what a run wrote to one
 * would be stored as it is. Both trees' attributes count, so that nothing passes by taking the attribute away, or by
 * giving it.
 */
async function findFiltered(
	{git, commonDir}: ProjectGit,
	tree: ReadonlyMap<string, Entry>,
	{changes, filters}: {readonly changes: readonly Change[]; readonly filters: readonly Filter[]},
): Promise<string[]> {
	const changedFiles = changes.filter(({path}) => path === '.gitattributes' || path.endsWith('/.gitattributes'));
	const before = new Map(tree);
	for (const {path, before: entry} of changes) {
		if (entry) {
			before.set(path, entry);
		} else {
			before.delete(path);
		}
	}

	// Attributes that changed may be about any file; else only what changed itself can be wrong.
	const paths =
		changedFiles.length > 0 ? [...new Set([...before.keys(), ...tree.keys()])] : changes.map(({path}) => path);
	const filtersOf = (entries: ReadonlyMap<string, Entry>) =>
		withAttributes({git, commonDir}, attributeFiles(entries), attributes => attributes.of('filter', paths));
	const old = await filtersOf(before);
	const now = changedFiles.length > 0 ? await filtersOf(tree) : old;
	if (old.size === 0 && now.size === 0) {
		return [];
	}

	const problems: string[] = [];
	const store = await lfsStore({git, commonDir});
	const stored = new Set(
		changes.flatMap(({path, before}) => (before && old.has(path) ? [`${old.get(path)} ${before.object}`] : [])),
	);
	const suspects = changes.filter(
		({path, before, after}) =>
			after?.mode.startsWith('100') && after.object !== before?.object && (old.has(path) || now.has(path)),
	);
	const pointers = await readBlobs(
		git,
		suspects.filter(({path}) => [old.get(path), now.get(path)].includes('lfs')).map(({after}) => after!.object),
	).catch(() => new Map<string, string>());
	for (const {path, after} of suspects) {
		const names = new Set([old.get(path), now.get(path)].filter(name => name !== undefined));
		const [name] = names;
		const content = pointers.get(after!.object) ?? 'content';
		// What is not there was in no verification, and LFS takes content away whose size is not its pointer's.
		const stands = readPointer(content);
		const pointer =
			names.size === 1 && name === 'lfs' && isPointer(content) && (stands === undefined || isOfSize(store, stands));
		const passes = name !== lfs && old.get(path) === now.get(path) && filters.some(filter => filter.name === name);
		// Moved as it is stored. What a filter of the run's cleaned is looked at again by `findUncleaned`.
		if (!pointer && !passes && !(names.size === 1 && stored.has(`${name} ${after!.object}`))) {
			problems.push(
				`${shown(path)} is stored through the filter ${shown(name!)}, and is not what that makes of it; ` +
					'put it back as it was, and change it yourself, or in a run with --filters',
			);
		}
	}

	for (const path of changedFiles.length > 0 ? tree.keys() : []) {
		if (before.has(path) && old.get(path) !== now.get(path) && tree.get(path)!.mode.startsWith('100')) {
			problems.push(
				now.has(path)
					? `.gitattributes would have ${shown(path)} pass through the filter ${shown(now.get(path)!)}`
					: `.gitattributes would no longer have ${shown(path)} pass through the filter ${shown(old.get(path)!)}`,
			);
		}
	}

	return problems;
}

/** Submodules: another commit of one that is there already, where the person's own copy of it knows that commit. */
async function findUnknownCommits(
	project: ProjectCheckout,
	base: string,
	changes: readonly Change[],
): Promise<Problem[]> {
	const moved = changes.filter(({before, after}) => before?.mode === repositoryMode && after?.mode === repositoryMode);
	const known = await knownCommits(
		project,
		base,
		moved.map(({path, after}) => ({path, commit: after!.object})),
	);
	return moved
		.filter(({path}) => !known.has(path))
		.map(({path, after}) => ({
			because:
				`${shown(path)} is at ${after!.object.slice(0, 10)}, ` +
				'a commit that your copy of that submodule does not have',
			hint: `git -C ${JSON.stringify(`${project.root}/${textOf(path)}`)} fetch, and then verify it again`,
		}));
}

/** Files that tell git and Git LFS from where, and to where, what is not in the repository itself goes. */
const sources = [
	['.gitmodules', 'where submodules come from'],
	['.lfsconfig', 'where large files go'],
] as const;

async function findSources(git: Git, changes: readonly Change[]): Promise<string[]> {
	const problems: string[] = [];
	for (const [name, what] of sources) {
		const change = changes.find(({path}) => path === name);
		if (change?.after?.mode.startsWith('100') && !(await takesAway(git, change.before, change.after))) {
			problems.push(`${shown(name)} says something new: ${what} is for people to say`);
		}
	}

	return problems;
}

/** Whether a file of settings says nothing that it did not say before. */
async function takesAway(git: Git, old: Entry | undefined, now: Entry): Promise<boolean> {
	const settings = async (entry: Entry | undefined) =>
		entry ? git.run(['config', '--blob', entry.object, '--list', '--null']) : {code: 0, stdout: ''};
	const [before, after] = [await settings(old), await settings(now)];
	return after.code === 0 && onlyTakesAway(before.stdout, after.stdout);
}

/** Files that a person had copied into the run: in no commit of its branch may they be. */
async function findBrought(git: Git, run: Whose, head: string): Promise<string[]> {
	const brought = await broughtFiles(git, run);
	if (brought.length === 0) {
		return [];
	}

	const problems: string[] = [];
	for (const name of brought) {
		const {stdout} = await git.run([
			'--literal-pathspecs',
			'rev-list',
			'--max-count=1',
			'--full-history',
			head,
			`^${run.base}`,
			'--',
			name,
		]);
		if (stdout.trim() !== '') {
			problems.push(`${JSON.stringify(name)}, which .worktreeinclude brought, is in its commits`);
		}
	}

	return problems;
}

/**
 * What must not be merged, found in the objects themselves.
 * @returns one line for each, with its name; nothing where all is well
 */
export async function findProblems(
	project: ProjectCheckout,
	run: Whose,
	{base, head, tree: name}: Candidate,
): Promise<Problem[]> {
	const {git} = project;
	const changes = await changesOf(git, base, name);
	const tree = await readTree(git, name);
	const {stdout: ignoreCase} = await git.run(['config', '--type=bool', '--get', 'core.ignorecase']);
	const plain = (lines: readonly string[]) => lines.map(because => ({because}));
	return [
		...plain(findForbidden(tree, changes, ignoreCase.trim() === 'true')),
		...(await findUnknownCommits(project, base, changes)),
		...plain(await findSources(git, changes)),
		...plain(await findFiltered(project, tree, {changes, filters: run.filters ?? []})),
		...plain(await findBrought(git, run, head)),
	];
}

/** @returns the refusal of a branch that holds what is never merged */
export async function vet(project: ProjectCheckout, run: Whose, candidate: Candidate): Promise<Refusal | undefined> {
	const problems = await findProblems(project, run, candidate);
	return problems.length === 0
		? undefined
		: gateRefusal(
				`its branch holds what is never merged: ${problems
					.slice(0, 3)
					.map(({because}) => because)
					.join('; ')}${problems.length > 3 ? `; and ${problems.length - 3} more` : ''}`,
				problems[0]!.hint ?? `fleet resume ${run.id} "take it out again"`,
			);
}
