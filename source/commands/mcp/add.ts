import {parseServers, ownServersName, type Definition} from '../../core/mcp/definition.ts';
import {orThrow, Refusal} from '../../core/refusal.ts';
import {escapeLine} from '../../core/text/escape-controls.ts';
import {describeServer} from '../../core/mcp/definition.ts';
import {forgetServers, ownOwner} from '../../engine/mcp/approvals.ts';
import {ownServers, writeOwnServer} from '../../engine/mcp/definitions.ts';
import {asTyped} from '../../terminal/as-typed.ts';
import {nameOf, serverDocument, type McpAction, type McpOptions} from './options.ts';

function filesOf(texts: readonly string[]): Array<{path: string; mode: 'read' | 'write'}> {
	return texts.map(text =>
		text.endsWith(':rw') ? {path: text.slice(0, -3), mode: 'write'} : {path: text, mode: 'read'},
	);
}

function secretsOf(texts: readonly string[]): Record<string, string> {
	return Object.fromEntries(
		texts.map(text => {
			const at = text.indexOf('=');
			if (at < 1) {
				throw new Refusal(
					`"${escapeLine(text.slice(0, 60))}" is not NAME=SECRET`,
					'such as --secret TOKEN=user/github',
				);
			}

			return [text.slice(0, at), text.slice(at + 1)];
		}),
	);
}

/** What was typed, as it is written down: what was not typed is not there. */
function written(options: McpOptions, command: readonly string[]): Record<string, unknown> {
	const {url, network, files, secret, tool, resources, timeout} = options;
	return {
		...(command.length === 0 ? {} : {command}),
		...(url === undefined ? {} : {url}),
		...(network.length === 0 ? {} : {network}),
		...(files.length === 0 ? {} : {files: filesOf(files)}),
		...(secret.length === 0 ? {} : {secrets: secretsOf(secret)}),
		...(tool.length === 0 ? {} : {tools: tool}),
		...(resources ? {resources} : {}),
		...(timeout === undefined ? {} : {timeout}),
	};
}

/** `fleet mcp add` */
export const add: McpAction = async (context, io, request) => {
	const {options} = request;
	const name = nameOf(request, 'fleet mcp add memory -- mcp-server-memory');
	if (ownServers(context).has(name)) {
		throw new Refusal(`there is an MCP server "${name}" of yours already`, `fleet mcp remove ${name}`);
	}

	const command = io.rest ?? [];
	if ((command.length === 0) === (options.url === undefined)) {
		throw new Refusal(
			'a server is a command or an address',
			`fleet mcp add ${name} -- COMMAND…, or fleet mcp add ${name} --url https://…`,
		);
	}

	const entry = written(options, command);
	// JSON is YAML: what is wrong is told in the words of the file.
	const parsed = parseServers(JSON.stringify({[name]: entry}), ownServersName);
	if (parsed instanceof Refusal) {
		throw new Refusal(parsed.because.replace(/^[^:]*:\d+: /, ''), 'fleet mcp add --help');
	}

	forgetServers(context, ownOwner, name);
	writeOwnServer(context, name, entry);
	const definition: Definition = orThrow(parsed).get(name)!;
	if (options.json) {
		io.json(serverDocument({name, owner: ownOwner, definition, approved: true}));
		return;
	}

	io.out(
		`${name} is there for runs that are given mcp:${name}\n` +
			describeServer(definition)
				.map(line => `  ${escapeLine(line)}\n`)
				.join('') +
			asTyped(`  its tools: fleet mcp tools ${name}\n`),
	);
};
