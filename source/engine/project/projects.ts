import {existsSync, realpathSync} from 'node:fs';
import path from 'node:path';
import {branchRef, runRefs, trashRefs} from '../../core/git/refs.ts';
import {nameFrom, printable} from '../../core/names.ts';
import {isOdd, isWithin} from '../../core/places.ts';
import type {Project} from '../../core/project.ts';
import {Refusal} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import {quoteWord} from '../../core/text/shell-words.ts';
import {discover, Git, oddPath} from '../../host/git.ts';
import {Lock} from '../../host/lock.ts';
import {hasRecord, relink} from '../../host/worktree.ts';
import {objectFolders} from '../../host/borrowed.ts';
import {replaceFile} from '../../host/write.ts';
import {filesOf} from '../../scopes/registry.ts';
import type {Context} from '../context.ts';
import {listProjects} from './list-projects.ts';
import {listRuns} from '../runs.ts';

/** The repository that a folder belongs to, where it is no project yet; undefined where it is one. */
export async function findNew(context: Pick<Context, 'paths'>, folder: string): Promise<string | undefined> {
	const {root} = await findRepository(context, folder);
	return listProjects(context).some(project => project.root === root) ? undefined : root;
}

/**
 * Adds the repository that a folder belongs to. Adding it again
 * gives the same project, also where it lies elsewhere now.
 * @param as the project that it is, where it does not show by itself
 * @returns `movedFrom`: where it was, if it was elsewhere
 */
export async function addProject(
	context: Pick<Context, 'paths'>,
	folder: string,
	as?: string,
): Promise<{project: Project; added: boolean; movedFrom?: string}> {
	const {root, git, commonDir} = await findRepository(context, folder);
	checkWritable(context, root, commonDir);
	const lock = lockList(context);
	try {
		const projects = listProjects(context);
		if (as !== undefined && !projects.some(project => project.id === as)) {
			throw new Refusal(
				`there is no project "${printable(as, 60)}"`,
				projects.length === 0
					? 'fleet project add PATH'
					: `projects: ${projects.map(project => project.id).join(', ')}`,
			);
		}

		const known = projects.find(project => project.root === root);
		const moved =
			known && (as === undefined || known.id === as)
				? undefined
				: await findMoved(context, projects, {git, commonDir: realpathSync(commonDir), as});
		if (as !== undefined && !moved && known?.id !== as) {
			throw new Refusal(
				`${printable(root, 200)} cannot be ${as}: that one is where it was, ` +
					'or this repository does not have what its runs began at',
				`fleet list, and: fleet project add ${printable(root, 200)}`,
			);
		}

		if (moved) {
			const project: Project = {...moved, root};
			const others = projects.filter(
				other => other.id !== known?.id || listRuns(context).some(run => run.project.id === other.id),
			);
			writeProjects(
				context,
				others.map(other => (other.id === moved.id ? project : other)),
			);
			return {project, added: false, movedFrom: moved.root};
		}

		if (known) {
			return {project: known, added: false};
		}

		const id = freeId(root, projects);
		const project: Project = {id, name: id, root, addedAt: new Date().toISOString()};
		writeProjects(context, [...projects, project]);
		return {project, added: true};
	} finally {
		lock.release();
	}
}

function writeProjects({paths}: Pick<Context, 'paths'>, projects: readonly Project[]): void {
	replaceFile(paths.projects, `${JSON.stringify(projects, undefined, '\t')}\n`);
}

/** Takes a project off the list. The caller has seen to its runs. */
export function dropProject(context: Pick<Context, 'paths'>, id: string): void {
	const lock = lockList(context);
	try {
		writeProjects(
			context,
			listProjects(context).filter(project => project.id !== id),
		);
	} finally {
		lock.release();
	}
}

/** @throws Refusal where another process keeps it */
function lockList({paths}: Pick<Context, 'paths'>): Lock {
	const lock = Lock.acquire(`${paths.projects}.lock`, 5000);
	if (!lock) {
		throw new Refusal('another fleet is writing the list of projects', 'try again');
	}

	return lock;
}

/** A name for a project, after its folder, that no other has. */
function freeId(root: string, projects: readonly Project[]): string {
	const wanted = nameFrom(path.basename(root).replace(/\.git$/, ''), 'project');
	let id = wanted;
	for (let number = 2; projects.some(project => project.id === id); number++) {
		id = `${wanted}-${number}`;
	}

	return id;
}

/** The repository of a folder that is to be a project. @throws Refusal where there is none that can be one */
async function findRepository(
	context: Pick<Context, 'paths'>,
	folder: string,
): Promise<{root: string; git: Git; commonDir: string}> {
	if (isOdd(folder) || (existsSync(folder) && isOdd(realpathSync(folder)))) {
		throw new Refusal(
			`the path ${printable(folder, 200)} holds a control byte, or what is not UTF-8`,
			'rename the folder, then: fleet project add PATH',
		);
	}

	if (!existsSync(folder)) {
		throw new Refusal(`there is no folder ${folder}`, 'fleet project add PATH');
	}

	const found = await discover(realpathSync(folder));
	if (found instanceof Refusal) {
		throw new Refusal(
			`${folder} is not a git repository fleet can use: ${found.because}`,
			'git init, commit something, then add it',
		);
	}

	const root = realpathSync(found.topLevel ?? found.commonDir);
	if ([context.paths.state, context.paths.worktrees].some(folder => isWithin(root, folder))) {
		throw new Refusal("a run's own worktree is not a project", 'add the repository it came from');
	}

	const git = new Git({gitDir: found.commonDir});
	if (!(await git.resolve('HEAD^{commit}'))) {
		throw new Refusal(
			`${root} has no commit yet, so there is nothing to branch from`,
			'git commit --allow-empty -m start',
		);
	}

	return {root, git, commonDir: found.commonDir};
}

/** @throws Refusal where a run may change what a project would lie in: what it writes there git would run */
function checkWritable(context: Pick<Context, 'paths'>, root: string, commonDir: string): void {
	const places = [root, commonDir, ...objectFolders(commonDir)];
	for (const run of listRuns(context)) {
		const scope =
			run.stage === 'discarded'
				? undefined
				: run.grants
						.map(grant => grant.scope)
						.find(scope => {
							const files = filesOf(scope);
							return files?.mode === 'write' && places.some(place => isWithin(place, files.path));
						});
		if (scope !== undefined) {
			throw new Refusal(
				`the run ${run.id} may change what is in ${root}`,
				`fleet revoke ${run.id} ${quoteWord(scope)}`,
			);
		}
	}
}

function howToName(projects: readonly Project[], names: string): string {
	if (projects.length === 0) {
		return 'fleet project add PATH';
	}

	return projects.length === 1 ? `--project ${names}` : `--project with one of: ${names}`;
}

/**
 * The project of that name, or the one whose repository the current folder stands in. Never another one, however few
 * there are: a submodule and a repository inside are repositories
 * of their own, and another worktree has another branch.
 */
export async function findProject(
	context: Pick<Context, 'paths'>,
	name: string | undefined,
	folder: string,
): Promise<Project> {
	const projects = listProjects(context);
	const names = projects.map(project => project.id).join(', ');
	if (name !== undefined) {
		// Ids have no capitals; people type their folder's name.
		const alike = projects.filter(({root}) => path.basename(root) === name);
		const project = projects.find(({id}) => id === name) ?? (alike.length === 1 ? alike[0] : undefined);
		if (!project) {
			throw new Refusal(
				`there is no project "${printable(name, 60)}"`,
				projects.length === 0 ? 'fleet project add PATH' : `projects: ${names}`,
			);
		}

		return project;
	}

	let real = folder;
	try {
		real = realpathSync(folder);
	} catch {
		// A folder that is not there any more, or may not be looked at, is taken as it was named: git says why.
	}

	const named = howToName(projects, names);
	const {worktrees} = context.paths;
	if (isWithin(real, worktrees) || (existsSync(worktrees) && isWithin(real, realpathSync(worktrees)))) {
		throw new Refusal("this is a run's own tree, which belongs to no project", named);
	}

	const found = isOdd(real) ? oddPath() : await discover(real);
	if (found instanceof Refusal) {
		throw new Refusal(`this folder is in no git repository that fleet can use: ${printable(found.because)}`, named);
	}

	// In the .git folder of a checkout there is no checkout, and in a bare repository neither.
	const top =
		found.topLevel ?? (path.basename(found.commonDir) === '.git' ? path.dirname(found.commonDir) : found.commonDir);
	const root = existsSync(top) ? realpathSync(top) : top;
	const here = projects.find(project => project.root === root);
	if (here) {
		return here;
	}

	throw new Refusal(
		projects.length === 0
			? 'no project is added yet'
			: `this folder's repository, ${printable(root, 200)}, is not a project that is added`,
		projects.length === 0 ? 'fleet project add .' : `fleet project add ., or ${named}`,
	);
}

/** Whether a repository has all that these runs began at. */
async function holds(git: Git, runs: readonly Run[]): Promise<boolean> {
	for (const base of new Set(runs.map(run => run.base))) {
		if (!(await git.resolve(`${base}^{commit}`))) {
			return false;
		}
	}

	return true;
}

/** Whether the runs' own repository is where the project says that it is. */
async function isThere(project: Project, runs: readonly Run[]): Promise<boolean> {
	try {
		return await holds((await openRepository(project.root)).git, runs);
	} catch {
		// Gone, moved or no repository any more: in any case not there.
		return false;
	}
}

/**
 * The project whose repository this is, where that is not to be found any more where it was: moved, renamed, restored.
 * @param options.as the project that a person says it is; without it, the repository must know a run of the project's
 */
async function findMoved(
	context: Pick<Context, 'paths'>,
	projects: readonly Project[],
	{git, commonDir, as}: {readonly git: Git; readonly commonDir: string; readonly as: string | undefined},
): Promise<Project | undefined> {
	const all = listRuns(context);
	for (const project of projects.filter(project => as === undefined || project.id === as)) {
		const every = all.filter(run => run.project.id === project.id);
		// What was discarded long ago may have begun at a commit that is gone by now.
		const runs = every.some(run => run.stage !== 'discarded') ? every.filter(run => run.stage !== 'discarded') : every;
		if (
			runs.length === 0
				? existsSync(project.root) || as === undefined
				: (await isThere(project, runs)) || !(await holds(git, runs))
		) {
			continue;
		}

		const known = async (run: Run) =>
			hasRecord(commonDir, context.paths.run(run.id)) ||
			(
				await git.run([
					'for-each-ref',
					'--count=1',
					'--format=x',
					runRefs(run.id),
					trashRefs(run.id),
					branchRef(run.branch),
				])
			).stdout !== '';
		if (as !== undefined || (await Promise.all(runs.map(run => known(run)))).includes(true)) {
			return project;
		}
	}

	return undefined;
}

/** Where a run's project is now. */
export function rootOf(context: Pick<Context, 'paths'>, run: Pick<Run, 'project'>): string {
	try {
		return listProjects(context).find(project => project.id === run.project.id)?.root ?? run.project.root;
	} catch {
		// The list can be mended; until then a run is where it began.
		return run.project.root;
	}
}

/**
 * The repository that a run belongs to, wherever its project's is now. What names its place is brought up to date.
 * @throws Refusal where it is gone, or another one is in its place
 */
export async function openRun(
	context: Pick<Context, 'paths'>,
	run: Run,
): Promise<{git: Git; checkout: Git; commonDir: string}> {
	const root = rootOf(context, run);
	const opened = await openRepository(root);
	if (!(await holds(opened.git, [run]))) {
		throw new Refusal(
			`${root} is not the repository that ${run.id} began in: it does not have ${run.base.slice(0, 10)}`,
			`where that is now: fleet project add PATH --as ${run.project.id}`,
		);
	}

	relink(run.id, opened.commonDir, context.paths.run(run.id));
	return opened;
}

/**
 * The repository behind a project, and the checkout that was added, whose HEAD
 * is its own where it is a linked worktree. @throws Refusal where it is gone
 */
export async function openRepository(root: string): Promise<{git: Git; checkout: Git; commonDir: string}> {
	const found = existsSync(root) ? await discover(root) : new Refusal('the folder is gone', 'bring it back');
	if (found instanceof Refusal) {
		throw new Refusal(
			`the project's repository ${root} cannot be used: ${printable(found.because)}`,
			'bring it back, or where it is now: fleet project add PATH',
		);
	}

	// A folder that lost its .git may lie in another repository.
	if (found.topLevel !== undefined && realpathSync(found.topLevel) !== realpathSync(root)) {
		throw new Refusal(
			`the project's repository ${root} cannot be used: it is a folder of ${found.topLevel} now`,
			'bring it back, or where it is now: fleet project add PATH',
		);
	}

	const commonDir = realpathSync(found.commonDir);
	return {git: new Git({gitDir: commonDir}), checkout: new Git({gitDir: found.gitDir}), commonDir};
}
