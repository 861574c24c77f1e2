/** Breaks lines between words so that none has more than `columns` characters; an indented one goes on two deeper. */
export function foldLines(text: string, columns: number): string {
	return text
		.split('\n')
		.map(line => {
			const depth = line.length - line.trimStart().length;
			const deeper = ' '.repeat(depth === 0 ? 0 : depth + 2);
			const lines: string[] = [];
			let rest = line;
			while (rest.length > columns) {
				const cut = rest.lastIndexOf(' ', columns);
				if (cut <= deeper.length) {
					// A word that is wider than the terminal, which breaks it by itself.
					break;
				}

				lines.push(rest.slice(0, cut).trimEnd());
				rest = deeper + rest.slice(cut).trimStart();
			}

			return [...lines, rest].join('\n');
		})
		.join('\n');
}
