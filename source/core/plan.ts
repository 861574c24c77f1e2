/* What a run is to be: plain data that a sandbox compiles and an executor starts. */

/** The common coin: an agent makes one, a sandbox turns it into another, an executor turns it into a process. */
export type Invocation = {
	readonly argv: readonly string[];
	readonly cwd: string;
	readonly env: Readonly<Record<string, string>>;
};

/**
 * A host path that is visible inside. `source` is resolved by the
 * host before the agent first runs and never read back from it.
 */
export type Mount = {
	readonly source: string;
	readonly target: string;
	readonly mode: 'read' | 'write';
	/**
	 * True for what belongs to the system and every user may read (`/usr`): it needs no staging when the caller is root.
	 */
	readonly system?: boolean;
	/**
	 * Set for what a person granted: `device:inode` of the source. It is mounted only if it is that very thing and no
	 * link leads to it. Where it is read-only, sockets and FIFOs below it lead nowhere.
	 */
	readonly identity?: string | undefined;
	/** A folder of fleet's own that holds this source and others like it: staged as one. */
	readonly within?: string;
	/** Set for a folder that is laid over another one: inside, what is in either is seen, and the source is written. */
	readonly over?: Lower | undefined;
};

/** The lower folder of two, which nothing inside can change. */
export type Lower = {
	readonly folder: string;
	/** An empty folder on the source's file system, for the kernel's own use; not needed where the mode is `read`. */
	readonly work?: string | undefined;
	/** The user whose files they are, where the caller is root: inside, they are the run's own. */
	readonly owner?: number | undefined;
};

/** Whether a mount is made by a program of the sandbox's in a place of its own, and bound from there. */
export function isPlaced({identity, over}: Mount): boolean {
	return identity !== undefined || over !== undefined;
}

/** A size-capped, empty, private folder. `size` in bytes. */
export type Scratch = {readonly target: string; readonly size: number; readonly mode?: number};

/** Upper bounds for one sandbox. Sizes in bytes. */
export type Limits = {
	readonly processes: number;
	readonly openFiles: number;
	readonly fileSize: number;
	readonly dataSize: number;
	/** Milliseconds; the supervisor ends the run after it. */
	readonly wallClock: number;
	/** What all of the run's processes may hold together, bytes. */
	readonly memory: number;
	/** What the run's folders may grow by, bytes; looked at from time to time. */
	readonly growth: number;
	/** How many more files and folders there may be in them; looked at together with what they take. */
	readonly files: number;
	/** Descriptors of all processes together. */
	readonly descriptors: number;
	/**
	 * What event loops wait for, of all processes together: the kernel
	 * counts it for the account, and has no limit for a part of one.
	 */
	readonly watches: number;
	/** Descriptors on their way in sockets: counted for the account, too. */
	readonly inFlight: number;
	/** Bytes that wait in its connections, to be sent or to be read: the machine has one number of them for everybody. */
	readonly queued: number;
	/** Bytes that a command may write to its output. */
	readonly output: number;
	/** Sizes of /tmp and /dev/shm, which count as memory. */
	readonly tmp: number;
	readonly shm: number;
	/** Milliseconds that one verify command may take. */
	readonly command: number;
	/** Share of the processor of all runs together, against 100 for everything else. */
	readonly weight: number;
};

export const defaultLimits: Limits = {
	processes: 1024,
	openFiles: 8192,
	fileSize: 4 * 1024 ** 3,
	dataSize: 16 * 1024 ** 3,
	wallClock: 24 * 3_600_000,
	memory: 8 * 1024 ** 3,
	growth: 20 * 1024 ** 3,
	files: 1_000_000,
	descriptors: 100_000,
	watches: 250_000,
	inFlight: 200,
	queued: 512 * 1024 ** 2,
	output: 512 * 1024 ** 2,
	tmp: 2 * 1024 ** 3,
	shm: 1024 ** 3,
	command: 30 * 60_000,
	weight: 50,
};

/** Everything that is granted to one sandbox, and nothing else is there. */
export type SandboxPlan = {
	readonly runId: string;
	readonly mounts: readonly Mount[];
	readonly links: ReadonlyArray<{readonly target: string; readonly to: string}>;
	readonly scratch: readonly Scratch[];
	readonly env: Readonly<Record<string, string>>;
	readonly cwd: string;
	readonly limits: Limits;
	/**
	 * True for what only counts: it may read folders that their owner closed,
	 * which would hide what they hold. Nothing of the agent's runs in it.
	 */
	readonly readsAll?: boolean | undefined;
	/** The uid that a root caller drops to before anything of the agent's runs. */
	readonly dropUid: number;
	/** Files that the launch writes its id into before anything of the plan runs: control groups. */
	readonly joins?: readonly string[] | undefined;
	/** Processor the seccomp filter is assembled for. */
	readonly architecture: 'x64' | 'arm64';
};

/** The proxy's address inside every sandbox that has one. */
export const proxyPort = 3128;

/** An unprivileged uid of a run's own, for a root caller: two runs of one machine share no files. */
export function dropUidOf(runId: string): number {
	let hash = 0;
	for (const character of runId) {
		hash = (hash * 31 + character.codePointAt(0)!) % 1_000_000;
	}

	return 210_000_000 + hash;
}
