import {Box, Text} from 'ink';
import type {ReactNode} from 'react';
import {fit} from './table.tsx';

/** One line of a view: its text, already neutralised, and how it looks. */
export type Line = {readonly text: string; readonly colour?: string | undefined; readonly bold?: boolean; readonly dim?: boolean; readonly inverse?: boolean};

/** Exactly `height` lines of exactly `width` cells: what is missing is blank, what is more is not drawn. */
export function Lines({lines, width, height}: {readonly lines: readonly Line[]; readonly width: number; readonly height: number}): ReactNode {
	return (
		<Box flexDirection="column" height={height} overflow="hidden">
			{Array.from({length: height}, (_, index) => {
				const line = lines[index];
				return <Text key={index} wrap="truncate" color={line?.colour} bold={line?.bold ?? false} dimColor={line?.dim ?? false} inverse={line?.inverse ?? false}>{fit(line?.text ?? '', width)}</Text>;
			})}
		</Box>
	);
}
