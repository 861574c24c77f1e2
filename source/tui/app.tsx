import {Box, useInput, usePaste, useWindowSize, type Key} from 'ink';
import {useEffect, useSyncExternalStore, type ReactNode} from 'react';
import {dialogLines} from './components/fields.tsx';
import {Footer} from './components/footer.tsx';
import {Lines, ThemeContext} from './components/lines.tsx';
import {footerHeight} from './layout.ts';
import {CompareScreen} from './screens/compare.tsx';
import {DiskScreen} from './screens/disk.tsx';
import {FleetScreen} from './screens/fleet.tsx';
import {NewScreen} from './screens/form.tsx';
import {GatesScreen} from './screens/gates.tsx';
import {paletteLines} from './screens/palette.tsx';
import {RunScreen} from './screens/run.tsx';
import {VaultScreen} from './screens/vault.tsx';
import {HelpScreen, WelcomeScreen} from './screens/welcome.tsx';
import type {State} from './state.ts';
import type {Store} from './store.ts';
import {themes} from './theme.ts';

const screens = {welcome: WelcomeScreen, fleet: FleetScreen, run: RunScreen, gates: GatesScreen, new: NewScreen, vault: VaultScreen, disk: DiskScreen, compare: CompareScreen, help: HelpScreen};

/** Names of the keys in one event. Keys that come fast arrive as one text, such as "jjj" or "a\r". */
export function keysOf(input: string, key: Partial<Key>): string[] {
	const named: Array<[keyof Key, string]> = [['upArrow', 'up'], ['downArrow', 'down'], ['leftArrow', 'left'], ['rightArrow', 'right'], ['return', 'return'], ['escape', 'escape'], ['tab', 'tab'], ['backspace', 'backspace'], ['delete', 'delete'], ['home', 'home'], ['end', 'end'], ['pageUp', 'pageup'], ['pageDown', 'pagedown']];
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

	const special: Record<string, string> = {'\r': 'return', '\n': 'ctrl-j', '\t': 'tab', '\u007F': 'backspace', '\b': 'backspace', ' ': 'space', '\u0001': 'ctrl-a', '\u0003': 'ctrl-c', '\u0005': 'ctrl-e', '\u000B': 'ctrl-k', '\u0015': 'ctrl-u', '\u0017': 'ctrl-w', '\u001B': 'escape'};
	return [...input].map(character => special[character] ?? character).filter(name => !/^[\u0000-\u001F]$/.test(name));
}

/** The frame of a state: exactly as high as the terminal, since a taller one would clear it every time. */
export function Frame({state}: {readonly state: State}): ReactNode {
	const Screen = screens[state.screen];
	const question = state.dialog ? dialogLines(state.dialog, state.columns) : paletteLines(state);
	const below = question.slice(0, Math.max(0, state.rows - footerHeight - 1));
	const height = Math.max(1, state.rows - footerHeight - below.length);
	return (
		<ThemeContext value={themes[state.theme]}>
			<Box flexDirection="column" width={state.columns} height={state.rows} overflow="hidden">
				<Screen state={state} height={height} />
				{below.length > 0 ? <Lines lines={below} width={state.columns} height={below.length} /> : undefined}
				<Footer state={state} />
			</Box>
		</ThemeContext>
	);
}

/** The root: listens to the terminal, and draws the store's state. */
export function App({store}: {readonly store: Store}): ReactNode {
	const state = useSyncExternalStore(store.subscribe, store.snapshot);
	const {columns, rows} = useWindowSize();
	useEffect(() => {
		store.send({type: 'resize', columns, rows});
	}, [store, columns, rows]);
	useInput((input, key) => {
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
