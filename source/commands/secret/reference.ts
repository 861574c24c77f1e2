import type {Project} from '../../core/project.ts';
import {orThrow, Refusal} from '../../core/refusal.ts';
import type {Proposal} from '../../core/secrets/proposals.ts';
import {parseReference, type Owner, type Reference} from '../../core/secrets/secret.ts';
import type {Context} from '../../engine/context.ts';
import {findSecret, mustFindSecret, projectOf, readProposals, type SecretEntry} from '../../engine/grants/secrets.ts';
import {findProject, openRepository} from '../../engine/project/projects.ts';
import type {Io} from '../../terminal/program.ts';
import type {SecretRequest} from './options.ts';

/** The project that this folder belongs to, if any. */
export async function projectHere(context: Context, io: Io, name: string | undefined): Promise<Project | undefined> {
	try {
		return await findProject(context, name, io.folder);
	} catch (error) {
		if (name !== undefined) {
			throw error;
		}

		return undefined;
	}
}

/** `NAME`, with --user or --project or the one that is there, or a whole reference. */
export function referenceOf(
	context: Context,
	{name: text, options}: SecretRequest,
	{project, fresh}: {readonly project: Project | undefined; readonly fresh: boolean},
): Reference {
	if (text === undefined) {
		throw new Refusal('name a secret', 'such as: fleet secret add anthropic --user');
	}

	if (text.includes('/')) {
		return orThrow(parseReference(text));
	}

	const of = (owner: Owner) => orThrow(parseReference(`${owner}/${text}`));
	if (options.user || options.project) {
		return of(options.user ? 'user' : 'project');
	}

	if (fresh) {
		return of(project ? 'project' : 'user');
	}

	if (project && findSecret(context, of('project'), project.id)) {
		return of('project');
	}

	return findSecret(context, of('user'), undefined) ? of('user') : of(project ? 'project' : 'user');
}

/** What the project's committed list proposes for a secret of its own. */
export async function proposalFor(project: Project | undefined, reference: Reference): Promise<Proposal | undefined> {
	if (!project || reference.owner !== 'project') {
		return undefined;
	}

	const {git, checkout} = await openRepository(project.root);
	const head = await checkout.resolve('HEAD^{commit}');
	return head === undefined ? undefined : (await readProposals(git, head)).get(reference.name);
}

/** The secret that was named, which has to be there, and the project that this folder belongs to. */
export async function findNamed(
	context: Context,
	io: Io,
	request: SecretRequest,
): Promise<{readonly entry: SecretEntry; readonly project: Project | undefined}> {
	const project = await projectHere(context, io, request.options.in);
	const reference = referenceOf(context, request, {project, fresh: false});
	return {entry: mustFindSecret(context, reference, projectOf(reference, project)), project};
}
