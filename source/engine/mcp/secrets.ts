import type {Project} from '../../core/project.ts';
import {orThrow, Refusal} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import {isInForce} from '../../core/scope.ts';
import {parseReference} from '../../core/secrets/secret.ts';
import {openedBy} from '../../scopes/registry.ts';
import type {Context} from '../context.ts';
import {handSecret, type HandedSecret} from '../grants/secret-values.ts';
import {mustFindSecret, projectOf} from '../grants/secrets.ts';
import {openRun} from '../project/projects.ts';
import {findServer, type KnownServer, type Proposed} from './definitions.ts';

/* From a scope `mcp:NAME` to the server behind it, and to what that server signs in with. */

/** A secret of a server's: `scope` is the server's, and `as` the variable or the header that carries it. */
export type ServerSecret = HandedSecret & {readonly as: string};

/**
 * The server that a scope is about; undefined for a scope of another kind.
 * @throws Refusal where there is none that a person approved
 */
export async function serverOfScope(
	context: Context,
	scope: string,
	from: Proposed | undefined,
): Promise<KnownServer | undefined> {
	const {server: name} = openedBy(scope);
	return name === undefined ? undefined : findServer(context, name, {from});
}

/** Where a run's project proposes servers: the commit that the run began at, which no branch of its own changes. */
export async function proposedOf(context: Context, run: Run): Promise<Proposed> {
	return {project: run.project, git: (await openRun(context, run)).git, commit: run.base};
}

/** What a server is handed. @throws Refusal where a value cannot be had, or is for something else */
export async function handServer(
	context: Context,
	{name, definition: {secrets}}: KnownServer,
	project: Pick<Project, 'id'> | undefined,
): Promise<ServerSecret[]> {
	const handed: ServerSecret[] = [];
	for (const [as, text] of Object.entries(secrets)) {
		const reference = orThrow(parseReference(text));
		const entry = mustFindSecret(context, reference, projectOf(reference, project));
		if (entry.binding.class !== 'task') {
			throw new Refusal(
				`${text} is a ${entry.binding.class} secret, and an MCP server takes one for tasks`,
				`fleet secret add ${reference.name} --${reference.owner} --class task`,
			);
		}

		handed.push({...(await handSecret(context, entry, `mcp:${name}`)), as});
	}

	return handed;
}

/** What the servers among a run's grants are handed, for its supervisor. */
export async function handServers(context: Context, run: Run): Promise<ServerSecret[]> {
	const scopes = run.grants
		.filter(grant => isInForce(grant, Date.now()) && openedBy(grant.scope).server !== undefined)
		.map(({scope}) => scope);
	if (scopes.length === 0) {
		return [];
	}

	const from = await proposedOf(context, run);
	const handed: ServerSecret[] = [];
	for (const scope of scopes) {
		handed.push(...(await handServer(context, (await serverOfScope(context, scope, from))!, run.project)));
	}

	return handed;
}
