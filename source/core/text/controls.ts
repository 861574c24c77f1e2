import {holdsHidden} from './hidden.ts';

/*
 * The control characters, C0, DEL and C1, for every part that refuses, drops or shows them. Of a text, tab and line feed
 * are a part. Bytes that are no text yet, and what only ends a host or an address, have classes of their own.
 */

export const anyControl = /[\u0000-\u001F\u007F-\u009F]/;
export const eachControl = new RegExp(anyControl, 'g');
export const controlsInRow = new RegExp(`${anyControl.source}+`, 'g');

/** The same but tab and line feed. */
export const anyTextControl = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/;
export const eachTextControl = new RegExp(anyTextControl, 'g');

/** Whether a name cannot be told by reading it: a control character, or one that is not seen or reorders others. */
export function isUnreadable(name: string): boolean {
	return anyControl.test(name) || holdsHidden(name);
}

/** A control character as `cat -v` shows it: `^[` for escape. C1 has no such form. */
export function caret(text: string): string {
	return text.replaceAll(/[\u0000-\u001F\u007F]/g, byte => `^${String.fromCodePoint(byte.codePointAt(0)! ^ 64)}`);
}
