import {actorName, type Actor} from '../actor.ts';
import type {EntryOf, RunEvent} from './event.ts';
import type {Run} from './run.ts';

/** What each event changes in a run, but for the first, which makes it. A type that is missing does not compile. */
export type Changes = {
	readonly [Type in Exclude<RunEvent['type'], 'run.created'>]: (run: Run, entry: EntryOf<Type>) => Partial<Run>;
};

/** A reason as it was given: where nobody gave one, the journal has who did it, which is none. */
export function givenReason(because: string): string {
	return because.startsWith('by ') ? '' : because;
}

/** What a person did, with the reason where one was given. */
export function done(what: string, because: string, actor: Actor): string {
	if (because === '') {
		return `${what} by ${actorName(actor)}`;
	}

	return because.startsWith('by ') ? `${what} ${because}` : `${what}: ${because}`;
}
