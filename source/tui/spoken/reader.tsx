import {render, useInput, usePaste, useWindowSize, type Instance} from 'ink';
import {useEffect, type ReactNode} from 'react';
import {keysOf} from '../app.tsx';
import type {State} from '../state.ts';
import type {Store} from '../store.ts';
import {announce, readAll, type Said} from './announce.ts';

/* The screen as text that is read out: lines that come one after the other, and none that is drawn over. */

/** Writes what is said; a field stays open for what is typed into it. */
class Speaker {
	readonly #write: (text: string) => void;
	#isOpen = false;

	constructor(write: (text: string) => void) {
		this.#write = write;
	}

	say({lines, isOpen, typed}: Said): void {
		if (typed !== '') {
			this.#write(typed.replaceAll('\n', '\r\n'));
			this.#isOpen = true;
		}

		if (lines.length > 0) {
			this.#write(`${this.#isOpen ? '\r\n' : ''}${lines.join('\r\n')}${isOpen ? '' : '\r\n'}`);
			this.#isOpen = isOpen;
		}
	}

	end(): void {
		this.#write(this.#isOpen ? '\r\n' : '');
		this.#isOpen = false;
	}
}

/** Ink reads the keys, and draws nothing. */
function Keys({store, speaker}: {readonly store: Store; readonly speaker: Speaker}): ReactNode {
	const {columns, rows} = useWindowSize();
	useEffect(() => {
		store.send({type: 'resize', columns, rows});
	}, [store, columns, rows]);
	useInput((input, key) => {
		const keys = keysOf(input, key);
		if (keys.length === 1 && keys[0] === 'ctrl-l') {
			speaker.say(readAll(store.snapshot()));
		} else if (keys.length > 0) {
			store.send({type: 'keys', keys});
		}
	});
	usePaste(text => {
		store.send({type: 'paste', text});
	});
	return null;
}

/** Reads a store's state out from now on. `leave` ends it; `left` resolves when that has happened. */
export function readOut(store: Store, write: (text: string) => void): {leave(): void; left: Promise<unknown>} {
	const speaker = new Speaker(write);
	let before: State = store.snapshot();
	speaker.say(announce(undefined, before));
	const unsubscribe = store.subscribe(() => {
		const after = store.snapshot();
		const last = before;
		before = after;
		speaker.say(announce(last, after));
	});
	const app: Instance = render(<Keys store={store} speaker={speaker} />, {
		interactive: true,
		exitOnCtrlC: false,
		patchConsole: false,
		isScreenReaderEnabled: true,
	});
	return {
		leave() {
			unsubscribe();
			speaker.end();
			app.unmount();
		},
		left: app.waitUntilExit(),
	};
}
