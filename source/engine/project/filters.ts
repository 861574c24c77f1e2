import {createHash} from 'node:crypto';
import {commandsOf, lfs, type Filter} from '../../core/git/filters.ts';
import type {Project} from '../../core/project.ts';
import type {Git} from '../../host/git.ts';
import type {Context} from '../context.ts';
import {filteredFiles} from '../handover/attributes.ts';
import {openRepository} from './projects.ts';
import {rememberYes, saidYes} from './remembered-yes.ts';

/*
 * The filters of a person's git that a project's files pass. Their commands are programs of the person's: they run over
 * what an agent wrote, in a sandbox without network, once a person said yes to exactly these commands.
 */

/** What the person's git is set to do for a filter; undefined where it is not set up. */
async function readFilter(git: Git, name: string): Promise<Filter | undefined> {
	const [clean, smudge, process] = await Promise.all(
		['clean', 'smudge', 'process'].map(async key => (await git.setting(`filter.${name}.${key}`)) || undefined),
	);
	if (clean === undefined && smudge === undefined && process === undefined) {
		return undefined;
	}

	return name === lfs ? {name} : {name, clean, smudge, process};
}

/**
 * The filters that the files of a commit pass, as the person's git is set up for them.
 * @param base a branch or a commit
 */
export async function findFilters(project: Pick<Project, 'root'>, base: string): Promise<Filter[]> {
	const {git, checkout, commonDir} = await openRepository(project.root);
	const commit = await checkout.resolve(`${base}^{commit}`);
	if (commit === undefined) {
		return [];
	}

	const names = new Set([...(await filteredFiles({git, commonDir}, commit)).values()].map(({filter}) => filter));
	const found = await Promise.all([...names].sort().map(name => readFilter(checkout, name)));
	return found.filter(filter => filter !== undefined);
}

function digest(filters: readonly Filter[]): string {
	return createHash('sha256')
		.update(JSON.stringify(commandsOf(filters).map(({name, clean, smudge, process}) => [name, clean, smudge, process])))
		.digest('hex');
}

/** Whether a person said yes to exactly these commands for this project. Git LFS needs none: it runs nothing of theirs. */
export function areTrusted(context: Context, project: Pick<Project, 'id'>, filters: readonly Filter[]): boolean {
	return (
		commandsOf(filters).length === 0 || saidYes(context, 'filters', {project: project.id, digest: digest(filters)})
	);
}

/** Remembers a yes. @throws Refusal where the file cannot be read */
export function trustFilters(context: Context, project: Pick<Project, 'id'>, filters: readonly Filter[]): void {
	rememberYes(context, 'filters', {project: project.id, digest: digest(filters)});
}
