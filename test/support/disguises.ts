/** One character, as something else than itself. */
export const disguises: ReadonlyArray<(character: string) => string> = [
	character => `%${character.charCodeAt(0).toString(16)}`,
	character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
	character => `%25${character.charCodeAt(0).toString(16)}`,
	character => `%2525${character.charCodeAt(0).toString(16)}`,
	character => `%u00${character.charCodeAt(0).toString(16)}`,
	character => `\\u00${character.charCodeAt(0).toString(16)}`,
	character => `\\u00${character.charCodeAt(0).toString(16).toUpperCase()}`,
	character => `\\\\u00${character.charCodeAt(0).toString(16)}`,
	character => `\\u{${character.charCodeAt(0).toString(16)}}`,
	character => `\\x${character.charCodeAt(0).toString(16)}`,
	character => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`,
	character => `&#${character.charCodeAt(0)};`,
	character => `&#0${character.charCodeAt(0)};`,
	character => `&#x${character.charCodeAt(0).toString(16)};`,
	character => `&#X${character.charCodeAt(0).toString(16).toUpperCase()};`,
	character => `&amp;#${character.charCodeAt(0)};`,
	character => `${character}\0`,
	character => `\0${character}`,
	character => `${character}\0\0\0`,
	character => character.toUpperCase(),
	character => character.toLowerCase(),
	character => (/[A-Za-z0-9]/.test(character) ? character : `\\${character}`),
	character => ({'/': '&sol;', '+': '&plus;'})[character] ?? character,
];

/**
 * A text with everything in it undone that `disguises` does, in lower case: by other
 * means than the product's. An escape that is in UTF-16 itself stays: it is not promised.
 */
export function undisguised(text: string): string {
	let plain = text;
	for (let before = ''; before !== plain;) {
		before = plain;
		plain = plain
			.replaceAll(
				/%u([0-9a-f]{4})|%([0-9a-f]{2})|\\+u\{([0-9a-f]+)\}|\\+u([0-9a-f]{4})|\\+x([0-9a-f]{2})|&#x([0-9a-f]+);?/gi,
				(_whole, ...codes: Array<string | undefined>) =>
					String.fromCharCode(
						Number.parseInt(
							codes.find(code => code !== undefined)!,
							16,
						),
					),
			)
			.replaceAll(/&#(\d+);?/g, (_whole, code: string) => String.fromCharCode(Number(code)))
			.replaceAll(/\\+([0-3][0-7]{2})/g, (_whole, code: string) => String.fromCharCode(Number.parseInt(code, 8)))
			.replaceAll('&amp;', '&')
			.replaceAll('&sol;', '/')
			.replaceAll('&plus;', '+')
			.replaceAll(/\\+([^\w\\])/g, '$1');
	}

	return plain.replaceAll('\0', '').toLowerCase();
}
