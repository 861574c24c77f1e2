import process from 'node:process';
import type {FleetClient} from '../protocol/client.ts';
import {escapeLine} from '../core/text/escape-controls.ts';

/** A sequence that tmux is to hand on to the terminal around it. */
function throughTmux(sequence: string): string {
	return `\u001BPtmux;${sequence.replaceAll('\u001B', '\u001B\u001B')}\u001B\\`;
}

/** Writes to the terminal what is no part of a frame: its title, a bell, a notification, the clipboard. */
export function escapeCodes(
	stdout: {write(text: string): unknown},
	environment: NodeJS.ProcessEnv,
): FleetClient['terminal'] {
	const inTmux = Boolean(environment['TMUX']);
	const outer = (sequence: string) => stdout.write(inTmux ? throughTmux(sequence) : sequence);
	return {
		title: text => void stdout.write(`\u001B]2;${escapeLine(text)}\u0007`),
		bell: () => void stdout.write('\u0007'),
		// What kitty, iTerm, WezTerm, Ghostty and Windows Terminal understand; others pass over it.
		notify: text => void outer(`\u001B]9;${escapeLine(text).slice(0, 200)}\u0007`),
		async copy(text) {
			const {copyText} = await import('./clipboard.ts');
			return copyText(text, stdout, {environment, platform: process.platform});
		},
		mouse: on => void stdout.write(on ? '\u001B[?1002h\u001B[?1006h' : '\u001B[?1002l\u001B[?1006l'),
		askBackground: () => void stdout.write('\u001B]11;?\u0007'),
	};
}
