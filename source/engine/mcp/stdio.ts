import {mkdirSync, rmSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {dropUidOf, proxyPort, type Mount} from '../../core/plan.ts';
import type {Definition} from '../../core/mcp/definition.ts';
import {rulesOf} from '../../core/policy.ts';
import {readUpstreams} from '../../core/network/upstream.ts';
import {homeFolder} from '../../host/person.ts';
import {insideHome} from '../../host/toolchain.ts';
import {readTrusted, trustContext, type Trusted} from '../../host/trusted.ts';
import type {ProxyHooks} from '../../host/proxy-hooks.ts';
import type {BrokerHooks} from '../../host/broker-hooks.ts';
import type {Context} from '../context.ts';
import {lookAt} from '../grants/files.ts';
import {guardedPlaces} from '../grants/guarded-places.ts';
import {openSecrets, type SetupSecrets} from '../layers/setup-secrets.ts';
import {makeTrust} from '../run/injected-files.ts';
import {grouped, removeGroup, type Limited} from '../sandbox/guard.ts';
import {basicPlan, chooseSandbox, proxyEnvironment} from '../sandbox/plan.ts';
import {openSession, type Session} from '../sandbox/session.ts';
import {toolsOf} from '../sandbox/tools.ts';
import type {ServerSecret} from './secrets.ts';
import type {OpenTransport} from './connection.ts';
import {defaults} from './limits.ts';
import {ServerProcess} from './server-process.ts';

/*
 * A server that is a program, in a sandbox of its own: its own network namespace with a proxy that knows its hosts
 * alone, its own HOME, and of the person's files what its definition names. It sees nothing of the run, nor the run of it.
 */

/** Memory and processes that a server may have where its definition says nothing. */
const own = {memory: 2 * 1024 ** 3, processes: 256} as const;

/** Bytes of a message beyond what is passed on: it is read whole to be told which request it answers. */
const slack = 8 * 1024 ** 2;

export type StdioServer = {
	readonly name: string;
	/** Whose sandbox it is, for its uid and its group: no two servers have the same. */ readonly id: string;
	readonly definition: Definition & {readonly command: readonly string[]};
	readonly secrets: readonly ServerSecret[];
	/** Made here, and taken away at its end. */ readonly folder: string;
	/** The name of a control group. */ readonly group: string;
	/** It asked for something that its definition does not name. */ onRefused(target: string, because: string): void;
	/** For tests: where its hosts are. */ readonly hooks?: Pick<ProxyHooks, 'resolve'> & Pick<BrokerHooks, 'placeOf'>;
};

/** What starts a server, as often as it is asked to. */
export function stdioTransport(context: Context, server: StdioServer): OpenTransport {
	return async events => {
		const {folder, definition} = server;
		rmSync(folder, {recursive: true, force: true});
		mkdirSync(folder, {recursive: true, mode: 0o700});
		const {limited, session} = await openBox(context, server);
		const started = session.prepared.enter({argv: definition.command, cwd: insideHome, env: {}}, session.holderPid);
		return new ServerProcess(started, {
			limited,
			events,
			longest: 4 * (definition.limits.result ?? defaults.result) + slack,
			async closed() {
				await session.close();
				await removeGroup(limited.group);
				rmSync(folder, {recursive: true, force: true});
			},
		});
	};
}

/** The sandbox, with its one way out. */
async function openBox(context: Context, server: StdioServer): Promise<{limited: Limited; session: Session}> {
	const {folder, definition, name, onRefused, hooks} = server;
	const {sandbox} = await chooseSandbox(context);
	const trusted = await readTrusted(undefined);
	const trust = trustContext(trusted);
	const rules = rulesOf(definition.network, `mcp:${name}`);
	const secrets = await openSecrets(server.secrets, {
		rules,
		trust: () => trust,
		onRefused,
		...(hooks?.placeOf ? {placeOf: hooks.placeOf} : {}),
	});
	const limited = await planOf(context, server, {secrets, trusted});
	try {
		const session = await openSession(sandbox, limited.plan, {
			folder: path.join(folder, 'sandbox'),
			hooks: {
				state: () => ({rules: [...rules, ...secrets.rules], privateHosts: rules}),
				onDenied: (target, because) => onRefused(target, because),
				onAllowed() {},
				onAsked() {},
				broker: () => secrets.broker,
				pointers: () => secrets.held.map(({pointer}) => pointer),
				upstreams: readUpstreams(process.env),
				trust: () => trust,
				...(hooks?.resolve ? {resolve: hooks.resolve} : {}),
			},
		});
		return {limited, session};
	} catch (error) {
		await removeGroup(limited.group);
		rmSync(folder, {recursive: true, force: true});
		throw error;
	}
}

async function planOf(
	context: Context,
	{id, folder, group, definition, secrets: handed}: StdioServer,
	{secrets, trusted}: {readonly secrets: SetupSecrets; readonly trusted: Trusted},
): Promise<Limited> {
	const shown = makeTrust(path.join(folder, 'trust'), trusted, {
		own: secrets.broker?.authority.certificate,
		proxyPort,
	});
	const basic = basicPlan(id, path.join(folder, 'sandbox'), {
		mounts: [...shown.mounts, ...(await filesOf(context, definition))],
		cwd: insideHome,
		names: true,
		tools: await toolsOf(context, undefined),
		env: {
			...proxyEnvironment,
			...shown.env,
			...Object.fromEntries(handed.map(({as}, index) => [as, secrets.held[index]!.pointer])),
		},
	});
	const {limits} = basic;
	const plan = {
		...basic,
		dropUid: dropUidOf(id),
		limits: {
			...limits,
			memory: Math.min(definition.limits.memory ?? own.memory, limits.memory),
			processes: Math.min(definition.limits.processes ?? own.processes, limits.processes),
			// It ends with the run.
			wallClock: Number.POSITIVE_INFINITY,
		},
	};
	return grouped(plan, group);
}

/** The person's files that a definition names, as they are now. @throws Refusal for what is never given */
async function filesOf(context: Context, {files}: Definition): Promise<Mount[]> {
	const guarded = files.length === 0 ? [] : await guardedPlaces(context);
	return files.map(({path: written, mode}) => {
		const place = written.startsWith('~/') ? path.join(homeFolder(), written.slice(2)) : written;
		const found = lookAt({path: place, mode}, guarded);
		return {source: found.path, target: found.path, mode, identity: found.identity};
	});
}
