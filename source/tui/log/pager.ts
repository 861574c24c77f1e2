import {patternOf} from '../../core/text/search.ts';
import {highlight, plainText, readRaw, readSpans} from '../../core/text/spans.ts';
import {wrapSpans} from '../paint/fit.ts';
import {lineTest, MatchCounter, maxDrawnLength, type Matches} from './matches.ts';
import {searchLines, type LineSource, type LogLine} from './reader.ts';
import type {LogRow, LogState, LogView} from '../state.ts';
import type {LogMove} from './move.ts';

/** UTF-16 units that are copied at most. */
const maxCopiedLength = 1024 ** 2;

type Size = {readonly width: number; readonly height: number};

/** What is in view of a log. */
export type LogWindow = Pick<LogState, 'rows' | 'following' | 'range'>;

/** Which lines are shown; undefined for all. */
type Keep = ((text: string) => boolean) | undefined;

export type LogSearch = {
	readonly search: string;
	readonly backward: boolean;
	/** Asked now and then: another search may have begun. */
	readonly aborted: () => boolean;
};

/**
 * What is shown of an agent's structured output where its steps
 * alone are wanted: what it does and says, not what came of each.
 */
function isStep(text: string): boolean {
	return !/^ {2}\S/.test(text);
}

/** A window on a log. Keeps where it is; everything else is read anew. */
export class LogPager {
	readonly #source: LineSource;
	readonly #counter: MatchCounter;
	/** The first line in view; undefined while the end is followed. */
	#at: number | undefined;
	/** The line that was found last; undefined once the view was moved. */
	#found: LogLine | undefined;

	constructor(source: LineSource) {
		this.#source = source;
		this.#counter = new MatchCounter(source);
	}

	#rowsOf(line: LogLine, view: LogView, width: number): LogRow[] {
		const text = line.text.slice(0, maxDrawnLength);
		let spans = view.raw ? readRaw(text) : readSpans(text);
		if (view.search !== '') {
			for (const match of plainText(spans).matchAll(patternOf(view.search))) {
				if (match[0] !== '') {
					spans = highlight(spans, {from: match.index, to: match.index + match[0].length}, {back: 'match'});
				}
			}
		}

		const rows = view.wrap ? wrapSpans(spans, Math.max(1, width)) : [spans];
		return rows.map(own => ({from: line.from, to: line.to, spans: own}));
	}

	/** The window after a move. */
	page(move: LogMove, view: LogView, {width, height}: Size): LogWindow {
		const keep: Keep = view.steps ? isStep : undefined;
		const range = this.#source.range();
		this.#move(move, height, keep);
		if (this.#at !== undefined) {
			const lines = this.#source.after(this.#at, height, keep);
			const rows = lines.flatMap(line => this.#rowsOf(line, view, width));
			const ends = (lines.at(-1)?.to ?? range.to) >= range.to && rows.length <= height;
			if (!ends) {
				return {
					rows: rows.slice(0, height),
					following: false,
					range: {from: range.from, at: this.#at, to: range.to},
				};
			}

			this.#at = undefined;
		}

		const rows = this.#source
			.before(range.to, height, keep)
			.flatMap(line => this.#rowsOf(line, view, width))
			.slice(-height);
		return {
			rows: height === 0 ? [] : rows,
			following: true,
			range: {from: range.from, at: rows[0]?.from ?? range.to, to: range.to},
		};
	}

	#move(move: LogMove, height: number, keep: Keep): void {
		const range = this.#source.range();
		if (!('position' in move) && !('to' in move && move.to === 'same')) {
			this.#found = undefined;
		}

		if (this.#at !== undefined && (this.#at < range.from || this.#at > range.to)) {
			this.#at = undefined;
		}

		if ('to' in move) {
			if (move.to !== 'same') {
				this.#at = move.to === 'start' ? range.from : undefined;
			}

			return;
		}

		if ('position' in move) {
			this.#at = move.position;
			return;
		}

		if (move.by > 0) {
			if (this.#at !== undefined) {
				const lines = this.#source.after(this.#at, move.by + 1, keep);
				this.#at = lines[move.by]?.from;
			}

			return;
		}

		const top = this.#at ?? this.#source.before(range.to, height, keep)[0]?.from ?? range.from;
		this.#at = this.#source.before(top, -move.by, keep)[0]?.from ?? top;
	}

	/**
	 * Looks for the next match, and goes on from the other end where there is none;
	 * undefined where there is none at all. `note`: what a person should know of it.
	 */
	async search({
		search,
		backward,
		aborted,
	}: LogSearch): Promise<{readonly move: LogMove; readonly note: string} | undefined> {
		const pattern = {test: lineTest(search)};
		const {from: first, to} = this.#source.range();
		const last = this.#found;
		const look = (position: number) => searchLines(this.#source, {pattern, position, backward, aborted});
		const next = await look(this.#searchStart(backward));
		const line = next ?? (aborted() ? undefined : await look(backward ? to : first));
		if (!line) {
			return undefined;
		}

		this.#found = line;
		const move = {position: line.from};
		if (next) {
			return {move, note: ''};
		}

		const wrapped = backward ? 'search wrapped to the end' : 'search wrapped to the beginning';
		return {move, note: line.from === last?.from ? 'the only match' : wrapped};
	}

	/** From the last match on; else the newest is what is looked for first. */
	#searchStart(backward: boolean): number {
		if (this.#found) {
			return backward ? this.#found.from : this.#found.to;
		}

		const {to} = this.#source.range();
		const from = this.#at ?? to;
		return backward ? from : (this.#source.after(from, 1)[0]?.to ?? to);
	}

	/** How many lines match, as far as they were counted; undefined where nothing is searched for. */
	matches(search: string): Matches | undefined {
		return this.#counter.matches(search, this.#found?.from);
	}

	/** Counts the lines that match. @param options.anew where lines change after they were written */
	async count(search: string, options: {readonly anew: boolean; aborted(): boolean}): Promise<void> {
		await this.#counter.count(search, options);
	}

	/** Whether the log has grown since lines were counted. */
	isBehind(search: string): boolean {
		return this.#counter.isBehind(search);
	}

	/** The text of the lines between two positions, both included. */
	text(from: number, to: number): string {
		const lines: string[] = [];
		let size = 0;
		for (let at = from; at <= to && size < maxCopiedLength;) {
			const [line] = this.#source.after(at, 1);
			if (!line) {
				break;
			}

			const text = plainText(readSpans(line.text));
			lines.push(text);
			size += text.length + 1;
			at = line.to;
		}

		return lines.join('\n');
	}

	close(): void {
		this.#source.close();
	}
}
