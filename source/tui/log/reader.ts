import type {LogSource} from '../../protocol/client.ts';

/** One line of a log: where it begins, where the next one does, and its text without the line feed. */
export type LogLine = {readonly from: number; readonly to: number; readonly text: string};

/** Lines by position, from a log or from what a terminal shows. Positions grow from line to line. */
export type LineSource = {
	/** The position of the first line that there is, and the end. */
	range(): {readonly from: number; readonly to: number};
	/** At most `count` lines from a position on, which must be a line's beginning. @param keep which lines are shown */
	after(position: number, count: number, keep?: (text: string) => boolean): LogLine[];
	/** At most `count` lines that end at or before a position, oldest first. */
	before(position: number, count: number, keep?: (text: string) => boolean): LogLine[];
	close(): void;
};

/** Bytes that are read at once. */
const blockBytes = 64 * 1024;

/** A line is cut after this many bytes: nobody reads a longer one, and it must not hold up a key. */
const maxLineBytes = 256 * 1024;

/** Bytes that are looked through for lines that are shown, where most are hidden. */
const maxLookedBytes = 8 * 1024 ** 2;

const lineFeed = 10;

/**
 * Reads a log by position, as a pager does: nothing is indexed, so that one of a gigabyte opens at once, and each
 * step costs what is on the screen.
 */
export class LogReader implements LineSource {
	readonly #source: LogSource;
	readonly #decoder = new TextDecoder();

	constructor(source: LogSource) {
		this.#source = source;
	}

	range(): {from: number; to: number} {
		return this.#source.range();
	}

	after(position: number, count: number, keep: (text: string) => boolean = () => true): LogLine[] {
		const {from: first, to: end} = this.#source.range();
		const lines: LogLine[] = [];
		let at = Math.max(first, position);
		let looked = 0;
		while (lines.length < count && at < end && looked < maxLookedBytes) {
			let size = blockBytes;
			let bytes = this.#source.read(at, Math.min(end, at + size));
			// A line may be longer than a block; the last one may not be finished.
			while (!bytes.includes(lineFeed) && at + size < end && size < maxLineBytes) {
				size *= 2;
				bytes = this.#source.read(at, Math.min(end, at + size));
			}

			looked += bytes.length;
			let start = 0;
			while (start < bytes.length && lines.length < count) {
				let stop = bytes.indexOf(lineFeed, start);
				const whole = stop !== -1;
				if (!whole) {
					if (start > 0 && at + bytes.length < end) {
						break;
					}

					stop = bytes.length;
				}

				const to = at + stop + (whole ? 1 : 0);
				const text = this.#decoder.decode(bytes.subarray(start, stop));
				if (keep(text)) {
					lines.push({from: at + start, to, text});
				}

				start = to - at;
			}

			at += Math.max(1, start);
		}

		return lines;
	}

	before(position: number, count: number, keep: (text: string) => boolean = () => true): LogLine[] {
		const {from: first, to: end} = this.#source.range();
		const lines: LogLine[] = [];
		let stop = Math.min(end, position);
		let looked = 0;
		let size = blockBytes;
		while (lines.length < count && stop > first && looked < maxLookedBytes) {
			const start = Math.max(first, stop - size);
			const bytes = this.#source.read(start, stop);
			looked += bytes.length;
			// What comes before the first line feed may begin further up.
			const last = bytes.at(-1) === lineFeed ? bytes.length - 1 : bytes.length;
			let begin = start === first ? 0 : bytes.indexOf(lineFeed) + 1;
			if (start !== first && (begin === 0 || begin > last)) {
				if (size < maxLineBytes) {
					size *= 2;
					continue;
				}

				begin = 0;
			}

			let to = bytes.length;
			let lineEnd = last;
			while (lines.length < count && to > begin) {
				const previous = lineEnd === 0 ? -1 : bytes.lastIndexOf(lineFeed, lineEnd - 1);
				const lineStart = Math.max(begin, previous + 1);
				const text = this.#decoder.decode(bytes.subarray(lineStart, lineEnd));
				if (keep(text)) {
					lines.push({from: start + lineStart, to: start + to, text});
				}

				to = lineStart;
				lineEnd = lineStart - 1;
			}

			stop = start + to;
			size = blockBytes;
		}

		return lines.reverse();
	}

	close(): void {
		this.#source.close();
	}
}

/** Lines that are looked through before keys get a turn. */
const searchBatch = 5000;

export type LineSearch = {
	readonly pattern: {test(text: string): boolean};
	readonly position: number;
	readonly backward: boolean;
	/** Asked between the batches: another search may have begun. */
	readonly aborted: () => boolean;
};

/** The next line that matches, looking away from a position; undefined where there is none. */
export async function searchLines(
	source: LineSource,
	{pattern, position, backward, aborted}: LineSearch,
): Promise<LogLine | undefined> {
	let at = position;
	for (;;) {
		const lines = backward ? source.before(at, searchBatch) : source.after(at, searchBatch);
		if (lines.length === 0 || aborted()) {
			return undefined;
		}

		const found = backward
			? lines.findLast(line => pattern.test(line.text))
			: lines.find(line => pattern.test(line.text));
		if (found) {
			return found;
		}

		at = backward ? lines[0]!.from : lines.at(-1)!.to;
		await new Promise(resolve => {
			setTimeout(resolve, 0);
		});
	}
}
