/*
 * How large a program's terminal was is kept between the bytes that it wrote there: what was painted for one size cannot
 * be read at another. It is the sequence by which a window is resized (xterm's CSI 8 ; rows ; columns t).
 */

/** The most that a log's own words can make of a view, columns and rows: a program may write the sequence, too. */
const most = {columns: 500, rows: 300};

const whole = /\u001B\[8;(\d{1,4});(\d{1,4})t/;
const begun = /\u001B(?:\[(?:8(?:;(?:\d{1,4}(?:;\d{0,4})?)?)?)?)?$/;

export type TerminalSize = {readonly columns: number; readonly rows: number};

export function sizeMark({columns, rows}: TerminalSize): string {
	return `\u001B[8;${rows};${columns}t`;
}

/** Cuts what a program wrote where the size changed. */
export class SizeSplitter {
	#held = '';

	/** @returns bytes, and sizes that hold from there on, in their order; a mark that is cut off waits for its rest */
	push(bytes: Uint8Array): Array<Uint8Array | TerminalSize> {
		let text = this.#held + Buffer.from(bytes).toString('latin1');
		const at = text.search(begun);
		this.#held = at === -1 ? '' : text.slice(at);
		text = at === -1 ? text : text.slice(0, at);
		const pieces: Array<Uint8Array | TerminalSize> = [];
		for (let found = whole.exec(text); found; found = whole.exec(text)) {
			pieces.push(Buffer.from(text.slice(0, found.index), 'latin1'));
			const [rows, columns] = [Number(found[1]), Number(found[2])];
			pieces.push({
				columns: Math.min(Math.max(columns, 2), most.columns),
				rows: Math.min(Math.max(rows, 2), most.rows),
			});
			text = text.slice(found.index + found[0].length);
		}

		pieces.push(Buffer.from(text, 'latin1'));
		return pieces.filter(piece => !(piece instanceof Uint8Array) || piece.length > 0);
	}
}
