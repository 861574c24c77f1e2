import type {Invocation, Mount, SandboxPlan} from './plan.ts';
import type {ProfileLayout} from './profile.ts';
import type {Refusal} from './refusal.ts';
import type {Price} from './run/usage.ts';
import type {ReadLogin} from './secrets/login.ts';
import type {Binding} from './secrets/secret.ts';
import type {Length} from './text/agent-lines.ts';

/* The seams: each interface's comments are its contract, and every kind passes one conformance suite. */

/** Whether a thing works on this machine, why, and how to get it. */
export type Availability = {
	readonly works: boolean;
	readonly version: string;
	readonly because: string;
	readonly hint: string;
	/** The packages whose absence is the reason, as Debian calls them. */
	readonly missing?: readonly string[];
	/** Commands that put it right, as root: the smallest change of the machine that does. */
	readonly cure?: ReadonlyArray<readonly string[]>;
};

/** What an agent needs of its model: which secret, where it may go, and the variable that holds its pointer. */
export type ModelNeed = {
	/** The secret's name; the project's is taken before the person's own. */
	readonly secret: string;
	readonly binding: Binding;
	/** Where a person gets its value, in plain words that go on after `its value:`. */
	readonly made: string;
	/** Where the prices are from, and of which month: `2025-11`. */
	readonly priced?: {readonly asOf: string; readonly source: string} | undefined;
	/** What its models cost; the first that matches counts. */
	readonly prices: readonly Price[];
	/** A subscription that a person signs in for, in place of a key. */
	readonly login?: LoginNeed | undefined;
};

/** The login of a subscription: where the agent keeps the person's own, and what it is for. */
export type LoginNeed = {
	/** What a person types: `fleet secret login NAME`. */
	readonly name: string;
	/** Whose login it is, for a person. */
	readonly title: string;
	/** The secret's name. */
	readonly secret: string;
	/** Where its access token may go. */
	readonly binding: Binding;
	/** Files of JSON below HOME; the first that holds a login counts. A variable of the profile's moves them. */
	readonly files: readonly string[];
	/** The command that signs in. */
	readonly signIn: string;
	/** How the program's own identity looks in its files, where a refresh asks for it. */
	readonly client?: {readonly id: RegExp; readonly secret: RegExp} | undefined;
	/**
	 * Requests that fleet answers in the vendor's place, at a host of the binding: those that would tell a run who the
	 * person is, and those that no run needs. They go no further, and nothing is written down of them.
	 */
	readonly answers?: readonly LoginAnswer[] | undefined;
	/** Reads such a file. Total; undefined where there is no login in it. */
	read(
		file: Readonly<Record<string, unknown>>,
		client: {readonly id: string; readonly secret: string} | undefined,
	): ReadLogin | undefined;
};

/** @see LoginNeed.answers */
export type LoginAnswer = {
	readonly host: string;
	readonly path: RegExp;
	readonly status: number;
	/** As JSON. @param account what stands for the account's id inside */
	body(account: string | undefined): unknown;
};

/** What a person asked an agent for. */
export type AgentTask = {
	readonly prompt: string | undefined;
	/** The command line after `--`: for `command` the whole program, for the others more arguments. */
	readonly argv: readonly string[];
	readonly cwd: string;
	/** HOME inside: empty at the first start, kept from attempt to attempt. */
	readonly home: string;
	/** The program, as it is found inside; undefined where none is needed. */
	readonly program: string | undefined;
	/** Whether a person will attach and talk to it, in place of a prompt that is worked off. */
	readonly interactive: boolean;
	/**
	 * The conversation to go on with: by the id that the agent
	 * knows it by, or the last one there was; undefined: a new one.
	 */
	readonly conversation: {readonly id: string | undefined} | undefined;
	/**
	 * What stands for the model's credential inside; undefined where
	 * the model scope is not granted. Worth nothing elsewhere.
	 */
	readonly pointer: string | undefined;
	/**
	 * Where `pointer` stands for a subscription's access token: what stands for the account's id, and the plan's name.
	 * The agent gets a login's file of its own form, with pointers, a far end, and nothing to make another token from.
	 */
	readonly login?: {readonly account: string | undefined; readonly plan: string | undefined} | undefined;
	/** A random UUID, for an agent that is told what its conversation is called. */
	readonly uuid: string;
	/** MCP servers outside that the run may use: an agent that knows the protocol is told of them. */
	readonly servers: readonly AgentServer[];
};

/** An MCP server as an agent finds it: Streamable HTTP on the run's own loopback, with no credential. */
export type AgentServer = {readonly name: string; readonly url: string};

/**
 * How it is started, and what its configuration is: files below
 * HOME, by their path there. Written by the host at each start.
 */
export type AgentStart = Invocation & {
	readonly files?: Readonly<Record<string, string>> | undefined;
	/** The id of the conversation, where the agent is told it. */ readonly conversation?: string | undefined;
};

/** What a line of an agent's structured output says. */
export type AgentNews = {
	/** The line as a person reads it; undefined: nothing to show. */
	readonly text?: string | undefined;
	readonly status?: {readonly state: AgentState; readonly because: string} | undefined;
	readonly conversation?: string | undefined;
};

/** `waiting`: for a person. Facts of the supervisor's own (exit, silence, denials) come on top of it. */
export type AgentState = 'working' | 'waiting' | 'done' | 'failed';

/**
 * A program that does the work. An agent only says how it is to
 * be started and what its words mean; it starts nothing itself.
 */
export type Agent = {
	readonly id: string;
	readonly title: string;
	/** The name of its program on the person's search path; undefined where the person names the program. */
	readonly program?: string | undefined;
	readonly model?: ModelNeed | undefined;
	/** How a project tells it what to do: names of files, and of folders with a `/`. A change of one is flagged. */
	readonly instructions: readonly string[];
	/**
	 * Where it keeps a person's login: paths below HOME, and variables that name such a place. The audit looks whether
	 * one can be read inside, and none is granted as files.
	 */
	readonly logins?: {readonly paths: readonly string[]; readonly variables: readonly string[]} | undefined;
	/** What a person's own of this agent is made of, below their HOME; undefined where there is no such thing. */
	readonly profile?: ProfileLayout | undefined;
	/** Pure and total. */
	start(task: AgentTask): AgentStart | Refusal;
	/**
	 * Reads one line of what it prints where it is not interactive; what its tools were given and gave back as one line
	 * each, or whole. Total; undefined where its output is plain.
	 */
	readonly read?: ((line: string, length?: Length) => AgentNews) | undefined;
};

/** One plan made ready on disk. */
export type PreparedSandbox = {
	/**
	 * A process that owns the network namespace which the run's processes join. It must be started with a Node IPC
	 * channel, sends `{type: 'listening', pid}` with the handle of a TCP listener on the namespace's own loopback,
	 * port `proxyPort`, and stays until its parent is gone.
	 */
	readonly holder: Invocation;
	/**
	 * What puts granted mounts in their place (`Mount.identity`), where the plan has any: run once, when the holder is
	 * there and before anything enters. Exit code 0 is done; anything else: nothing may start.
	 */
	stage(holderPid: number): Invocation | undefined;
	/** `inner` in a sandbox whose network namespace is that of the holder with this host process id. */
	enter(inner: Invocation, holderPid: number): Invocation;
	/** `inner` in a sandbox with an empty network namespace: no proxy, nothing. */
	alone(inner: Invocation): Invocation;
	/**
	 * What connects to a port of the namespace's own loopback, at the first of these addresses that answers. Started with
	 * a Node IPC channel, it sends the connection as a `net.Socket` and ends; where nothing listens, its exit code is not
	 * 0. Undefined where this machine cannot.
	 */
	dial(addresses: readonly string[], port: number, holderPid: number): Invocation | undefined;
	/**
	 * What makes a mount in a sandbox that is running, or takes one away; exit code 0 is done. Undefined where this
	 * machine cannot: then it waits for the next start. `initPid` is the host's id of the sandbox's first process.
	 */
	give(mount: Mount, initPid: number, holderPid: number): Invocation | undefined;
	take(target: string, initPid: number, holderPid: number): Invocation | undefined;
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

/** `unlocked`: it answers. `locked`: it is there, and something has to be typed first. `none`: not on this machine. */
export type VaultState = 'unlocked' | 'locked' | 'none';

/**
 * Where credentials rest, encrypted, by an account's name. The contract:
 * - what was written is read back, byte for byte, also by another process; what was never written is undefined;
 * - a vault that is locked or not there rejects with a Refusal that says which, and never falls back to another place;
 * - nothing of a value is in an error, an argument of a process or a file that is not encrypted.
 */
export type Vault = {
	readonly id: string;
	readonly title: string;
	/** Asks nobody. */
	probe(): Promise<Availability & {readonly state: VaultState}>;
	read(account: string): Promise<string | undefined>;
	write(account: string, text: string): Promise<void>;
	/** @returns whether there was one */
	remove(account: string): Promise<boolean>;
};

export type Outcome = {readonly code: number | null; readonly signal: string | null; readonly timedOut: boolean};

/** Starts an invocation as a process with no terminal and waits for its end. */
export type Executor = {
	readonly id: string;
	/**
	 * @param options.onOutput gets stdout and stderr as they come, and which of the two it was
	 * @param options.timeout milliseconds; the process group is killed after it
	 * @param options.input written to stdin, which is otherwise empty
	 * @param options.onStart gets the process's id, and what ends it and everything it started
	 */
	run(
		invocation: Invocation,
		options: {
			onStart?(pid: number, end: () => void): void;
			onOutput(bytes: Uint8Array, stream: 'stdout' | 'stderr'): void;
			timeout: number;
			input?: string | Uint8Array | undefined;
		},
	): Promise<Outcome>;
};
