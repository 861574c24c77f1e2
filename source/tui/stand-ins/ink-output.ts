import {reduceAnsiCodesIncremental, type AnsiCode} from '@alcalzone/ansi-tokenize';
import Output from '../../../node_modules/ink/build/output.js';
import {isPlain} from '../paint/plain.ts';
import {codesOf} from './ansi-tokenize.ts';
import {piecesOf} from './plain-row.ts';
import {Recent} from './recent.ts';

/*
 * What Ink loads in the place of its own `output.js`, by the build. Ink writes each frame into a grid of cells, which it
 * makes anew and puts together again, cell by cell: a third of the processor's time for a key. Where a frame is one text
 * that begins in the first column, no row of it depends on another one, so rows are kept, and one of plain text and
 * colours that ends without a style is what Ink would write, cell by cell. All others are put together by Ink.
 */

type Options = Parameters<Output['write']>[3];

interface Write {
	readonly x: number;
	readonly y: number;
	readonly text: string;
	readonly transformers: Options['transformers'];
}

/** Whether each character of a row is one cell, all of them have room, and the last one leaves no style behind. */
function isWhole(row: string, width: number): boolean {
	let current: AnsiCode[] = [];
	let column = 0;
	const pieces = piecesOf(row);
	for (const [index, piece] of pieces?.entries() ?? []) {
		if (index % 2 === 1) {
			current = reduceAnsiCodesIncremental(current, codesOf(piece));
		} else {
			column += piece.length;
		}
	}

	return pieces !== undefined && current.length === 0 && column <= width;
}

/** A frame of a large terminal, and some of the one before. */
const maxRows = 150;

/** What rows became, for outputs of one width. */
let kept = {width: 0, rows: new Recent<string>(maxRows)};

/** Rows as Ink makes them. @param rows styled, of one line each @param width of the output, in cells */
function makeRows(rows: readonly string[], width: number): string[] {
	const output = new Output({width, height: rows.length});
	for (const [y, row] of rows.entries()) {
		output.write(0, y, row, {transformers: []});
	}

	return output.get().output.split('\n');
}

/** Rows as they are written. @param rows styled, of one line each @param width of the output, in cells */
function rowsOf(rows: readonly string[], width: number): string[] {
	if (kept.width !== width) {
		kept = {width, rows: new Recent(maxRows)};
	}

	const made = new Map(rows.map(row => [row, kept.rows.get(row) ?? (isWhole(row, width) ? row.trimEnd() : undefined)]));
	const missing = [...made.keys()].filter(row => made.get(row) === undefined);
	if (missing.length > 0) {
		for (const [index, row] of makeRows(missing, width).entries()) {
			made.set(missing[index]!, row);
		}
	}

	return rows.map(row => kept.rows.set(row, made.get(row)!));
}

export default class RowOutput extends Output {
	readonly #writes: Write[] = [];
	#isClipped = false;

	// oxlint-disable-next-line max-params -- Ink's interface
	override write(x: number, y: number, text: string, options: Options): void {
		this.#writes.push({x, y, text, transformers: options.transformers});
		super.write(x, y, text, options);
	}

	override clip(clip: Parameters<Output['clip']>[0]): void {
		this.#isClipped = true;
		super.clip(clip);
	}

	override get(): {output: string; height: number} {
		const rows = this.#rows();
		return rows ? {output: rows.join('\n'), height: this.height} : super.get();
	}

	/** The rows of a frame of one text; undefined where rows could depend on each other. */
	#rows(): string[] | undefined {
		const [write] = this.#writes;
		if (!write || this.#writes.length > 1 || this.#isClipped || write.x !== 0) {
			return undefined;
		}

		const given = write.text.split('\n');
		if (!given.every(line => isPlain(line))) {
			return undefined;
		}

		const rows = Array.from({length: this.height}, () => '');
		for (const [index, line] of given.entries()) {
			const at = write.y + index;
			if (at >= 0 && at < this.height) {
				rows[at] = write.transformers.reduce((text, transform) => transform(text, index), line);
			}
		}

		return rows.some(row => row.includes('\n')) ? undefined : rowsOf(rows, this.width);
	}
}
