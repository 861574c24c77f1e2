import {caret} from './controls.ts';
import {escapeControls} from './escape-controls.ts';

/** What a colour means; a theme says which one it is. */
export type Tone =
	| 'accent'
	| 'good'
	| 'bad'
	| 'warn'
	| 'quiet'
	| 'keyword'
	| 'string'
	| 'number'
	| 'comment'
	| 'type'
	| 'name';

/** What stands behind a text. */
export type Back = 'added' | 'removed' | 'addedWord' | 'removedWord' | 'match' | 'selected';

export type Style = {
	readonly tone?: Tone | undefined;
	readonly bold?: boolean | undefined;
	readonly dim?: boolean | undefined;
	readonly inverse?: boolean | undefined;
	readonly underline?: boolean | undefined;
	readonly back?: Back | undefined;
	/** The parameters of an agent's own SGR sequence: digits and semicolons alone. */
	readonly sgr?: string | undefined;
};

/** A piece of a line that looks the same throughout. */
export type Span = Style & {readonly text: string};

type Kept = Map<string, string>;

const beginnings: Readonly<Record<number, string>> = {
	1: 'weight',
	2: 'weight',
	3: 'italic',
	4: 'underline',
	7: 'inverse',
	9: 'strike',
};

/** Which of its effects a parameter changes; undefined for those that would hide what is written, or make it blink. */
function category(code: number): string | undefined {
	if (beginnings[code] !== undefined) {
		return beginnings[code];
	}

	if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) {
		return 'front';
	}

	return (code >= 40 && code <= 47) || (code >= 100 && code <= 107) ? 'back' : undefined;
}

const endings: Readonly<Record<number, string>> = {
	22: 'weight',
	23: 'italic',
	24: 'underline',
	27: 'inverse',
	29: 'strike',
	39: 'front',
	49: 'back',
};

/** How many parameters a colour takes, with the one that begins it. @param form 5: by its number; 2: by its parts */
function colourLength(form: number | undefined): number {
	if (form === 5) {
		return 3;
	}

	return form === 2 ? 5 : 1;
}

function applySgr(kept: Kept, parameters: string): void {
	const codes = parameters.split(/[;:]/).map(text => Number(text || 0));
	for (let index = 0; index < codes.length; index++) {
		const code = codes[index]!;
		if (code === 0) {
			kept.clear();
		} else if (code === 38 || code === 48) {
			const length = colourLength(codes[index + 1]);
			const own = codes.slice(index, index + length);
			if (length > 1 && own.length === length && own.slice(2).every(part => part >= 0 && part <= 255)) {
				kept.set(code === 38 ? 'front' : 'back', own.join(';'));
			}

			index += length - 1;
		} else if (endings[code] !== undefined) {
			kept.delete(endings[code]);
		} else {
			const kind = category(code);
			if (kind !== undefined) {
				kept.set(kind, String(code));
			}
		}
	}
}

/**
 * One line of what a program wrote, as it looks: colours are kept, every other sequence is gone, and what was
 * overwritten after a carriage return is not shown.
 * @param text a line without its line feed; untrusted
 */
export function readSpans(text: string): Span[] {
	if (/^[ -~]*$/.test(text)) {
		return [{text}];
	}

	const whole = text.replace(/\r+$/, '');
	const shown = whole.slice(whole.lastIndexOf('\r') + 1);
	const spans: Span[] = [];
	const kept: Kept = new Map();
	let from = 0;
	const take = (to: number) => {
		const clean = escapeControls(shown.slice(from, to)).replaceAll('\n', '⏎');
		if (clean !== '') {
			spans.push(kept.size === 0 ? {text: clean} : {text: clean, sgr: [...kept.values()].join(';')});
		}
	};

	for (const match of shown.matchAll(/\u001B\[([\d;:]*)m/g)) {
		take(match.index);
		from = match.index + match[0].length;
		applySgr(kept, match[1]!);
	}

	take(shown.length);
	return spans;
}

/** The same with every byte of a sequence in sight, as `cat -v` shows it. */
export function readRaw(text: string): Span[] {
	return [
		{
			text: escapeControls(caret(text.replace(/\r$/, '').replaceAll('\t', '    '))).replaceAll('\n', '⏎'),
		},
	];
}

/** The words alone. */
export function plainText(spans: readonly Span[]): string {
	return spans.map(span => span.text).join('');
}

/** The same line with a style laid over a stretch of it. @param stretch in UTF-16 units of the plain text */
export function highlight(
	spans: readonly Span[],
	stretch: {readonly from: number; readonly to: number},
	style: Style,
): Span[] {
	const {from, to} = stretch;
	const result: Span[] = [];
	let at = 0;
	for (const span of spans) {
		const start = Math.max(0, Math.min(span.text.length, from - at));
		const end = Math.max(start, Math.min(span.text.length, to - at));
		for (const [text, over] of [
			[span.text.slice(0, start), false],
			[span.text.slice(start, end), true],
			[span.text.slice(end), false],
		] as const) {
			if (text !== '') {
				result.push(over ? {...span, ...style, text} : {...span, text});
			}
		}

		at += span.text.length;
	}

	return result;
}

/** A stretch of a line. @param from in UTF-16 units of the plain text, as `to` */
export function sliceSpans(spans: readonly Span[], from: number, to: number): Span[] {
	const result: Span[] = [];
	let at = 0;
	for (const span of spans) {
		const text = span.text.slice(Math.max(0, from - at), Math.max(0, to - at));
		if (text !== '') {
			result.push({...span, text});
		}

		at += span.text.length;
	}

	return result;
}
