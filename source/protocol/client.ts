import type {Changes} from '../core/changes.ts';
import type {Entry} from '../core/event.ts';
import type {Project} from '../core/project.ts';
import type {Run} from '../core/run.ts';

/** What a verb ended with. */
export type ActionResult = {readonly code: number; readonly stdout: string; readonly stderr: string};

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
