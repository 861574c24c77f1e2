import {rmSync} from 'node:fs';
import {borrowedRef, fleetRefs, runRefs, trashRefs} from '../../core/git/refs.ts';
import type {Project} from '../../core/project.ts';
import {gateRefusal, Refusal} from '../../core/refusal.ts';
import {removeTree} from '../../host/remove-tree.ts';
import {listSecrets, removeSecret, type SecretEntry} from '../grants/secrets.ts';
import {forgetModels} from '../grants/remembered.ts';
import {forgetServers} from '../mcp/approvals.ts';
import {forgetYes} from '../project/remembered-yes.ts';
import {removeOfProject} from '../layers/clean.ts';
import {dropProject, openRepository} from '../project/projects.ts';
import type {Context} from '../context.ts';
import {listRunIds, readRun, withJournal} from '../runs.ts';
import {workOf, type Work} from './clean.ts';
import {discard} from './discard.ts';

/* Taking projects away, with all that fleet keeps of them. A person's repository and branches stay as they are. */

/** A run that goes with its project, or is in the way of that. */
export type Leaving = {readonly run: string; readonly project: string | undefined; readonly work: Work};

/** All that would go. */
export type Removal = {
	readonly projects: readonly Project[];
	readonly runs: readonly Leaving[];
	readonly secrets: readonly SecretEntry[];
};

/** How far a person goes. */
export type RemovalOptions = {
	/** Runs with unmerged work go, too: it is kept as refs of the project's repository. */
	readonly discard: boolean;
	/** Work that cannot be kept goes, too, and what was kept in repositories. */
	readonly loseWork: boolean;
};

/** What goes with these projects. @param all whether runs and secrets of no project go, too */
export async function removalOf(context: Context, projects: readonly Project[], all = false): Promise<Removal> {
	const ids = new Set(projects.map(({id}) => id));
	const runs: Leaving[] = [];
	for (const id of listRunIds(context)) {
		const run = readRun(context.paths.run(id));
		if (all || (run && ids.has(run.project.id))) {
			// Whose journal cannot be read may hold anything.
			runs.push({run: id, project: run?.project.id, work: run ? await workOf(context, run) : 'out-of-reach'});
		}
	}

	const secrets = listSecrets(context).filter(({project}) => all || (project !== undefined && ids.has(project)));
	return {projects, runs, secrets};
}

function named(runs: readonly Leaving[]): string {
	const shown = runs.slice(0, 5).map(({run}) => run);
	return shown.join(', ') + (runs.length > 5 ? ` and ${runs.length - 5} more` : '');
}

/** Refuses where runs are at work, or hold what a person did not give up. @param typed what they typed */
export function checkRemoval({runs}: Removal, options: RemovalOptions, typed: string): void {
	const of = (...works: Work[]) => runs.filter(({work}) => works.includes(work));
	const atWork = of('at-work');
	if (atWork.length > 0) {
		throw gateRefusal(`runs are at work: ${named(atWork)}`, `fleet stop ${atWork[0]!.run}`);
	}

	const lost = of('out-of-reach');
	if (lost.length > 0 && !options.loseWork) {
		throw gateRefusal(
			`the repository or the journal of these cannot be read, so their work can be kept nowhere: ${named(lost)}`,
			`bring it back, or to lose what they hold: ${typed} --lose-work`,
		);
	}

	const unmerged = of('unmerged');
	if (unmerged.length > 0 && !options.discard && !options.loseWork) {
		throw gateRefusal(
			`these have unmerged work: ${named(unmerged)}`,
			`${typed} --discard keeps it in the repository, below ${fleetRefs}/trash`,
		);
	}
}

/** Takes a run's folders away, its journal with them. */
function removeRun(context: Context, id: string): void {
	const places = context.paths.run(id);
	for (const folder of [places.worktree, places.folder]) {
		removeTree(folder);
	}

	for (const file of [places.socket, places.pulse]) {
		rmSync(file, {force: true});
	}
}

/** What is kept of these runs in a repository: another account's runs may have theirs there, too. */
async function refsOf(project: Project, runs: readonly string[]): Promise<string[]> {
	if (runs.length === 0) {
		return [];
	}

	try {
		const {git} = await openRepository(project.root);
		const patterns = runs.flatMap(run => [runRefs(run), trashRefs(run), borrowedRef(run)]);
		return (await git.raw('for-each-ref', '--format=%(refname)', ...patterns)).split('\n').filter(ref => ref !== '');
	} catch (error) {
		// Where the repository is gone, nothing is kept in it.
		if (error instanceof Refusal) {
			return [];
		}

		throw error;
	}
}

/**
 * Takes it all away. What is checked by `checkRemoval` is taken as checked; a run that began since is in the way.
 * @returns how many refs with work are kept in each repository
 */
export async function remove(
	context: Context,
	removal: Removal,
	options: RemovalOptions,
): Promise<ReadonlyMap<Project, number>> {
	// First, since a vault may be locked: then nothing else is gone.
	for (const secret of removal.secrets) {
		await removeSecret(context, secret);
	}

	for (const {run} of removal.runs.filter(({work}) => work !== 'discarded' && work !== 'out-of-reach')) {
		await withJournal(context, run, journal => discard(context, journal, 'its project was removed'));
	}

	const kept = new Map<Project, number>();
	for (const project of removal.projects) {
		const began = (await removalOf(context, [project])).runs.filter(
			({run}) => !removal.runs.some(known => known.run === run),
		);
		if (began.length > 0) {
			throw gateRefusal(`this run began meanwhile: ${named(began)}`, `fleet stop ${began[0]!.run}`);
		}

		removeOfProject(context, project.id);
		forgetModels(context, project.id);
		forgetYes(context, project.id);
		forgetServers(context, project.id);
		dropProject(context, project.id);
		const refs = await refsOf(
			project,
			removal.runs.filter(run => run.project === project.id).map(({run}) => run),
		);
		if (options.loseWork && refs.length > 0) {
			const {git} = await openRepository(project.root);
			await git.must(['update-ref', '--stdin'], {input: refs.map(ref => `delete ${ref}\n`).join('')});
		}

		kept.set(project, options.loseWork ? 0 : refs.length);
	}

	for (const {run} of removal.runs) {
		removeRun(context, run);
	}

	return kept;
}
