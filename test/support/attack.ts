import assert from 'node:assert/strict';
import {execFileSync, spawn, spawnSync, type ChildProcess} from 'node:child_process';
import {mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {test} from 'node:test';
import {dropUidOf, type Invocation, type SandboxPlan} from '../../source/core/plan.ts';
import type {Sandbox} from '../../source/core/seams.ts';
import {bubblewrap} from '../../source/sandboxes/bubblewrap/index.ts';
import {Fleet} from './fleet.ts';
import {openBox, type Box} from './sandbox.ts';

/* An attack is one file: what is tried, and the protection without which it works. Both are shown. */

type Result = {code: number | null; output: string; timedOut: boolean};

/** A protection that is switched off. */
export type Protection = {
	readonly title: string;
	/** Changes what is granted. */
	plan?(plan: SandboxPlan, folder: string): SandboxPlan;
	/** Changes the arguments of bwrap. */
	arguments?(argv: string[]): string[];
	/** Changes the launch. */
	invocation?(invocation: Invocation): Invocation;
	/** Changes the proxy's state. */
	box?(box: Box): void;
};

export type SandboxAttack = {
	readonly title: string;
	/** Where it is known from. */
	readonly source: string;
	/** What the protected sandbox is to be like, where the default does not show the point in a short test. */
	plan?(plan: SandboxPlan, folder: string): SandboxPlan;
	/** Makes what is to be reached; the returned function takes it away. */
	prepare?(box: Box): Promise<() => void> | (() => void);
	script(box: Box): string;
	readonly network?: boolean;
	/** Whether the attacker got what it wanted. */
	succeeded(result: Result, box: Box): boolean | Promise<boolean>;
	readonly without: Protection;
	/** False where the machine cannot show it, such as for an attack that only root can make. */
	readonly provable?: boolean;
};

function weakened(protection: Protection): Sandbox {
	return {...bubblewrap, prepare(plan, folder) {
		const prepared = bubblewrap.prepare(plan, folder);
		for (const name of ['entered.args', 'alone.args']) {
			const file = path.join(folder, name);
			const argv = readFileSync(file, 'utf8').split('\0').slice(0, -1);
			writeFileSync(file, `${(protection.arguments?.(argv) ?? argv).join('\0')}\0`);
		}

		const change = (invocation: Invocation) => protection.invocation?.(invocation) ?? invocation;
		return {...prepared, enter: (inner, pid) => change(prepared.enter(inner, pid)), alone: inner => change(prepared.alone(inner))};
	}};
}

/** Takes an option and its values out of an argv, where it is there. */
export function without(argv: string[], option: string, values = 0): string[] {
	const at = argv.indexOf(option);
	return at === -1 ? argv : argv.toSpliced(at, 1 + values);
}

/** A folder of the host's beside the sandbox's own, bound as it is. */
export function bound(name: string): Protection {
	return {title: 'an empty file system', plan(plan, folder) {
		const place = path.join(folder, name);
		mkdirSync(place, {recursive: true});
		return {...plan, mounts: [...plan.mounts, {source: place, target: place, mode: 'read'}]};
	}};
}

/** No system call filter. */
export const noFilter = (argv: string[]) => without(argv, '--seccomp', 1);

async function attempt(attack: SandboxAttack, protection: Protection | undefined): Promise<boolean> {
	const box = await openBox({
		sandbox: protection ? weakened(protection) : bubblewrap,
		plan(plan, folder) {
			const own = attack.plan?.(plan, folder) ?? plan;
			return protection?.plan?.(own, folder) ?? own;
		},
	});
	protection?.box?.(box);
	const undo = await attack.prepare?.(box);
	try {
		return await attack.succeeded(await box.run(attack.script(box), {network: attack.network ?? true}), box);
	} finally {
		undo?.();
		await box.close();
	}
}

/** Registers the two tests of an attack on the sandbox. */
export function sandboxAttack(attack: SandboxAttack): void {
	test(`${attack.title}: stopped`, async () => {
		assert.equal(await attempt(attack, undefined), false, 'the attack succeeded');
	});
	if (attack.provable !== false) {
		test(`${attack.title}: works without ${attack.without.title}`, async () => {
			assert.equal(await attempt(attack, attack.without), true, 'the attack fails for another reason, so stopping it proves nothing');
		});
	}
}

export type GitAttack = {
	readonly title: string;
	readonly source: string;
	/** Run by the agent, in its worktree. `marker` is a file whose presence means that code ran outside. */
	script(places: {marker: string}): string;
	/** What the person does next, in their project. */
	person?(git: (...argv: string[]) => void, places: {worktree: string; project: string}): void;
	/** Whether anything of the person's was touched. */
	harmed(places: {project: string; marker: string; before: string; git(...argv: string[]): string}): boolean;
	/** Prepares the project. */
	prepare?(git: (...argv: string[]) => void, project: string): void;
};

/** Registers the two tests of an attack on git: in a run, and in the plain worktree that other tools give an agent. */
export function gitAttack(attack: GitAttack): void {
	const setUp = (git: (...argv: string[]) => string, project: string) => {
		git('branch', 'other');
		attack.prepare?.((...argv) => {
			git(...argv);
		}, project);
	};

	const tolerant = (git: (...argv: string[]) => string) => (...argv: string[]) => {
		try {
			git(...argv);
		} catch {}
	};

	test(`${attack.title}: stopped`, async t => {
		const fleet = new Fleet(t);
		const git = (...argv: string[]) => fleet.git(...argv);
		setUp(git, fleet.project);
		const before = git('rev-parse', 'main');
		const marker = path.join(fleet.folder, 'marker');
		await fleet.agent('attack', `${attack.script({marker})}\necho attack-finished`);
		assert.match(fleet.must('logs', 'attack'), /attack-finished/);
		// Everything that fleet itself does with the result is part of the attack's chance.
		fleet.run(['diff', 'attack']);
		fleet.run(['verify', 'attack']);
		attack.person?.(tolerant(git), {worktree: fleet.json('show', 'attack')['worktree'], project: fleet.project});
		assert.equal(attack.harmed({project: fleet.project, marker, before, git: (...argv) => git(...argv)}), false, 'the attack succeeded');
	});
	test(`${attack.title}: works against a plain worktree`, () => {
		const folder = mkdtempSync(path.join(realpathSync(os.tmpdir()), 'fleet-plain-'));
		try {
			const project = path.join(folder, 'project');
			const worktree = path.join(folder, 'worktree');
			const env = {PATH: process.env['PATH']!, HOME: folder, LC_ALL: 'C'};
			mkdirSync(project);
			writeFileSync(path.join(folder, '.gitconfig'), '[user]\n\tname = t\n\temail = t@example.invalid\n');
			const git = (...argv: string[]) => execFileSync('git', ['-C', project, ...argv], {env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']}).trim();
			git('init', '--quiet', '--initial-branch=main');
			writeFileSync(path.join(project, 'a.txt'), 'one\n');
			git('add', '--all');
			git('commit', '--quiet', '--message=start');
			setUp(git, project);
			const before = git('rev-parse', 'main');
			git('worktree', 'add', '--quiet', '-b', 'agent', worktree);
			const marker = path.join(folder, 'marker');
			spawnSync('sh', ['-c', attack.script({marker})], {cwd: worktree, env, timeout: 20_000});
			attack.person?.(tolerant(git), {worktree, project});
			assert.equal(attack.harmed({project, marker, before, git}), true, 'the attack fails for another reason, so stopping it proves nothing');
		} finally {
			rmSync(folder, {recursive: true, force: true});
		}
	});
}

/** A process of the host with the sandbox's own uid, so that only namespaces protect it. */
export function sentinel(word = ''): ChildProcess {
	const root = process.getuid?.() === 0;
	return spawn('/bin/sh', ['-c', 'sleep 60; exit', word], {env: {TOKEN: word}, stdio: 'ignore', ...(root ? {uid: dropUidOf('box'), gid: dropUidOf('box')} : {})});
}
