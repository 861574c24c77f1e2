import type {Span, Style} from '../../core/text/spans.ts';
import {fitSpans, widthOf} from './fit.ts';
import {paint, type Theme} from './theme.ts';

/**
 * One line of a view, already escaped: a text that looks the
 * same throughout, or spans. A title names what is below it.
 */
export type Line = Style & {
	readonly text?: string;
	readonly spans?: readonly Span[];
	readonly title?: boolean;
	/** Whether its spans are as wide as its place already, so that nobody measures them again. */
	readonly exact?: boolean;
	/** What is read out in its place, where columns alone would not say it. */
	readonly spoken?: string;
};

/** Exactly `height` lines: what is missing is blank, what is more is left out. */
export function block(lines: readonly Line[], height: number): Line[] {
	return Array.from({length: height}, (_, index) => lines[index] ?? {});
}

/** What all of a line looks like, by itself. */
function styleOf({tone, bold, dim, inverse, underline, back, sgr, title}: Line): Style {
	const style: Style = {tone, bold, dim, inverse, underline, back, sgr};
	return title ? {...style, bold: true} : style;
}

/** A line's spans, exactly `width` cells. */
function spansOf(line: Line, width: number): readonly Span[] {
	const style = styleOf(line);
	const styled = (line.spans ?? [{text: line.text ?? ''}]).map(span => ({...style, ...span}));
	return line.exact ? styled : fitSpans(styled, width, style);
}

/** A line as text with SGR sequences, exactly `width` cells wide. */
export function paintLine(line: Line, width: number, theme: Theme): string {
	return paint(spansOf(line, width), theme);
}

/** Two lines beside each other, the first cut or filled to its width. */
export function beside(
	left: Line,
	right: Line,
	{width, total}: {readonly width: number; readonly total: number},
): Line {
	return {
		exact: true,
		spans: [...spansOf(left, width), {text: '│', tone: 'quiet'}, ...spansOf(right, total - width - 1)],
	};
}

/** Texts at both ends of a line; the right one gives way. */
export function ends(left: readonly Span[], right: readonly Span[], width: number): Line {
	const widthOfAll = (spans: readonly Span[]) => spans.reduce((sum, {text}) => sum + widthOf(text), 0);
	const gap = width - widthOfAll(left) - widthOfAll(right);
	return gap < 1 ? {spans: left} : {spans: [...left, {text: ' '.repeat(gap)}, ...right]};
}

/** A row of a list that is or is not the one with the cursor: the same look everywhere. */
export function row(spans: readonly Span[], isSelected: boolean): Line {
	return {
		back: isSelected ? 'selected' : undefined,
		spans: [{text: isSelected ? '▌' : ' ', tone: 'accent'}, ...spans],
	};
}
