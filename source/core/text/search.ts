/* How what is searched for is read. */

/**
 * A search's words as a pattern: a regular expression, or where it is
 * none, the words as they are. No capital: capitals do not matter.
 */
export function patternOf(search: string): RegExp {
	const flags = search === search.toLowerCase() ? 'gi' : 'g';
	try {
		return new RegExp(search, flags);
	} catch {
		return new RegExp(search.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`), flags);
	}
}

/** A stretch of a line, in UTF-16 units. */
export type Stretch = {readonly from: number; readonly to: number};

/** Where a pattern is found first in a line; undefined where it is not, or where it fits nothing at all. */
export function findIn(line: string, pattern: RegExp): Stretch | undefined {
	const match = new RegExp(pattern.source, pattern.flags.replace('g', '')).exec(line);
	return match && match[0] !== '' ? {from: match.index, to: match.index + match[0].length} : undefined;
}

/** A line cut to about so many characters around a stretch of it, which stays whole as far as there is room. */
export function excerpt(
	line: string,
	{from, to}: Stretch,
	length: number,
): {readonly text: string; readonly match: Stretch} {
	if (line.length <= length) {
		return {text: line, match: {from, to}};
	}

	const start = Math.max(0, Math.min(from - Math.floor(length / 4), line.length - length));
	const cut = `${start > 0 ? '…' : ''}${line.slice(start, start + length)}${start + length < line.length ? '…' : ''}`;
	const shift = start - (start > 0 ? 1 : 0);
	return {text: cut, match: {from: from - shift, to: Math.min(to - shift, cut.length)}};
}
