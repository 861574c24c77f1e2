import {isPerson, type Actor} from '../actor.ts';

/* What the words of events have in common. */

/** A text in one line, cut at a length in UTF-16 units. */
export const shorten = (text: string, length: number) => {
	const line = text.replaceAll(/\s+/g, ' ').trim();
	return line.length > length ? `${line.slice(0, length - 1)}…` : line;
};

/** A reason, in quotes; empty for none. */
export const quoted = (because: string | undefined) =>
	because === undefined || because.trim() === '' ? '' : `: “${shorten(because, 200)}”`;

/** Whose decision it was; nobody's name where fleet or the agent itself did it. */
export function nameOf(actor: Actor): string | undefined {
	const other = actor === 'policy' ? 'the policy' : undefined;
	return isPerson(actor) ? actor.slice('person:'.length) : other;
}
