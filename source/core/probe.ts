/* What the host tells the program that tries things inside, and what it hears back. */

/** What the attempts need to know. Every path and port is a real one of the host's, planted for this audit. */
export type ProbeRequest = {
	readonly canary: string;
	/** Files on the host that hold the canary, or other text that must not be readable. */
	readonly files: ReadonlyArray<{readonly id: string; readonly path: string}>;
	readonly home: string;
	/** Where agents keep a person's logins, below HOME. */
	readonly loginPaths: readonly string[];
	readonly worktree: string;
	readonly commonDir: string;
	readonly target: string;
	readonly mark: string;
	/** Host listeners. */
	readonly tcp: ReadonlyArray<{readonly host: string; readonly port: number}>;
	readonly udpPort: number;
	readonly unixSocket: string;
	readonly controlSocket: string;
	readonly proxyPort: number;
	readonly sentinelPid: number;
	readonly namespaces: Readonly<Record<string, string>>;
	readonly credentialNames: readonly string[];
	readonly internalHost: string;
	/** What the run's limits are, by their titles in /proc/self/limits. */
	readonly limits: Readonly<Record<string, number>>;
};

/**
 * One attempt from inside: whether it was blocked (undefined: it could
 * not be tried), what was seen, and whether trying was possible at all.
 */
export type Attempt = {
	readonly id: string;
	readonly blocked: boolean | undefined;
	readonly seen: string;
	readonly control: boolean;
};

/**
 * Whether a proxy refused a tunnel, by the first line of its answer. One that did not answer, as on a machine that has no
 * time for it, neither refused nor let anything through: undefined.
 */
export function isRefused(answer: string): boolean | undefined {
	const [, kind] = /^HTTP\/1\.1 ([24])\d\d/.exec(answer) ?? [];
	return kind === undefined ? undefined : kind === '4';
}
