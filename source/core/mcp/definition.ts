import * as v from 'valibot';
import {count, size} from '../limits.ts';
import {formatEgressRule, parseEgressRule} from '../network/rules.ts';
import {parseAuthority} from '../network/target.ts';
import {serverName} from './names.ts';
import {isUnreadable} from '../text/controls.ts';
import {parseClosed} from '../text/yaml.ts';
import {Refusal} from '../refusal.ts';
import {formatReference, parseReference} from '../secrets/secret.ts';

/* How a server is written down: what it is, and all that it may use. */

/** Where a project proposes servers. Nothing of it is in force until a person approved it. */
export const proposedServersPath = '.fleet/mcp.yaml';

/** Where a person's own are, below fleet's configuration. */
export const ownServersName = 'mcp.yaml';

const environmentName = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;
const headerName = /^[a-z0-9][a-z0-9-]{0,60}$/;

/** Headers that are the connection's own, or the protocol's. */
const ownHeaders = new Set([
	'host',
	'content-length',
	'content-type',
	'transfer-encoding',
	'connection',
	'upgrade',
	'te',
	'trailer',
	'accept',
	'accept-encoding',
	'mcp-session-id',
	'mcp-protocol-version',
	'last-event-id',
]);

const text = v.pipe(
	v.string('a text'),
	v.minLength(1, 'it is empty'),
	v.maxLength(4096, 'it is too long'),
	v.check(value => !isUnreadable(value), 'it holds a character that is not seen'),
);
const reference = v.pipe(
	v.string('a reference, such as fleet://user/NAME'),
	v.check(
		value => !(parseReference(value) instanceof Refusal),
		'a secret is written fleet://user/NAME or fleet://project/NAME',
	),
	v.transform(value => {
		const parsed = parseReference(value);
		return parsed instanceof Refusal ? value : formatReference(parsed);
	}),
);
const host = v.pipe(
	v.string('a host'),
	v.check(value => {
		const rule = parseEgressRule(value);
		return !(rule instanceof Refusal) && rule.methods === undefined && rule.path === undefined;
	}, 'a host is written HOST, HOST:PORT or *.HOST'),
	v.transform(value => {
		const rule = parseEgressRule(value);
		return rule instanceof Refusal ? value : formatEgressRule(rule);
	}),
);
const tool = v.pipe(v.string("a tool's name"), v.regex(/^[A-Za-z0-9_./-]{1,128}$/, "it is not a tool's name"));

const url = v.pipe(
	v.string('an address'),
	v.check(
		value => urlTarget(value) !== undefined,
		'an address is written https://HOST[:PORT]/PATH, with no login in it',
	),
);

const entry = v.pipe(
	v.strictObject({
		command: v.optional(
			v.pipe(v.array(text, 'the program and its arguments, as a list'), v.minLength(1, 'it is empty')),
		),
		url: v.optional(url),
		network: v.optional(v.array(host, 'a list of hosts'), []),
		files: v.optional(
			v.array(
				v.strictObject({
					path: v.pipe(text, v.regex(/^(?:\/|~\/)/, 'a path begins with / or ~/')),
					mode: v.optional(v.picklist(['read', 'write'], 'read or write'), 'read'),
				}),
				'a list of paths',
			),
			[],
		),
		secrets: v.optional(v.record(v.string(), reference, 'NAME: REFERENCE'), {}),
		login: v.optional(
			v.strictObject({
				/** Where an access token is had for the refresh token. */
				token: url,
				client: text,
				/** The refresh token. It is exchanged for the next one in the vault wherever the server rotates it. */
				refresh: reference,
				clientSecret: v.optional(reference),
				scope: v.optional(text),
			}),
		),
		tools: v.optional(v.array(tool, 'a list of names')),
		resources: v.optional(v.boolean('true or false'), false),
		timeout: v.optional(
			v.pipe(
				v.string('a time, such as 60s'),
				v.regex(/^[1-9]\d{0,3}[sm]$/, 'a time is written like 60s or 5m'),
				v.transform(value => Number.parseInt(value, 10) * (value.endsWith('m') ? 60_000 : 1000)),
				v.maxValue(3_600_000, 'an hour at most'),
			),
		),
		limits: v.optional(
			v.strictObject({
				result: v.optional(size),
				memory: v.optional(size),
				processes: v.optional(count),
				callsPerMinute: v.optional(count),
			}),
			{},
		),
	}),
	v.check(({command, url}) => (command === undefined) !== (url === undefined), 'it has either command or url'),
	v.check(
		({url, files, network}) => url === undefined || (files.length === 0 && network.length === 0),
		'a server at an address has no files and no network of this machine',
	),
	v.check(({url, login}) => login === undefined || url !== undefined, 'login is for a server at an address'),
	v.check(
		({url, secrets}) =>
			Object.keys(secrets).every(name =>
				url === undefined ? environmentName.test(name) : headerName.test(name) && !ownHeaders.has(name),
			),
		'secrets of a command are named by variables, those of an address by headers in lower case',
	),
	v.check(
		({secrets, login}) => login === undefined || secrets['authorization'] === undefined,
		'the login is the authorization',
	),
);

const schema = v.record(
	v.pipe(v.string(), v.regex(serverName, 'a server is named with lower-case letters, digits and dashes')),
	entry,
);

/** One server. */
export type Definition = v.InferOutput<typeof entry>;

/** Where requests to an address go; undefined for what is no https address, or carries a login. */
export function urlTarget(
	address: string,
): {readonly host: string; readonly port: number; readonly path: string} | undefined {
	const match = /^https:\/\/([^/?#@\\\s]+)(\/[^#\\\s]*)?$/.exec(address);
	const target = match && parseAuthority(match[1]!, 443);
	return !match || !target || target instanceof Refusal ? undefined : {...target, path: match[2] ?? '/'};
}

const hint =
	'each server: command or url; network, files (path, mode), secrets, login, tools, resources, timeout, ' +
	'limits (result, memory, processes, callsPerMinute)';

/**
 * Reads a list of servers, by name. An unknown key is an error with its line.
 * @param path what the file is called, for errors
 */
export function parseServers(text: string, path: string): ReadonlyMap<string, Definition> | Refusal {
	const read = parseClosed(text, schema, {path, hint});
	return read instanceof Refusal ? read : new Map(Object.entries(read));
}

/** What is told of a definition before a person says yes, a line each. Not escaped. */
export function describeServer(definition: Definition): string[] {
	const {command, url, network, files, secrets, login, tools, resources} = definition;
	return [
		command === undefined ? `asks ${url}` : `runs ${command.join(' ')}`,
		...(command === undefined ? [] : [`network: ${network.length === 0 ? 'none' : network.join(', ')}`]),
		...files.map(({path, mode}) => `files: ${path} (${mode})`),
		...Object.entries(secrets).map(([name, secret]) => `secret: ${secret} as ${name}`),
		...(login === undefined
			? []
			: [
					`login: ${login.refresh}, refreshed at ${login.token}` +
						(login.clientSecret === undefined ? '' : ` with ${login.clientSecret}`),
				]),
		`tools: ${tools === undefined ? 'those that it calls read-only' : tools.join(', ')}`,
		...(resources ? ['its resources and prompts'] : []),
	];
}

/** The references of a definition: each of them is handed to whoever runs the server. */
export function referencesOf({secrets, login}: Definition): string[] {
	return [
		...Object.values(secrets),
		...(login === undefined ? [] : [login.refresh, ...(login.clientSecret === undefined ? [] : [login.clientSecret])]),
	];
}
