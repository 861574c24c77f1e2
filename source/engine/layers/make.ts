import {mkdirSync, rmSync, statfsSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {StringDecoder} from 'node:string_decoder';
import {printable} from '../../core/names.ts';
import {proxyPort} from '../../core/plan.ts';
import {rulesOf} from '../../core/policy.ts';
import {Refusal} from '../../core/refusal.ts';
import {readUpstreams} from '../../core/network/upstream.ts';
import {Lock} from '../../host/lock.ts';
import {removeFolder} from '../../host/remove-folder.ts';
import {giveToRun, ownerOf} from '../../host/run-owner.ts';
import {placeFolder} from '../../host/write.ts';
import {insideHome} from '../../host/toolchain.ts';
import {versionOf} from '../../host/program.ts';
import {trustContext} from '../../host/trusted.ts';
import {checkOut, treeish} from '../sandbox/checkout.ts';
import {readSettings} from '../project/settings.ts';
import {checkPolicy} from '../grants/terms.ts';
import {makeTrust, quietNode} from '../run/injected-files.ts';
import {grouped, runLimited} from '../sandbox/guard.ts';
import {basicPlan, proxyEnvironment, withLimits} from '../sandbox/plan.ts';
import {openSession, type Session} from '../sandbox/session.ts';
import {isJvmProject, javaConfigurationOf, jdksOf, programsCalled} from '../sandbox/tools.ts';
import {cacheMounts, cachesFolder} from './caches.ts';
import {cleanLayers} from './clean.ts';
import {diskOf, endOf, finish, takesOverlay} from './finish.ts';
import {layerKey} from './key.ts';
import {openSecrets, pointerMount, type SetupSecrets} from './setup-secrets.ts';
import {commandTimeoutMs, insideProject, setupId, type Places, type Setup} from './setup-types.ts';
import {
	bootId,
	describeLayer,
	layerGroup,
	layerLock,
	layersFolder,
	makeDurable,
	newLayerFolder,
	readLayer,
	removeLayer,
	tidyLayers,
	touchLayer,
	type Layer,
	type LayerFacts,
} from './store.ts';
import {toolEnvironment} from './tool-environment.ts';
import {trackedNames} from './tracked.ts';

/* Setup: what a project needs and git does not keep, made once in a sandbox, for every run that needs the same. */

/** How often whoever waits for another's setup looks whether it is done, milliseconds. */
const waitMs = 300;

/** A layer, and whether it was made just now. */
export type Made = {readonly layer: Layer; readonly isNew: boolean};

/**
 * The layer that a policy's setup makes of a tree: what there is, or made now. Two that need the same one make it once.
 * @returns undefined where the policy has no setup whose result is shared
 * @throws Refusal where a command failed, or the time, the disk or a limit was up; nothing of it stays then
 */
export async function layerFor(setup: Setup): Promise<Made | undefined> {
	const {context, policy, signal, tell} = setup;
	if (policy.setup.commands.length === 0 || !policy.setup.reuse) {
		return undefined;
	}

	checkPolicy(policy);
	const key = await keyOf(setup);
	const found = () => {
		const layer = readLayer(context.paths, key);
		if (layer) {
			touchLayer(context.paths, key);
		}

		return layer && {layer, isNew: false};
	};

	const there = found();
	if (there) {
		return there;
	}

	setup.begun?.();
	mkdirSync(layersFolder(context.paths), {recursive: true, mode: 0o700});
	const file = layerLock(context.paths, key);
	let lock = Lock.acquire(file);
	for (let isTold = false; !lock; lock = Lock.acquire(file)) {
		if (!isTold) {
			isTold = true;
			tell('fleet: the same setup is going on for another run; waiting for its result\n');
		}

		await new Promise(resolve => {
			setTimeout(resolve, waitMs);
		});
		if (signal?.aborted) {
			throw new Refusal(String(signal.reason), 'fleet list');
		}
	}

	try {
		const made = found() ?? {layer: await make(setup, key), isNew: true};
		// Whoever waits at the file that is gone now finds the layer first.
		rmSync(file, {force: true});
		return made;
	} finally {
		lock.release();
	}
}

function keyOf({git, project, what, policy, rules, tools, isTaken}: Setup): Promise<string> {
	const tree = treeish(what);
	return layerKey({git, project: project.id, tree, setup: policy.setup, rules, tools, isTaken});
}

async function make(setup: Setup, key: string): Promise<Layer> {
	const {context, policy, tell} = setup;
	tidyLayers(context.paths, key);
	await cleanLayers(context);
	const folder = newLayerFolder(context.paths, key);
	try {
		const hosts = new Set<string>();
		const denied = new Set<string>();
		const unreached = new Set<string>();
		const trust = trustContext(setup.trusted);
		const secrets = await openSecrets(await setup.secrets(), {
			rules: setup.rules,
			trust: () => trust,
			onRefused: target => denied.add(target),
		});
		const places = await lay(setup, {folder, key}, secrets);
		const began = Date.now();
		const session = await open(setup, {places, secrets, hosts, denied, unreached});
		try {
			for (const command of policy.setup.commands) {
				setup.onCommand?.(command);
				tell(`$ ${command}\n`);
				await runCommand(setup, {session, places, command, denied, unreached});
			}
		} finally {
			await session.close();
		}

		const ms = Date.now() - began;
		const counted = await finish(setup, places);
		if ((await keyOf(setup)) !== key) {
			throw new Refusal('the toolchain changed while setup was running', 'start it again');
		}

		const owner = ownerOf(setupId(setup.project.id));
		const facts: LayerFacts = {
			project: setup.project.id,
			...(owner === undefined ? {} : {owner}),
			overlay: await takesOverlay(setup, places),
			...counted,
			ms,
			madeAt: new Date().toISOString(),
			commands: [...policy.setup.commands],
			hosts: [...hosts].sort(),
			boot: bootId(),
		};
		describeLayer(places.layer, facts);
		removeLayer(context.paths, key);
		placeFolder(places.layer, path.join(layersFolder(context.paths), key));
		makeDurable(context.paths, key);
		return readLayer(context.paths, key)!;
	} finally {
		removeFolder(folder);
	}
}

/** Writes files by their paths below a folder that nothing ran in yet. */
function writeBelow(folder: string, files: Readonly<Record<string, string>>): void {
	for (const [name, content] of Object.entries(files)) {
		const file = path.join(folder, name);
		mkdirSync(path.dirname(file), {recursive: true, mode: 0o700});
		writeFileSync(file, content, {mode: 0o600});
	}
}

/** Makes the checkout, the git folder and HOME, and the plan of a sandbox over them. */
async function lay(
	setup: Setup,
	{folder, key}: {readonly folder: string; readonly key: string},
	secrets: SetupSecrets,
): Promise<Places> {
	const {context, project, git, commonDir, policy, what, branch, tools, trusted} = setup;
	const settings = await readSettings(context.paths);
	const runId = setupId(project.id);
	const layer = path.join(folder, 'layer');
	const [tree, home, gitFolder, config] = [
		path.join(layer, 'tree'),
		path.join(layer, 'home'),
		path.join(folder, 'git'),
		path.join(folder, 'config'),
	];
	for (const made of [layer, config]) {
		mkdirSync(made, {mode: 0o700});
	}

	const {mounts, submodules} = await checkOut({
		git,
		commonDir,
		root: project.root,
		what,
		branch,
		depth: policy.verifyDepth,
		tree,
		gitFolder,
		home,
	});
	const names = path.join(folder, 'names');
	writeFileSync(names, await trackedNames(setup, tree, submodules), {mode: 0o644});
	writeBelow(home, isJvmProject(tree) ? javaConfigurationOf(tools) : {});
	giveToRun(runId, tree, home, gitFolder);
	const trust = makeTrust(path.join(folder, 'trust'), trusted, {
		jdks: jdksOf(tools),
		own: secrets.broker?.authority.certificate,
		proxyPort,
	});
	const nodes = await Promise.all(programsCalled('node', tools).map(node => versionOf(node)));
	const plan = basicPlan(runId, path.join(folder, 'sandbox'), {
		mounts: [
			...mounts,
			...trust.mounts,
			...(secrets.held.length === 0 ? [] : [pointerMount(path.join(folder, 'pointers'), secrets)]),
			{source: tree, target: insideProject, mode: 'write'},
			// Thrown away with the setup: packages install hooks into it.
			{source: gitFolder, target: path.join(insideProject, '.git'), mode: 'write'},
			{source: home, target: insideHome, mode: 'write'},
			...(setup.isTaken ? cacheMounts(context.paths, project.id, runId) : []),
		],
		cwd: insideProject,
		names: true,
		tools,
		env: {
			...proxyEnvironment,
			...trust.env,
			...quietNode(nodes),
			...(await toolEnvironment(git, treeish(what))),
			...secrets.env,
			CI: 'true',
			FLEET_SETUP: '1',
			GIT_OPTIONAL_LOCKS: '0',
		},
	});
	const written = [tree, home, gitFolder, ...(setup.isTaken ? [cachesFolder(context.paths, project.id)] : [])];
	return {
		folder,
		layer,
		tree,
		home,
		names,
		written,
		group: layerGroup(context.paths, key),
		plan: withLimits(plan, settings.limits, policy),
	};
}

/** The sandbox with its one way out. */
function open(
	setup: Setup,
	{
		places,
		secrets,
		hosts,
		denied,
		unreached,
	}: {
		readonly places: Places;
		readonly secrets: SetupSecrets;
		readonly hosts: Set<string>;
		readonly denied: Set<string>;
		readonly unreached: Set<string>;
	},
): Promise<Session> {
	const {sandbox, policy, rules, trusted} = setup;
	const trust = trustContext(trusted);
	return openSession(sandbox, places.plan, {
		folder: path.join(places.folder, 'sandbox'),
		hooks: {
			state: () => ({
				rules: [...rules, ...secrets.rules],
				privateHosts: rulesOf([...policy.privateHosts, ...policy.network], 'policy'),
			}),
			onDenied(target, because, kind) {
				denied.add(target);
				setup.onDenied?.(target, because, kind);
			},
			onAllowed: target => hosts.add(target),
			onUnreached(because) {
				unreached.add(because);
				setup.onUnreached?.(because);
			},
			onAsked() {},
			broker: () => secrets.broker,
			pointers: () => secrets.held.map(({pointer}) => pointer),
			upstreams: readUpstreams(process.env),
			trust: () => trust,
		},
	});
}

/** Whether the disk of a folder has no room left to speak of. */
function isFull(folder: string): boolean {
	const {bavail, bsize, ffree, files} = statfsSync(folder);
	return bavail * bsize < 1024 ** 2 || (files > 0 && ffree < 16);
}

async function runCommand(
	{context, project, signal, tell}: Setup,
	{
		session,
		places,
		command,
		denied,
		unreached,
	}: {
		readonly session: Session;
		readonly places: Places;
		readonly command: string;
		readonly denied: ReadonlySet<string>;
		readonly unreached: ReadonlySet<string>;
	},
): Promise<void> {
	const decoders = {stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8')};
	const limited = grouped(places.plan, places.group);
	const {tree, written} = places;
	const outcome = await runLimited(
		context,
		session.prepared.enter(
			{argv: ['/bin/sh', '-c', command, 'setup'], cwd: limited.plan.cwd, env: {}},
			session.holderPid,
		),
		{
			limited,
			timeout: commandTimeoutMs,
			signal,
			folders: {names: written, count: () => diskOf(context, written)},
			onOutput: (bytes, stream) => tell(decoders[stream].write(Buffer.from(bytes))),
		},
	);
	const how = endOf(outcome);
	if (how !== undefined && isFull(tree)) {
		throw new Refusal(
			`setup: ${printable(command, 100)} ${how}: the disk is full`,
			'free some space (fleet clean shows what runs and setups take), then do it again',
		);
	}

	if (how !== undefined) {
		const file = `${project.root}/.fleet/policy.yaml`;
		throw new Refusal(
			`setup: ${printable(command, 100)} ${how}${namesOf('denied', [...denied])}` +
				namesOf('no answer', [...unreached]),
			failedHint(file, {isDenied: denied.size > 0, isUnreached: unreached.size > 0}),
		);
	}
}

function namesOf(title: string, names: readonly string[]): string {
	return names.length === 0
		? ''
		: `; ${title}: ${names
				.slice(0, 5)
				.map(name => printable(name, 120))
				.join(', ')}`;
}

/** @param file the policy's */
function failedHint(file: string, {isDenied, isUnreached}: {isDenied: boolean; isUnreached: boolean}): string {
	if (isDenied) {
		return `name what it needs under network in ${file}, or allow it for the run`;
	}

	return isUnreached
		? 'see whether this machine reaches it without fleet; else name a mirror in the files of the project'
		: `look at its output, and put setup right in ${file}`;
}
