import type {ItemId, Status} from './audit.ts';
import type {PublishStart} from '../publish/event.ts';
import type {Task, Terms} from '../tasks/plan.ts';
import type {Facts} from './facts.ts';
import type {Accepted} from '../statement/accept.ts';
import type {Viewed} from './viewed.ts';
import type {TrainMove} from './train-place.ts';
import type {Grant} from '../scope.ts';
import type {Budget} from './usage.ts';

/*
 * What a person may have done to a run. `decide` says what comes of each; nothing else changes a run, but what happens
 * to it by itself.
 */

/** Turns a scope on. */
export type GrantCommand = {
	readonly type: 'grant';
	/** Eight hexadecimal digits, by chance. */
	readonly id: string;
	/** In its one spelling. */
	readonly scope: string;
	readonly because: string;
	/** Milliseconds; undefined for as long as the run goes on. */
	readonly durationMs?: number | undefined;
	/** The secret behind it, as whoever owns the journal knows it. */
	readonly reference?: string | undefined;
	/** What a `files:` scope names, as whoever owns the journal looked at it: `device:inode`. */
	readonly identity?: string | undefined;
	/** After so many uses it is taken back; undefined for any number. */
	readonly uses?: number | undefined;
	/** Where a rule wants it signed: when it was, until when it is, both ISO 8601, and who signed. */
	readonly signed?:
		| ({readonly at: string; readonly until?: string | undefined} & NonNullable<Grant['signed']>)
		| undefined;
	/** `now`: the run has it already; `start`, the default: at its next start; other words: why it waits until then. */
	readonly reaches?: string;
};

/** What may be done to a run that is going on, too: whoever owns its journal does it. */
export type OwnerCommand =
	| GrantCommand
	| {readonly type: 'revoke'; /** As it is granted. */ readonly scope: string; readonly because: string}
	| {readonly type: 'stop'; readonly because: string}
	/** It waits for no other run any more; a place it still waits for. */
	| {readonly type: 'release'; readonly because: string}
	| {readonly type: 'freeze'; readonly because: string}
	| {readonly type: 'thaw'; readonly because: string}
	| {readonly type: 'budget'; /** Null takes it away. */ readonly budget: Budget | null; readonly because: string}
	| {readonly type: 'dismiss'; readonly target: string; readonly because: string}
	| {readonly type: 'acknowledge'; readonly because: string}
	| {
			readonly type: 'audit';
			readonly items: ReadonlyArray<{readonly id: ItemId; readonly status: Status}>;
			/** What was asked of the gates from inside. */
			readonly asked: readonly string[];
			readonly because: string;
	  };

/** What is done to a run that has no agent: by the process of the verb itself, which holds the journal meanwhile. */
export type HandoverCommand =
	| {readonly type: 'resume'; readonly prompt: string; /** The target's tip. */ readonly onto?: string | undefined}
	| {readonly type: 'verify'; readonly facts: Facts; readonly commands: readonly string[]}
	| {readonly type: 'plan-edit'; readonly tasks: readonly Task[]}
	| {readonly type: 'plan-accept'; readonly terms: Terms}
	| {readonly type: 'task-release'; readonly task: string; readonly because: string}
	| {readonly type: 'task-drop'; readonly task: string; readonly because: string}
	| {readonly type: 'waive'; readonly because: string}
	| {
			readonly type: 'approve';
			readonly facts: Facts;
			readonly because: string;
			readonly accepted?: Accepted | undefined;
			readonly viewed?: Viewed | undefined;
	  }
	| {readonly type: 'reject'; readonly because: string}
	| {
			readonly type: 'merge';
			readonly facts: Facts;
			/** What the target becomes. */ readonly commit: string;
			/** Set where the target moves over several runs at once. */ readonly train?: TrainMove;
	  }
	| ({readonly type: 'publish'; readonly when: 'verified' | 'approved'} & PublishStart)
	| {
			readonly type: 'deploy';
			readonly target: string;
			/** What was typed for the target's name. */
			readonly confirmed: string | undefined;
			/** When the target takes deploys, as the policy has it. */
			readonly window: string | undefined;
			/** Whether it does not wait for the window. */
			readonly outside: boolean;
			readonly because: string;
			readonly command: string;
			/** Their names. */
			readonly credentials: readonly string[];
			/** The approval that it uses up. */
			readonly lease?: string | undefined;
	  }
	| {readonly type: 'retarget'; /** A full ref. */ readonly target: string; readonly because: string}
	| {
			readonly type: 'discard';
			readonly because: string;
			/** Refs that hold the work. */ readonly kept: readonly string[];
	  }
	| {readonly type: 'restore'; readonly because: string};

export type Command = OwnerCommand | HandoverCommand;

export type CommandOf<Type extends Command['type']> = Extract<Command, {readonly type: Type}>;
