import {escapeLine} from './escape-controls.ts';

/*
 * The last line of a terminal that an agent paints on, kept for what a person has to know. The agent's terminal is a row
 * lower; what would reach the last row all the same is put right, and the line is drawn again where it may be gone.
 */

/** With fewer rows the agent gets all of them. */
const fewestRows = 6;

/** What may take the line away, or the margins that protect it: erasing, the other screen, a reset of modes. */
const disturbs = /\u001B\[(?:[02]?J|\?(?:47|1047|1049)[hl]|!p|\d*(?:;\d*)?r)/;

/** What of the filter's output names a row: margins, and where the cursor goes. */
const rowed = /\u001B\[\d*(?:;\d*)?[rHfd]/g;

export class KeptLine {
	readonly #text: string;
	#columns: number;
	#rows: number;

	/** @param text in one line; @param size of the person's terminal, in cells */
	constructor(text: string, size: {readonly columns: number; readonly rows: number}) {
		this.#text = escapeLine(text);
		this.#columns = size.columns;
		this.#rows = size.rows;
	}

	/** What the agent has of the terminal. */
	get size(): {readonly columns: number; readonly rows: number} {
		return {columns: this.#columns, rows: this.#isThere ? this.#rows - 1 : this.#rows};
	}

	get #isThere(): boolean {
		return this.#rows >= fewestRows;
	}

	/** @returns what draws the line in a terminal of another size */
	resize(size: {readonly columns: number; readonly rows: number}): string {
		this.#columns = size.columns;
		this.#rows = size.rows;
		return this.draw();
	}

	/** What draws the line, with margins above it; the cursor stays where it is. */
	draw(): string {
		if (!this.#isThere) {
			return '';
		}

		const text = [...this.#text].slice(0, this.#columns - 1).join('');
		return `\u001B7\u001B[1;${this.#rows - 1}r\u001B[${this.#rows};1H\u001B(B\u000F\u001B[0;7m\u001B[2K${text}\u001B[0m\u001B8`;
	}

	/** What takes it away. */
	clear(): string {
		return this.#isThere ? `\u001B7\u001B[${this.#rows};1H\u001B[0m\u001B[2K\u001B8` : '';
	}

	/**
	 * What the agent writes, kept off the line.
	 * @param text what a `TerminalFilter` let through, byte by byte: whole sequences, of the kinds that it knows
	 */
	keep(text: string): string {
		if (!this.#isThere) {
			return text;
		}

		const last = this.#rows - 1;
		const row = (number: string) => Math.min(Number(number === '' ? 1 : number), last);
		const kept = text.replaceAll(rowed, sequence => {
			const [first = '', second] = sequence.slice(2, -1).split(';');
			const final = sequence.at(-1)!;
			return final === 'r'
				? `\u001B[${row(first)};${Number(second ?? 0) === 0 ? last : row(second!)}r`
				: `\u001B[${row(first)}${second === undefined ? '' : `;${second}`}${final}`;
		});
		return disturbs.test(text) ? `${kept}${this.#redraw(text)}` : kept;
	}

	/** Margins that the agent set stay; those that are gone with a screen or a reset are set again. */
	#redraw(text: string): string {
		const drawn = this.draw();
		const hasMargins = /\u001B\[\d*;\d*r/.test(text);
		return hasMargins ? drawn.replace(/\u001B\[1;\d+r/, '') : drawn;
	}
}
