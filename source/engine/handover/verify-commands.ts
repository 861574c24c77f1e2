import {randomUUID} from 'node:crypto';
import {closeSync, openSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {StringDecoder} from 'node:string_decoder';
import {hitText, type AskedLimits} from '../../core/limits.ts';
import type {Invocation, Mount, SandboxPlan} from '../../core/plan.ts';
import {rulesOf, type Policy} from '../../core/policy.ts';
import {Refusal} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import {serviceArguments, serviceVariables, startServices, type FoundService} from '../../core/services.ts';
import type {PreparedSandbox, Sandbox} from '../../core/seams.ts';
import {isPassed, shellName, VerifyReader, type Checked} from '../../core/run/verdict.ts';
import {groupName} from '../../host/cgroup.ts';
import type {Git} from '../../host/git.ts';
import type {Looked} from '../../host/git-folder.ts';
import {removeFolder} from '../../host/remove-folder.ts';
import {writeAll} from '../../host/write.ts';
import {type Trusted} from '../../host/trusted.ts';
import {insideHome} from '../../host/toolchain.ts';
import {giveToRun} from '../../host/run-owner.ts';
import {checkOut as makeCheckout} from '../sandbox/checkout.ts';
import type {Context} from '../context.ts';
import {isTaken, layerKey} from '../layers/key.ts';
import {handForSetup} from '../grants/scope-secrets.ts';
import type {SetupSecret} from '../grants/secret-values.ts';
import {layerFor, type Made} from '../layers/make.ts';
import type {Layer} from '../layers/store.ts';
import {copyLayer, makeWork, overLayer} from '../layers/use.ts';
import {makeTrust} from '../run/injected-files.ts';
import {grouped, lookName, runLimited, type Folders, type Limited} from '../sandbox/guard.ts';
import {diskUse} from '../sandbox/limits.ts';
import {basicPlan, withLimits} from '../sandbox/plan.ts';
import {findServices, serviceLog} from '../sandbox/services.ts';
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

/* The policy's commands, run over a merged tree: each in a sandbox, none with network or credentials. */

/** What the commands write, kept and told. Neither a full disk nor a reader that is gone ends the work. */
export class VerifyLog {
	readonly #file: number;
	readonly #tell: (text: string) => void;
	/** Why not all of it is kept. */
	failure: string | undefined;

	constructor(file: string, tell: (text: string) => void) {
		this.#file = openSync(file, 'w', 0o600);
		this.#tell = tell;
	}

	write(text: string): void {
		try {
			writeAll(this.#file, Buffer.from(text));
		} catch (error) {
			this.failure ??= (error as Error).message;
		}

		this.#tell(text);
	}

	close(): void {
		closeSync(this.#file);
	}
}

/** What the commands are run with. */
export type Work = {
	readonly context: Context;
	readonly run: Run;
	readonly git: Git;
	readonly commonDir: string;
	readonly sandbox: Sandbox;
	readonly policy: Policy;
	readonly folder: string;
	readonly log: VerifyLog;
	/** What the person set for every run. */ readonly settings: AskedLimits;
	/** For each command, in place of the limit's. */ readonly commandTimeoutMs: number | undefined;
	readonly trusted: Trusted;
	/** Whether a person lets setup read with its secrets over this very tree, which no person took in. */
	readonly allowsSecrets: boolean;
	/** Hears of what setup left for it. */ onLayer(made: Made): void;
};

/**
 * Starts the project's services, and says on stdout that the sandbox is up, before a command of the project's runs: no
 * exit code tells that.
 */
const startScript = startServices + 'printf "%s\\n" "$1"; shift; exec "$@"';

/** Runs the policy's commands, one after another while they pass, in a fresh checkout with a git folder beside it. */
export async function runCommands(work: Work, what: Looked['what']): Promise<Checked[]> {
	const {context, run, sandbox, policy, folder, log, settings, commandTimeoutMs, trusted} = work;
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
			CI: 'true',
			FLEET_VERIFY: '1',
			GIT_OPTIONAL_LOCKS: '0',
		},
	});
	const layer = await layerOf(work, what, tools);
	const plan = layer ? await laidOver(work, layer, {plan: own, tree, home}) : own;
	const services = findServices(policy.services, tools.path);
	const checked: Checked[] = [];
	for (const command of policy.verify) {
		log.write(`$ ${command}\n`);
		// Each has a control group of its own: what one leaves behind is not the next one's.
		const limited = grouped(
			withLimits(plan, settings, policy),
			lookName(groupName(context.paths.run(run.id)), `verify-${process.pid}`),
		);
		const names = [tree, home];
		const folders: Folders = {
			names,
			count: signal => diskUse(context, context.paths.run(run.id), {folders: names, signal}),
		};
		const one = await runCommand(
			{
				context,
				prepared: sandbox.prepare(limited.plan, path.join(folder, 'sandbox')),
				limited,
				folders,
				services,
				timeout: commandTimeoutMs ?? limited.plan.limits.command,
			},
			command,
			text => log.write(text),
		);
		checked.push(one);
		if (!isPassed(one)) {
			await (one.started ? writeServiceLogs({context, run, log}, services, home) : undefined);
			log.write(one.code === 0 ? '' : `exit code ${one.timedOut ? 124 : (one.code ?? 128)}\n`);
			break;
		}
	}

	return checked;
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
		throw new Refusal(
			`setup reads with the secret ${secrets[0]!}, and what it would run here is the agent's: look at ` +
				`fleet diff ${run.id}, then fleet verify ${run.id} --setup-secrets lets it`,
			`fleet verify ${run.id} --setup-secrets`,
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

/** Adds the end of what the services of a command wrote that did not pass. */
async function writeServiceLogs(
	{context, run, log}: Pick<Work, 'context' | 'run' | 'log'>,
	services: readonly FoundService[],
	home: string,
): Promise<void> {
	for (const {name} of services) {
		const text = await serviceLog(context, {places: context.paths.run(run.id), home, name}, 20);
		log.write(text === undefined ? '' : `fleet: the end of what ${name} wrote:\n${text}\n`);
	}
}

/** What one command is run in. `timeout`: milliseconds. */
type Box = {
	readonly context: Context;
	readonly prepared: PreparedSandbox;
	readonly limited: Limited;
	readonly folders: Folders;
	readonly services: readonly FoundService[];
	readonly timeout: number;
};

/** The command in its sandbox, after its services. @param mark what tells that they are ready */
function invocationOf({prepared, limited, services}: Box, mark: string, command: string): Invocation {
	const argv = ['/bin/sh', '-c', startScript, 'sh', ...serviceArguments(services), mark];
	return prepared.alone({
		argv: [...argv, '/bin/sh', '-c', command, shellName],
		cwd: limited.plan.cwd,
		env: {},
	});
}

async function runCommand(box: Box, command: string, tell: (text: string) => void): Promise<Checked> {
	const {context, limited, folders, services, timeout} = box;
	const began = Date.now();
	const reader = new VerifyReader();
	const decoders = {stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8')};
	const mark = `${randomUUID()}\n`;
	let first: string | undefined = '';
	const take = (text: string, stream: 'stdout' | 'stderr') => {
		reader.push(text, stream);
		tell(text);
	};

	const outcome = await runLimited(context, invocationOf(box, mark.trim(), command), {
		limited,
		timeout,
		folders,
		notesHits: true,
		onOutput(bytes, stream) {
			const text = decoders[stream].write(Buffer.from(bytes));
			if (stream === 'stderr' || first === undefined) {
				take(text, stream);
				return;
			}

			first += text;
			if (first.length >= mark.length) {
				const started = first.startsWith(mark);
				take(started ? first.slice(mark.length) : first, stream);
				first = started ? undefined : '';
			}
		},
	});
	if (first !== undefined) {
		take(first, 'stdout');
	}

	const hits = [
		...(outcome.timedOut ? [hitText('verifyMinutes', {...limited.plan.limits, command: timeout})] : []),
		...outcome.hits.map(hit => hit.because),
	];
	for (const because of [...(outcome.over === undefined ? [] : [`ended: ${outcome.over}`]), ...hits]) {
		tell(`\nfleet: ${because}\n`);
	}

	reader.end();
	const {tests, ran, foundNone, missing, doubt} = reader;
	return {
		command,
		code: outcome.code,
		ms: Date.now() - began,
		started: first === undefined,
		timedOut: outcome.timedOut,
		over: outcome.over,
		hits,
		services: services.map(({name}) => name),
		tests,
		ran,
		foundNone,
		missing,
		doubt,
	};
}
