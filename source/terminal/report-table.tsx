import {Box, renderToString, Text} from 'ink';
import {Table} from 'ink-table';
import type {ReactElement, ReactNode} from 'react';
import type {Tone} from '../core/text/spans.ts';
import {breaksOf, widthOf} from '../tui/paint/fit.ts';
import {paint, type Theme} from '../tui/paint/theme.ts';

/* Tables of verbs, for people: drawn once by ink-table, as text. Loaded only where one is printed, since Ink is large. */

/** A column: its title, and cells below which it is no column any more. */
type Column = {readonly title: string; readonly least?: number};

/** What a table shows. Texts are escaped already, of one line each; a tone never says what its text does not. */
export type Report = {
	readonly columns: readonly Column[];
	readonly rows: ReadonlyArray<ReadonlyArray<{readonly text: string; readonly tone?: Tone | undefined}>>;
};

/** Blanks between two columns. */
const gap = 2;

/** How wide each column is, the widest giving way first; undefined where there is no room for a table. */
function widthsOf({columns, rows}: Report, total: number): number[] | undefined {
	const wanted = columns.map(({title}, index) =>
		Math.max(widthOf(title), ...rows.map(row => widthOf(row[index]?.text ?? ''))),
	);
	const least = wanted.map((width, index) => Math.min(width, columns[index]!.least ?? width));
	let excess = wanted.reduce((sum, width) => sum + width, gap * (columns.length - 1)) - total;
	for (; excess > 0; excess--) {
		const spare = wanted.map((width, index) => (width > least[index]! ? width : 0));
		const widest = spare.indexOf(Math.max(...spare));
		if (spare[widest] === 0) {
			return undefined;
		}

		wanted[widest]!--;
	}

	return wanted;
}

/** A text as rows of at most `width` cells, between words where that can be. */
function rowsOf(text: string, width: number): string[] {
	const rows = [''];
	for (const word of text.split(' ')) {
		const longer = rows.at(-1) === '' ? word : `${rows.at(-1)} ${word}`;
		if (widthOf(longer) <= width) {
			rows[rows.length - 1] = longer;
			continue;
		}

		const breaks = breaksOf(word, width);
		const parts = breaks.map((from, index) => word.slice(from, breaks[index + 1]));
		rows.splice(rows.at(-1) === '' ? -1 : rows.length, rows.at(-1) === '' ? 1 : 0, ...parts);
	}

	return rows;
}

type CellProps = {readonly column?: number; readonly children?: ReactNode};

/**
 * The table as text with SGR sequences, without a line feed at its end: no frame, and nothing of a cell cut off: it goes
 * on in the next row.
 *
 * @param options.columns cells of the terminal
 * @returns undefined where the terminal is too narrow for it
 */
export function tableText(
	report: Report,
	{columns: total, theme}: {readonly columns: number; readonly theme: Theme},
): string | undefined {
	const widths = widthsOf(report, total);
	if (!widths) {
		return undefined;
	}

	// The package pads by UTF-16 units; a cell is given its place here, in cells of the terminal.
	const Cell = ({column = 0, children}: CellProps): ReactElement => (
		<Box width={widths[column]} flexShrink={0}>
			<Text>{String(children).trim()}</Text>
		</Box>
	);
	const Header = (props: CellProps): ReactElement => (
		<Cell {...props}>{paint([{text: String(props.children).trim(), bold: true}], theme)}</Cell>
	);
	// The rules and frames that it would draw are nothing, but for what divides two columns.
	const Skeleton = ({children}: CellProps): ReactElement | null =>
		children === '│' ? <Box width={gap} flexShrink={0} /> : null;
	const painted = ({text, tone}: Report['rows'][number][number], width: number) =>
		rowsOf(text, width)
			.map(row => paint([{text: row, tone}], theme))
			.join('\n');
	const data = report.rows.map(row =>
		Object.fromEntries(row.map((cell, index) => [report.columns[index]!.title, painted(cell, widths[index]!)])),
	);
	const drawn = renderToString(
		<Box marginLeft={-gap}>
			<Table
				data={data}
				columns={report.columns.map(({title}) => title)}
				cell={Cell}
				header={Header}
				skeleton={Skeleton as (props: object) => ReactElement}
			/>
		</Box>,
		{columns: total + gap},
	);
	return drawn
		.split('\n')
		.map(line => line.trimEnd())
		.join('\n');
}
