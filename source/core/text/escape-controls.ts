import {eachTextControl} from './controls.ts';
import {markHidden} from './hidden.ts';

/*
 * Text that comes from an agent (output, file names, branch names, commit messages) is untrusted wherever it is shown.
 */

// String sequences (OSC, DCS, SOS, PM, APC) end at BEL or ST, or
// never; CSI and short escapes; then whatever control byte is left.
const strings = /(?:\u001B[\]PX^_]|[\u009D\u0090\u0098\u009E\u009F])[^\u0007\u001B\u009C]*(?:\u0007|\u001B\\|\u009C)?/g;
const csi = /(?:\u001B\[|\u009B)[0-?]*[ -/]*[@-~]?/g;
const short = /\u001B[ -/]*[0-~]?/g;
/** Joined pictures are drawn side by side: what joins them has no width that terminals agree on. */
const joiners = /[\u200D\u{E0020}-\u{E007F}]/gu;

/**
 * One line or many, safe to put in a frame or on a terminal: no escape sequence, no control byte but
 * tab (as spaces) and line feed; a character that is not seen, or reorders its neighbours, is a visible dot.
 */
export function escapeControls(text: string): string {
	if (/^[\n -~]*$/.test(text)) {
		return text;
	}

	const plain = text
		.replaceAll(strings, '')
		.replaceAll(csi, '')
		.replaceAll(short, '')
		.replaceAll('\r\n', '\n')
		.replaceAll('\t', '    ')
		.replaceAll(eachTextControl, '');
	return markHidden(
		plain,
		() => '\u00B7',
		sequence => sequence.replaceAll(joiners, ''),
	);
}

/** The same for one line: line feeds become a visible mark. */
export function escapeLine(text: string): string {
	return escapeControls(text).replaceAll('\n', '\u23CE');
}
