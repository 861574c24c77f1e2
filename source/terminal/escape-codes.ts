import process from 'node:process';
import type {FleetClient} from '../protocol/client.ts';
import {escapeLine} from '../core/text/escape-controls.ts';

/** Writes to the terminal what is no part of a frame: its title, a bell, a notification, the clipboard. */
export function escapeCodes(
	stdout: {write(text: string): unknown},
	environment: NodeJS.ProcessEnv,
): FleetClient['terminal'] {
	return {
		title: text => void stdout.write(`\u001B]2;${escapeLine(text)}\u0007`),
		bell: () => void stdout.write('\u0007'),
		notify(text) {
			import('./notify.ts')
				.then(async ({notifyDesktop}) => notifyDesktop(escapeLine(text), stdout, environment))
				// Nothing depends on it: the row says the same.
				.catch(() => {});
		},
		async copy(text) {
			const {copyText} = await import('./clipboard.ts');
			return copyText(text, stdout, {environment, platform: process.platform});
		},
		mouse: on => void stdout.write(on ? '\u001B[?1002h\u001B[?1006h' : '\u001B[?1002l\u001B[?1006l'),
		askBackground: () => void stdout.write('\u001B]11;?\u0007'),
	};
}
