/** A filter of the list, as it was typed: `is:failed project:web fix the`. */
export type Filter = {
	readonly is: readonly string[];
	readonly project: string | undefined;
	readonly agent: string | undefined;
	/** What is left: looked for in names first. */
	readonly text: string;
};

/** Reads a filter. A word with a colon that is none of the known ones is text as all others. */
export function parseFilter(typed: string): Filter {
	const words = typed.split(/\s+/).filter(word => word !== '');
	const valuesOf = (key: string) =>
		words.filter(word => word.startsWith(`${key}:`)).map(word => word.slice(key.length + 1).toLowerCase());
	const known = /^(?:is|project|agent):/;
	return {
		is: valuesOf('is').filter(value => value !== ''),
		project: valuesOf('project').at(-1),
		agent: valuesOf('agent').at(-1),
		text: words.filter(word => !known.test(word)).join(' '),
	};
}
