import path from 'node:path';
import * as v from 'valibot';
import type {Definition} from '../../core/mcp/definition.ts';
import {canonical, type KnownTools} from '../../core/mcp/tools.ts';
import {Refusal} from '../../core/refusal.ts';
import {Lock} from '../../host/lock.ts';
import {replaceFile} from '../../host/write.ts';
import type {Context} from '../context.ts';
import {readOwnFile} from '../own-file.ts';
import {digestOf} from './served.ts';

/*
 * What a person said yes to about servers: a project's definitions, by a digest of exactly that, and of each server the
 * tools, each by the digest of how it was defined when it was first seen or allowed.
 */

/** Whose a server is: the person's own, or a project's by its id. */
export type OwnerId = string;

/** A server, whatever it is now. */
export type ServerKey = {readonly owner: OwnerId; readonly name: string};

/** The owner of the person's own servers. No project has this id: it is no name. */
export const ownOwner: OwnerId = '.';

const schema = v.record(
	v.string(),
	v.record(
		v.string(),
		v.looseObject({
			definition: v.optional(v.string()),
			tools: v.record(v.string(), v.object({digest: v.string(), allowed: v.boolean()})),
		}),
	),
);

type Approvals = v.InferOutput<typeof schema>;
type Approval = Approvals[string][string];

function fileOf(context: Pick<Context, 'paths'>): string {
	return path.join(context.paths.config, 'approved-mcp.json');
}

function read(context: Pick<Context, 'paths'>): Approvals {
	return (
		readOwnFile({
			file: fileOf(context),
			schema,
			what: 'a list of MCP servers that were approved',
			hint: 'mend or remove it; without it each server and each tool is asked about again',
		}) ?? {}
	);
}

/** Several runs may see a server for the first time at once. */
function change(context: Pick<Context, 'paths'>, work: (all: Approvals) => Approvals): void {
	const file = fileOf(context);
	const lock = Lock.acquire(`${file}.lock`, 5000);
	if (!lock) {
		throw new Refusal('another fleet is writing the list of approved MCP servers', 'try again');
	}

	try {
		replaceFile(file, `${JSON.stringify(work(read(context)), undefined, '\t')}\n`);
	} finally {
		lock.release();
	}
}

function approvalOf(all: Approvals, {owner, name}: ServerKey): Approval {
	const own = Object.hasOwn(all, owner) ? all[owner]! : {};
	return Object.hasOwn(own, name) ? own[name]! : {tools: {}};
}

function withApproval(all: Approvals, {owner, name}: ServerKey, approval: Approval): Approvals {
	return {...all, [owner]: {...(Object.hasOwn(all, owner) ? all[owner] : {}), [name]: approval}};
}

export function digestOfDefinition(definition: Definition): string {
	return digestOf(canonical(definition));
}

/** Whether a person said yes to exactly this definition of a project's. */
export function isApproved(context: Pick<Context, 'paths'>, key: ServerKey, definition: Definition): boolean {
	return approvalOf(read(context), key).definition === digestOfDefinition(definition);
}

/** Remembers a yes. The tools of another definition are another server's. */
export function approve(context: Pick<Context, 'paths'>, key: ServerKey, definition: Definition): void {
	const digest = digestOfDefinition(definition);
	change(context, all => {
		const before = approvalOf(all, key);
		return withApproval(all, key, {
			tools: before.definition === digest ? before.tools : {},
			definition: digest,
		});
	});
}

/** What is known of a server's tools. */
export function knownTools(context: Pick<Context, 'paths'>, key: ServerKey): KnownTools {
	return approvalOf(read(context), key).tools;
}

/**
 * Remembers tools by their digests.
 * @param allowed whether a person allowed them by name: that replaces what was known; else what is known already stays
 */
export function rememberTools(
	context: Pick<Context, 'paths'>,
	key: ServerKey,
	{digests, allowed}: {readonly digests: Readonly<Record<string, string>>; readonly allowed: boolean},
): void {
	change(context, all => {
		const before = approvalOf(all, key);
		const now = Object.fromEntries(Object.entries(digests).map(([tool, digest]) => [tool, {digest, allowed}]));
		return withApproval(all, key, {
			...before,
			tools: allowed ? {...before.tools, ...now} : {...now, ...before.tools},
		});
	});
}

/** Forgets a server, or with no name all of an owner's. */
export function forgetServers(context: Pick<Context, 'paths'>, owner: OwnerId, name?: string): void {
	const known = read(context);
	if (!Object.hasOwn(known, owner)) {
		return;
	}

	change(context, all => {
		const {[owner]: own = {}, ...others} = all;
		if (name === undefined) {
			return others;
		}

		const {[name]: _, ...rest} = own;
		return {...others, [owner]: rest};
	});
}
