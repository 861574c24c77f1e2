import {patternsOf} from '../core/secrets/encodings.ts';
import {Patterns} from '../core/secrets/patterns.ts';

/** What finds texts in every way that they may be written. Made anew only where they are others than the last time. */
export class PatternCache {
	#key = '';
	#patterns = new Patterns([]);

	of(texts: readonly string[]): Patterns {
		const key = texts.join('\0');
		if (this.#key !== key) {
			this.#key = key;
			this.#patterns = patternsOf(texts);
		}

		return this.#patterns;
	}
}
