import {fit, widthOf} from './fit.ts';

type Row = Readonly<Record<string, string>>;

/** Blanks between columns. */
const gap = ' ';

type Options = {readonly columns: readonly string[]; readonly width: number; readonly flexible: string};

/** Cells that a column keeps, however little room there is. */
const minWidth = 4;

function widths(rows: readonly Row[], {columns, width: total, flexible}: Options): number[] {
	const wanted = columns.map(column => Math.max(widthOf(column), ...rows.map(row => widthOf(row[column] ?? ''))));
	const at = columns.indexOf(flexible);
	if (at !== -1) {
		const others = wanted.reduce((sum, width, index) => (index === at ? sum : sum + width + gap.length), 0);
		wanted[at] = Math.max(8, total - others);
	}

	// The widest give way first, so that a long name does not push the others off the screen.
	let excess = wanted.reduce((sum, width) => sum + width, 0) + gap.length * (columns.length - 1) - total;
	while (excess > 0) {
		const widest = wanted.indexOf(Math.max(...wanted));
		if (wanted[widest]! <= minWidth) {
			break;
		}

		wanted[widest]!--;
		excess--;
	}

	return wanted;
}

/**
 * A table's lines, the titles first, each exactly `width` cells.
 *
 * @param options.columns keys of the rows, in order
 * @param options.flexible the column that takes what the others leave
 */
export function tableLines(rows: readonly Row[], options: Options): string[] {
	const {columns, width} = options;
	const sizes = widths(rows, options);
	const line = (texts: readonly string[]) => fit(texts.map((text, index) => fit(text, sizes[index]!)).join(gap), width);
	return [line(columns), ...rows.map(row => line(columns.map(column => row[column] ?? '')))];
}
