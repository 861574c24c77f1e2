import {escapeLine} from '../../core/text/escape-controls.ts';
import type {Span} from '../../core/text/spans.ts';
import type {FoundView} from '../../protocol/views.ts';
import {foundWindow} from '../layout.ts';
import {fit, widthOf} from '../paint/fit.ts';
import type {Line} from '../paint/line.ts';
import {spokenText} from '../spoken/words.ts';
import type {State} from '../state.ts';

/* Lines of all runs' logs in which something was found. */

/** A line with what was found in bold, from before it on where it would be cut off. */
function textSpans({text, match}: FoundView, room: number): Span[] {
	// The words that are looked for are what has to be in view.
	const start = widthOf(text.slice(0, match.to)) <= room ? 0 : Math.max(0, match.from - Math.floor(room / 3));
	const [before, own, behind] = [
		(start > 0 ? '…' : '') + text.slice(start, match.from),
		text.slice(match.from, match.to),
		text.slice(match.to),
	].map(part => escapeLine(part)) as [string, string, string];
	return [{text: before}, {text: own, bold: true, tone: 'accent', underline: true}, {text: behind}];
}

function foundLine(found: FoundView, {run, columns}: {run: number; columns: number}, isSelected: boolean): Line {
	const head = `${fit(found.run, run)} ${found.log.padEnd(6)} `;
	return {
		back: isSelected ? 'selected' : undefined,
		spans: [
			{text: isSelected ? '▌' : ' ', tone: 'accent'},
			{text: fit(found.run, run), bold: true},
			{text: ` ${found.log.padEnd(6)} `, tone: 'quiet'},
			...textSpans(found, columns - head.length - 1),
		],
		spoken: `${found.run}, ${found.log}: ${spokenText(escapeLine(found.text))}`,
	};
}

/** What was found, a row for each line. */
export function foundLines(state: State, height: number): Line[] {
	const {found, columns} = state;
	const {from, to} = foundWindow(state, height);
	const words = found?.words ?? '';
	const count = found?.lines?.length;
	const note = found?.note ? `, ${found.note}` : '';
	const more = count === undefined || to >= count ? '' : `, ↓ ${count - to} more`;
	const what = count === undefined ? 'searching…' : `${count} ${count === 1 ? 'line' : 'lines'}${note}${more}`;
	const title: Line = {
		spans: [{text: ' search', bold: true}, {text: `  ${escapeLine(words)}  `}, {text: what, tone: 'quiet'}],
	};
	if (!found?.lines) {
		return [title];
	}

	if (found.lines.length === 0) {
		return [title, {text: ` no match in the logs of all runs (/ other words)`, tone: 'quiet'}];
	}

	const run = Math.min(
		22,
		found.lines.reduce((wide, line) => Math.max(wide, line.run.length), 0),
	);
	return [
		title,
		...found.lines.slice(from, to).map((line, index) => foundLine(line, {run, columns}, from + index === found.at)),
	];
}
