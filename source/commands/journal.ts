import {actorName} from '../core/actor.ts';
import {compose} from '../compose.ts';
import {escapeLine} from '../core/text/escape-controls.ts';
import {exitCodes, Refusal} from '../core/refusal.ts';
import {localStamp} from '../core/text/time.ts';
import {isName} from '../core/names.ts';
import {listRunIds} from '../engine/runs.ts';
import {readJournal} from '../host/journal.ts';
import {describe} from '../protocol/describe.ts';
import {define, json, optional, required} from './verb.ts';

/** How a journal is, in one word, and where and why it is not whole. */
function verdictOf({entries, torn, fault}: ReturnType<typeof readJournal>): {
	readonly status: string;
	readonly line: number | null;
	readonly because: string;
} {
	if (fault) {
		return {status: 'broken', line: fault.line, because: fault.because};
	}

	if (torn) {
		const because = 'the last line was cut off: its writer was ended';
		return {status: 'torn', line: entries.length + 1, because};
	}

	return entries.length === 0
		? {status: 'empty', line: null, because: 'no line at all'}
		: {status: 'whole', line: null, because: ''};
}

/** The runs that a word may mean: one by its whole name, or all whose names begin with it. */
function matching(ids: readonly string[], text: string): readonly string[] {
	if (ids.includes(text)) {
		return [text];
	}

	return isName(text) ? ids.filter(id => id.startsWith(text)) : [];
}

export const verb = define({
	summary: 'what happened, and whether the record is whole',
	arguments: {run: required('RUN', 'a run, or "verify"'), one: optional('[RUN]', 'the run to verify; by default all')},
	options: {json},
	usage: 'RUN [--json] | verify [RUN]',
	async run(io, {run: what, one}, options) {
		const context = compose();
		const ids = listRunIds(context);
		const find = (text: string) => {
			const found = matching(ids, text);
			if (found.length !== 1) {
				throw new Refusal(`there is no run "${text.slice(0, 60).replaceAll(/[^ -~]/g, '?')}"`, 'fleet list --all');
			}

			return found[0]!;
		};

		if (what !== 'verify') {
			const {entries, fault} = readJournal(context.paths.run(find(what)).journal);
			if (options.json) {
				io.json(entries);
			} else {
				for (const entry of entries) {
					const what = escapeLine(`${describe(entry)} (${actorName(entry.actor)})`);
					io.out(`${localStamp(entry.at)} ${entry.type.padEnd(16)} ${what}\n`);
				}

				if (fault) {
					io.out(`broken at line ${fault.line}: ${fault.because}; it and what follows is not believed\n`);
				}
			}

			return;
		}

		const results = (one === undefined ? ids : [find(one)]).map(id => {
			const journal = readJournal(context.paths.run(id).journal);
			const {status, line, because} = verdictOf(journal);
			return {run: id, status, entries: journal.entries.length, head: journal.head, line, because};
		});
		if (options.json) {
			io.json(results);
		} else {
			for (const {run, status, entries, line, because, head} of results) {
				const more = line === null ? `, head ${head.slice(0, 16)}` : `; line ${line}: ${because}`;
				io.out(`${run} ${status}, ${entries} lines${more}\n`);
			}
		}

		return results.some(result => result.status !== 'whole') ? exitCodes.gate : exitCodes.ok;
	},
});
