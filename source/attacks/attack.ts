import type {SandboxPlan} from '../core/plan.ts';
import type {Context} from '../engine/context.ts';
import type {Box, Result} from './box.ts';
import type {ThrowawayProject} from './project.ts';

/*
 * What an attack is: data about it, what is tried, and how to tell whether it
 * came through. The protections without which each works are in test/attacks/.
 */

export const areas = ['git', 'files', 'processes', 'network', 'resources', 'terminal', 'host'] as const;
export type Area = (typeof areas)[number];

type About = {
	/** Its name in results and in tests. */
	readonly id: string;
	readonly title: string;
	/** Where it is known from: an advisory, a reproduction, a habit of agents. */
	readonly source: string;
	/** What stops it. */
	readonly answer: string;
};

/** What was put there to be reached, and how it is taken away. */
export type Bait = {
	readonly port?: number;
	readonly pid?: number;
	readonly text?: string;
	/** How often the host saw it touched. */
	readonly hits?: () => number;
	close?(): void;
};

/** Tried by a shell inside a sandbox as a run has it. */
export type SandboxAttack = About & {
	readonly kind: 'sandbox';
	/** Changes what is granted, where the default does not show the point in a short time. */
	plan?(plan: SandboxPlan, folder: string): SandboxPlan;
	prepare?(box: Box): Promise<Bait> | Bait;
	script(box: Box, bait: Bait): string;
	/** False: in an empty network namespace, without the proxy. */
	readonly network?: boolean;
	/** True: a limit of the whole may end it, which stops it. */
	readonly mayEnd?: boolean;
	/** On a terminal instead of pipes. */
	readonly terminal?: boolean;
	/** Whether the attacker got what it wanted. */
	came(result: Result, box: Box, bait: Bait): boolean | Promise<boolean>;
};

/** Where a git attack is looked at afterwards. `git` runs in the person's project. */
export type GitScene = {
	readonly project: string;
	readonly worktree: string;
	readonly marker: string;
	readonly before: string;
	git(...argv: string[]): string;
};

/** Tried by an agent that commits in a worktree; what counts is what happens to the person's repository. */
export type GitAttack = About & {
	readonly kind: 'git';
	/** Attacks of one batch do not disturb each other, and may be tried in one run. */
	readonly batch?: string;
	prepare?(git: (...argv: string[]) => string, project: string): void;
	/** `marker`: a file whose presence means that code ran outside. */
	script(scene: {readonly marker: string}): string;
	/** What the person does next. Failures are answers, too. */
	person?(git: (...argv: string[]) => void, scene: GitScene): void;
	came(scene: GitScene): boolean;
};

/** Tried against fleet itself, on the host. */
export type HostAttack = About & {
	readonly kind: 'host';
	/** @returns whether the attacker got what it wanted */
	attempt(tools: {
		readonly context: Context;
		readonly folder: string;
		project(files?: Readonly<Record<string, string>>): Promise<ThrowawayProject>;
	}): Promise<boolean>;
};

export type Attack = (SandboxAttack | GitAttack | HostAttack) & {readonly area: Area};
