import {serverName} from '../../core/mcp/names.ts';
import type {Project} from '../../core/project.ts';
import {printable} from '../../core/names.ts';
import {Refusal} from '../../core/refusal.ts';
import type {Context} from '../../engine/context.ts';
import {ownOwner} from '../../engine/mcp/approvals.ts';
import type {KnownServer, Proposed} from '../../engine/mcp/definitions.ts';
import {findProject, openRepository} from '../../engine/project/projects.ts';
import type {Io} from '../../terminal/program.ts';
import {flag, json, text, texts, type OptionValues} from '../verb.ts';

/* What all of `fleet mcp` takes, and what each of its actions is. */

export const options = {
	url: text('URL', 'the address of a server, in place of a command'),
	network: texts('HOST', 'a host that it may reach; may be repeated'),
	files: texts('PATH[:rw]', 'a folder or file of yours that it may read, or (:rw) change; may be repeated'),
	secret: texts('NAME=SECRET', 'a secret of the vault, as the variable or the header NAME; may be repeated'),
	tool: texts('TOOL', 'a tool that runs may call; by default those that it calls read-only; may be repeated'),
	resources: flag('serve its resources and prompts, too'),
	timeout: text('TIME', 'how long a call may take, such as 60s'),
	allow: texts('TOOL', 'with tools: allow this tool as it is now; may be repeated'),
	in: text('PROJECT', 'the project; by default the one this folder belongs to'),
	yes: flag('approve what the project proposes'),
	json,
};

export type McpOptions = OptionValues<typeof options>;

/** What was typed after the action. */
export type McpRequest = {readonly name: string | undefined; readonly options: McpOptions};

/** One of the things to do with servers. Returns the exit code; nothing is 0. */
export type McpAction = (context: Context, io: Io, request: McpRequest) => Promise<number | void>;

/** The name that was typed. @throws Refusal where there is none, or it is no name */
export function nameOf({name}: McpRequest, example: string): string {
	if (name === undefined) {
		throw new Refusal('name a server', `such as: ${example}`);
	}

	if (!serverName.test(name)) {
		throw new Refusal(
			`"${printable(name, 60)}" is not a server's name`,
			'lower-case letters, digits and dashes, such as github',
		);
	}

	return name;
}

/** The project that this folder belongs to, and what its checkout proposes; undefined where it belongs to none. */
export async function proposedHere(
	context: Context,
	io: Io,
	named: string | undefined,
): Promise<(Proposed & {readonly project: Project}) | undefined> {
	let project: Project;
	try {
		project = await findProject(context, named, io.folder);
	} catch (error) {
		if (named !== undefined) {
			throw error;
		}

		return undefined;
	}

	const {git, checkout} = await openRepository(project.root);
	const commit = await checkout.resolve('HEAD^{commit}');
	return commit === undefined ? undefined : {project, git, commit};
}

/** An element of `fleet mcp list --json`. */
export function serverDocument({name, owner, definition, approved}: KnownServer) {
	const {command, url, network, files, secrets, tools, resources} = definition;
	return {
		name,
		project: owner === ownOwner ? null : owner,
		approved,
		command: command ?? null,
		url: url ?? null,
		network,
		files,
		secrets,
		tools: tools ?? null,
		resources,
	};
}
