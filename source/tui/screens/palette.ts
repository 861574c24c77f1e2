import {escapeLine} from '../../core/text/escape-controls.ts';
import {rule} from '../paint/rule.ts';
import type {Line} from '../paint/line.ts';
import {paletteEntries} from '../palette.ts';
import {windowOf} from '../layout.ts';
import {promptOf} from '../focus.ts';
import type {State} from '../state.ts';

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
				{text: `${entry.keys.padEnd(12)} `, bold: true},
				{text: escapeLine(entry.title), tone: entry.disabled === undefined ? undefined : 'quiet'},
				{text: entry.disabled === undefined ? '' : `  (${entry.disabled})`, tone: 'quiet'},
			],
			back: from + index === prompt.at ? 'selected' : undefined,
		})),
		...(entries.length === 0 ? [{text: ' nothing by that name', dim: true}] : []),
	];
}
