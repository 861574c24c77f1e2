import {existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {isPlaced, type Limits, type SandboxPlan} from '../../core/plan.ts';
import {Refusal} from '../../core/refusal.ts';
import type {PreparedSandbox, Sandbox} from '../../core/seams.ts';
import {compileAlone, compileDial, compileEntered, compileHolder, compileStage} from './compile.ts';
import {sandboxArguments} from './bwrap-arguments.ts';
import type {Host} from './host.ts';
import {compileGive, compileTake} from './live-mounts.ts';
import {findSystemTool, findTools, probeBubblewrap} from './probe.ts';
import {seccompFilter} from './seccomp.ts';

/** Root's staging point: empty on the host, filled only inside each run's own mount namespace. */
const stage = '/run/fleet-stage';

/** A limit can be lowered only: where the person's own is lower already, theirs stays. */
function withinOwnLimits(limits: Limits): Limits {
	const text = readFileSync('/proc/self/limits', 'utf8');
	const hard = (title: string) =>
		Number(new RegExp(`^${title}\\s+\\S+\\s+(\\d+)`, 'm').exec(text)?.[1] ?? Number.POSITIVE_INFINITY);
	return {
		...limits,
		// Processes are counted for the account, too: what a run takes all of, its person has none of.
		processes: Math.min(limits.processes, Math.floor(hard('Max processes') / 2)),
		openFiles: Math.min(limits.openFiles, hard('Max open files')),
		fileSize: Math.min(limits.fileSize, hard('Max file size')),
		dataSize: Math.min(limits.dataSize, hard('Max data size')),
	};
}

/**
 * What the kernel counts for an account in all, and how much of it a
 * sandbox may take: a part, so that the person's own programs have theirs.
 */
function ofAccount(): Host['ofAccount'] {
	const text = readFileSync('/proc/self/limits', 'utf8');
	const part = (title: string, usual: number, share: number) =>
		Math.floor(
			Math.min(usual, Number(new RegExp(`^${title}\\s+\\S+\\s+(\\d+)`, 'm').exec(text)?.[1] ?? usual) * share),
		);
	const counts: Record<string, number> = {};
	for (const name of ['max_inotify_instances', 'max_inotify_watches', 'max_fanotify_groups', 'max_fanotify_marks']) {
		const file = `/proc/sys/user/${name}`;
		if (existsSync(file)) {
			counts[name] = Math.max(1, Math.floor(Number(readFileSync(file, 'utf8')) / 4));
		}
	}

	return {
		counts,
		limits: {
			sigpending: part('Max pending signals', 4096, 0.25),
			msgqueue: part('Max msgqueue size', 409_600, 0.5),
			memlock: part('Max locked memory', 8 * 1024 ** 2, 1),
		},
	};
}

/**
 * Writes the filter and the argument files, which bwrap reads from descriptors:
 * nothing of the host's layout is in an argv that the sandbox can see.
 */
function prepare(asked: SandboxPlan, folder: string): PreparedSandbox {
	const plan = {...asked, limits: withinOwnLimits(asked.limits)};
	mkdirSync(folder, {recursive: true, mode: 0o700});
	if (plan.mounts.some(mount => isPlaced(mount)) && !findSystemTool('perl')) {
		throw new Refusal(
			'files are given with Perl, which is not here',
			'install the package perl, or take the scope back with fleet revoke',
		);
	}

	const root = process.getuid?.() === 0;
	if (root) {
		mkdirSync(stage, {recursive: true, mode: 0o755});
	}

	const files = {
		seccomp: path.join(folder, 'seccomp.bpf'),
		entered: path.join(folder, 'entered.args'),
		alone: path.join(folder, 'alone.args'),
	};
	const granted = root ? path.join(stage, 'granted') : path.join(folder, 'granted');
	const empty = path.join(folder, 'empty');
	for (const place of root ? [empty] : [empty, granted]) {
		mkdirSync(place, {recursive: true, mode: 0o755});
	}

	const host: Host = {
		tools: findTools().tools,
		root,
		stage,
		granted,
		empty,
		perl: findSystemTool('perl'),
		node: process.execPath,
		files,
		ofAccount: ofAccount(),
		maskedProc: ['/proc/kcore', '/proc/keys', '/proc/sysrq-trigger', '/proc/timer_list', '/proc/latency_stats'].filter(
			place => existsSync(place),
		),
	};
	const write = (file: string, bytes: Uint8Array | string) => {
		writeFileSync(file, bytes, {mode: 0o600});
	};

	write(files.seccomp, seccompFilter(plan.architecture));
	write(files.entered, sandboxArguments(plan, host, 'entered').join('\0') + '\0');
	write(files.alone, sandboxArguments(plan, host, 'alone').join('\0') + '\0');
	return {
		holder: compileHolder(plan, host),
		stage: holderPid => compileStage(plan, host, holderPid),
		enter: (inner, holderPid) => compileEntered(plan, host, {inner, holderPid}),
		alone: inner => compileAlone(plan, host, inner),
		dial: (addresses, port, holderPid) => compileDial(plan, host, {addresses, port, holderPid}),
		give: (mount, initPid, holderPid) => compileGive(plan, host, {mount, initPid, holderPid}),
		take: (target, initPid, holderPid) => compileTake(plan, host, {target, initPid, holderPid}),
	};
}

/** The sandbox of Linux. */
export const bubblewrap: Sandbox = {id: 'bubblewrap', probe: probeBubblewrap, prepare};
