import type {Project} from '../../core/project.ts';
import {personRefusal, Refusal} from '../../core/refusal.ts';
import {formatReference} from '../../core/secrets/secret.ts';
import {quoteWord} from '../../core/text/shell-words.ts';
import {escapeLine} from '../../core/text/escape-controls.ts';
import type {Context} from '../../engine/context.ts';
import {checkRemoval, remove, removalOf, type Removal, type RemovalOptions} from '../../engine/handover/remove.ts';
import {ask} from '../../terminal/ask.ts';
import type {Io} from '../../terminal/program.ts';

/** What a person says of a removal. */
export type RemovalFlags = RemovalOptions & {readonly yes: boolean; readonly json: boolean};

function many(count: number, what: string): string {
	return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** What stays of runs in a repository, and how it is listed from any folder. */
export function keptWork(root: string, refs: number): string {
	return `${many(refs, 'ref')} of work: git -C ${escapeLine(quoteWord(root))} for-each-ref refs/fleet`;
}

/** What would go and what stays, a line each. */
export function removalLines({projects, runs, secrets}: Removal, {loseWork}: RemovalOptions): string[] {
	const unmerged = runs.filter(({work}) => work === 'unmerged' || work === 'discarded').length;
	const lost = runs.filter(({work}) => work === 'out-of-reach').length;
	return [
		...projects.map(({id, root}) => `project ${id}: ${escapeLine(root)} stays as it is, its branches, too`),
		...(runs.length === 0
			? []
			: [`${many(runs.length, 'run')}: worktrees, output and journals go: ${runs.map(({run}) => run).join(' ')}`]),
		...(unmerged === 0
			? []
			: [
					`${many(unmerged, 'run')} with work in no branch: ` +
						(loseWork ? 'it goes for good' : 'it is kept in the repository, below refs/fleet/trash'),
				]),
		...(lost === 0 ? [] : [`${many(lost, 'run')} whose work cannot be kept: it goes for good`]),
		...secrets.map(({reference, store}) => `secret ${formatReference(reference)} (${store}) goes`),
	];
}

/** @throws Refusal where a person says no, or cannot be asked. @param retry what to type instead of being asked */
export async function confirmRemoval(
	io: Io,
	lines: readonly string[],
	{yes, retry}: {readonly yes: boolean; readonly retry: string},
): Promise<void> {
	for (const line of lines) {
		io.err(`  ${line}\n`);
	}

	if (yes) {
		return;
	}

	if (!io.interactive) {
		throw personRefusal('nothing is removed before a person says so, and there is nobody to ask', retry);
	}

	if (!/^y(?:es)?$/i.test((await ask('remove this? [y/N] ', false)).trim())) {
		throw new Refusal('nothing was removed: you said no', retry);
	}
}

/** `fleet project remove` */
export async function removeProject(
	context: Context,
	io: Io,
	{project, options}: {readonly project: Project; readonly options: RemovalFlags},
): Promise<void> {
	const typed = `fleet project remove ${project.id}`;
	const removal = await removalOf(context, [project]);
	checkRemoval(removal, options, typed);
	const flags = `${options.discard ? ' --discard' : ''}${options.loseWork ? ' --lose-work' : ''}`;
	await confirmRemoval(io, removalLines(removal, options), {yes: options.yes, retry: `${typed}${flags} --yes`});
	const kept = (await remove(context, removal, options)).get(project) ?? 0;
	if (options.json) {
		io.json({project: project.id, root: project.root, runs: removal.runs.map(({run}) => run), keptRefs: kept});
		return;
	}

	io.out(
		`${project.id} is removed; ${escapeLine(project.root)} stays` +
			(kept === 0 ? '\n' : `, with ${keptWork(project.root, kept)}\n`),
	);
}
