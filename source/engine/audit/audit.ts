import {cpSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {summarise, type Item} from '../../core/run/audit.ts';
import type {SandboxPlan} from '../../core/plan.ts';
import type {Policy} from '../../core/policy.ts';
import type {ProbeRequest} from '../../core/probe.ts';
import {Refusal} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import type {PreparedSandbox, Sandbox} from '../../core/seams.ts';
import {groupName} from '../../host/cgroup.ts';
import type {Git} from '../../host/git.ts';
import {giveToRun} from '../../host/run-owner.ts';
import type {Context} from '../context.ts';
import {givenFiles} from '../grants/files.ts';
import {readPolicy} from '../project/policy.ts';
import {openRun, rootOf} from '../project/projects.ts';
import {readSettings} from '../project/settings.ts';
import {send} from '../owner.ts';
import {grouped, lookName, runLimited, type Limited} from '../sandbox/guard.ts';
import {chooseSandbox, egressState, runPlan} from '../sandbox/plan.ts';
import {openSession} from '../sandbox/session.ts';
import {toolsOf} from '../sandbox/tools.ts';
import {assess, attemptOf, describeAttempt, readAttempts} from './attempts.ts';
import {gateProbes} from './gates.ts';
import {setTrap} from './trap.ts';

/*
 * Proof instead of claim: the six items are tried from inside a sandbox with the run's
 * own settings, and what is seen there is held against what the host sees by itself.
 */

/** How long all attempts have together. */
const probeTimeoutMs = 90_000;

/** How long what was on its way to a listener takes to arrive: longer than a listener waits for the control's word. */
const settleMs = 350;

/** How many attempts there are, about: for a bar alone. */
const usualAttempts = 49;

/** Told for each attempt as it is made. */
type OnAttempt = (done: number, total: number, tried: string) => void;

/** Lets tests break a sandbox in each known way, and see which items notice. */
export type Sabotage = {
	plan?(plan: SandboxPlan): SandboxPlan;
	prepared?(prepared: PreparedSandbox): PreparedSandbox;
};

/** Throwaway copies of what a run may write, so that what is tried harms nothing of the run's. */
function copyRun(context: Context, run: Run, folder: string): Readonly<Record<string, string>> {
	const places = context.paths.run(run.id);
	const [worktree, privateGit, dotGit] = ['worktree', 'private.git', 'dotgit'].map(name => path.join(folder, name)) as [
		string,
		string,
		string,
	];
	rmSync(folder, {recursive: true, force: true});
	mkdirSync(worktree, {recursive: true, mode: 0o700});
	// A FIFO that an agent left there must not hold the audit up.
	cpSync(places.privateGit, privateGit, {
		recursive: true,
		verbatimSymlinks: true,
		filter(source) {
			const status = lstatSync(source);
			return status.isFile() || status.isDirectory() || status.isSymbolicLink();
		},
	});
	cpSync(places.dotGit, dotGit);
	writeFileSync(path.join(worktree, '.git'), '');
	giveToRun(run.id, worktree, privateGit, dotGit);
	return {[places.worktree]: worktree, [places.privateGit]: privateGit, [places.dotGit]: dotGit};
}

/** The run's own plan over copies, with the program that makes the attempts. */
async function auditPlan(
	context: Context,
	run: Run,
	{commonDir, policy, copies}: {commonDir: string; policy: Policy; copies: Readonly<Record<string, string>>},
): Promise<Limited> {
	const places = context.paths.run(run.id);
	const own = runPlan(run, {
		places,
		commonDir,
		granted: (await givenFiles(context, run, Date.now())).mounts,
		policy,
		settings: (await readSettings(context.paths)).limits,
		injected: {
			mounts: [],
			env: {},
			tools: await toolsOf(context, rootOf(context, run)),
		},
	});
	return grouped(
		{
			...own,
			mounts: [
				...own.mounts.map(mount => ({...mount, source: copies[mount.source] ?? mount.source})),
				{source: context.probe, target: '/run/fleet/probe/probe.mjs', mode: 'read'},
				{source: process.execPath, target: '/run/fleet/probe/node', mode: 'read'},
			],
		},
		lookName(groupName(places), `audit-${process.pid}`),
	);
}

/** What a process inside reads as its limits, at the most. */
function limitsSeen({limits}: SandboxPlan): ProbeRequest['limits'] {
	return {
		'Max processes': limits.processes,
		'Max open files': limits.openFiles,
		'Max file size': limits.fileSize,
		// Without it the control group counts memory.
		...(Number.isFinite(limits.dataSize) ? {'Max data size': limits.dataSize} : {}),
		'Max core file size': 0,
	};
}

/** What the attempts wrote, and what the run's proxy saw of them. */
type Attempted = {
	readonly report: string;
	readonly denied: readonly string[];
	readonly asked: readonly string[];
	/** Why there may be no report. */ readonly words: string;
};

async function runProbe(
	context: Context,
	run: Run,
	{
		sandbox,
		limited,
		policy,
		folder,
		request,
		onAttempt,
	}: {sandbox: Sandbox; limited: Limited; policy: Policy; folder: string; request: string; onAttempt: OnAttempt},
): Promise<Attempted> {
	const asked: string[] = [];
	const denied: string[] = [];
	const session = await openSession(sandbox, limited.plan, {
		folder: path.join(folder, 'sandbox'),
		hooks: {
			state: () => egressState(run, policy, {now: Date.now()}),
			onDenied(target) {
				denied.push(target);
			},
			onAllowed() {},
			onAsked(what) {
				asked.push(what);
			},
		},
	});
	let report = '';
	let words = '';
	let told = 0;
	try {
		const outcome = await runLimited(
			context,
			session.prepared.enter(
				{
					argv: ['/run/fleet/probe/node', '--no-warnings', '/run/fleet/probe/probe.mjs'],
					cwd: run.worktree,
					env: {NODE_USE_ENV_PROXY: '0'},
				},
				session.holderPid,
			),
			{
				limited,
				timeout: probeTimeoutMs,
				input: request,
				onOutput(bytes, stream) {
					if (stream === 'stderr') {
						words = (words + Buffer.from(bytes).toString('utf8')).slice(-2000);
						return;
					}

					report += Buffer.from(bytes).toString('utf8');
					const lines = report.split('\n');
					for (; told < lines.length - 1; told++) {
						const id = attemptOf(lines[told]!);
						if (id !== undefined) {
							onAttempt(told + 1, Math.max(usualAttempts, told + 1), describeAttempt(id)[0]);
						}
					}
				},
			},
		);
		await new Promise(resolve => {
			setTimeout(resolve, settleMs);
		});
		return {report, denied, asked, words: words || (outcome.over ?? `ended with ${outcome.code ?? outcome.signal}`)};
	} finally {
		await session.close();
	}
}

/**
 * Tries the six items with a run's own settings: its grants, its plan, its policy's hosts. The worktree and the
 * private git folder are throwaway copies, so that what is tried harms nothing of the run's.
 * @param options.sabotage breaks the sandbox, in tests
 */
export async function audit(
	context: Context,
	run: Run,
	{sabotage = {}, onAttempt = () => {}}: {readonly sabotage?: Sabotage; readonly onAttempt?: OnAttempt} = {},
): Promise<{items: Item[]; asked: string[]}> {
	const {sandbox: real, status} = await chooseSandbox(context);
	const places = context.paths.run(run.id);
	if (!existsSync(places.privateGit)) {
		throw new Refusal(`the worktree of ${run.id} is gone, so there is nothing to audit`, `fleet restore ${run.id}`);
	}

	const {git, commonDir} = await openRun(context, run);
	const {policy} = await readPolicy(git, run.base);
	const folder = places.auditWork;
	const copies = copyRun(context, run, folder);
	const credentialNames = Object.values(policy.deploy).flatMap(target => target.credentials);
	const trap = await setTrap(context, {run, git, commonDir, credentialNames});
	try {
		const limited = await auditPlan(context, run, {commonDir, policy, copies});
		const sandbox: Sandbox = {
			...real,
			prepare: (plan, folder) => {
				const prepared = real.prepare(sabotage.plan?.(plan) ?? plan, folder);
				return sabotage.prepared?.(prepared) ?? prepared;
			},
		};
		const before = await repositoryState(git, commonDir, run);
		const request = JSON.stringify({...trap.request, limits: limitsSeen(limited.plan)} satisfies ProbeRequest);
		const made = await runProbe(context, run, {sandbox, limited, policy, folder, request, onAttempt});
		const {report, denied, asked, words} = made;
		const attempts = readAttempts(report);
		const unchanged = before === (await repositoryState(git, commonDir, run));
		const probes = attempts.map(attempt => assess(attempt, trap, {denied, asked, unchanged, commonDir}));
		// No report is no proof: without it every item lacks its attempts and is ERROR.
		const items = summarise(
			[...probes, ...gateProbes(run)].map(probe =>
				attempts.length === 0
					? {
							...probe,
							status: 'ERROR' as const,
							seen: `no report from inside ${status.version}: ${words.trim().slice(0, 200)}`,
						}
					: probe,
			),
		);
		return {items, asked: [...new Set(asked)]};
	} finally {
		trap.close();
		rmSync(folder, {recursive: true, force: true});
	}
}

/** What an escape would change in the project's repository. */
async function repositoryState(git: Git, commonDir: string, run: Run): Promise<string> {
	const hooks = existsSync(path.join(commonDir, 'hooks')) ? readdirSync(path.join(commonDir, 'hooks')).join(',') : '';
	return [await git.resolve(run.target), hooks, readFileSync(path.join(commonDir, 'config'), 'utf8')].join('\n');
}

/** Audits a run and writes the result into its journal: through its supervisor where one is alive. */
export async function auditAndRecord(context: Context, run: Run, onAttempt?: OnAttempt): Promise<Item[]> {
	const {items, asked} = await audit(context, run, onAttempt ? {onAttempt} : {});
	const summary = items.map(({id, status}) => ({id, status}));
	await send(context, run, {type: 'audit', items: summary, asked, because: ''});
	return items;
}
