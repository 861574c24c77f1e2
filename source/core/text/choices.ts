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

/** The last list that is numbered from one, without a gap. */
function numberedIn(lines: readonly string[]): Choices | undefined {
	let options: Choice[] = [];
	let isMenu = false;
	for (const line of lines) {
		const found = numbered.exec(line)?.groups;
		if (!found) {
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

	return numberedIn(last);
}
