import {piecesOf} from './plain-row.ts';

const reset = '\u001B[0m';

function sameStart(one: string, other: string): number {
	let at = 0;
	while (at < one.length && one[at] === other[at]) {
		at++;
	}

	return at;
}

/**
 * What changes a row of the terminal, in which the cursor is, into another one: from the first cell that differs to the
 * end. A row in which not each character is one cell is written as a whole.
 * @param columns of the terminal
 */
export function rowUpdate(previous: string, next: string, columns: number): string {
	const whole = `\u001B[1G\u001B[K${next}`;
	const [before, after] = [piecesOf(previous), piecesOf(next)];
	if (!before || !after) {
		return whole;
	}

	let column = 0;
	let look = '';
	let index = 0;
	for (; index < after.length && before[index] === after[index]; index++) {
		const piece = after[index]!;
		if (index % 2 === 0) {
			column += piece.length;
		} else {
			look = piece === reset ? '' : look + piece;
		}
	}

	const same = index % 2 === 0 ? sameStart(before[index] ?? '', after[index] ?? '') : 0;
	column += same;
	// Behind the last cell there is no place that a cursor can be sent to.
	if (column >= columns) {
		return whole;
	}

	const rest = (after[index] ?? '').slice(same) + after.slice(index + 1).join('');
	return `\u001B[${column + 1}G\u001B[K${look}${rest}`;
}
