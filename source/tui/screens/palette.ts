import type {Line} from '../paint/line.ts';
import {paletteEntries} from '../keymap.ts';
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
		{text: ` Command palette${marks === '' ? '' : `  ${marks} more`}`, title: true},
		...entries.slice(from, to).map((entry, index): Line => ({
			spans: [
				{text: ` ${entry.keys.padEnd(12)} `, bold: true},
				{text: entry.title},
				{text: entry.disabled === undefined ? '' : `  (${entry.disabled})`},
			],
			inverse: from + index === prompt.at,
			dim: entry.disabled !== undefined,
		})),
		...(entries.length === 0 ? [{text: ' no such command', dim: true}] : []),
	];
}
