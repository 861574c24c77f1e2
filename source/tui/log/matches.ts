import {patternOf} from '../../core/text/search.ts';
import {plainText, readSpans} from '../../core/text/spans.ts';
import type {LineSource} from './reader.ts';

/* How many lines of a log match a search, and which of them the one in view is. */

/** UTF-16 units of a line that are ever drawn, and searched. */
export const maxDrawnLength = 20_000;

/** Lines that are looked through before keys get a turn. */
const batch = 1000;

/** Bytes that are looked through at most: a count is not worth more of the machine. */
const maxCountedBytes = 128 * 1024 ** 2;

/** Matches that are counted at most. */
const maxMatches = 100_000;

/** `at`: which of the lines is the one that was gone to last, from 0; `isWhole`: whether all of the log was counted. */
export type Matches = {readonly at: number | undefined; readonly total: number; readonly isWhole: boolean};

/** The same in words: `match 3/17`, and `17+` where there may be more; empty for what was not counted. */
export function matchText(matches: Matches | undefined): string {
	return matches?.at === undefined ? '' : `match ${matchCount(matches)}`;
}

/** The same as a number: `3/17`, or how many there are in all. */
export function matchCount(matches: Matches | undefined): string {
	if (!matches) {
		return '';
	}

	const {at, total, isWhole} = matches;
	return `${at === undefined ? '' : `${at + 1}/`}${total}${isWhole ? '' : '+'}`;
}

/** What a line is tested with for a search, without what colours it. No text is an error: see `patternOf`. */
export function lineTest(search: string): (text: string) => boolean {
	const {source, flags} = patternOf(search);
	const expression = new RegExp(source, flags.replace('g', ''));
	return text => expression.test(plainText(readSpans(text.slice(0, maxDrawnLength))));
}

/** Counts the lines of a log that match, from its beginning on, and goes on where it grew. */
export class MatchCounter {
	readonly #source: LineSource;
	#search = '';
	/** Where each line begins that matches. */
	#found: number[] = [];
	/** The first byte that was counted, and the last line that was, which may not have been finished. */
	#from = 0;
	#last = 0;
	/** The end of what was counted. */
	#to = 0;

	constructor(source: LineSource) {
		this.#source = source;
	}

	/**
	 * Counts what was not counted yet.
	 * @param options.anew where lines change after they were written
	 * @param options.aborted asked between batches: another search may have begun
	 */
	async count(search: string, {anew, aborted}: {readonly anew: boolean; aborted(): boolean}): Promise<void> {
		const {from} = this.#source.range();
		if (anew || search !== this.#search) {
			[this.#search, this.#found, this.#from, this.#last, this.#to] = [search, [], from, from, from];
		}

		const matches = lineTest(search);
		// Those that are not in the log any more are no matches.
		this.#found = this.#found.filter(at => at >= from && at < this.#last);
		let at = Math.max(from, this.#last);
		while (!aborted() && this.#hasRoom()) {
			const lines = this.#source.after(at, batch);
			if (lines.length === 0) {
				return;
			}

			this.#found.push(...lines.filter(({text}) => matches(text)).map(line => line.from));
			this.#last = lines.at(-1)!.from;
			this.#to = lines.at(-1)!.to;
			at = this.#to;
			await new Promise(resolve => {
				setImmediate(resolve);
			});
		}
	}

	#hasRoom(): boolean {
		return this.#to - this.#from < maxCountedBytes && this.#found.length < maxMatches;
	}

	/** Whether there is more to be counted for a search than was. */
	isBehind(search: string): boolean {
		return search !== this.#search || (this.#to < this.#source.range().to && this.#hasRoom());
	}

	/** What was counted for a search; undefined before. @param line where the line begins that was gone to last */
	matches(search: string, line: number | undefined): Matches | undefined {
		if (search !== this.#search || search === '') {
			return undefined;
		}

		const at = line === undefined ? -1 : this.#found.indexOf(line);
		const {to} = this.#source.range();
		return {at: at === -1 ? undefined : at, total: this.#found.length, isWhole: this.#to >= to};
	}
}
