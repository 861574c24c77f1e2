/* What of a patch says what is changed, and not where. */

/**
 * A patch without what moves with the rest of its files: line numbers, what git shows of a function's name, the names of
 * whole files' contents. Blanks and the lines around a change stay, unlike in `git patch-id`: in some languages they
 * decide what a line does.
 * @param text as `git diff-tree -p --full-index --binary` writes it
 */
export function plainPatch(text: string): string {
	const lines = text.split('\n');
	return lines
		.map((line, index) => {
			if (line.startsWith('@@ ')) {
				return '@@';
			}

			// Of a file that is not text, only the names of its contents say what it was.
			return line.startsWith('index ') && lines[index + 1] !== 'GIT binary patch'
				? line.replace(/^index [0-9a-f]+\.\.[0-9a-f]+/, 'index')
				: line;
		})
		.join('\n');
}
