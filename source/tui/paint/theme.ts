import type {Back, Span, Style, Tone} from '../../core/text/spans.ts';
import type {Stage} from '../../core/run/stages.ts';

export const themeNames = ['dark', 'light', 'contrast', 'plain'] as const;
export type ThemeName = (typeof themeNames)[number];

/** Ink's names of the ANSI colours, so that a terminal's own palette decides, and their SGR numbers. */
const ansi = {red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36} as const;
type Colour = keyof typeof ansi;

export type Theme = {
	readonly name: ThemeName;
	readonly tones: Readonly<Partial<Record<Tone, Colour>>>;
	/**
	 * SGR parameters of tones that are shown by weight. Never palette grey
	 * (SGR 90): some terminals have the background's colour there.
	 */
	readonly weights: Readonly<Partial<Record<Tone, string>>>;
	/**
	 * What a colour becomes in front of a changed line, so that it is read there: its SGR number, or undefined for none.
	 */
	onChange(colour: number): number | undefined;
	/** SGR parameters. */
	readonly backs: Readonly<Partial<Record<Back, string>>>;
	/** Whether an agent's own colours are shown. */
	readonly foreign: boolean;
};

const tones = {
	accent: 'cyan',
	good: 'green',
	bad: 'red',
	warn: 'yellow',
	keyword: 'magenta',
	string: 'green',
	number: 'yellow',
	type: 'cyan',
	name: 'blue',
} as const;
const weights = {quiet: '2', comment: '2'} as const;

export const themes: Readonly<Record<ThemeName, Theme>> = {
	// On the dark green or red of a changed line only the bright colours (SGR 90 to 97) have enough contrast.
	dark: {
		name: 'dark',
		tones,
		weights,
		onChange: colour => (colour === ansi.blue || colour === ansi.red ? undefined : colour + 60),
		backs: {
			added: '48;5;22',
			removed: '48;5;52',
			addedWord: '48;5;28',
			removedWord: '48;5;88',
			match: '30;43',
			selected: '48;5;238',
		},
		foreign: true,
	},
	light: {
		name: 'light',
		tones: {...tones, warn: 'magenta', number: 'blue', accent: 'blue'},
		weights,
		onChange: colour => ([31, 34, 35].includes(colour) ? colour : undefined),
		backs: {
			added: '48;5;194',
			removed: '48;5;224',
			addedWord: '48;5;157',
			removedWord: '48;5;217',
			match: '30;43',
			selected: '48;5;253',
		},
		foreign: true,
	},
	// No colours: bold and underline alone, since it is not known whether the terminal is dark or light.
	contrast: {
		name: 'contrast',
		tones: {},
		weights: {accent: '1', bad: '1;4', warn: '1'},
		onChange: () => undefined,
		backs: {addedWord: '1;4', removedWord: '1;4', match: '7', selected: '7'},
		foreign: false,
	},
	plain: {
		name: 'plain',
		tones: {},
		weights: {quiet: '2', comment: '2'},
		onChange: () => undefined,
		backs: {addedWord: '4', removedWord: '4', match: '7', selected: '7'},
		foreign: false,
	},
};

/** The colour of a style's text, as an SGR parameter. @param isChange on the ground of a changed line */
function frontOf(style: Style, theme: Theme, isChange: boolean): number | undefined {
	const colour = style.tone && theme.tones[style.tone];
	if (colour === undefined) {
		return undefined;
	}

	if (!isChange) {
		return ansi[colour];
	}

	// A changed word has no syntax colours: on its background they are not readable.
	return style.back === 'added' || style.back === 'removed' ? theme.onChange(ansi[colour]) : undefined;
}

/** Whether it is the ground of a changed line. */
function isOfChange(back: Back | undefined): boolean {
	return back !== undefined && back !== 'match' && back !== 'selected';
}

/** What a style amounts to on a terminal, as SGR parameters; empty for none. */
function sgrOf(style: Style, theme: Theme): string {
	const isChange = isOfChange(style.back) && theme.backs.added !== undefined;
	const front = frontOf(style, theme, isChange);
	const weight = isChange ? undefined : style.tone && theme.weights[style.tone];
	return [
		theme.foreign ? style.sgr : undefined,
		style.bold ? '1' : undefined,
		style.dim && !isChange && theme.name !== 'contrast' ? '2' : undefined,
		style.underline ? '4' : undefined,
		weight,
		front,
		style.back && theme.backs[style.back],
		style.inverse ? '7' : undefined,
	]
		.filter(part => part !== undefined && part !== '')
		.join(';');
}

/** A line's spans as text with SGR sequences. */
export function paint(spans: readonly Span[], theme: Theme): string {
	return spans
		.map(span => {
			const sgr = sgrOf(span, theme);
			return sgr === '' ? span.text : `\u001B[${sgr}m${span.text}\u001B[0m`;
		})
		.join('');
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
