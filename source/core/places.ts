/* Paths as text: absolute, resolved, without a slash at the end. */

/** Whether a path cannot be told in one line, or is not what stands there: Node writes U+FFFD for what is not UTF-8. */
export function isOdd(place: string): boolean {
	return /[\u0000-\u001F\u007F-\u009F\u2028\u2029\u202A-\u202E\u2066-\u2069\uFFFD]/.test(place);
}

/** Whether a place is another or lies below it. */
export function isWithin(place: string, folder: string): boolean {
	return place === folder || place.startsWith(folder === '/' ? '/' : `${folder}/`);
}
