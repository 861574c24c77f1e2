import logUpdate, {type LogUpdate} from '../../../node_modules/ink/build/log-update.js';
import {rowUpdate} from './row-update.ts';

/*
 * What Ink loads in the place of its own `log-update.js`, by the build. Ink finds its rows by steps from where it left
 * the cursor, and passes over rows that are as they were: once a terminal is made smaller, nothing of that is where it
 * was. A screen that has the whole terminal has a place for each row, so each is written there, and all of them once
 * the terminal has another size. It also compares rows of plain text and colours as they are, where Ink needs a
 * segmenter for each that has a line or an arrow in it.
 */

type Stream = Parameters<typeof logUpdate.create>[0];

function createScreen(stream: Stream): LogUpdate {
	/** What the terminal shows; undefined where that is not known. */
	let rows: readonly string[] | undefined;
	let size = '';
	const sizeNow = () => `${stream.columns}x${stream.rows}`;
	const forget = () => {
		rows = undefined;
	};

	const isKnown = (text: string) => rows !== undefined && size === sizeNow() && rows.join('\n') === text;
	const render = (text: string): boolean => {
		if (isKnown(text)) {
			return false;
		}

		const {columns = 80, rows: height = 24} = stream;
		const known = size === sizeNow() ? rows : undefined;
		const next = text.split('\n');
		const parts: string[] = [];
		for (const [y, row] of next.slice(0, height).entries()) {
			const previous = known?.[y];
			if (previous !== row) {
				const change = previous === undefined ? `\u001B[K${row}` : rowUpdate(previous, row, columns);
				parts.push(`\u001B[${y + 1};1H${change}`);
			}
		}

		if (next.length < (known?.length ?? height)) {
			parts.push(`\u001B[${next.length + 1};1H\u001B[J`);
		}

		stream.write(parts.join(''));
		rows = next;
		size = sizeNow();
		return true;
	};

	return Object.assign(render, {
		clear() {
			stream.write('\u001B[H\u001B[J');
			forget();
		},
		done: forget,
		reset: forget,
		// Ink wrote this text itself, where the cursor was.
		sync: forget,
		// The screen draws its own cursor.
		setCursorPosition() {},
		isCursorDirty: () => false,
		willRender: (text: string) => !isKnown(text),
		getCursorPosition: () => undefined,
	});
}

export default {
	/** @param options.incremental whether it has the whole terminal, as fleet's screen does */
	create: (stream: Stream, options: {showCursor?: boolean; incremental?: boolean} = {}): LogUpdate =>
		options.incremental ? createScreen(stream) : logUpdate.create(stream, options),
};
