import type {DeployRequest} from '../deploy/request.ts';
import type {SignedStatement} from '../deploy/statement.ts';
import type {ToldTerms} from '../grants/terms.ts';
import type {Plan} from '../tasks/plan.ts';
import type {PackageSummary} from '../packages/summary.ts';
import type {Filter} from '../git/filters.ts';
import type {AgentState} from '../seams.ts';
import type {Suspect} from '../secrets/suspects.ts';
import type {Budget, Usage} from './usage.ts';
import type {Accepted} from '../statement/accept.ts';
import type {Decision} from '../statement/decision.ts';
import type {Viewed} from './viewed.ts';
import type {Facts} from './facts.ts';
import type {DeployOutcome, Retry, Step} from './event.ts';
import {actorName, type Actor} from '../actor.ts';
import type {LimitHit} from '../limits.ts';
import type {Grant} from '../scope.ts';
import {itemIds, type ItemId, type Status} from './audit.ts';
import type {Stage} from './stages.ts';
import type {Published} from '../publish/state.ts';
import type {TrainMove, TrainPlace} from './train-place.ts';
import type {Doubt, VerifyResult} from './verdict.ts';

/** `since`: the first of these; `at`: the last. */
export type Denial = {
	readonly target: string;
	readonly because: string;
	readonly count: number;
	readonly since: string;
	readonly at: string;
	/** What the rules say of a grant of it; undefined where they say nothing. */
	readonly terms?: ToldTerms | undefined;
};
export type Verification = {
	readonly passed: boolean;
	/** `inconclusive`: it could not be told, and `doubt` is why. */ readonly result: VerifyResult;
	readonly doubt: Doubt | undefined;
	readonly base: string;
	readonly head: string;
	readonly tree: string;
	readonly policy: string;
	readonly digest: string;
	readonly steps: readonly Step[];
	readonly because: string;
	readonly at: string;
	/** Where it was verified together with others. */ readonly train?: TrainPlace | undefined;
};
/** What one attempt came to. `usage`: what the run had cost by then, in all. */
export type Round = {
	readonly attempt: number;
	readonly result: VerifyResult;
	readonly because: string;
	readonly usage: Usage;
};
export type Approval = {
	readonly base: string;
	readonly head: string;
	readonly tree: string;
	readonly policy: string;
	readonly verify: string;
	readonly by: Actor;
	readonly because: string;
	readonly at: string;
	/** Who signed, where approvals are. */
	readonly accepted: Accepted | undefined;
	/** How many files it was about, and how many of them were not marked as viewed; undefined where that was not told. */
	readonly viewed: Viewed | undefined;
	/** What it goes on to hold for, where a train put the run on another base; what was said stays beside it. */
	readonly carried?: Carried | undefined;
};
/** Whose approval it is: of those who signed, or of whoever sat at the terminal. */
export function approvedBy({accepted, by}: Pick<Approval, 'accepted' | 'by'>): string {
	return accepted?.by.join(', ') ?? actorName(by);
}

/** What an approval holds for, when not for what was said. `patch`: the change, which is the same on both bases. */
export type Carried = Facts & {readonly verify: string; readonly patch?: string | undefined};
/** A decision that somebody signed. `word`: see `envelopeWord`. */
export type SignedWord = {
	readonly decision: Decision;
	readonly by: string;
	readonly word: string;
	readonly because: string;
	readonly at: string;
};

export type Deployment = {
	readonly target: string;
	readonly commit: string;
	readonly outcome: DeployOutcome | 'running';
	readonly because: string;
	readonly at: string;
	/** The approval that it used up; undefined where it needed none. */
	readonly lease?: string | undefined;
	/** What was brought back by itself, since this was found bad. */
	readonly rolledBack?: Pick<Deployment, 'commit' | 'outcome' | 'because' | 'at'> | undefined;
};

/** What a journal amounts to. */
export type Run = {
	readonly id: string;
	readonly name: string;
	readonly project: {readonly id: string; readonly name: string; readonly root: string};
	readonly agent: string;
	readonly argv: readonly string[];
	/** What it is told in its next attempt, or was in the last one. */
	readonly prompt: string | undefined;
	/** What it was asked for in the first place. */
	readonly task?: string | undefined;
	readonly branch: string;
	/** The commit the run started from. */
	readonly base: string;
	/** The full ref that the result is to be merged into. */
	readonly target: string;
	readonly worktree: string;
	readonly createdAt: string;
	readonly updatedAt: string;
	readonly attempt: number;
	readonly stage: Stage;
	/** Why it is in that stage, in one line. */
	readonly because: string;
	/** What is said in place of stage and reason, where an event tells both at once. */
	readonly phrase?: string | undefined;
	/** When that stage began. */
	readonly since: string;
	/**
	 * How long its agent was at work, over all attempts and without
	 * the time it was frozen: milliseconds, and since when it is now.
	 */
	readonly worked: {readonly ms: number; readonly since: string | undefined};
	/** Who paused it: a person, or fleet because of a limit; undefined while it is not paused. */
	readonly pausedBy?: Actor | undefined;
	/** Since when it had been running as it was paused: ISO 8601. It goes on with that. */
	readonly ranSince?: string | undefined;
	/** Whether what it waits for in the queue will not come by itself. */
	readonly stuck: boolean;
	readonly exit: {readonly code: number | null; readonly signal: string | null} | undefined;
	readonly sandbox: string;
	/** Limits that this attempt met, and that did not end it by themselves. */
	readonly hits: readonly LimitHit[];
	readonly notes: readonly string[];
	readonly grants: readonly Grant[];
	/** What was granted and is not in force any more, the last first. */
	readonly endedGrants: ReadonlyArray<{readonly scope: string; readonly how: 'revoked' | 'expired'}>;
	/** Ports on which programs inside listen, as far as the supervisor looked. */
	readonly listening: readonly number[];
	/** Ports that can be reached from a browser of this machine, and where. */
	readonly openPorts: ReadonlyArray<{readonly port: number; readonly address: string}>;
	/** Denials since the last change of scope that could have answered them, newest first. */
	readonly denials: readonly Denial[];
	/** Denials that a grant answered, by its scope, until something went through: revoked before that, they are back. */
	readonly answered: ReadonlyArray<{readonly scope: string; readonly denials: readonly Denial[]}>;
	/** Targets of which a person does not want to hear again; they stay denied. */
	readonly dismissed: readonly string[];
	/** Pointers that were where they do not belong, newest first, until a person acknowledged them. */
	readonly alarms: readonly Denial[];
	/**
	 * What the agent itself says, and what the supervisor sees, of this attempt; undefined where neither says anything.
	 */
	readonly status:
		| {
				readonly state: AgentState;
				readonly because: string;
				/** When it came to that state. */ readonly since: string;
				readonly at: string;
		  }
		| undefined;
	/** The conversation, as the agent knows it. */
	readonly conversation: string | undefined;
	/** Whether a person talks to the agent, in place of a prompt that is worked off. */
	readonly interactive: boolean;
	readonly usage: Usage;
	readonly budget: Budget | undefined;
	/** What looked like a secret in the work, the last time it was looked at, and what a person waived. */
	readonly suspects: readonly Suspect[];
	readonly waived: readonly string[];
	/** `base`: where its own work begins. */
	readonly captured:
		| {
				readonly head: string;
				readonly base: string;
				readonly commits: number;
				readonly files: number;
				readonly wip: boolean;
				readonly notes: readonly string[];
				/** What in its commits' messages and names is to be looked at first. */
				readonly commitFlags: readonly string[];
				/** What became of packages; not there where no lock file changed, and in older journals. */
				readonly packages?: PackageSummary | undefined;
		  }
		| undefined;
	/** Files in which it conflicts with its target, the last time that the two were to be merged. */
	readonly conflicts: readonly string[] | undefined;
	/** What its next attempt is for: to be brought onto its target. */
	readonly rebase: {readonly prompt: string; readonly onto: string} | undefined;
	readonly verification: Verification | undefined;
	/** The attempts that fleet itself verified since a person last said something to it, the first first. */
	readonly rounds: readonly Round[];
	/** Set while what was found goes back to the agent by itself. */ readonly retry?: Retry | undefined;
	readonly approval: Approval | undefined;
	/** What people signed about it, the newest last; what of it counts, its signatures say. */
	readonly statements: readonly SignedWord[];
	/** The remote over which others were asked to approve it. */
	readonly requestedAt?: string | undefined;
	readonly merge:
		| {
				readonly target: string;
				readonly commit: string;
				readonly checkout: string;
				/** ISO 8601. */ readonly at?: string | undefined;
		  }
		| undefined;
	/** A merge that was begun, and of which no end is written down. */
	readonly merging?:
		| {readonly base: string; readonly commit: string; /** Of a train. */ readonly train?: TrainMove | undefined}
		| undefined;
	/** Set while it is verified together with others: where it stood before. */
	readonly train?: ({readonly id: string} & Pick<Run, 'stage' | 'because' | 'phrase'>) | undefined;
	/** What was published of it at a forge, the last time. */ readonly published?: Published | undefined;
	/** A publication that was begun, and of which no end is written down. */
	readonly publishing?: {readonly head: string; readonly remote: string} | undefined;
	/** Every commit that fleet pushed, or was about to, for it. */ readonly pushed?: readonly string[] | undefined;
	readonly deployments: readonly Deployment[];
	/** A deploy that cannot begin yet, or was approved and did not begin. */
	readonly deployRequest?: DeployRequest | undefined;
	/** What people signed to deploys that were asked for, in their order: nothing is checked. */
	readonly deployAnswers?: readonly SignedStatement[] | undefined;
	/** The last audit; `stale` once a scope or an attempt changed after it. */
	readonly audit:
		| {
				readonly items: ReadonlyArray<{readonly id: ItemId; readonly status: Status}>;
				readonly at: string;
				readonly stale: boolean;
		  }
		| undefined;
	/** What the runs that were begun together have in common. */
	readonly batch: string | undefined;
	/** The run whose good end it waits for before it starts. */
	readonly after: string | undefined;
	/** Files that were copied from the project besides what git keeps: they are in no commit. */
	readonly included?: readonly string[] | undefined;
	/** The key of what setup made for it, and shared; undefined where there is no such thing. */
	readonly layer?: string | undefined;
	/** The folder that its agent works in, from the top of its worktree; undefined for the top. */
	readonly path?: string | undefined;
	/** What it was given of the person's profile of its agent: a digest, and paths below HOME. */
	readonly profile?: {readonly digest: string; readonly files: readonly string[]} | undefined;
	/** Whether it was begun without that, by a person's word. */
	readonly withoutProfile?: boolean | undefined;
	/** Filters that its files pass, as they were when it was made. */
	readonly filters?: readonly Filter[] | undefined;
	/** The plan of tasks that it was asked for; undefined for any other run. */
	readonly plan?: Plan | undefined;
	/** The accepted plan that it does a task of, by the id of the run that proposed it. */
	readonly of?: {readonly plan: string; readonly task: string} | undefined;
	/** The process that owns it, as of its last start. */
	readonly pid: number | undefined;
	readonly seq: number;
};

/** How long a run's agent was at work, milliseconds. @param now milliseconds */
export function timeWorked({worked}: Run, now: number): number {
	return worked.ms + (worked.since === undefined ? 0 : Math.max(0, now - Date.parse(worked.since)));
}

/** Passed and total items of the last audit; a stale one has passed nothing. */
export function checksOf(run: Run): {passed: number; total: number} {
	return {
		passed: run.audit && !run.audit.stale ? run.audit.items.filter(item => item.status === 'PASS').length : 0,
		total: itemIds.length,
	};
}
