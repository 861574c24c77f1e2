import {randomBytes} from 'node:crypto';
import {mkdirSync, readdirSync, rmSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {StringDecoder} from 'node:string_decoder';
import type {Invocation, SandboxPlan} from '../../core/plan.ts';
import {emptyPolicy, rulesOf, type Policy} from '../../core/policy.ts';
import type {Project} from '../../core/project.ts';
import {Refusal} from '../../core/refusal.ts';
import {shellName, VerifyReader, verdictOf, type Checked} from '../../core/run/verdict.ts';
import type {Sandbox} from '../../core/seams.ts';
import type {Git} from '../../host/git.ts';
import type {Looked} from '../../host/git-folder.ts';
import {Lock} from '../../host/lock.ts';
import type {RunPaths} from '../../host/paths.ts';
import {removeFolder} from '../../host/remove-folder.ts';
import {runFilePaths} from '../../host/run-files.ts';
import {giveToRun} from '../../host/run-owner.ts';
import {insideHome} from '../../host/toolchain.ts';
import {readTrusted, type Trusted} from '../../host/trusted.ts';
import {checkOut} from '../sandbox/checkout.ts';
import type {Context} from '../context.ts';
import {withoutNetwork} from '../handover/merged-tree.ts';
import {isTaken} from '../layers/key.ts';
import {layerFor} from '../layers/make.ts';
import type {Layer} from '../layers/store.ts';
import {copyLayer, makeWork, overLayer} from '../layers/use.ts';
import {makeTrust} from '../run/injected-files.ts';
import {grouped, runLimited, type Limited} from '../sandbox/guard.ts';
import {diskUse} from '../sandbox/limits.ts';
import {basicPlan, chooseSandbox, withLimits} from '../sandbox/plan.ts';
import {jdksOf, toolsOf, type ShellTools} from '../sandbox/tools.ts';
import {policyMessage, treeWithPolicy} from './policy-file.ts';
import {openRepository} from './projects.ts';
import {readSettings} from './settings.ts';
import {lastLines, SetupSteps, type Step, type Tell} from './trial-steps.ts';

/* A policy that is tried before it is anybody's: its setup with its network, then what verifies, without any. */

/** What is tried of a policy. */
export type Trial = Pick<Policy, 'setup' | 'network'> & {/** Commands. */ readonly verify: readonly string[]};

/** What a trial found. */
export type Found = {
	/** Commands as far as they were run: none after a setup that failed. */
	readonly steps: readonly Step[];
	/** Hosts that setup asked for and did not get. */
	readonly denied: readonly string[];
	/** Those of them that the policy names, at an address that is no public one. */
	readonly nearby: readonly string[];
	/** What setup was allowed to ask and had no answer of, with why. */
	readonly unreached: readonly string[];
	/** What setup left that a person should know of. */
	readonly notes: readonly string[];
};

/** What is tried, and where. */
type Place = {
	readonly context: Context;
	readonly project: Project;
	readonly git: Git;
	readonly commonDir: string;
	readonly sandbox: Sandbox;
	/** The commit that is checked out, what is tried of it, and the full ref of its branch. */
	readonly commit: string;
	readonly what: Looked['what'];
	readonly branch: string;
	readonly tools: ShellTools;
	readonly trusted: Trusted;
	/** Hosts that a person named, or fleet itself, and no file of the project's. */
	readonly named: readonly string[];
};

/** What is tried of a commit: itself, or what it will be once the policy is committed, which a check may look at, too. */
async function whatIsTried(checkout: Git, commit: string, file: string | undefined): Promise<Looked['what']> {
	return file === undefined
		? {commit}
		: {tree: (await treeWithPolicy(checkout, commit, file)).tree, parents: [commit], message: policyMessage};
}

/**
 * Tries the commands of a policy on what is committed, as runs and verifications would have them: setup makes a layer,
 * which the first run then finds; each command that verifies runs over it, in a fresh checkout, with no network.
 * @param options.file the policy's text, where it is not committed yet; without it, it is tried without the file
 * @param options.named hosts of the policy that a person or fleet itself named: they alone may be in a private network
 * @throws Refusal where no sandbox works here
 */
export async function tryPolicy(
	context: Context,
	project: Project,
	{
		policy,
		file,
		named,
		tell,
	}: {
		readonly policy: Trial;
		readonly file?: string | undefined;
		readonly named: readonly string[];
		readonly tell: Tell;
	},
): Promise<Found> {
	const {sandbox} = await chooseSandbox(context);
	const {git, checkout, commonDir} = await openRepository(project.root);
	const commit = (await checkout.resolve('HEAD'))!;
	const place: Place = {
		context,
		project,
		git,
		commonDir,
		sandbox,
		commit,
		what: await whatIsTried(checkout, commit, file),
		branch: (await checkout.run(['symbolic-ref', '--quiet', 'HEAD'])).stdout.trim(),
		tools: await toolsOf(context, project.root),
		trusted: await readTrusted(git),
		named,
	};
	const {layer, ...found} = await trySetup(place, policy, tell);
	return found.steps.some(({result}) => result !== 'passed')
		? found
		: {...found, steps: [...found.steps, ...(await tryVerify(place, {layer, commands: policy.verify, tell}))]};
}

/** The commands of setup, one after another while they pass. */
async function trySetup(
	{context, project, git, commonDir, sandbox, commit, what, branch, tools, trusted, named}: Place,
	{setup, network}: Trial,
	tell: Tell,
): Promise<Found & {layer: Layer | undefined}> {
	const [denied, nearby, unreached] = [new Set<string>(), new Set<string>(), new Set<string>()];
	const hosts = () => ({denied: [...denied], nearby: [...nearby], unreached: [...unreached]});
	const steps = new SetupSteps(tell);
	try {
		const made = await layerFor({
			context,
			project,
			git,
			commonDir,
			sandbox,
			// Whoever wrote the project's files says nothing about the person's own network.
			policy: {...emptyPolicy, setup, network: [...named]},
			what,
			branch,
			isTaken: await isTaken(git, commit, branch),
			rules: rulesOf(network, 'policy'),
			tools,
			trusted,
			// A proposal names none.
			secrets: async () => [],
			onCommand: command => steps.begin(command),
			tell: text => steps.write(text),
			onUnreached: because => unreached.add(because),
			onDenied(target, _because, kind) {
				if (kind === 'not-granted' || kind === 'address') {
					denied.add(hostIn(target));
				}

				if (kind === 'address') {
					nearby.add(hostIn(target));
				}
			},
		});
		steps.finish(setup.commands, 'passed');
		return {steps: steps.all, ...hosts(), notes: made?.layer.notes ?? [], layer: made?.layer};
	} catch (error) {
		if (!(error instanceof Refusal)) {
			throw error;
		}

		steps.finish(setup.commands, 'failed', error.because);
		return {steps: steps.all, ...hosts(), notes: [], layer: undefined};
	}
}

/** As a policy names it: 443 and 80 need no port there. */
const hostIn = (target: string) => target.replace(/:(?:443|80)$/, '');

/** Removes what trials left that were cut short. */
function removeLeft(trials: string): void {
	const names = readdirSync(trials);
	for (const name of names.filter(name => !name.endsWith('.lock') && !Lock.isHeld(path.join(trials, `${name}.lock`)))) {
		removeFolder(path.join(trials, name));
		rmSync(path.join(trials, `${name}.lock`), {force: true});
	}
}

/** Every command that verifies, one after another in one checkout, whatever comes of those before it. */
async function tryVerify(
	place: Place,
	{
		layer,
		commands,
		tell,
	}: {readonly layer: Layer | undefined; readonly commands: readonly string[]; readonly tell: Tell},
): Promise<Step[]> {
	const {context, sandbox} = place;
	const trials = path.join(context.paths.state, 'trials');
	mkdirSync(trials, {recursive: true, mode: 0o700});
	removeLeft(trials);
	const id = `try-${process.pid}-${randomBytes(3).toString('hex')}`;
	const folder = path.join(trials, id);
	const lock = Lock.acquire(`${folder}.lock`);
	try {
		mkdirSync(folder, {mode: 0o700});
		const box = await makeBox(place, {id, folder, layer});
		const steps: Step[] = [];
		for (const command of commands) {
			tell({phase: 'verify', command});
			const limited = grouped(box.plan, `${id}-${steps.length}`);
			const prepared = sandbox.prepare(limited.plan, path.join(folder, 'sandbox'));
			const {checked, words} = await runStep(box, {command, limited, wrap: inner => prepared.alone(inner)});
			const {result, because} = verdictOf([command], [checked], () => undefined);
			const {tests, ms} = checked;
			const step: Step = {phase: 'verify', command, result, because, tests, ms, lines: lastLines(words)};
			steps.push(step);
			tell(step);
		}

		return steps;
	} finally {
		removeFolder(folder);
		lock?.release();
		rmSync(`${folder}.lock`, {force: true});
	}
}

/** What the commands of a verification run in. */
type Box = {
	readonly context: Context;
	readonly places: RunPaths;
	readonly plan: SandboxPlan;
	/** Folders that commands write. */
	readonly written: readonly string[];
};

/** A checkout of what is committed and a HOME, over what setup left. */
async function makeBox(
	{context, project, git, commonDir, what, branch, tools, trusted}: Place,
	{id, folder, layer}: {readonly id: string; readonly folder: string; readonly layer: Layer | undefined},
): Promise<Box> {
	const [tree, home, gitFolder] = ['tree', 'home', 'git'].map(name => path.join(folder, name)) as [
		string,
		string,
		string,
	];
	const {mounts} = await checkOut({
		git,
		commonDir,
		root: project.root,
		what,
		branch,
		depth: undefined,
		tree,
		gitFolder,
		home,
	});
	giveToRun(id, tree, home, gitFolder);
	const trust = makeTrust(path.join(folder, 'trust'), trusted, {jdks: jdksOf(tools)});
	const places: RunPaths = {...context.paths.run(id), ...runFilePaths(folder), folder};
	// Where a run's own checkout would lie.
	const inside = places.worktree;
	const own = basicPlan(id, path.join(folder, 'sandbox'), {
		mounts: [
			...mounts,
			...trust.mounts,
			{source: home, target: insideHome, mode: 'write'},
			{source: tree, target: inside, mode: 'write'},
			{source: gitFolder, target: path.join(inside, '.git'), mode: 'read'},
		],
		cwd: inside,
		tools,
		env: {...trust.env, ...withoutNetwork, CI: 'true', FLEET_VERIFY: '1', GIT_OPTIONAL_LOCKS: '0'},
	});
	if (layer && !layer.overlay) {
		await copyLayer(context, layer, {runId: id, tree, home});
	}

	const plan = layer ? overLayer(own, layer, {inside, work: makeWork(path.join(folder, 'work'), id)}) : own;
	const {limits} = await readSettings(context.paths);
	return {context, places, plan: withLimits(plan, limits, emptyPolicy), written: [tree, home]};
}

/** Says on stdout that the sandbox is up, before anything of the project's runs. */
const startScript = 'printf "%s\\n" "$1"; shift; exec "$@"';

/** Runs one command to its end, and reads what it writes as a verification does. */
async function runStep(
	{context, places, written}: Box,
	{
		command,
		limited,
		wrap,
	}: {
		readonly command: string;
		readonly limited: Limited;
		/** The command in its sandbox. */ wrap(inner: Invocation): Invocation;
	},
): Promise<{readonly checked: Checked; readonly words: string}> {
	const began = Date.now();
	const reader = new VerifyReader();
	const decoders = {stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8')};
	const mark = `fleet-${randomBytes(12).toString('hex')}`;
	let words = '';
	let started = false;
	const argv = ['/bin/sh', '-c', startScript, 'sh', mark, '/bin/sh', '-c', command, shellName];
	const outcome = await runLimited(context, wrap({argv, cwd: limited.plan.cwd, env: {}}), {
		limited,
		timeout: limited.plan.limits.command,
		notesHits: true,
		folders: {names: written, count: signal => diskUse(context, places, {folders: written, signal})},
		onOutput(bytes, stream) {
			let text = decoders[stream].write(Buffer.from(bytes));
			if (!started && stream === 'stdout' && (words + text).includes(`${mark}\n`)) {
				text = (words + text).replace(`${mark}\n`, '');
				words = '';
				started = true;
			}

			words = (words + text).slice(-20_000);
			reader.push(text, stream);
		},
	});
	reader.end();
	const {tests, ran, foundNone, doubt} = reader;
	const {code, timedOut, over} = outcome;
	const hits = outcome.hits.map(({because}) => because);
	return {
		checked: {command, code, ms: Date.now() - began, started, timedOut, over, hits, tests, ran, foundNone, doubt},
		words,
	};
}
