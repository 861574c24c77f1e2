import * as v from 'valibot';
import {isMap, isSeq, parseDocument, stringify} from 'yaml';
import {deployKeys, deploySchema} from './deploy/policy-keys.ts';
import {placeholders, unknownPlaceholders} from './git/commit-message.ts';
import {parsePart} from './git/part.ts';
import {grantRules, numbered, ruleKeys, type GrantRule} from './grants/rules.ts';
import {parseEgressRule, ruleFault, type EgressRule} from './network/rules.ts';
import {policyPath} from './names.ts';
import {approveKeys, approveUsage} from './people/approve-keys.ts';
import {proxyPort} from './plan.ts';
import {count, limitEntries, limitNames} from './limits.ts';
import {publishSchema} from './publish/policy.ts';
import {Refusal} from './refusal.ts';
import {servicesSchema} from './services-file.ts';
import {linesOf, parseClosed} from './text/yaml.ts';

export {policyPath} from './names.ts';

const hostUsage = 'a host is written HOST, HOST:PORT, *.HOST or METHOD,METHOD@HOST:PORT/PATH*';
const command = v.pipe(
	v.string('a command is a string that "sh -c" runs'),
	v.trim(),
	v.nonEmpty('a command is not empty'),
);
const host = v.pipe(
	v.string(hostUsage),
	v.check(
		text => hostFault(text) === undefined,
		({input}) => hostFault(input) ?? hostUsage,
	),
);

/** Why a policy cannot list a host; undefined where it can. */
function hostFault(text: string): string | undefined {
	const rule = toRule(text, '');
	const fault = rule && ruleFault(rule);
	return rule ? fault && `${fault.because}: write ${fault.instead} under network` : hostUsage;
}

const message = v.pipe(
	v.string(),
	v.trim(),
	v.nonEmpty('a message is not empty'),
	v.check(
		text => unknownPlaceholders(text).length === 0,
		`a message may name ${placeholders.map(name => `{${name}}`).join(' ')}`,
	),
);

const secretReference = v.pipe(
	v.string(),
	v.regex(/^[a-z0-9][a-z0-9-]{0,60}$/, 'a secret is named with lower-case letters, digits and dashes'),
);
const inputPattern = v.pipe(
	v.string(),
	v.regex(
		/^(?!\/)(?!.*(?:^|\/)\.\.?(?:\/|$))[^\u0000-\u001F]+$/,
		'an input is a path in the project, such as scripts/setup.sh',
	),
);

/** What makes a project's dependencies. */
const setup = v.union(
	[
		v.pipe(
			v.array(command),
			v.transform((commands): Setup => ({commands, inputs: [], secrets: [], reuse: true})),
		),
		v.pipe(
			v.strictObject({
				commands: v.array(command),
				inputs: v.optional(v.array(inputPattern), []),
				secrets: v.optional(v.array(secretReference), []),
				reuse: v.optional(v.boolean(), true),
			}),
			v.transform((written): Setup => written),
		),
	],
	'a list of commands, or commands: with inputs:, secrets: and reuse:',
);

/** The commands that bring what a project needs and git does not keep, and what their result depends on. */
export type Setup = {
	readonly commands: readonly string[];
	/** Files and folders on whose content the result depends, besides manifests and lock files. */
	readonly inputs: readonly string[];
	/** Names of secrets that these commands may read with, by pointer. */
	readonly secrets: readonly string[];
	/** Whether the result is made once and shared; else the commands run in each run, before its agent. */
	readonly reuse: boolean;
};

const verifyList = v.pipe(
	v.array(command, 'a list of commands, or commands: with auto: and retries:'),
	v.transform((commands): Verify => ({commands, auto: true, retries: 2})),
);
const verifyMap = v.pipe(
	v.strictObject({
		commands: v.array(command),
		auto: v.optional(v.boolean('true or false'), true),
		retries: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(10, 'at most 10')), 2),
	}),
	v.transform((written): Verify => written),
);

/** What checks a result. Not a union, which could not say what is wrong in one of the two. */
const verify = v.lazy(written =>
	typeof written === 'object' && written !== null && !Array.isArray(written) ? verifyMap : verifyList,
);

/** The commands that check a result on the merged tree, and what becomes of an agent's work by itself. */
export type Verify = {
	readonly commands: readonly string[];
	/** Whether they run when an agent has ended well, after the audit. */
	readonly auto: boolean;
	/** How often what they found goes back to the agent, before a person is needed. */
	readonly retries: number;
};

const folder = v.pipe(
	v.string('a folder is named from the top of the repository'),
	v.check(
		text => !(parsePart(text) instanceof Refusal),
		'a folder is named from the top of the repository, such as packages/a',
	),
	v.transform(text => parsePart(text) as string),
);

const schema = v.strictObject({
	setup: v.optional(setup, []),
	teardown: v.optional(v.array(command), []),
	verify: v.optional(verify, []),
	verifyInclude: v.optional(v.array(inputPattern), []),
	verifyDepth: v.optional(v.pipe(count, v.maxValue(1000, 'at most 1000; without it, the whole history'))),
	path: v.optional(
		v.strictObject({only: v.optional(v.boolean('true or false')), with: v.optional(v.array(folder), [])}),
		{},
	),
	network: v.optional(v.array(host), []),
	privateHosts: v.optional(v.array(host), []),
	services: v.optional(servicesSchema, {}),
	limits: v.optional(v.strictObject(limitEntries), {}),
	grants: v.optional(grantRules, []),
	approve: v.optional(approveKeys, {}),
	merge: v.optional(
		v.strictObject({
			how: v.optional(v.picklist(['merge', 'squash', 'rebase'], 'merge, squash or rebase')),
			sign: v.optional(v.boolean("true or false; without it, as git's commit.gpgSign says")),
			hooks: v.optional(
				v.array(
					v.picklist(['commit-msg'], 'commit-msg is the hook that a merge can run; what others check is for verify'),
				),
				[],
			),
			message: v.optional(message),
			author: v.optional(v.picklist(['person', 'agent'], 'person or agent')),
		}),
		{},
	),
	publish: v.optional(publishSchema),
	/** `push`: a remote to which the gate log goes after each merge and deploy. */
	journal: v.optional(
		v.strictObject({
			push: v.optional(v.pipe(v.string(), v.regex(/^\w[\w./-]{0,100}$/, 'a remote of the repository, such as origin'))),
		}),
		{},
	),
	preview: v.optional(
		v.strictObject({
			command,
			port: v.pipe(
				v.number('a port is a number'),
				v.integer('a port is a whole number'),
				v.minValue(1, 'a port is a number from 1 to 65535'),
				v.maxValue(65_535, 'a port is a number from 1 to 65535'),
				v.check(port => port !== proxyPort, `port ${proxyPort} is fleet's own inside`),
			),
		}),
	),
	deploy: v.optional(deploySchema, {}),
});

/** What shows a result to a person: a server, and the port that it listens on. */
export type Preview = NonNullable<v.InferOutput<typeof schema>['preview']>;

/** A project's policy: what its build may reach, what verifies a result, where it may be deployed. */
export type Policy = v.InferOutput<typeof schema>;

export const emptyPolicy: Policy = {
	setup: {commands: [], inputs: [], secrets: [], reuse: true},
	teardown: [],
	verify: {commands: [], auto: true, retries: 2},
	verifyInclude: [],
	path: {with: []},
	network: [],
	privateHosts: [],
	services: [],
	limits: {},
	grants: [],
	approve: {},
	merge: {hooks: []},
	journal: {},
	deploy: {},
};

function toRule(text: string, source: string): EgressRule | undefined {
	const rule = parseEgressRule(text);
	return rule instanceof Refusal ? undefined : {...rule, source};
}

/** Entries such as `HOST:PORT` as rules. */
export function rulesOf(hosts: readonly string[], source: string): EgressRule[] {
	return hosts.map(text => toRule(text, source)).filter(rule => rule !== undefined);
}

/** What each key holds, for whoever wrote something else there. */
const usages: Readonly<Record<keyof Policy, string>> = {
	setup: 'a list of commands, or commands, inputs, secrets, reuse',
	teardown: 'a list of commands',
	verify: 'a list of commands, or commands, auto, retries',
	verifyInclude: 'a list of paths',
	verifyDepth: 'a number of commits',
	path: 'only, with',
	network: 'a list of hosts',
	privateHosts: 'a list of hosts',
	services: 'each: command, ready, prepare, env, timeout',
	limits: limitNames.join(', '),
	grants: `each: ${ruleKeys}`,
	approve: approveUsage,
	merge: 'how, sign, hooks, message, author',
	journal: 'push',
	publish: 'remote, forge, when, draft, from',
	preview: 'command, port',
	deploy: `each target: ${deployKeys}`,
};

/** What may stand there: below a key what that holds, and else which keys there are. */
function policyHint(key: string | undefined): string {
	return key !== undefined && Object.hasOwn(usages, key)
		? `${key}: ${usages[key as keyof Policy]}`
		: `keys: ${Object.keys(usages).join(', ')}`;
}

/**
 * Reads a policy file. The schema is closed: a key that is not known is an error with its line number,
 * since a misspelt key that is passed over would be a guard that is not there.
 * @param text the file's content; an empty file is the empty policy
 */
export function parsePolicy(text: string): Policy | Refusal {
	const read = parseClosed(text, schema, {path: policyPath, hint: policyHint});

	return read instanceof Refusal || read.grants.length === 0 ? read : {...read, grants: withLines(text, read.grants)};
}

function withLines(text: string, rules: readonly GrantRule[]): GrantRule[] {
	const lines = linesOf(
		text,
		rules.map((_, index) => ['grants', index]),
	);
	return numbered(rules, policyPath, lines);
}

/**
 * A policy file's text with hosts that every run may reach; a person's own words around them stay.
 * @returns the hosts that it did not have, too
 */
export function withNetwork(
	text: string,
	hosts: readonly string[],
): {readonly text: string; readonly added: readonly string[]} | Refusal {
	const before = parsePolicy(text);
	if (before instanceof Refusal) {
		return before;
	}

	const added = hosts.filter(host => !before.network.includes(host));
	const document = parseDocument(text);
	const list = document.get('network');
	if (isSeq(list)) {
		for (const host of added) {
			list.add(document.createNode(host));
		}
	} else if (added.length > 0) {
		document.set('network', document.createNode(added));
	}

	const changed = added.length === 0 ? text : String(document);
	const after = parsePolicy(changed);
	return after instanceof Refusal ? after : {text: changed, added};
}

/** A policy file's text with the commands that verify a result. */
export function withVerify(text: string, commands: readonly string[]): string | Refusal {
	const document = parseDocument(text);
	document.setIn(isMap(document.get('verify')) ? ['verify', 'commands'] : ['verify'], commands);
	const changed = String(document);
	const after = parsePolicy(changed);
	return after instanceof Refusal ? after : changed;
}

/**
 * The text of a first policy. @returns a refusal where a policy could not hold that
 */
export function policyText({
	setup,
	network,
	verify,
}: Pick<Policy, 'setup' | 'network'> & {readonly verify: readonly string[]}): string | Refusal {
	const {commands, inputs} = setup;
	const written = {setup: inputs.length === 0 ? commands : {commands, inputs}, network, verify};
	const keys = Object.entries(written).filter(([, value]) => !Array.isArray(value) || value.length > 0);
	const text = stringify(Object.fromEntries(keys), {lineWidth: 0});
	const read = parsePolicy(text);
	return read instanceof Refusal ? read : text;
}
