import {Refusal} from '../refusal.ts';
import {quoteWord} from '../text/shell-words.ts';

/*
 * A person's crontab, and fleet's lines in it. Every other byte stays: a text is taken byte for byte (latin1).
 */

/** cron takes a command of at most 999 bytes (MAX_COMMAND); there is room for another cron. */
const longest = 900;

/**
 * A word as it stands in the command of a crontab: for `sh`, and before that for cron itself. To cron, a backslash escapes
 * what follows it: before `%`, which else ends the command, it goes; before another backslash it goes in some crons, as
 * Debian's, and stays in others. So that all read the same, no backslash of the word's own stands before either of the two:
 * quotes that hold nothing part them.
 */
export function cronWord(word: string): string {
	return quoteWord(word)
		.replaceAll(/\\(?=[\\%])/g, "\\''")
		.replaceAll('%', String.raw`\%`);
}

/** A comment of `sh` at the end of a line, by which it is found again. @param place whose state it belongs to */
function markOf(name: string, place: string): string {
	return ` # fleet schedule ${name} ${place}`;
}

/**
 * A line that starts a schedule's run.
 * @param place a few characters that tell one state folder of fleet's from another
 */
export function cronLine(
	{cron, name, place}: {readonly cron: string; readonly name: string; readonly place: string},
	argv: readonly string[],
): string | Refusal {
	// What is no ASCII would be read in whatever encoding cron has; a line feed ends the line.
	const odd = argv.find(word => /[\0\r\n]/.test(word));
	const command = argv.map(word => cronWord(word)).join(' ');
	const line = `${cron} ${command}${markOf(name, place)}`;
	if (odd !== undefined) {
		return new Refusal(
			'a path with a line feed cannot stand in a crontab',
			'move the folder, or name another FLEET_HOME',
		);
	}

	return new TextEncoder().encode(line).length > longest
		? new Refusal(`the line is longer than cron takes: ${longest} bytes`, 'use a shorter path for fleet or FLEET_HOME')
		: line;
}

/** The lines of a crontab, each with its end. */
function linesOf(text: string): string[] {
	return text.split(/(?<=\n)/);
}

const isOurs = (line: string, name: string, place: string) =>
	!line.trimStart().startsWith('#') && line.trimEnd().endsWith(markOf(name, place));

/** The line of a schedule as it stands in a crontab; undefined where it does not. */
export function entryIn(text: string, name: string, place: string): string | undefined {
	return linesOf(text)
		.find(line => isOurs(line, name, place))
		?.replace(/\r?\n$/, '');
}

/** A crontab without a schedule's line; all else as it was. */
export function withoutEntry(text: string, name: string, place: string): string {
	return linesOf(text)
		.filter(line => !isOurs(line, name, place))
		.join('');
}

/** A crontab with a schedule's line, in the place of an earlier one, or else at the end. */
export function withEntry(
	text: string,
	{name, place, line}: {readonly name: string; readonly place: string; readonly line: string},
): string {
	const lines = linesOf(text);
	const at = lines.findIndex(one => isOurs(one, name, place));
	if (at !== -1) {
		return [...lines.slice(0, at), `${line}\n`, ...lines.slice(at + 1).filter(one => !isOurs(one, name, place))].join(
			'',
		);
	}

	return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${line}\n`;
}
