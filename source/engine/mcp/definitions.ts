import {readFileSync} from 'node:fs';
import path from 'node:path';
import {parseDocument} from 'yaml';
import {ownServersName, parseServers, proposedServersPath, type Definition} from '../../core/mcp/definition.ts';
import type {Project} from '../../core/project.ts';
import {orThrow, Refusal} from '../../core/refusal.ts';
import type {Git} from '../../host/git.ts';
import {replaceFile} from '../../host/write.ts';
import type {Context} from '../context.ts';
import {isApproved, ownOwner, type OwnerId} from './approvals.ts';

/* Which servers there are: the person's own, and those that a project proposes and a person approved. */

/** A server by its name. */
export type KnownServer = {
	readonly name: string;
	readonly owner: OwnerId;
	readonly definition: Definition;
	/** The person's own is: the person wrote it. */ readonly approved: boolean;
};

/** The person's own list. */
export function ownServersFile(context: Pick<Context, 'paths'>): string {
	return path.join(context.paths.config, ownServersName);
}

function ownText(context: Pick<Context, 'paths'>): string {
	try {
		return readFileSync(ownServersFile(context), 'utf8');
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
			return '';
		}

		throw error;
	}
}

/** The person's own servers. @throws Refusal with the line where the list cannot be read */
export function ownServers(context: Pick<Context, 'paths'>): ReadonlyMap<string, Definition> {
	return orThrow(parseServers(ownText(context), ownServersName));
}

/** Adds to the person's own list, or with no definition takes one away; what else stands in the file stays. */
export function writeOwnServer(context: Pick<Context, 'paths'>, name: string, definition: object | undefined): void {
	const document = parseDocument(ownText(context));
	if (definition === undefined) {
		document.delete(name);
	} else {
		document.set(name, document.createNode(definition));
	}

	const text = String(document);
	orThrow(parseServers(text === 'null\n' ? '' : text, ownServersName));
	replaceFile(ownServersFile(context), text === 'null\n' || text === '{}\n' ? '' : text);
}

/** What a commit of a project proposes. @throws Refusal with the line where that cannot be read */
export async function proposedServers(git: Git, commit: string): Promise<ReadonlyMap<string, Definition>> {
	const blob = await git.resolve(`${commit}:${proposedServersPath}`);
	if (!blob) {
		return new Map();
	}

	const {stdout} = await git.run(['cat-file', 'blob', blob], {limit: 1024 ** 2});
	return orThrow(parseServers(stdout, proposedServersPath));
}

/** Where a project's proposals are read. */
export type Proposed = {readonly project: Pick<Project, 'id'>; readonly git: Git; readonly commit: string};

/**
 * Every server there is, by name. The person's own comes before a project's of the same name: what the person calls
 * `mcp:github` is what the person wrote, whatever a repository calls so.
 */
export async function listServers(context: Pick<Context, 'paths'>, from: Proposed | undefined): Promise<KnownServer[]> {
	const own = [...ownServers(context)].map(([name, definition]) => ({
		name,
		owner: ownOwner,
		definition,
		approved: true,
	}));
	const proposed = from ? [...(await proposedServers(from.git, from.commit))] : [];
	return [
		...own,
		...proposed.map(([name, definition]) => ({
			name,
			owner: from!.project.id,
			definition,
			approved: isApproved(context, {owner: from!.project.id, name}, definition),
		})),
	];
}

/** @throws Refusal where there is none of that name, or no person approved it */
export async function findServer(
	context: Pick<Context, 'paths'>,
	name: string,
	{from, unapproved = false}: {readonly from: Proposed | undefined; readonly unapproved?: boolean},
): Promise<KnownServer> {
	const all = await listServers(context, from);
	const found = all.find(server => server.name === name);
	if (!found) {
		const names = [...new Set(all.map(server => server.name))];
		throw new Refusal(
			`there is no MCP server "${name}"`,
			names.length === 0 ? `fleet mcp add ${name} -- COMMAND…` : `there are: ${names.slice(0, 8).join(', ')}`,
		);
	}

	if (!found.approved && !unapproved) {
		throw new Refusal(
			`the project proposes the MCP server "${name}", and nobody approved it as it is`,
			`fleet mcp approve ${name}`,
		);
	}

	return found;
}
