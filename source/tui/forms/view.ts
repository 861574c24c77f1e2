import type {Span} from '../../core/text/spans.ts';
import {cursorOf} from './edit.ts';
import type {Field} from '../dialog.ts';
import type {Line} from '../paint/line.ts';

/** Lines of a text of several lines that are in view at once. */
const maxTextLines = 8;

/** Cells of the mark before a label, and of the blanks around it. */
const markWidth = 3;

/** Cells of the narrowest column of labels. */
const minLabelWidth = 8;

/** What is typed with its cursor, always in view. */
export function valueLines(field: Field, active: boolean, room: number): Span[][] {
	if (field.choices) {
		const isButton = field.choices.length === 1 && field.label === '';
		return [
			[
				{text: field.value, ...(isButton && active ? {bold: true, inverse: true} : {})},
				...(active && field.choices.length > 1 ? [{text: '  ◂ ▸', dim: true}] : []),
			],
		];
	}

	const cursor = cursorOf(field);
	const before = field.value.slice(0, cursor);
	const row = before.split('\n').length - 1;
	const all = field.value.split('\n');
	const from = Math.max(0, Math.min(all.length - maxTextLines, row - Math.floor(maxTextLines / 2)));
	return all.slice(from, from + maxTextLines).map((text, index) => {
		if (!active || from + index !== row) {
			return [{text: text.length > room ? `${text.slice(0, room - 1)}…` : text}];
		}

		const at = cursor - (before.lastIndexOf('\n') + 1);
		const start = Math.max(0, at - room + 2);
		return [
			{text: `${start > 0 ? '…' : ''}${text.slice(start + (start > 0 ? 1 : 0), at)}`},
			{text: text[at] ?? ' ', inverse: true},
			{text: text.slice(at + 1, start + room)},
		];
	});
}

/** The lines of a form. */
export function fieldLines(fields: readonly Field[], at: number, width: number): Line[] {
	const labelWidth = Math.max(minLabelWidth, ...fields.map(field => field.label.length));
	const indent = markWidth + labelWidth + 1;
	return fields.flatMap((field, index) => {
		const active = index === at;
		const lines = valueLines(field, active, Math.max(4, width - indent - 2));
		const taken = (lines[0] ?? []).reduce((sum, {text}) => sum + text.length, 0);
		// Beside what is typed where there is room, so that a form is half as long.
		const isBeside = lines.length === 1 && indent + taken + field.hint.length + 3 <= width;
		const hint: Span = {text: field.hint, tone: 'quiet'};
		return [
			...lines.map((spans, row): Line => ({
				spans: [
					{
						text: ` ${active && row === 0 ? '▸' : ' '} ${(row === 0 ? field.label : '').padEnd(labelWidth)} `,
						bold: active,
						...(active ? {tone: 'accent' as const} : {}),
					},
					...spans,
					...(isBeside && field.hint !== '' ? [{...hint, text: `${taken === 0 ? '' : '  '}${field.hint}`}] : []),
				],
			})),
			...(isBeside ? [] : [{spans: [{text: ' '.repeat(indent)}, hint]}]),
		];
	});
}
