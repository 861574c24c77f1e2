import {escapeLine} from '../../core/text/escape-controls.ts';
import type {Span} from '../../core/text/spans.ts';
import {rule} from '../paint/rule.ts';
import type {Line} from '../paint/line.ts';
import {fit, widthOf} from '../paint/fit.ts';
import {hintOf, paletteEntries, type PaletteEntry} from '../palette.ts';
import {windowOf} from '../layout.ts';
import {promptOf} from '../focus.ts';
import type {State} from '../state.ts';

/** Cells of the keys of a command. */
const keysWidth = 12;

/** A title and its hint in so many cells: what is cut of either has a mark, and the hint takes half at the most. */
function entrySpans(entry: PaletteEntry, width: number): Span[] {
	const [title, hint] = [entry.title, hintOf(entry)].map(text => escapeLine(text)) as [string, string];
	const behind = hint === '' ? '' : `  (${hint})`;
	const most = Math.max(Math.floor(width / 2), width - widthOf(title));
	const end = widthOf(behind) <= most ? behind : `${fit(behind, most - 1).trimEnd()})`;
	const room = width - widthOf(end);
	return [
		{
			text: widthOf(title) <= room ? title : fit(title, room),
			tone: entry.disabled === undefined ? undefined : 'quiet',
		},
		{text: end, tone: 'quiet'},
	];
}

/** The commands that the palette offers, above the line that is typed. */
export function paletteLines(state: State): Line[] {
	const prompt = promptOf(state);
	if (prompt?.kind !== 'palette') {
		return [];
	}

	const entries = paletteEntries(state);
	const height = Math.min(12, Math.max(3, state.rows - 8));
	const {from, to} = windowOf(entries.length, prompt.at, height);
	const marks = `${from > 0 ? '↑' : ''}${to < entries.length ? '↓' : ''}`;
	return [
		rule([{text: 'Command palette', bold: true}], `${entries.length}${marks}`, state.columns),
		...entries.slice(from, to).map((entry, index): Line => ({
			spans: [
				{text: from + index === prompt.at ? '▌' : ' ', tone: 'accent'},
				{text: `${fit(entry.keys, keysWidth)} `, bold: true},
				...entrySpans(entry, state.columns - keysWidth - 2),
			],
			back: from + index === prompt.at ? 'selected' : undefined,
		})),
		...(entries.length === 0 ? [{text: ' nothing by that name', dim: true}] : []),
	];
}
