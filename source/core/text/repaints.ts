/** Rows above the last one that a program may still repaint: more than any terminal has. */
const reachRows = 200;

/** A row longer than this is passed on as it stands: nobody repaints it, and it must not be kept. */
const maxColumns = 16_384;

// oxlint-disable-next-line no-control-regex
const token =
	/\u001B\[([\d;?]*)([@-~])|\u001B\][^\u0007\u001B]*(?:\u0007|\u001B\\)|\u001B.|[\r\n\b]|[^\u001B\r\n\b]+/gsu;

/**
 * Folds what a program painted over: of a progress bar or a spinner only the last state is left, as a terminal would
 * show it. Knows the moves that such programs make: carriage return, backspace, rows up and down, columns, and what
 * erases a row or all below it. Takes lines of any length; a terminal would break them. Other sequences are
 * dropped: what comes out is the text alone, whose other controls are still to be escaped.
 */
export class Repaints {
	/** The last rows, each a list of characters. */
	#rows: string[][] = [[]];
	#row = 0;
	#column = 0;

	/** @param text whole sequences; untrusted @returns the lines that cannot be repainted any more */
	push(text: string): string {
		const early = this.#takePlain(text);
		for (const [all, given = '', final] of text.slice(early.taken).matchAll(token)) {
			if (final !== undefined) {
				this.#move(given, final);
			} else if (all === '\n') {
				this.#down(1);
				this.#column = 0;
			} else if (all === '\r') {
				this.#column = 0;
			} else if (all === '\b') {
				this.#column = Math.max(0, this.#column - 1);
			} else if (!all.startsWith('\u001B')) {
				this.#write(all);
			}
		}

		const over = this.#rows.length - reachRows;
		return early.lines + (over > 0 ? this.#flush(over) : '');
	}

	/** Most of a log is never painted over: many plain lines at the end of it need not be rows. */
	#takePlain(text: string): {readonly lines: string; readonly taken: number} {
		const moves = text.search(/[\u001B\r\b]/);
		const plain = moves === -1 ? text : text.slice(0, moves);
		const ends = [...plain.matchAll(/\n/g)].map(match => match.index + 1);
		const taken = ends.at(-1 - reachRows) ?? 0;
		const isAtEnd = this.#row === this.#rows.length - 1 && this.#rows[this.#row]!.length === 0;
		if (taken === 0 || !isAtEnd) {
			return {lines: '', taken: 0};
		}

		const rows = this.#flush(this.#rows.length - 1);
		return {lines: rows + plain.slice(0, taken), taken};
	}

	/** @returns the rows that are left */
	end(): string {
		const isAtBeginning = this.#rows.at(-1)!.length === 0;
		const rest = this.#flush(this.#rows.length);
		return isAtBeginning ? rest.slice(0, -1) : rest.replace(/\n$/, '');
	}

	#flush(count: number): string {
		const lines = this.#rows.splice(0, count).map(row => `${row.join('')}\n`);
		this.#row = Math.max(0, this.#row - count);
		if (this.#rows.length === 0) {
			this.#rows = [[]];
		}

		return lines.join('');
	}

	#down(count: number): void {
		this.#row += count;
		while (this.#rows.length <= this.#row) {
			this.#rows.push([]);
		}
	}

	#write(text: string): void {
		const row = this.#rows[this.#row]!;
		const characters = [...text];
		while (row.length < this.#column) {
			row.push(' ');
		}

		for (const character of characters) {
			row[this.#column++] = character;
		}
	}

	#move(given: string, final: string): void {
		const count = Math.min(maxColumns, Math.max(1, Number(given.split(';')[0]) || 1));
		switch (final) {
			case 'A': {
				this.#row = Math.max(0, this.#row - count);
				break;
			}

			case 'B': {
				this.#row = Math.min(this.#rows.length - 1, this.#row + count);
				break;
			}

			case 'C': {
				this.#column = Math.min(maxColumns, this.#column + count);
				break;
			}

			case 'D': {
				this.#column = Math.max(0, this.#column - count);
				break;
			}

			case 'E': {
				this.#row = Math.min(this.#rows.length - 1, this.#row + count);
				this.#column = 0;
				break;
			}

			case 'F': {
				this.#row = Math.max(0, this.#row - count);
				this.#column = 0;
				break;
			}

			case 'G': {
				this.#column = count - 1;
				break;
			}

			case 'J': {
				if (given === '' || given === '0') {
					this.#rows.length = this.#row + 1;
					this.#rows[this.#row]!.length = Math.min(this.#rows[this.#row]!.length, this.#column);
				}

				break;
			}

			case 'K': {
				this.#erase(given);
				break;
			}

			default: {
				// Colours and modes move nothing.
				break;
			}
		}
	}

	#erase(given: string): void {
		const row = this.#rows[this.#row]!;
		if (given === '2') {
			row.length = 0;
		} else if (given === '1') {
			row.fill(' ', 0, Math.min(row.length, this.#column + 1));
		} else {
			row.length = Math.min(row.length, this.#column);
		}
	}
}
