import process from 'node:process';
import {themes} from '../tui/paint/theme.ts';
import {coloursOf} from './colours.ts';
import type {Io} from './program.ts';
import type {Report} from './report-table.tsx';

/**
 * Prints a table where a person looks at it: on a terminal that is wide enough and can draw. Whatever reads a pipe, and
 * what reads a screen out, gets lines, which the verb prints in its place.
 * @returns whether it was printed
 */
export async function printTable(io: Io, report: Report): Promise<boolean> {
	const {isTTY, columns} = process.stdout;
	if (!isTTY || process.env['TERM'] === 'dumb' || process.env['INK_SCREEN_READER'] === 'true') {
		return false;
	}

	const {tableText} = await import('./report-table.tsx');
	const text = tableText(report, {columns, theme: themes[coloursOf() === 0 ? 'plain' : 'ansi']});
	if (text === undefined) {
		return false;
	}

	io.out(`${text}\n`);
	return true;
}
