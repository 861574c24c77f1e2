import {highlight, plainText, readRaw, readSpans} from '../../core/text/spans.ts';
import type {LogSource} from '../../protocol/client.ts';
import {wrapSpans} from '../paint/fit.ts';
import {LogReader, type LogLine} from './reader.ts';
import type {LogMove, LogRow, LogState, LogView} from '../state.ts';

/** Characters of a line that are ever drawn. */
const drawn = 20_000;

type Size = {readonly width: number; readonly height: number};

/**
 * A search's words as a pattern: a regular expression, or where it is
 * none, the words as they are. No capital: capitals do not matter.
 */
function patternOf(search: string): RegExp {
	const flags = search === search.toLowerCase() ? 'gi' : 'g';
	try {
		return new RegExp(search, flags);
	} catch {
		return new RegExp(search.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`), flags);
	}
}

/**
 * What is shown of an agent's structured output where its steps
 * alone are wanted: what it does and says, not what came of each.
 */
function isStep(text: string): boolean {
	return !/^ {2}\S/.test(text);
}

/** A window on a log. Keeps where it is; everything else is read anew. */
export class LogPager {
	readonly #reader: LogReader;
	readonly #source: LogSource;
	/** The first line in view; undefined while the end is followed. */
	#at: number | undefined;
	/** The line that was found last; undefined once the view was moved. */
	#found: LogLine | undefined;

	constructor(source: LogSource) {
		this.#source = source;
		this.#reader = new LogReader(source);
	}

	#rowsOf(line: LogLine, view: LogView, width: number): LogRow[] {
		const text = line.text.slice(0, drawn);
		let spans = view.raw ? readRaw(text) : readSpans(text);
		if (view.search !== '') {
			for (const match of plainText(spans).matchAll(patternOf(view.search))) {
				if (match[0] !== '') {
					spans = highlight(spans, match.index, match.index + match[0].length, {back: 'match'});
				}
			}
		}

		const rows = view.wrap ? wrapSpans(spans, Math.max(1, width)) : [spans];
		return rows.map(own => ({from: line.from, to: line.to, spans: own}));
	}

	/** The window after a move. */
	page(run: string, kind: LogState['kind'], view: LogView, {width, height}: Size, move: LogMove): LogState {
		const keep = view.steps ? isStep : undefined;
		const range = this.#reader.range();
		this.#move(move, height, range, keep);
		if (this.#at !== undefined) {
			const lines = this.#reader.after(this.#at, height, keep);
			const rows = lines.flatMap(line => this.#rowsOf(line, view, width));
			const ends = (lines.at(-1)?.to ?? range.to) >= range.to && rows.length <= height;
			if (!ends) {
				return {
					run,
					kind,
					rows: rows.slice(0, height),
					following: false,
					range: {from: range.from, at: this.#at, to: range.to},
				};
			}

			this.#at = undefined;
		}

		const rows = this.#reader
			.before(range.to, height, keep)
			.flatMap(line => this.#rowsOf(line, view, width))
			.slice(-height);
		return {
			run,
			kind,
			rows: height === 0 ? [] : rows,
			following: true,
			range: {from: range.from, at: rows[0]?.from ?? range.to, to: range.to},
		};
	}

	#move(
		move: LogMove,
		height: number,
		range: {from: number; to: number},
		keep: ((text: string) => boolean) | undefined,
	): void {
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
				const lines = this.#reader.after(this.#at, move.by + 1, keep);
				this.#at = lines[move.by]?.from;
			}

			return;
		}

		const top = this.#at ?? this.#reader.before(range.to, height, keep)[0]?.from ?? range.from;
		this.#at = this.#reader.before(top, -move.by, keep)[0]?.from ?? top;
	}

	/**
	 * Looks for the next match, and goes on from the other end where there is none;
	 * undefined where there is none at all. `note`: what a person should know of it.
	 */
	async search(
		search: string,
		backward: boolean,
		shown: LogState | undefined,
		aborted: () => boolean,
	): Promise<{readonly move: LogMove; readonly note: string} | undefined> {
		const pattern = new RegExp(patternOf(search).source, patternOf(search).flags.replace('g', ''));
		const {from: first, to} = this.#reader.range();
		const last = this.#found;
		// The newest is what is looked for first; from a match on, the next one in either direction.
		const from = this.#at ?? (shown?.following ? to : shown?.range.at) ?? to;
		let start: number;
		if (last) {
			start = backward ? last.from : last.to;
		} else {
			start = backward ? from : (this.#reader.after(from, 1)[0]?.to ?? to);
		}

		const matches = {test: (text: string) => pattern.test(plainText(readSpans(text.slice(0, drawn))))};
		const next = await this.#reader.search(matches, start, backward, aborted);
		const line =
			next ?? (aborted() ? undefined : await this.#reader.search(matches, backward ? to : first, backward, aborted));
		if (!line) {
			return undefined;
		}

		this.#found = line;
		const move = {position: line.from};
		if (next) {
			return {move, note: ''};
		}

		if (line.from === last?.from) {
			return {move, note: 'the only match'};
		}

		return {move, note: backward ? 'search wrapped to the end' : 'search wrapped to the beginning'};
	}

	/** The words of the lines between two positions, both included. At most a megabyte. */
	text(from: number, to: number): string {
		const lines: string[] = [];
		let size = 0;
		for (let at = from; at <= to && size < 1024 ** 2;) {
			const [line] = this.#reader.after(at, 1);
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
