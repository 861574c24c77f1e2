import type {Span, Style} from '../../core/text/spans.ts';
import {fitSpans} from './fit.ts';
import {paint, type Theme} from './theme.ts';

/**
 * One line of a view, already escaped: a text that looks the
 * same throughout, or spans. A title names what is below it.
 */
export type Line = Style & {readonly text?: string; readonly spans?: readonly Span[]; readonly title?: boolean};

/** Exactly `height` lines: what is missing is blank, what is more is left out. */
export function block(lines: readonly Line[], height: number): Line[] {
	return Array.from({length: height}, (_, index) => lines[index] ?? {});
}

/** A line as text with SGR sequences, exactly `width` cells wide. */
export function paintLine({text = '', spans, title, ...own}: Line, width: number, theme: Theme): string {
	const style: Style = title ? {...own, inverse: true, bold: true} : own;
	return paint(
		fitSpans(
			(spans ?? [{text}]).map(span => ({...style, ...span})),
			width,
			style,
		),
		theme,
	);
}

/** A line as it is read out: what is seen by its look is said, and columns are no gaps. */
export function spokenLine({text, spans, inverse}: Line): string {
	const words = text ?? spans?.map(span => span.text).join('') ?? '';
	return `${inverse ? 'selected: ' : ''}${words.trim().replaceAll(/ {2,}/g, '  ')}`;
}
