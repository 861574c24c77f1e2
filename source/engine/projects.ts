import {existsSync, readFileSync, realpathSync} from 'node:fs';
import path from 'node:path';
import {nameFrom, printable} from '../core/names.ts';
import {isOdd, isWithin} from '../core/places.ts';
import type {Project} from '../core/project.ts';
import {Refusal} from '../core/refusal.ts';
import {quoteWord} from '../core/words.ts';
import {discover, Git} from '../host/git.ts';
import {Lock} from '../host/lock.ts';
import {objectFolders} from '../host/worktree.ts';
import {replaceFile} from '../host/write.ts';
import {filesOf} from '../scopes/files/index.ts';
import type {Context} from './context.ts';
import {listRuns} from './runs.ts';

/** All projects, in the order they were added. @throws Refusal where the file cannot be read as such */
export function listProjects({paths}: Pick<Context, 'paths'>): Project[] {
	if (!existsSync(paths.projects)) {
		return [];
	}

	try {
		const projects: unknown = JSON.parse(readFileSync(paths.projects, 'utf8'));
		if (Array.isArray(projects) && projects.every(project => typeof project?.id === 'string' && typeof project.root === 'string')) {
			return projects as Project[];
		}
	} catch {}

	throw new Refusal(`${paths.projects} is not a list of projects`, 'mend or remove it; runs are not affected');
}

/** Adds the repository that a folder belongs to. Adding it again gives the same project. */
export async function addProject(context: Context, folder: string): Promise<{project: Project; added: boolean}> {
	if (isOdd(folder) || (existsSync(folder) && isOdd(realpathSync(folder)))) {
		throw new Refusal(`the path ${printable(folder, 200)} holds a control byte, or what is not UTF-8`, 'rename the folder, then: fleet project add PATH');
	}

	if (!existsSync(folder)) {
		throw new Refusal(`there is no folder ${folder}`, 'fleet project add PATH');
	}

	const found = await discover(realpathSync(folder));
	if ('because' in found) {
		throw new Refusal(`${folder} is not a git repository fleet can use: ${found.because}`, 'git init, commit something, then add it');
	}

	const root = realpathSync(found.topLevel ?? found.commonDir);
	if (`${root}/`.startsWith(`${context.paths.state}/`)) {
		throw new Refusal('a run\'s own worktree is not a project', 'add the repository it came from');
	}

	const git = new Git({gitDir: found.commonDir});
	if (!await git.resolve('HEAD^{commit}')) {
		throw new Refusal(`${root} has no commit yet, so there is nothing to branch from`, 'git commit --allow-empty -m start');
	}

	const places = [root, found.commonDir, ...objectFolders(found.commonDir)];
	for (const run of listRuns(context)) {
		const scope = run.stage === 'discarded' ? undefined : run.grants.map(grant => grant.scope).find(scope => {
			const files = filesOf(scope);
			return files?.mode === 'write' && places.some(place => isWithin(place, files.path));
		});
		if (scope !== undefined) {
			throw new Refusal(`the run ${run.id} may change what is in ${root}`, `fleet revoke ${run.id} ${quoteWord(scope)}`);
		}
	}

	const lock = Lock.acquire(`${context.paths.projects}.lock`, 5000);
	if (!lock) {
		throw new Refusal('another fleet is writing the list of projects', 'try again');
	}

	try {
		const projects = listProjects(context);
		const known = projects.find(project => project.root === root);
		if (known) {
			return {project: known, added: false};
		}

		const wanted = nameFrom(path.basename(root).replace(/\.git$/, ''), 'project');
		let id = wanted;
		for (let number = 2; projects.some(project => project.id === id); number++) {
			id = `${wanted}-${number}`;
		}

		const project: Project = {id, name: id, root, addedAt: new Date().toISOString()};
		replaceFile(context.paths.projects, `${JSON.stringify([...projects, project], undefined, '\t')}\n`);
		return {project, added: true};
	} finally {
		lock.release();
	}
}

/**
 * The project of that name, or the one whose repository the current folder stands in. Never another one, however few
 * there are: a submodule and a repository inside are repositories of their own, and another worktree has another branch.
 */
export async function findProject(context: Pick<Context, 'paths'>, name: string | undefined, folder: string): Promise<Project> {
	const projects = listProjects(context);
	const names = projects.map(project => project.id).join(', ');
	if (name !== undefined) {
		const project = projects.find(project => project.id === name);
		if (!project) {
			throw new Refusal(`there is no project "${printable(name, 60)}"`, projects.length === 0 ? 'fleet project add PATH' : `projects: ${names}`);
		}

		return project;
	}

	let real = folder;
	try {
		real = realpathSync(folder);
	} catch {}

	const named = projects.length === 0 ? 'fleet project add PATH' : projects.length === 1 ? `--project ${names}` : `--project with one of: ${names}`;
	const worktrees = path.join(context.paths.state, 'worktrees');
	if (isWithin(real, worktrees) || (existsSync(worktrees) && isWithin(real, realpathSync(worktrees)))) {
		throw new Refusal('this is a run\'s own tree, which belongs to no project', named);
	}

	const found = isOdd(real) ? {because: 'its path holds a control byte, or what is not UTF-8'} : await discover(real);
	if ('because' in found) {
		throw new Refusal(`this folder is in no git repository that fleet can use: ${printable(found.because)}`, named);
	}

	// In the .git folder of a checkout there is no checkout, and in a bare repository neither.
	const top = found.topLevel ?? (path.basename(found.commonDir) === '.git' ? path.dirname(found.commonDir) : found.commonDir);
	const root = existsSync(top) ? realpathSync(top) : top;
	const here = projects.find(project => project.root === root);
	if (here) {
		return here;
	}

	throw new Refusal(projects.length === 0 ? 'no project is added yet' : `this folder's repository, ${printable(root, 200)}, is not a project that is added`, projects.length === 0 ? 'fleet project add .' : `fleet project add ., or ${named}`);
}

/** The repository behind a project, and the checkout that was added, whose HEAD is its own where it is a linked worktree. @throws Refusal where it is gone */
export async function openRepository(root: string): Promise<{git: Git; checkout: Git; commonDir: string}> {
	const found = existsSync(root) ? await discover(root) : {because: 'the folder is gone'};
	if ('because' in found) {
		throw new Refusal(`the project's repository ${root} cannot be used: ${found.because}`, 'bring it back, or add it again where it is now');
	}

	const commonDir = realpathSync(found.commonDir);
	return {git: new Git({gitDir: commonDir}), checkout: new Git({gitDir: found.gitDir}), commonDir};
}
