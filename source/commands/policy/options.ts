import type {Context} from '../../engine/context.ts';
import type {Io} from '../../terminal/program.ts';
import {json, text, type OptionValues} from '../verb.ts';

/* What all of `fleet policy` takes, and what each of its actions is. */

export const options = {
	project: text('NAME', 'the project; by default the one this folder belongs to'),
	json,
};

/** What was typed after the action. */
export type PolicyRequest = {
	readonly first: string | undefined;
	readonly second: string | undefined;
	readonly options: OptionValues<typeof options>;
};

/** One of the things to ask of a policy. Returns the exit code; nothing is 0. */
export type PolicyAction = (context: Context, io: Io, request: PolicyRequest) => Promise<number | void>;
