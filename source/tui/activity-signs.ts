import type {Tone} from '../core/text/spans.ts';
import type {ActivityLine} from './activity.ts';

/** What stands for how something went; colour alone never says it. */
export function signOf({tone, kind}: Pick<ActivityLine, 'tone' | 'kind'>): {
	readonly glyph: string;
	readonly tone: Tone | undefined;
} {
	switch (tone) {
		case 'good': {
			return {glyph: '✓', tone};
		}

		case 'bad': {
			return {glyph: kind === 'denial' ? '!' : '✗', tone};
		}

		case 'warn': {
			return {glyph: kind === 'denial' ? '⊘' : '~', tone};
		}

		case undefined: {
			return {glyph: '·', tone: 'quiet'};
		}
	}
}
