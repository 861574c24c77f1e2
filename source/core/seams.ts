import type {Invocation, Mount, SandboxPlan} from './plan.ts';
import type {Refusal} from './refusal.ts';

/* The seams: each interface's comments are its contract, and every kind passes one conformance suite. */

/** Whether a thing works on this machine, why, and how to get it. */
export type Availability = {readonly works: boolean; readonly version: string; readonly because: string; readonly hint: string};

/** A program that does the work. An agent only says how it is to be started; it never starts anything itself. */
export type Agent = {
	readonly id: string;
	readonly title: string;
	/** @param task what the person asked for and the command they gave; pure */
	invocation(task: {readonly prompt: string | undefined; readonly argv: readonly string[]; readonly cwd: string}): Invocation | Refusal;
};

/** One plan made ready on disk. */
export type PreparedSandbox = {
	/**
	 * A process that owns the network namespace which the run's processes join. It must be started with a Node IPC
	 * channel, sends `{type: 'listening', pid}` with the handle of a TCP listener on the namespace's own loopback,
	 * port `proxyPort`, and stays until its parent is gone.
	 */
	readonly keeper: Invocation;
	/** `inner` in a sandbox whose network namespace is that of the keeper with this host process id. */
	enter(inner: Invocation, keeperPid: number): Invocation;
	/** `inner` in a sandbox with an empty network namespace: no proxy, nothing. */
	alone(inner: Invocation): Invocation;
	/**
	 * What makes a mount in a sandbox that is running, or takes one away; exit code 0 is done. Undefined where this
	 * machine cannot: then it waits for the next start. `initPid` is the host's id of the sandbox's first process.
	 */
	give(mount: Mount, kind: 'folder' | 'file', initPid: number, keeperPid: number): Invocation | undefined;
	take(target: string, initPid: number, keeperPid: number): Invocation | undefined;
};

/**
 * Turns what was granted into a process that can reach nothing else.
 * - What the plan does not name is not there: no path, no process, no socket, no variable.
 * - All processes die with the supervisor that started them.
 * - A root caller's uid is left behind before anything of the plan runs.
 * - It never weakens itself: what it cannot do, `probe` says, and `prepare` is not called.
 */
export type Sandbox = {
	readonly id: string;
	probe(): Promise<Availability>;
	/** Writes what the sandbox needs into `folder` (created, 0700) and compiles the plan. */
	prepare(plan: SandboxPlan, folder: string): PreparedSandbox;
};

/** Where credentials rest. In this version only its state is asked for. */
export type Vault = {
	readonly id: string;
	probe(): Promise<Availability>;
};

export type Outcome = {readonly code: number | null; readonly signal: string | null; readonly timedOut: boolean};

/** Starts an invocation as a process with no terminal and waits for its end. */
export type Executor = {
	readonly id: string;
	/**
	 * @param options.onOutput gets stdout and stderr as they come, and which of the two it was
	 * @param options.timeout milliseconds; the process group is killed after it
	 * @param options.input written to stdin, which is otherwise empty
	 */
	run(invocation: Invocation, options: {onOutput(bytes: Uint8Array, stream: 'stdout' | 'stderr'): void; timeout: number; input?: string | Uint8Array | undefined}): Promise<Outcome>;
};
