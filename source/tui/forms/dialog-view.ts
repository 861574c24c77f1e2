import {escapeLine} from '../../core/text/escape-controls.ts';
import {sliceSpans, type Span} from '../../core/text/spans.ts';
import type {Dialog, DialogLine, Field} from '../dialog.ts';
import {fitSpans, widthOf, wrapSpans} from '../paint/fit.ts';
import type {Line} from '../paint/line.ts';
import {chosenOf} from './edit.ts';
import {valueLines} from './view.ts';

/* A question below the screen: in a frame, what is said under labels, and below it what is answered. */

/** From as many columns on there is a frame. */
const framedWidth = 60;

/** Columns of a question at most: longer lines are hard to read. */
const maxWidth = 104;

/** Cells of a frame's edge with its blank. */
const edge = 2;

/** Cells of the narrowest column of labels, and the most that a long label takes. */
const labelWidths = {least: 8, most: 16};

/** Rows of options that are in view at once. */
const maxOptions = 8;

/** Lines that are not cut off, and those of which some may be left out where the terminal is too low. */
type Parts = {readonly said: readonly Line[]; readonly asked: readonly Line[]};

/** A text in rows of at most so many cells, between words where there are any. */
function wrapWords(spans: readonly Span[], width: number): Span[][] {
	const rows: Span[][] = [];
	let rest: readonly Span[] = spans;
	for (;;) {
		const [first = [], ...others] = wrapSpans(rest, width);
		if (others.length === 0) {
			return [...rows, first];
		}

		const text = first.map(span => span.text).join('');
		const isWhole = others[0]?.[0]?.text.startsWith(' ') === true;
		const blank = text.lastIndexOf(' ');
		const end = isWhole || blank < text.length / 2 ? text.length : blank;
		rows.push(sliceSpans(first, 0, end));
		// The blank between two rows is the end of the first.
		rest = sliceSpans(rest, isWhole || end === blank ? end + 1 : end, Number.MAX_SAFE_INTEGER);
	}
}

/** A text with its label before it, in rows. */
function labelled(label: string, spans: readonly Span[], {column, width, style}: Place): Line[] {
	const room = Math.max(8, width - column - 1);
	return wrapWords(spans, room).map((row, index): Line => ({
		spans: [{text: `${(index === 0 ? label : '').padEnd(column)} `, tone: 'quiet', ...style}, ...row],
	}));
}

type Place = {readonly column: number; readonly width: number; readonly style?: Omit<Span, 'text'>};

function saidLines(line: string | DialogLine, place: Place): Line[] {
	const {label, spans} = typeof line === 'string' ? {label: undefined, spans: [{text: line}]} : line;
	return label === undefined
		? wrapWords(spans, Math.max(8, place.width)).map((row): Line => ({spans: row}))
		: labelled(label, spans, place);
}

/** Choices side by side, each with its number. */
function choiceSpans({choices = [], value}: Field, isActive: boolean): Span[] {
	return choices.flatMap((choice, index): Span[] => {
		const isChosen = choice === value;
		return [
			{text: index === 0 ? '' : '  '},
			{text: isChosen ? '[' : ' ', bold: isActive},
			{text: String(index + 1), bold: true},
			{text: ` ${choice}`, bold: isChosen},
			{text: isChosen ? ']' : ' ', bold: isActive},
		];
	});
}

/** Options in rows, with the cursor where the field has it. */
function optionLines(field: Field, isActive: boolean): Span[][] {
	const {options = [], value, several} = field;
	const at = field.cursor ?? 0;
	const chosen = new Set(chosenOf(value));
	const from = Math.max(0, Math.min(options.length - maxOptions, at - Math.floor(maxOptions / 2)));
	const widest = Math.max(...options.map(option => widthOf(escapeLine(option.value))));
	return options.slice(from, from + maxOptions).map((option, index): Span[] => {
		const isChosen = chosen.has(option.value);
		const name = escapeLine(option.value);
		const [on, off] = several ? ['[x] ', '[ ] '] : ['(•) ', '( ) '];
		return [
			{text: isActive && from + index === at ? '▸ ' : '  ', tone: 'accent', bold: true},
			{text: isChosen ? on : off},
			{
				text: `${name}${' '.repeat(widest - widthOf(name) + 2)}`,
				bold: isChosen,
				...(option.isOff ? {tone: 'quiet' as const} : {}),
			},
			{text: option.note, tone: 'quiet'},
		];
	});
}

function fieldLines(field: Field, isActive: boolean, {column, width}: Place): Line[] {
	const room = Math.max(4, width - column - 1);
	const label = isActive ? {tone: undefined, bold: true} : {};
	const place = {column, width, style: label};
	if (field.options) {
		return optionLines(field, isActive).flatMap((spans, index) =>
			labelled(index === 0 ? field.label : '', fitSpans(spans, room), place),
		);
	}

	const note: Span = {text: field.hint, tone: 'quiet'};
	const rows = field.numbered ? [choiceSpans(field, isActive)] : valueLines(field, isActive, room - 1);
	const taken = rows.length === 1 ? rows[0]!.reduce((sum, {text}) => sum + widthOf(text), 0) : room;
	const isBeside = field.hint !== '' && taken + widthOf(field.hint) + 2 <= room;
	const lines = rows.flatMap((spans, index) =>
		labelled(
			index === 0 ? field.label : '',
			isBeside ? [...spans, {text: taken === 0 ? '' : '  '}, note] : spans,
			place,
		),
	);
	return isBeside || field.hint === '' ? lines : [...lines, ...labelled('', [note], place)];
}

/** The question without its title, in so many columns. */
function partsOf(dialog: Dialog, width: number, isLow = false): Parts {
	const said = [...dialog.lines, ...(dialog.isDetailed ? (dialog.details ?? []) : [])];
	const labels = [
		...said.map(line => (typeof line === 'string' ? '' : (line.label ?? ''))),
		...dialog.fields.map(field => field.label),
	];
	const column = Math.min(labelWidths.most, Math.max(labelWidths.least, ...labels.map(label => label.length)));
	const place = {column, width};
	return {
		said: said.flatMap(line => saidLines(line, place)),
		asked: [
			...(dialog.yes === undefined
				? []
				: wrapWords([{text: `▸ y or enter: ${dialog.yes}; any other key: cancel`, bold: true}], width).map(
						(spans): Line => ({spans}),
					)),
			...dialog.fields.flatMap((field, index) =>
				fieldLines(isLow && index !== dialog.at ? {...field, hint: ''} : field, index === dialog.at, place),
			),
		],
	};
}

/** Rows for what is said, of which the last says how much there is besides. */
const saidRoom = ({asked}: Parts, room: number) => Math.max(0, room - asked.length);

/** How far what is said can be gone past. */
function mostPast(parts: Parts, room: number): number {
	const left = saidRoom(parts, room);
	return parts.said.length <= left ? 0 : parts.said.length - Math.max(1, left - 1);
}

/** What is said and asked in so many rows: what is asked is always there, and what is not shown is counted. */
function inRoom(parts: Parts, room: number, past = 0): Line[] {
	const {said, asked} = parts;
	const left = saidRoom(parts, room);
	if (said.length <= left) {
		return [...said, ...(said.length < left && said.length > 0 ? [{}] : []), ...asked];
	}

	const from = Math.min(past, mostPast(parts, room));
	const shown = said.slice(from, from + Math.max(0, left - 1));
	const below = said.length - from - shown.length;
	const counts = [...(from > 0 ? [`${from} above: pgup`] : []), ...(below > 0 ? [`${below} more lines: pgdn`] : [])];
	return [...shown, ...(left === 0 ? [] : [{text: `… ${counts.join(', ')}`, tone: 'warn' as const}]), ...asked];
}

/** A question without its frame, with the hint of the field with the cursor alone where there is no room for all. */
function low(dialog: Dialog, width: number, room: number): Parts {
	const all = partsOf(dialog, width);
	return all.asked.length + Math.min(all.said.length, 4) <= room ? all : partsOf(dialog, width, true);
}

/**
 * The question with another part of what is said in view.
 * @param by pages, forward or back
 */
export function turned(dialog: Dialog, by: 1 | -1, {columns, room}: {columns: number; room: number}): Dialog {
	const rows = room - wrapWords([{text: ` ${dialog.title}`}], columns).length;
	const parts = low(dialog, columns - 2, rows);
	const most = mostPast(parts, rows);
	const page = Math.max(1, saidRoom(parts, rows) - 2);
	return {...dialog, past: Math.max(0, Math.min(most, (dialog.past ?? 0) + by * page))};
}

function withFrame(title: string, lines: readonly Line[], width: number): Line[] {
	const inner = width - 2 * edge;
	const side: Span = {text: '│', tone: 'quiet'};
	return [
		{
			spans: [
				{text: '╭─', tone: 'quiet'},
				...(title === '' ? [] : [{text: ` ${title} `, bold: true}]),
				{text: `${'─'.repeat(Math.max(0, width - widthOf(title) - (title === '' ? 3 : 5)))}╮`, tone: 'quiet'},
			],
		},
		...lines.map((line): Line => {
			const spans = line.spans ?? [{text: line.text ?? '', tone: line.tone}];
			return {
				spans: [side, {text: ' '}, ...fitSpans(spans, inner), {text: ' '}, side],
			};
		}),
		{spans: [{text: `╰${'─'.repeat(width - 2)}╯`, tone: 'quiet'}]},
	];
}

/** The title, with the place in a queue. */
function titleOf({title, queue}: Dialog): string {
	return queue ? `${title} (${queue.size - queue.left.length} of ${queue.size})` : title;
}

/**
 * A question: nothing of it is cut off, but where the terminal is too low some of what it says; what is answered is
 * always there.
 * @param room how many lines there are for it
 */
export function dialogLines(dialog: Dialog | undefined, columns: number, room: number): Line[] {
	if (!dialog) {
		return [];
	}

	const width = Math.min(columns, maxWidth);
	const inner = width - 2 * edge;
	const title = titleOf(dialog);
	if (columns >= framedWidth) {
		// A title that is longer than the edge goes on inside.
		const isShort = widthOf(title) <= inner - 2;
		const parts = partsOf(dialog, inner);
		const body = isShort
			? parts
			: {...parts, said: [...wrapWords([{text: title, bold: true}], inner).map(spans => ({spans})), ...parts.said]};
		if (body.said.length + body.asked.length + 2 <= room) {
			return withFrame(isShort ? title : '', inRoom(body, room - 2), width);
		}
	}

	const head = wrapWords([{text: ` ${title}`}], columns).map((spans): Line => ({spans, title: true}));
	const left = room - head.length;
	const body = inRoom(low(dialog, columns - 2, left), left, dialog.past);
	return [...head, ...body.map((line): Line => indented(line))];
}

/** A line one cell further to the right. */
function indented(line: Line): Line {
	const spans = line.spans ?? [{text: line.text ?? '', tone: line.tone}];
	return {...line, spans: [{text: ' '}, ...spans]};
}
