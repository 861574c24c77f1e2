import {Box, Transform, useInput, usePaste, useStdout, useWindowSize, type Key} from 'ink';
import {useEffect, useSyncExternalStore, type ReactNode} from 'react';
import type {State} from './state.ts';
import type {Store} from './store.ts';
import {paintFrame} from './view.ts';

/** Names of the keys in one event. Keys that come fast arrive as one text, such as "jjj" or "a\r". */
export function keysOf(input: string, key: Partial<Key>): string[] {
	const named: Array<[keyof Key, string]> = [
		['upArrow', 'up'],
		['downArrow', 'down'],
		['leftArrow', 'left'],
		['rightArrow', 'right'],
		['return', 'return'],
		['escape', 'escape'],
		['tab', 'tab'],
		['backspace', 'backspace'],
		['delete', 'delete'],
		['home', 'home'],
		['end', 'end'],
		['pageUp', 'pageup'],
		['pageDown', 'pagedown'],
	];
	const found = named.find(([flag]) => key[flag]);
	if (found && input.length <= 1) {
		const name = found[1] === 'tab' && key.shift ? 'shift-tab' : found[1];
		return [key.meta && name !== 'escape' ? `alt-${name}` : name];
	}

	if (key.ctrl) {
		return [`ctrl-${input}`];
	}

	if (key.meta && input.length === 1) {
		return [`alt-${input}`];
	}

	const special: Record<string, string> = {
		'\r': 'return',
		'\n': 'ctrl-j',
		'\t': 'tab',
		'\u007F': 'backspace',
		'\b': 'backspace',
		' ': 'space',
		'\u001B': 'escape',
	};
	const control = (character: string) =>
		/^[\u0001-\u001A]$/.test(character) ? `ctrl-${String.fromCodePoint(character.codePointAt(0)! + 96)}` : character;
	return [...input]
		.map(character => special[character] ?? control(character))
		.filter(name => !/^[\u0000-\u001F]$/.test(name));
}

/**
 * The frame of a state. Ink gets one text of blank lines, and each painted line as what that line is transformed to: so
 * it lays out and cleans one text that stays as it is, in place of each line of each frame.
 */
export function Frame({state}: {readonly state: State}): ReactNode {
	const painted = paintFrame(state);
	return (
		<Box width={state.columns} height={state.rows}>
			<Transform transform={(_, index) => painted[index] ?? ''}>{blankLines(state.rows)}</Transform>
		</Box>
	);
}

/** Lines of one blank each: Ink leaves out a text that is empty. */
function blankLines(rows: number): string {
	return Array.from({length: rows}, () => ' ').join('\n');
}

/** The root: listens to the terminal, and draws the store's state. */
export function App({store}: {readonly store: Store}): ReactNode {
	const state = useSyncExternalStore(store.subscribe, store.snapshot);
	const {columns, rows} = useWindowSize();
	useEffect(() => {
		store.send({type: 'resize', columns, rows});
	}, [store, columns, rows]);
	const {write} = useStdout();
	useInput((input, key) => {
		if (key.ctrl && input === 'l') {
			// Ink draws all of its last frame after what is written beside it.
			write('');
			return;
		}

		const keys = keysOf(input, key);
		if (keys.length > 0) {
			store.send({type: 'keys', keys});
		}
	});
	usePaste(text => {
		store.send({type: 'paste', text});
	});
	return <Frame state={state} />;
}
