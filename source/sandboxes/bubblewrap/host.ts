/* What a launch needs of this machine, as it was found. */

/** Absolute paths of the programs that the launch needs; all but bwrap are of util-linux, coreutils and the shell. */
export type Tools = Readonly<
	Record<'bwrap' | 'sh' | 'unshare' | 'setpriv' | 'nsenter' | 'prlimit' | 'nice' | 'env', string>
>;

/** The host's side of a launch. */
export type Host = {
	readonly tools: Tools;
	/** True where the caller's uid is 0: sources are staged in a mount namespace, then the uid is dropped. */
	readonly root: boolean;
	/** An empty folder of root's that everyone may enter; the private staging area is mounted there. */
	readonly stage: string;
	/** Where granted mounts are staged, inside the holder's mount namespace alone; and an empty folder. */
	readonly granted: string;
	readonly empty: string;
	/** What runs the holder: the system's Perl, or Node where there is none. */
	readonly perl: string | undefined;
	readonly node: string;
	/** Files of /proc that tell about the whole machine or command it; those of them that this kernel has. */
	readonly maskedProc: readonly string[];
	/**
	 * The part of what the kernel gives to an account in all that a sandbox
	 * may take: counts of its user namespace, and limits of processes.
	 */
	readonly ofAccount: {
		readonly counts: Readonly<Record<string, number>>;
		readonly limits: Readonly<Record<string, number>>;
	};
	/** Paths of the files that hold the filter and the arguments. */
	readonly files: {readonly seccomp: string; readonly entered: string; readonly alone: string};
};
