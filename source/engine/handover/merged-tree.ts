import path from 'node:path';
import {type AskedLimits} from '../../core/limits.ts';
import type {Mount, SandboxPlan} from '../../core/plan.ts';
import {rulesOf, type Policy} from '../../core/policy.ts';
import {Refusal} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import {serviceVariables, startServices, type FoundService} from '../../core/services.ts';
import type {Sandbox} from '../../core/seams.ts';
import {groupName} from '../../host/cgroup.ts';
import type {Git} from '../../host/git.ts';
import type {Looked} from '../../host/git-folder.ts';
import {checkOut as makeCheckout} from '../sandbox/checkout.ts';
import {removeFolder} from '../../host/remove-folder.ts';
import {type Trusted} from '../../host/trusted.ts';
import {insideHome} from '../../host/toolchain.ts';
import {giveToRun} from '../../host/run-owner.ts';
import type {Context} from '../context.ts';
import {isTaken, layerKey} from '../layers/key.ts';
import {handForSetup} from '../grants/scope-secrets.ts';
import type {SetupSecret} from '../grants/secret-values.ts';
import {layerFor, type Made} from '../layers/make.ts';
import type {Layer} from '../layers/store.ts';
import {copyLayer, makeWork, overLayer} from '../layers/use.ts';
import {makeTrust} from '../run/injected-files.ts';
import {grouped, lookName, type Folders, type Limited} from '../sandbox/guard.ts';
import {diskUse} from '../sandbox/limits.ts';
import {basicPlan, withLimits} from '../sandbox/plan.ts';
import {findServices} from '../sandbox/services.ts';
import {jdksOf, toolsOf, type ShellTools} from '../sandbox/tools.ts';
import {copyIncluded} from '../project/include.ts';
import {rootOf} from '../project/projects.ts';

/** A verification has no network: package managers say so at once, in place of asking again for minutes. */
export const withoutNetwork: Readonly<Record<string, string>> = {
	npm_config_fetch_retries: '0',
	YARN_HTTP_RETRY: '0',
	PIP_RETRIES: '0',
	UV_HTTP_RETRIES: '0',
	POETRY_REQUESTS_MAX_RETRIES: '0',
	CARGO_NET_RETRY: '0',
	GOPROXY: 'off',
	MAVEN_ARGS: '--offline',
	BUNDLE_RETRY: '0',
	COMPOSER_DISABLE_NETWORK: '1',
};

/* A merged tree as a sandbox of its own has it: for verify, and for a preview. */

/** Whose merged tree it is: a run of this machine, or one that somebody asks about from another. */
export type Whose = Pick<Run, 'id' | 'target' | 'project' | 'worktree' | 'included'> & {
	/** How it is looked at and verified, as verbs; by default those of a run of this machine. */
	readonly verbs?: {readonly diff: string; readonly verify: string};
};

/** What a merged tree is laid out and run with. */
export type Work = {
	readonly context: Context;
	readonly run: Whose;
	readonly git: Git;
	readonly commonDir: string;
	readonly sandbox: Sandbox;
	readonly policy: Policy;
	readonly folder: string;
	readonly log: {write(text: string): void};
	/** What the person set for every run. */ readonly settings: AskedLimits;
	/** For each command, in place of the limit's. */ readonly commandTimeoutMs: number | undefined;
	readonly trusted: Trusted;
	/** Whether a person lets setup read with its secrets over this very tree, which no person took in. */
	readonly allowsSecrets: boolean;
	/** Ends it. */ readonly signal?: AbortSignal | undefined;
	/** Hears of what setup left for it. */ onLayer(made: Made): void;
};

/**
 * Starts the project's services, and says on stdout that the sandbox is up, before a command of the project's runs: no
 * exit code tells that.
 */
export const startScript = startServices + 'printf "%s\\n" "$1"; shift; exec "$@"';

/** A fresh checkout, as a sandbox of its own has it. `names`: the folders that it may change. */
export type LaidOut = {
	readonly plan: SandboxPlan;
	readonly names: readonly string[];
	readonly home: string;
	readonly services: readonly FoundService[];
};

/** A fresh checkout with a git folder beside it, over what setup leaves. @param env variables besides */
export async function layOut(
	work: Work,
	what: Looked['what'],
	env: Readonly<Record<string, string>>,
): Promise<LaidOut> {
	const {context, run, policy, folder, trusted} = work;
	const {tree, gitFolder, home, mounts} = await checkOut(work, what);
	const tools = await toolsOf(context, rootOf(context, run));
	const trust = makeTrust(path.join(folder, 'trust'), trusted, {jdks: jdksOf(tools)});
	const own = basicPlan(run.id, path.join(folder, 'sandbox'), {
		mounts: [
			...mounts,
			...trust.mounts,
			{source: home, target: insideHome, mode: 'write'},
			{source: tree, target: run.worktree, mode: 'write'},
			{source: gitFolder, target: path.join(run.worktree, '.git'), mode: 'read'},
		],
		cwd: run.worktree,
		tools,
		env: {
			...trust.env,
			...serviceVariables(policy.services),
			...withoutNetwork,
			...env,
			GIT_OPTIONAL_LOCKS: '0',
		},
	});
	const layer = await layerOf(work, what, tools);
	const plan = layer ? await laidOver(work, layer, {plan: own, tree, home}) : own;
	return {plan, names: [tree, home], home, services: findServices(policy.services, tools.path)};
}

/** The group that what runs in it has, and what counts what it takes on disk. @param name of the group, for one run */
export function boxOf(
	{context, run, settings, policy}: Pick<Work, 'context' | 'run' | 'settings' | 'policy'>,
	{plan, names}: LaidOut,
	name: string,
): {readonly limited: Limited; readonly folders: Folders} {
	const places = context.paths.run(run.id);
	return {
		limited: grouped(withLimits(plan, settings, policy), lookName(groupName(places), name)),
		folders: {names, count: signal => diskUse(context, places, {folders: names, signal})},
	};
}

type Checkout = {
	readonly tree: string;
	readonly gitFolder: string;
	readonly home: string;
	/** The project's objects. */ readonly mounts: readonly Mount[];
};

/** A fresh checkout, with a git folder and a HOME beside it. */
async function checkOut({context, run, git, commonDir, policy, folder}: Work, what: Looked['what']): Promise<Checkout> {
	const root = rootOf(context, run);
	removeFolder(folder);
	const [tree, gitFolder, home] = [path.join(folder, 'tree'), path.join(folder, 'git'), path.join(folder, 'home')];
	const {mounts} = await makeCheckout({
		git,
		commonDir,
		root,
		what,
		branch: run.target,
		depth: policy.verifyDepth,
		tree,
		gitFolder,
		home,
	});
	// Of what a person let this run have besides, what the policy names; a file of the merge's own stays.
	const included = (run.included ?? []).filter(name => isBelow(name, policy.verifyInclude));
	await copyIncluded(context, {project: {id: run.project.id, root}, runId: run.id, folder: tree}, included);
	giveToRun(run.id, tree, gitFolder, home);
	return {tree, gitFolder, home, mounts};
}

function isBelow(name: string, places: readonly string[]): boolean {
	return places.some(place => name === place || name.startsWith(place.endsWith('/') ? place : `${place}/`));
}

/** What the policy's setup makes of the tree, as a run has it. @throws Refusal where a command of it failed */
async function layerOf(work: Work, what: Looked['what'], tools: ShellTools): Promise<Layer | undefined> {
	const {context, run, git, commonDir, sandbox, policy, log, trusted} = work;
	// Where the merge leaves all as it is that the result depends on, the target's own is the one: what else an agent
	// wrote then has no hand in it.
	const target = 'commit' in what ? what.commit : what.parents[0]!;
	const isTargets = 'commit' in what || (await hasSameInputs(work, [what.tree, target], tools));
	const make = async (tree: Looked['what'], isTargetsOwn: boolean) => {
		const taken = isTargetsOwn && (await isTaken(git, target, run.target));
		return layerFor({
			context,
			project: {id: run.project.id, root: rootOf(context, run)},
			git,
			commonDir,
			sandbox,
			policy,
			what: tree,
			branch: run.target,
			isTaken: taken,
			rules: rulesOf(policy.network, 'policy'),
			tools,
			trusted,
			secrets: () => secretsFor(work, taken),
			signal: work.signal,
			tell: text => log.write(text),
		});
	};

	let made = await make(isTargets ? {commit: target} : what, isTargets);
	const [built] = made?.layer.builds ?? [];
	if (built !== undefined && isTargets && 'tree' in what && (await git.resolve(`${target}^{tree}`)) !== what.tree) {
		log.write(
			`fleet: setup makes ${built} of the project's own files, which the run changed: it is run on the merge\n`,
		);
		made = await make(what, false);
	}

	if (made) {
		work.onLayer(made);
	}

	return made?.layer;
}

/**
 * What setup reads private registries with. Over a tree that no person took in only once a person said so: its scripts
 * could read anything there that the secret may.
 */
async function secretsFor({context, run, policy, allowsSecrets}: Work, taken: boolean): Promise<SetupSecret[]> {
	const {secrets} = policy.setup;
	if (secrets.length > 0 && !taken && !allowsSecrets) {
		const {diff, verify} = run.verbs ?? {diff: `fleet diff ${run.id}`, verify: `fleet verify ${run.id}`};
		throw new Refusal(
			`setup reads with the secret ${secrets[0]!}, and what it would run here is the agent's: look at ` +
				`${diff}, then ${verify} --setup-secrets lets it`,
			`${verify} --setup-secrets`,
		);
	}

	return handForSetup(context, run.project, secrets);
}

async function hasSameInputs(
	{git, run, policy: {setup}}: Work,
	trees: readonly [string, string],
	tools: ShellTools,
): Promise<boolean> {
	if (setup.commands.length === 0) {
		return false;
	}

	const [one, other] = await Promise.all(
		trees.map(tree => layerKey({git, project: run.project.id, tree, setup, rules: [], tools, isTaken: true})),
	);
	return one === other;
}

/** The plan over a layer. */
async function laidOver(
	{context, run, folder}: Work,
	layer: Layer,
	{plan, tree, home}: {readonly plan: SandboxPlan; readonly tree: string; readonly home: string},
): Promise<SandboxPlan> {
	if (!layer.overlay) {
		await copyLayer(context, layer, {runId: run.id, tree, home});
	}

	return overLayer(plan, layer, {inside: run.worktree, work: makeWork(path.join(folder, 'work'), run.id)});
}
