import {controlsInRow} from '../text/controls.ts';
import {markHidden} from '../text/hidden.ts';

/*
 * What a commit says that a merge makes: a title, what the
 * project's template adds, and trailers that nobody else can write.
 */

/**
 * How a run's work comes onto its target: as a merge of its
 * commits, as one commit, or as its commits one after another.
 */
export type MergeKind = 'merge' | 'squash' | 'rebase';

/** What a template may name, in braces. */
export const placeholders = ['run', 'title', 'prompt', 'agent', 'target', 'branch', 'commits'] as const;
export type MessageFacts = Readonly<Record<(typeof placeholders)[number], string>>;

/** The names in braces that a template may not have. */
export function unknownPlaceholders(template: string): string[] {
	return [...template.matchAll(/\{([^{}\n]*)\}/g)]
		.map(([, name]) => name!)
		.filter(name => !(placeholders as readonly string[]).includes(name));
}

/**
 * What an agent or a person wrote, as text of a commit: no control bytes, what is not seen as a dot, and no line that
 * reads as one of our trailers, or as a message's end, after which git looks for none.
 */
export function plainWords(text: string): string {
	return markHidden(text, () => '\u00B7')
		.replaceAll(/\r\n?/g, '\n')
		.replaceAll(/[\u0000-\u0009\u000B-\u001F\u007F-\u009F]+/g, ' ')
		.replaceAll(
			/^(?=[^\S\n]*(?:Fleet-[\w-]*|Reviewed-by|Co-authored-by|Signed-off-by|Acked-by)\s*:|---(?:\s|$)|.{1,4} -+ >8 -+\s*$)/gim,
			'| ',
		);
}

/**
 * When a commit was written, as git takes it, where that can be: in no zone that there is not, and not in the future.
 * @param raw seconds and zone, as git prints them
 * @param now milliseconds
 */
export function plainDate(raw: string, now: number): string | undefined {
	const [, seconds = '', zone = ''] = /^(\d{1,12}) ([+-]\d+)$/.exec(raw) ?? [];
	return seconds === '' || Number(seconds) * 1000 > now
		? undefined
		: `@${seconds} ${/^[+-](?:0\d|1[0-4])[0-5]\d$/.test(zone) ? zone : '+0000'}`;
}

/** One line of at most so many characters. */
export function oneLine(text: string, most = 200): string {
	return text.replaceAll(controlsInRow, ' ').slice(0, most);
}

/** The message before its trailers. `commits` of the facts: the subjects, one on a line. */
export function messageText(kind: MergeKind, template: string | undefined, facts: MessageFacts): string {
	if (template !== undefined) {
		return plainWords(template.replaceAll(/\{(\w+)\}/g, (_, name: keyof MessageFacts) => facts[name])).trim();
	}

	if (kind === 'merge') {
		return plainWords(
			`Merge run ${facts.run}${facts.prompt === '' ? '' : `: ${oneLine(facts.prompt.split('\n')[0]!, 60)}`}`,
		);
	}

	const several = facts.commits.includes('\n');
	return plainWords(
		`${facts.title}${
			several
				? `\n\n${facts.commits
						.split('\n')
						.map(subject => `* ${subject}`)
						.join('\n')}`
				: ''
		}`,
	);
}

/** The trailer with what somebody signed, which is as long as it is. */
export const signedTrailer = 'Fleet-Statement';

/** A message with its trailers, in a paragraph of their own. Values are one line each. */
export function withTrailers(text: string, trailers: ReadonlyArray<readonly [key: string, value: string]>): string {
	const own = trailers
		.map(([key, value]) => `${key}: ${oneLine(value, key === signedTrailer ? Infinity : undefined)}`)
		.join('\n');
	return `${[text.trim(), own].filter(part => part !== '').join('\n\n')}\n`;
}
