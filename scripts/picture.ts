import type xterm from '@xterm/headless';

/* What a terminal shows, as a picture. */

type Terminal = InstanceType<typeof xterm.Terminal>;

/** The colours of a terminal where a program names none. */
export type Ground = {readonly page: string; readonly text: string};

export const grounds = {
	dark: {page: '#1c1f26', text: '#c8ccd4'},
	light: {page: '#ffffff', text: '#24292f'},
} as const satisfies Readonly<Record<string, Ground>>;

/** Of a cell, in units of the picture. */
const [width, height] = [8.4, 18];

const palette = [
	'#1c1f26',
	'#e06c75',
	'#98c379',
	'#e5c07b',
	'#61afef',
	'#c678dd',
	'#56b6c2',
	'#c8ccd4',
	'#5c6370',
	'#e06c75',
	'#98c379',
	'#e5c07b',
	'#61afef',
	'#c678dd',
	'#56b6c2',
	'#ffffff',
];
/** One of the 256 colours. */
function colourOf(number: number): string {
	if (number < 16) {
		return palette[number]!;
	}

	const levels = [0, 95, 135, 175, 215, 255];
	const parts =
		number >= 232
			? [8 + 10 * (number - 232), 8 + 10 * (number - 232), 8 + 10 * (number - 232)]
			: [
					levels[Math.floor((number - 16) / 36)]!,
					levels[Math.floor((number - 16) / 6) % 6]!,
					levels[(number - 16) % 6]!,
				];
	return `#${parts.map(part => part.toString(16).padStart(2, '0')).join('')}`;
}

function escape(text: string): string {
	return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** What a terminal shows, as the parts of a picture; nothing around it. @param ground colours of the terminal itself */
export function screenParts(terminal: Terminal, {text: ink, page}: Ground): string {
	const {cols: columns, rows} = terminal;
	const parts: string[] = [];
	for (let row = 0; row < rows; row++) {
		const line = terminal.buffer.active.getLine(terminal.buffer.active.viewportY + row)!;
		let column = 0;
		while (column < columns) {
			const cell = line.getCell(column)!;
			const style = (other: typeof cell) =>
				`${other.isBgDefault() ? -1 : other.getBgColor()} ${other.isInverse()} ${other.isBold()} ${other.isDim()} ` +
				`${other.isUnderline()} ${other.isFgDefault() ? -1 : other.getFgColor()}`;
			const own = style(cell);
			let text = '';
			const start = column;
			while (column < columns && style(line.getCell(column)!) === own) {
				text += line.getCell(column)!.getChars() || ' ';
				column++;
			}

			const colour = cell.isFgDefault() ? ink : colourOf(cell.getFgColor());
			if (cell.isInverse() || !cell.isBgDefault()) {
				parts.push(
					`<rect x="${(start * width + 10).toFixed(1)}" y="${row * height + 10}" ` +
						`width="${((column - start) * width).toFixed(1)}" height="${height}" ` +
						`fill="${cell.isInverse() ? colour : colourOf(cell.getBgColor())}"/>`,
				);
			}

			if (cell.isUnderline()) {
				parts.push(
					`<rect x="${(start * width + 10).toFixed(1)}" y="${row * height + 27}" ` +
						`width="${((column - start) * width).toFixed(1)}" height="1" fill="${colour}" opacity="0.6"/>`,
				);
			}

			if (text.trim() !== '') {
				const bold = cell.isBold() ? ' font-weight="bold"' : '';
				const dim = cell.isDim() ? ' opacity="0.6"' : '';
				parts.push(
					`<text x="${(start * width + 10).toFixed(1)}" y="${row * height + 23}" ` +
						`fill="${cell.isInverse() ? page : colour}"${bold}${dim} xml:space="preserve" ` +
						`textLength="${(text.length * width).toFixed(1)}">${escape(text)}</text>`,
				);
			}
		}
	}

	return parts.join('');
}

/** A picture of so many cells. @param content the parts of one screen, or of several that follow each other */
export function toSvg(
	content: string,
	{columns, rows, ground, style = ''}: {columns: number; rows: number; ground: Ground; style?: string},
): string {
	return (
		`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${columns * width + 20} ${rows * height + 20}" ` +
		'font-family="ui-monospace, Menlo, Consolas, monospace" font-size="14">' +
		(style === '' ? '' : `<style>${style}</style>`) +
		`<rect width="100%" height="100%" rx="8" fill="${ground.page}"/>${content}</svg>\n`
	);
}
