import {eachControl} from '../../core/text/controls.ts';
import type {Back, Span, Style, Tone} from '../../core/text/spans.ts';
import type {Stage} from '../../core/run/stages.ts';

export const themeNames = ['dark', 'light', 'ansi', 'contrast', 'plain'] as const;
export type ThemeName = (typeof themeNames)[number];

/** What is behind the text of a terminal. */
export type Ground = 'dark' | 'light';

/** Tones as SGR parameters. */
type Tones = Readonly<Partial<Record<Tone, string>>>;

export type Theme = {
	readonly name: ThemeName;
	readonly tones: Tones;
	/** In front of a changed line, so that they are read there; none where a changed line has no ground of its own. */
	readonly onChange: Tones | undefined;
	/** In front of a ground of the theme's own, where there is no tone: a terminal's own colour may not be read there. */
	readonly onGround: string | undefined;
	/** What stands in front of a changed word, which has no syntax colours. */
	readonly onWord: string;
	/** SGR parameters. */
	readonly backs: Readonly<Partial<Record<Back, string>>>;
	/** Whether an agent's own colours are shown. */
	readonly foreign: boolean;
};

/** Tones as colours of the palette of 256, which is the same in every terminal. */
function palette(tones: Readonly<Record<Tone, number>>): Tones {
	return Object.fromEntries(Object.entries(tones).map(([tone, colour]) => [tone, `38;5;${colour}`]));
}

/** The same with what is to be noticed in bold. */
function strong(tones: Readonly<Record<Tone, number>>): Tones {
	const {accent, bad, warn, ...others} = palette(tones);
	return {...others, accent: `1;${accent}`, bad: `1;4;${bad}`, warn: `1;${warn}`};
}

/** For a terminal with sixteen colours of its own. Never grey (SGR 90): some have the background's colour there. */
const ansi: Tones = {
	accent: '36',
	good: '32',
	bad: '31',
	warn: '33',
	keyword: '35',
	string: '32',
	number: '33',
	type: '36',
	name: '34',
	quiet: '2',
	comment: '2',
};

/*
 * Each of these has a contrast of at least 4.5 (WCAG) on black, white, Solarized's grounds, those of common terminals,
 * and the theme's own, which a test holds.
 */
export const themes: Readonly<Record<ThemeName, Theme>> = {
	dark: {
		name: 'dark',
		tones: palette({
			accent: 45,
			good: 77,
			bad: 210,
			warn: 221,
			quiet: 248,
			keyword: 176,
			string: 114,
			number: 215,
			comment: 248,
			type: 80,
			name: 111,
		}),
		onChange: palette({
			accent: 159,
			good: 157,
			bad: 217,
			warn: 222,
			quiet: 252,
			keyword: 219,
			string: 157,
			number: 222,
			comment: 252,
			type: 159,
			name: 153,
		}),
		onGround: '38;5;255',
		onWord: '38;5;231',
		backs: {
			added: '48;5;22',
			removed: '48;5;52',
			addedWord: '48;5;28',
			removedWord: '48;5;88',
			match: '30;48;5;221',
			selected: '48;5;236',
		},
		foreign: true,
	},
	light: {
		name: 'light',
		tones: palette({
			accent: 25,
			good: 22,
			bad: 124,
			warn: 58,
			quiet: 240,
			keyword: 89,
			string: 22,
			number: 58,
			comment: 240,
			type: 23,
			name: 19,
		}),
		onChange: palette({
			accent: 25,
			good: 22,
			bad: 88,
			warn: 58,
			quiet: 238,
			keyword: 89,
			string: 22,
			number: 58,
			comment: 238,
			type: 23,
			name: 19,
		}),
		onGround: '38;5;16',
		onWord: '38;5;16',
		backs: {
			added: '48;5;194',
			removed: '48;5;224',
			addedWord: '48;5;157',
			removedWord: '48;5;217',
			match: '30;48;5;221',
			selected: '48;5;254',
		},
		foreign: true,
	},
	ansi: {
		name: 'ansi',
		tones: ansi,
		onChange: undefined,
		onGround: undefined,
		onWord: '1;4',
		backs: {addedWord: '4', removedWord: '4', match: '7', selected: '7'},
		foreign: true,
	},
	// No colours: bold and underline alone, as long as it is not known whether the terminal is dark or light.
	contrast: {
		name: 'contrast',
		tones: {accent: '1', bad: '1;4', warn: '1'},
		onChange: undefined,
		onGround: undefined,
		onWord: '',
		backs: {addedWord: '1;4', removedWord: '1;4', match: '7', selected: '7'},
		foreign: false,
	},
	plain: {
		name: 'plain',
		tones: {quiet: '2', comment: '2'},
		onChange: undefined,
		onGround: undefined,
		onWord: '',
		backs: {addedWord: '4', removedWord: '4', match: '7', selected: '7'},
		foreign: false,
	},
};

/** High contrast, for a terminal of which it is known what its ground is: at least 7 (WCAG) on the grounds above. */
const contrastOn: Readonly<Record<Ground, Theme>> = {
	dark: {
		...themes.contrast,
		tones: strong({
			accent: 123,
			good: 120,
			bad: 217,
			warn: 228,
			quiet: 255,
			keyword: 219,
			string: 157,
			number: 222,
			comment: 255,
			type: 159,
			name: 153,
		}),
	},
	light: {
		...themes.contrast,
		tones: strong({
			accent: 18,
			good: 22,
			bad: 88,
			warn: 53,
			quiet: 234,
			keyword: 54,
			string: 22,
			number: 53,
			comment: 234,
			type: 17,
			name: 18,
		}),
	},
};

/** What a state is painted with. */
export function themeOf({theme, ground}: {readonly theme: ThemeName; readonly ground: Ground | undefined}): Theme {
	return theme === 'contrast' && ground ? contrastOn[ground] : themes[theme];
}

/** What stands in front: a style's tone, as it is read on its ground. */
function frontOf({tone, back}: Style, theme: Theme): string | undefined {
	switch (back) {
		case 'addedWord':
		case 'removedWord': {
			return theme.onWord;
		}

		case 'added':
		case 'removed': {
			return tone ? (theme.onChange ?? theme.tones)[tone] : theme.onGround;
		}

		case 'match': {
			return undefined;
		}

		case 'selected':
		case undefined: {
			// On inverse ground a dimmed or coloured text is not read.
			if (back === 'selected') {
				return theme.backs.selected === '7' ? undefined : ((tone && theme.tones[tone]) ?? theme.onGround);
			}

			return tone && theme.tones[tone];
		}
	}
}

/** What a style amounts to on a terminal, as SGR parameters; empty for none. */
function sgrOf(style: Style, theme: Theme): string {
	const isPlainGround = style.back === undefined || style.back === 'selected';
	const isDim = style.dim && isPlainGround && theme.name !== 'contrast' && style.tone === undefined;
	return [
		theme.foreign ? style.sgr : undefined,
		style.bold ? '1' : undefined,
		isDim ? (theme.tones.quiet ?? '2') : undefined,
		style.underline ? '4' : undefined,
		frontOf(style, theme),
		style.back && theme.backs[style.back],
		style.inverse ? '7' : undefined,
	]
		.filter(part => part !== undefined && part !== '')
		.join(';');
}

/** A line's spans as text with SGR sequences, and no other: nothing that comes after this looks for control characters. */
export function paint(spans: readonly Span[], theme: Theme): string {
	return spans
		.map(span => {
			const sgr = sgrOf(span, theme);
			const text = span.text.replaceAll(eachControl, '');
			return sgr === '' ? text : `\u001B[${sgr}m${text}\u001B[0m`;
		})
		.join('');
}

/** The tone of a stage. */
export function stageTone(stage: Stage): Tone | undefined {
	switch (stage) {
		case 'queued':
		case 'running':
		case 'starting':
		case 'checking':
		case 'verifying':
		case 'merging':
		case 'deploying': {
			return 'accent';
		}

		case 'verified':
		case 'approved':
		case 'merged':
		case 'deployed': {
			return 'good';
		}

		case 'failed':
		case 'crashed':
		case 'verify-failed':
		case 'deploy-failed':
		case 'rejected': {
			return 'bad';
		}

		case 'frozen':
		case 'inconclusive':
		case 'deploy-unknown': {
			return 'warn';
		}

		case 'discarded': {
			return 'quiet';
		}

		default: {
			return undefined;
		}
	}
}
