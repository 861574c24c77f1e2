/*
 * The answers that a program offers at the end of what it shows, so that a person can choose one without its terminal.
 * Only a reading of what is on its screen: what is chosen is typed there, as a person would.
 */

export type Choice = {
	/** What is typed for it. */
	readonly key: string;
	readonly text: string;
};

export type Choices = {
	readonly options: readonly Choice[];
	/** Whether the key alone answers, as in a menu with a cursor; else enter has to follow. */
	readonly isMenu: boolean;
};

/** Lines at the end among which answers are looked for. */
const lastLines = 24;

const edge = String.raw`[\s│┃|]*`;
const cursor = '[❯›▸➤>]';
const numbered = new RegExp(`^${edge}(?<cursor>${cursor})?\\s*(?<key>[1-9])[.)]\\s+(?<text>\\S.*?)${edge}$`, 'u');
const yesNo = /[[(]\s*y(?:es)?\s*\/\s*n(?:o)?\s*[\])]/i;

/** A question of its own at the end, which takes none of the keys of a list above it. */
const otherQuestion = /(?:token|password|passphrase|secret)[^:]*:\s*$|\bpress (?:any key|enter|return)\b/iu;

/** An answer to a list that was typed after it: `choice: 2`, or the key alone. */
function isAnswer(line: string, options: readonly Choice[]): boolean {
	const key = /(?:^|[:?>#\])]\s?)\s*(?<key>[1-9])\s*$/u.exec(line)?.groups?.['key'];
	return key !== undefined && options.some(option => option.key === key);
}

/** The last list that is numbered from one, without a gap, and that nobody answered yet. */
function numberedIn(lines: readonly string[]): Choices | undefined {
	let options: Choice[] = [];
	let isMenu = false;
	for (const line of lines) {
		const found = numbered.exec(line)?.groups;
		if (!found) {
			if (options.length > 1 && isAnswer(line, options)) {
				options = [];
			}

			continue;
		}

		if (found['key'] === '1') {
			options = [];
			isMenu = false;
		}

		if (Number(found['key']) === options.length + 1) {
			options.push({key: found['key']!, text: found['text']!});
			isMenu ||= found['cursor'] !== undefined;
		}
	}

	return options.length > 1 ? {options, isMenu} : undefined;
}

/**
 * The answers that a program offers; undefined where it offers none that can be told.
 * @param lines of its screen, or the last of its output, without escape sequences
 */
export function choicesIn(lines: readonly string[]): Choices | undefined {
	const last = lines.filter(line => line.trim() !== '').slice(-lastLines);
	if (yesNo.test(last.at(-1) ?? '')) {
		return {
			options: [
				{key: 'y', text: 'yes'},
				{key: 'n', text: 'no'},
			],
			isMenu: false,
		};
	}

	return otherQuestion.test(last.at(-1) ?? '') ? undefined : numberedIn(last);
}
