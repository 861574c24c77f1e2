import {isPlain} from '../paint/plain.ts';

const styles = /(\u001B\[[\d;]*m)/;

/**
 * A row of plain text and SGR sequences: texts at even places, the sequences between them.
 * @returns undefined for a row that has anything else
 */
export function piecesOf(row: string): string[] | undefined {
	const pieces = row.split(styles);
	return pieces.every((piece, index) => index % 2 === 1 || isPlain(piece)) ? pieces : undefined;
}
