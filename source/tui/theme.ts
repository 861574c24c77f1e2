import type {Back, Span, Style, Tone} from '../core/spans.ts';
import type {Stage} from '../core/run.ts';

export const themeNames = ['dark', 'light', 'contrast', 'plain'] as const;
export type ThemeName = (typeof themeNames)[number];

/** Ink's names of the ANSI colours, so that a terminal's own palette decides, and their SGR numbers. */
const ansi = {red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36, gray: 90} as const;
type Colour = keyof typeof ansi;

export type Theme = {
	readonly name: ThemeName;
	readonly tones: Readonly<Partial<Record<Tone, Colour>>>;
	/** SGR parameters. */
	readonly backs: Readonly<Partial<Record<Back, string>>>;
	/** Whether an agent's own colours are shown. */
	readonly foreign: boolean;
};

const tones = {accent: 'cyan', good: 'green', bad: 'red', warn: 'yellow', quiet: 'gray', keyword: 'magenta', string: 'green', number: 'yellow', comment: 'gray', type: 'cyan', name: 'blue'} as const;

export const themes: Readonly<Record<ThemeName, Theme>> = {
	dark: {name: 'dark', tones, backs: {added: '48;5;22', removed: '48;5;52', addedWord: '48;5;28', removedWord: '48;5;88', match: '30;43'}, foreign: true},
	light: {name: 'light', tones: {...tones, warn: 'magenta', number: 'blue', accent: 'blue'}, backs: {added: '48;5;194', removed: '48;5;224', addedWord: '48;5;157', removedWord: '48;5;217', match: '30;43'}, foreign: true},
	// Weight and words carry what matters; no grey, nothing behind a text but what is searched for.
	contrast: {name: 'contrast', tones: {accent: 'cyan', good: 'green', bad: 'red', warn: 'yellow'}, backs: {addedWord: '1;4', removedWord: '1;4', match: '7'}, foreign: false},
	plain: {name: 'plain', tones: {}, backs: {addedWord: '4', removedWord: '4', match: '7'}, foreign: false},
};

/** What a style amounts to on a terminal, as SGR parameters; empty for none. */
function sgrOf(style: Style, theme: Theme): string {
	const colour = style.tone && theme.tones[style.tone];
	return [
		theme.foreign ? style.sgr : undefined, style.bold ? '1' : undefined, style.dim && theme.name !== 'contrast' ? '2' : undefined, style.underline ? '4' : undefined, colour && ansi[colour],
		style.back && theme.backs[style.back], style.inverse ? '7' : undefined,
	].filter(part => part !== undefined && part !== '').join(';');
}

/** A line's spans as text with SGR sequences. */
export function paint(spans: readonly Span[], theme: Theme): string {
	return spans.map(span => {
		const sgr = sgrOf(span, theme);
		return sgr === '' ? span.text : `\u001B[${sgr}m${span.text}\u001B[0m`;
	}).join('');
}

/** The tone of a stage. */
export function stageTone(stage: Stage): Tone | undefined {
	switch (stage) {
		case 'queued':
		case 'running':
		case 'starting':
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
