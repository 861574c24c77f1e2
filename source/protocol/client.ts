import type {Changes} from '../core/run/changes.ts';
import type {Activity} from '../core/run/activity.ts';
import type {Spend} from '../core/run/spend.ts';
import type {Entry} from '../core/run/event.ts';
import type {LockChange} from '../core/packages/difference.ts';
import type {Project} from '../core/project.ts';
import type {Review} from '../core/review/comments.ts';
import type {Run} from '../core/run/run.ts';
import type {Settings} from '../core/settings.ts';
import type {VerbReport} from './report.ts';

export type {Settings} from '../core/settings.ts';
export type {DeployPlanView, DiskView, ProfileView, ProjectView, SecretView, StoreView} from './views.ts';

/** What a verb ended with, and what it reported. */
export type ActionResult = {
	readonly code: number;
	readonly stdout: string;
	readonly stderr: string;
	readonly report?: VerbReport | undefined;
};

/**
 * An agent as it is chosen. `secret`: the name of what its model needs,
 * and `hosts`, what that opens; undefined for an agent without a model.
 */
export type AgentView = {
	readonly id: string;
	readonly title: string;
	readonly installed: boolean;
	/** See `Agent.instructions`. */
	readonly instructions: readonly string[];
	readonly model:
		| {readonly secret: string; readonly login?: string | undefined; readonly hosts: readonly string[]}
		| undefined;
};

/** A log as one range of bytes, of which the first may be gone. */
export type LogSource = {
	range(): {readonly from: number; readonly to: number};
	read(from: number, to: number): Uint8Array;
	close(): void;
};

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
	agents(): Promise<readonly AgentView[]>;
	journal(runId: string): readonly Entry[];
	/** What happened last over all runs, newest first, and what was spent today. Not needed for the first frame. */
	activity(limit: number): Promise<{readonly lines: readonly Activity[]; readonly today: Spend}>;
	/** Calls back soon after any journal changed. @returns a function that ends it */
	watch(changed: () => void): () => void;
	/** What a run's agent wrote, or its verification or deploy, the last time. */
	openLog(runId: string, kind: 'output' | 'verify' | 'deploy'): LogSource;
	/** Calls back soon after a run's logs grew. @returns a function that ends it */
	watchLog(runId: string, changed: () => void): () => void;
	/**
	 * `fleet <argv>`, as a process of its own, so that it goes on if the screen ends.
	 * Never rejects: one that could not be started says why, as one that refused.
	 * @param onLine gets each line of its output as it comes
	 * @param input what it reads from stdin
	 */
	act(argv: readonly string[], onLine?: (line: string) => void, input?: string): Promise<ActionResult>;
	review(runId: string): Review;
	/** What became of packages in the lock files of a run's change, as it was when its diff was last asked for. */
	packages(runId: string): readonly LockChange[];
	/** @returns why it could not be kept, if it could not */
	saveReview(runId: string, review: Review): string | undefined;
	/** What a person set, and what is wrong with it, if anything. Not needed for the first frame. */
	settings(): Promise<{readonly settings: Settings; readonly problem: string | undefined}>;
	/** Changes some of what is set, for the next time, too. @returns why it could not be kept, if it could not */
	saveSettings(settings: Partial<Settings>): Promise<string | undefined>;
	/** Says something to the terminal around the screen. None of it moves the cursor. */
	readonly terminal: {
		title(text: string): void;
		bell(): void;
		notify(text: string): void;
		/** @returns what became of it, in words: never more than is known */ copy(text: string): Promise<string>;
		mouse(on: boolean): void;
		askBackground(): void;
	};
	/** The folder the screen was started in, and the project that it belongs to, if any. */
	readonly here: {readonly folder: string; readonly project: string | undefined};
	/** Commands and prompts that were used before, newest first. */
	recent(): Promise<{readonly commands: readonly string[]; readonly prompts: readonly string[]}>;
	now(): number;
	/** Colours of the terminal: none where they are not wanted (NO_COLOR). */
	readonly colours: 0 | 16 | 256;
	/** The time of day, minutes since midnight. */
	timeOfDay(): number;
};
