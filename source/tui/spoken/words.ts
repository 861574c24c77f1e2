import type {Line} from '../paint/line.ts';

/* Lines as words: what is seen by its place, its sign or its look is said, and what only divides is not. */

/** What a sign says, where a line has no words for it. */
const words: Readonly<Record<string, string>> = {
	'✓': 'done, ',
	'✔': 'done, ',
	'✗': 'failed, ',
	'✘': 'failed, ',
	'⊘': 'blocked, ',
	'·': ', ',
	'×': ' times',
	'←': 'left',
	'↑': 'up',
	'↓': 'down',
};

/** Boxes, bars, arrows of folds and marks of the cursor. */
const silent = /[─-╿▀-▟▌▸▾◂●‖○◆⏎…]/gu;

/** Without what is drawn: columns are commas, and signs are words. */
export function spokenText(text: string): string {
	return text
		.replaceAll(/\s*→\s*/g, ' to ')
		.replaceAll(/[✓✔✗✘⊘·×←↑↓]/gu, sign => words[sign]!)
		.replaceAll(silent, ' ')
		.trim()
		.replaceAll(/[ \t]{2,}/g, ', ')
		.replaceAll(/\s*,(?:\s*,)+\s*/g, ', ')
		.replaceAll(/ +,/g, ',')
		.replace(/^[,\s]+|[,\s]+$/g, '');
}

/** A line as it is read out. */
export function spokenLine({text, spans, spoken}: Line): string {
	return spokenText(spoken ?? text ?? spans?.map(span => span.text).join('') ?? '');
}

/** A text by which it is known whether there is news: times go on by themselves. */
export function withoutTimes(text: string): string {
	return text.replaceAll(/\b\d+(?:s|m|h|d)\b/g, '#');
}
