import {render} from 'ink';
import {App} from './app.tsx';
import type {Store} from './store.ts';

/**
 * Draws a store's state from now on, on a terminal that is taken
 * already. `leave` ends it; `left` resolves when that has happened.
 */
export function show(store: Store): {leave(): void; left: Promise<unknown>} {
	// Ink would ask whether this is a build machine, by a variable that
	// people set for other reasons; that there is a terminal is known here.
	const app = render(<App store={store} />, {
		interactive: true,
		incrementalRendering: true,
		maxFps: 60,
		exitOnCtrlC: false,
		patchConsole: false,
		isScreenReaderEnabled: false,
	});
	return {leave: () => app.unmount(), left: app.waitUntilExit()};
}
