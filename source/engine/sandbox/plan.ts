import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {limitsOfPerson, limitsOfPolicy, type AskedLimits} from '../../core/limits.ts';
import {tightest} from '../../core/grants/boundary.ts';
import {rulesOf, type Policy} from '../../core/policy.ts';
import {defaultLimits, dropUidOf, proxyPort, type Mount, type SandboxPlan, type Scratch} from '../../core/plan.ts';
import {Refusal} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import type {Availability, Sandbox} from '../../core/seams.ts';
import {containerStubs} from '../../host/container-stubs.ts';
import {accountWatches} from '../../host/held-watches.ts';
import {machineQueues} from '../../host/held.ts';
import type {RunPaths} from '../../host/paths.ts';
import {insideHome, toolchain} from '../../host/toolchain.ts';
import {baseMounts} from '../../host/borrowed.ts';
import {rulesOfGrants} from '../../scopes/registry.ts';
import type {EgressRule} from '../../core/network/rules.ts';
import type {EgressState} from '../../host/proxy-hooks.ts';
import type {Context} from '../context.ts';
import {readBoundaries} from '../grants/boundary.ts';
import type {ShellTools} from './tools.ts';

const scratch: Scratch[] = [
	{target: '/tmp', size: defaultLimits.tmp, mode: 0o1777},
	{target: insideHome, size: 1024 ** 3},
	{target: '/run/lock', size: 1024 ** 2},
];

/**
 * Milliseconds for which a sandbox that worked is not tried again: each
 * trial makes one. A launch that fails later is refused by itself.
 */
const trialLife = 60_000;
const tried = new WeakMap<Sandbox, {readonly status: Availability; readonly at: number}>();

/** A sandbox that works here. Never a weaker one: where none works, nothing starts. */
export async function chooseSandbox(context: Context): Promise<{sandbox: Sandbox; status: Availability}> {
	let last: Availability | undefined;
	for (const sandbox of context.sandboxes) {
		const found = tried.get(sandbox);
		const status = found && performance.now() - found.at < trialLife ? found.status : await sandbox.probe();
		if (status.works) {
			tried.set(sandbox, found?.status === status ? found : {status, at: performance.now()});
			return {sandbox, status};
		}

		last = status;
	}

	throw new Refusal(`no sandbox works here: ${last?.because ?? 'none is known'}`, last?.hint || 'fleet doctor');
}

/** A plan with the machine's toolchains and what is named, nothing else. */
export function basicPlan(
	runId: string,
	folder: string,
	extra: {
		mounts?: readonly Mount[];
		env?: Readonly<Record<string, string>>;
		cwd?: string;
		names?: boolean;
		/** The toolchains of the person's shell; without them, the system's alone. */
		tools?: ShellTools | undefined;
	},
): SandboxPlan {
	const {tools} = extra;
	const stubs =
		tools &&
		containerStubs(
			folder,
			tools.path,
			tools.left.map(one => one.folder),
		);
	const {mounts, links, env} = toolchain(folder, {names: extra.names, path: stubs?.path});
	return {
		// What is kept in HOME's place needs no scratch below it.
		runId,
		mounts: [...mounts, ...(tools?.mounts ?? []), ...(stubs?.mounts ?? []), ...(extra.mounts ?? [])],
		links,
		scratch: scratch.filter(({target}) => !extra.mounts?.some(mount => mount.target === target)),
		env: {...env, ...tools?.env, FLEET_RUN: runId, ...extra.env},
		cwd: extra.cwd ?? '/tmp',
		limits: {
			...defaultLimits,
			memory: Math.max(1024 ** 3, Math.min(defaultLimits.memory, os.totalmem() / 2)),
			watches: Math.min(defaultLimits.watches, (accountWatches() ?? Number.POSITIVE_INFINITY) / 20),
			queued: Math.min(defaultLimits.queued, (machineQueues() ?? Number.POSITIVE_INFINITY) / 4),
		},
		dropUid: dropUidOf(runId),
		architecture: process.arch === 'arm64' ? 'arm64' : 'x64',
	};
}

const proxyAddress = `http://127.0.0.1:${proxyPort}`;

/**
 * What is the sandbox's own and is asked without a proxy. Each client reads this
 * list in its own way: a dot for names below localhost (Node), ranges (curl,
 * requests, Go), an address by itself (urllib). Not "[::1]", at which httpx fails.
 */
const own = 'localhost,.localhost,127.0.0.1,127.0.0.0/8,::1,0.0.0.0';

/** What tells programs inside of the run's proxy. */
export const proxyEnvironment: Readonly<Record<string, string>> = {
	NO_PROXY: own,
	no_proxy: own,
	HTTP_PROXY: proxyAddress,
	HTTPS_PROXY: proxyAddress,
	http_proxy: proxyAddress,
	https_proxy: proxyAddress,
	ALL_PROXY: proxyAddress,
	all_proxy: proxyAddress,
	NODE_USE_ENV_PROXY: '1',
	// Yarn 2 and later reads settings of its own alone.
	YARN_HTTP_PROXY: proxyAddress,
	YARN_HTTPS_PROXY: proxyAddress,
};

/** What a run finds inside besides: mounts and variables. */
export type Extra = {
	readonly mounts: readonly Mount[];
	readonly env: Readonly<Record<string, string>>;
	readonly tools?: ShellTools | undefined;
};

/**
 * A run's own sandbox: its worktree, its private git folder in the
 * project's place, what it was granted (`givenFiles`), its injectedFiles.
 */
export function runPlan(
	run: Run,
	{
		places,
		commonDir,
		granted,
		policy,
		settings,
		injected: {tools, ...injectedFiles} = {mounts: [], env: {}},
	}: {
		readonly places: RunPaths;
		readonly commonDir: string;
		readonly granted: readonly Mount[];
		readonly policy: Policy;
		/** What the person set for every run. */ readonly settings: AskedLimits;
		readonly injected?: Extra;
	},
): SandboxPlan {
	const mounts: Mount[] = [
		...granted,
		...injectedFiles.mounts,
		...baseMounts(commonDir),
		{source: places.privateGit, target: commonDir, mode: 'write'},
		{source: places.worktree, target: run.worktree, mode: 'write'},
		{source: places.dotGit, target: path.join(run.worktree, '.git'), mode: 'read'},
	];
	const plan = basicPlan(run.id, places.sandbox, {
		mounts,
		env: {...proxyEnvironment, ...injectedFiles.env},
		cwd: run.worktree,
		names: true,
		tools,
	});
	return withLimits(plan, settings, policy);
}

/** A plan within what the person set for this machine, and the project for itself. */
export function withLimits(plan: SandboxPlan, settings: AskedLimits, policy: Pick<Policy, 'limits'>): SandboxPlan {
	const own = limitsOfPolicy(policy.limits, limitsOfPerson(settings, plan.limits));
	// The machine's boundary is above both.
	const limits = limitsOfPolicy(tightest(readBoundaries()), own);
	return {
		...plan,
		limits,
		scratch: plan.scratch.map(one => (one.target === '/tmp' ? {...one, size: limits.tmp} : one)),
	};
}

/**
 * What the run may reach: the policy's hosts for builds, the grants in force, and the hosts of the secrets among them.
 * @param grants.now milliseconds
 */
export function egressState(
	run: Run,
	policy: Policy,
	{now, secrets = []}: {readonly now: number; readonly secrets?: readonly EgressRule[]},
): EgressState {
	return {
		// A frozen run has no way out, whatever it holds.
		rules:
			run.stage === 'frozen'
				? []
				: [...rulesOf(policy.network, 'policy'), ...rulesOfGrants(run.grants, now), ...secrets],
		// A private host that the policy lists under `network` is named, too.
		privateHosts: rulesOf([...policy.privateHosts, ...policy.network], 'policy'),
	};
}
