import {Box, useInput, useWindowSize, type Key} from 'ink';
import {useEffect, useSyncExternalStore, type ReactNode} from 'react';
import {Footer, footerHeight} from './components/footer.tsx';
import {Lines} from './components/lines.tsx';
import {AuditScreen} from './screens/audit.tsx';
import {FleetScreen} from './screens/fleet.tsx';
import {dialogLines, NewScreen} from './screens/form.tsx';
import {RunScreen} from './screens/run.tsx';
import {VaultScreen} from './screens/vault.tsx';
import {HelpScreen, WelcomeScreen} from './screens/welcome.tsx';
import type {Store} from './store.ts';

const screens = {welcome: WelcomeScreen, fleet: FleetScreen, run: RunScreen, audit: AuditScreen, new: NewScreen, vault: VaultScreen, help: HelpScreen};

/** Names of the keys in one event. Keys that come fast arrive as one text, such as "jjj" or "a\r". */
export function keysOf(input: string, key: Partial<Key>): string[] {
	const named: Array<[keyof Key, string]> = [['upArrow', 'up'], ['downArrow', 'down'], ['leftArrow', 'left'], ['rightArrow', 'right'], ['return', 'return'], ['escape', 'escape'], ['tab', 'tab'], ['backspace', 'backspace'], ['delete', 'backspace'], ['home', 'home'], ['end', 'end']];
	const found = named.find(([flag]) => key[flag]);
	if (found && input.length <= 1) {
		return [found[1]];
	}

	if (key.ctrl) {
		return [`ctrl-${input}`];
	}

	const special: Record<string, string> = {'\r': 'return', '\n': 'return', '\t': 'tab', '\u007F': 'backspace', '\b': 'backspace', ' ': 'space', '\u0003': 'ctrl-c', '\u0015': 'ctrl-u', '\u001B': 'escape'};
	return [...input].map(character => special[character] ?? character).filter(name => !/^[\u0000-\u001F]$/.test(name));
}

/** The root: exactly as high as the terminal, since a taller frame would clear it every time. */
export function App({store}: {readonly store: Store}): ReactNode {
	const state = useSyncExternalStore(store.subscribe, store.snapshot);
	const {columns, rows} = useWindowSize();
	useEffect(() => {
		store.send({type: 'resize', columns, rows});
	}, [store, columns, rows]);
	useInput((input, key) => {
		for (const name of keysOf(input, key)) {
			store.send({type: 'key', key: name});
		}
	});
	const Screen = screens[state.screen];
	const dialog = dialogLines(state);
	const height = Math.max(1, state.rows - footerHeight - dialog.length);
	return (
		<Box flexDirection="column" width={state.columns} height={state.rows} overflow="hidden">
			<Screen state={state} height={height} />
			{dialog.length > 0 ? <Lines lines={dialog} width={state.columns} height={dialog.length} /> : undefined}
			<Footer state={state} />
		</Box>
	);
}
