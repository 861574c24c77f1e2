/** How many letters are to be changed, left out, added or exchanged with their neighbour to make one word of another. */
export function distance(from: string, to: string): number {
	let before: number[] = [];
	let row = Array.from({length: to.length + 1}, (_, index) => index);
	for (let at = 1; at <= from.length; at++) {
		const next = [at];
		for (let column = 1; column <= to.length; column++) {
			const same = from[at - 1] === to[column - 1];
			const swapped = at > 1 && column > 1 && from[at - 1] === to[column - 2] && from[at - 2] === to[column - 1];
			next.push(
				Math.min(
					row[column]! + 1,
					next[column - 1]! + 1,
					row[column - 1]! + (same ? 0 : 1),
					swapped ? before[column - 2]! + 1 : Infinity,
				),
			);
		}

		before = row;
		row = next;
	}

	return row[to.length]!;
}

/** The word that was most likely meant: one that begins so, or differs by few letters; undefined where none is near. */
export function nearest(typed: string, words: readonly string[]): string | undefined {
	if (typed.length < 2) {
		return undefined;
	}

	const begins = words.filter(word => word.startsWith(typed));
	if (begins.length > 0) {
		return begins[0];
	}

	const allowed = typed.length < 5 ? 1 : 2;
	return words
		.map(word => ({word, distance: distance(typed, word)}))
		.filter(({distance}) => distance <= allowed)
		.sort((a, b) => a.distance - b.distance)[0]?.word;
}
