import {Text} from 'ink';
import type {ComponentType, ReactNode} from 'react';
import {fit, widthOf} from './fit.ts';

type Scalar = string | number | boolean | null | undefined;
type Row = Record<string, Scalar>;
type Wrapper = ComponentType<{readonly children: string; readonly row?: number}>;

export type TableProps<T extends Row> = {
	readonly data: readonly T[];
	/** Keys of the rows, in order; all of the first row's by default. */
	readonly columns?: ReadonlyArray<keyof T & string>;
	/** Blanks between columns. */
	readonly padding?: number;
	/** Wraps the line of titles. */
	readonly header?: Wrapper;
	/** Wraps a row's line; gets the row's number. */
	readonly cell?: Wrapper;
	/** Wraps what stands in place of rows when there are none. */
	readonly skeleton?: Wrapper;
	/** Cells the table may take; the column `flexible` takes what the others leave. */
	readonly width: number;
	readonly flexible?: keyof T & string;
};

const Plain: Wrapper = ({children}) => <Text>{children}</Text>;

function widths<T extends Row>(data: readonly T[], columns: ReadonlyArray<keyof T & string>, padding: number, total: number, flexible: string | undefined): number[] {
	const wanted = columns.map(column => Math.max(widthOf(column), ...data.map(row => widthOf(String(row[column] ?? '')))));
	const at = flexible === undefined ? -1 : columns.indexOf(flexible as never);
	if (at !== -1) {
		const others = wanted.reduce((sum, width, index) => index === at ? sum : sum + width + padding, 0);
		wanted[at] = Math.max(8, Math.min(wanted[at]!, total - others), total - others);
	}

	// The widest give way first, so that a long name does not push the others off the screen.
	let excess = wanted.reduce((sum, width) => sum + width, 0) + padding * (columns.length - 1) - total;
	while (excess > 0) {
		const widest = wanted.indexOf(Math.max(...wanted));
		if (wanted[widest]! <= 4) {
			break;
		}

		wanted[widest]!--;
		excess--;
	}

	return wanted;
}

/**
 * A table with ink-table's prop names: `data`, `columns`, `padding`, `header`, `cell`, `skeleton`. Each row is one
 * line of text, since a box for each cell costs four times the time of a frame.
 */
export function Table<T extends Row>({data, columns = Object.keys(data[0] ?? {}), padding = 1, header: Header = Plain, cell: Cell = Plain, skeleton: Skeleton = Plain, width, flexible}: TableProps<T>): ReactNode {
	const sizes = widths(data, columns, padding, width, flexible);
	const gap = ' '.repeat(padding);
	const line = (texts: readonly string[]) => fit(texts.map((text, index) => fit(text, sizes[index]!)).join(gap), width);
	return (
		<>
			<Header>{line(columns)}</Header>
			{data.map((row, index) => <Cell key={index} row={index}>{line(columns.map(column => String(row[column] ?? '')))}</Cell>)}
			{data.length === 0 ? <Skeleton>{' '.repeat(width)}</Skeleton> : undefined}
		</>
	);
}
