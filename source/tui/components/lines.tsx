import {Box, Text, useIsScreenReaderEnabled} from 'ink';
import {createContext, useContext, type ReactNode} from 'react';
import type {Span, Style} from '../../core/spans.ts';
import {paint, themes, type Theme} from '../theme.ts';
import {fit, fitSpans} from './fit.ts';

/** One line of a view, already neutralised: a text that looks the same throughout, or spans. */
export type Line = Style & {readonly text?: string; readonly spans?: readonly Span[]};

/** How everything looks; the root sets it. */
export const ThemeContext = createContext<Theme>(themes.dark);

/** A line as it is read out: what is seen by its look is said, and columns are no gaps. */
export function spoken(words: string, selected: boolean): string {
	return `${selected ? 'selected: ' : ''}${words.trim().replaceAll(/ {2,}/g, '  ')}`;
}

/** One line of exactly `width` cells. */
export function Row({line, width}: {readonly line: Line | undefined; readonly width: number}): ReactNode {
	const theme = useContext(ThemeContext);
	const isRead = useIsScreenReaderEnabled();
	if (isRead) {
		// What is seen by its look has to be said.
		const words = line?.text ?? line?.spans?.map(span => span.text).join('') ?? '';
		return <Text>{spoken(words, line?.inverse ?? false)}</Text>;
	}

	if (!line) {
		return <Text wrap="truncate">{' '.repeat(width)}</Text>;
	}

	const {text = '', spans, ...style} = line;
	if (spans || style.back || style.sgr !== undefined) {
		const own = (spans ?? [{text}]).map(span => ({...style, ...span}));
		return <Text wrap="truncate">{paint(fitSpans(own, width, style), theme)}</Text>;
	}

	// Ink's own way is the fast one for a whole line.
	return <Text wrap="truncate" color={style.tone && theme.tones[style.tone]} bold={style.bold ?? false} dimColor={(style.dim ?? false) && theme.name !== 'contrast'} inverse={style.inverse ?? false} underline={style.underline ?? false}>{fit(text, width)}</Text>;
}

/** Exactly `height` lines of exactly `width` cells: what is missing is blank, what is more is not drawn. */
export function Lines({lines, width, height}: {readonly lines: readonly Line[]; readonly width: number; readonly height: number}): ReactNode {
	return (
		<Box flexDirection="column" width={width} height={height} overflow="hidden">
			{Array.from({length: height}, (_, index) => <Row key={index} line={lines[index]} width={width} />)}
		</Box>
	);
}
