import {Refusal} from '../refusal.ts';

/** Splits a command line the way a shell's quotes do, without any expansion: words, '…', "…" and backslashes. */
export function splitWords(text: string): string[] | Refusal {
	const words: string[] = [];
	let word: string | undefined;
	let quote = '';
	for (let index = 0; index < text.length; index++) {
		const character = text[index]!;
		if (quote === "'") {
			if (character === "'") {
				quote = '';
			} else {
				word += character;
			}
		} else if (character === '\\' && (quote === '' || '"\\$`'.includes(text[index + 1] ?? ''))) {
			word = (word ?? '') + (text[++index] ?? '');
		} else if (quote === '"') {
			if (character === '"') {
				quote = '';
			} else {
				word += character;
			}
		} else if (character === '"' || character === "'") {
			quote = character;
			word ??= '';
		} else if (/\s/.test(character)) {
			if (word !== undefined) {
				words.push(word);
				word = undefined;
			}
		} else {
			word = (word ?? '') + character;
		}
	}

	if (quote !== '') {
		return new Refusal(`the command has a ${quote} that is not closed`, 'close it, or put a backslash before it');
	}

	return word === undefined ? words : [...words, word];
}

/** One word as a shell reads it back, for commands that are shown to be typed. */
export function quoteWord(word: string): string {
	return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
