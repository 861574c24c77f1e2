import type {Changes} from '../core/changes.ts';
import type {Entry} from '../core/event.ts';
import type {Project} from '../core/project.ts';
import type {Run} from '../core/run.ts';

/** What a verb ended with. */
export type ActionResult = {readonly code: number; readonly stdout: string; readonly stderr: string};

/** An agent as it is chosen. `secret`: the name of what its model needs, and `hosts`, what that opens; undefined for an agent without a model. */
export type AgentView = {readonly id: string; readonly title: string; readonly installed: boolean; readonly model: {readonly secret: string; readonly hosts: readonly string[]} | undefined};

/** A secret as `fleet secret list --json` prints it. */
export type SecretView = {readonly reference: string; readonly project: string | null; readonly store: string; readonly class: string; readonly hosts: readonly string[]; readonly paths: readonly string[]; readonly environment: string | null; readonly holders: ReadonlyArray<{readonly run: string; readonly scope: string; readonly until: string | null}>};

/** A place for secrets as `fleet secret stores --json` prints it. */
export type StoreView = {readonly id: string; readonly title: string; readonly state: 'unlocked' | 'locked' | 'none'; readonly because: string};

/**
 * All that the screen can do: read what was written down, and ask for a verb as a person would type it.
 * It can reach no secret, no worktree and no sandbox, since none is behind this interface.
 */
export type FleetClient = {
	/** Every run, newest first. */
	runs(): readonly Run[];
	/** What the runs changed, as far as it was counted, by run. */
	changes(): Readonly<Record<string, Changes>>;
	projects(): readonly Project[];
	/** The agents there are, in the order they are shown, and whether their program is here. */
	agents(): readonly AgentView[];
	journal(runId: string): readonly Entry[];
	/** Calls back, at most every 50 ms, when any journal changed. @returns a function that ends it */
	watch(changed: () => void): () => void;
	/** The end of a run's output, then what is added to it. @returns a function that ends it */
	follow(runId: string, onBytes: (bytes: Uint8Array, fresh: boolean) => void): () => void;
	/** `fleet <argv>`, as a process of its own, so that it goes on if the screen ends. */
	act(argv: readonly string[]): Promise<ActionResult>;
	/** The folder the screen was started in, and the project that it belongs to, if any. */
	readonly here: {readonly folder: string; readonly project: string | undefined};
	/** Commands that were used before, newest first. */
	recentCommands(): Promise<readonly string[]>;
	now(): number;
};
