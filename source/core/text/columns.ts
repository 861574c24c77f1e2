/**
 * A table as lines: each column as wide as what is in it, and the last one as long as it is.
 * @param rows of equal length, at least one; escaped
 * @param most characters that a column is padded to; what is longer goes on past it
 */
export function columnLines(rows: ReadonlyArray<readonly string[]>, most = Infinity): string {
	const widths = rows[0]!.map((_, column) => Math.min(most, Math.max(...rows.map(row => row[column]!.length))));
	return rows
		.map(
			row =>
				`${row
					.map((cell, column) => cell.padEnd(widths[column]!))
					.join('  ')
					.trimEnd()}\n`,
		)
		.join('');
}
