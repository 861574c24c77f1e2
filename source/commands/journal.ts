import {compose} from '../compose.ts';
import {neutraliseLine} from '../core/neutralise.ts';
import {exitCodes, Refusal} from '../core/refusal.ts';
import {localStamp} from '../core/time.ts';
import {isName} from '../core/names.ts';
import {listRunIds} from '../engine/runs.ts';
import {readJournal} from '../host/journal.ts';
import {describe} from '../protocol/describe.ts';
import type {Verb} from './verb.ts';

export const verb: Verb = {
	define(command) {
		command
			.argument('<run>', 'a run, or "verify"')
			.argument('[one]', 'the run to verify; by default all')
			.option('--json', 'one JSON document');
	},
	async run(io, [what, one], options) {
		const context = compose();
		const ids = listRunIds(context);
		const find = (text: string) => {
			const found = ids.includes(text) ? [text] : isName(text) ? ids.filter(id => id.startsWith(text)) : [];
			if (found.length !== 1) {
				throw new Refusal(`there is no run "${text.slice(0, 60).replaceAll(/[^ -~]/g, '?')}"`, 'fleet list --all');
			}

			return found[0]!;
		};

		if (what !== 'verify') {
			const {entries, fault} = readJournal(context.paths.run(find(what!)).journal);
			if (options['json']) {
				io.json(entries);
			} else {
				for (const entry of entries) {
					io.out(
						`${localStamp(entry.at)} ${entry.type.padEnd(16)} ${neutraliseLine(`${describe(entry)} (${entry.actor.replace('person:', '')})`)}\n`,
					);
				}

				if (fault) {
					io.out(`broken at line ${fault.line}: ${fault.because}; it and what follows is not believed\n`);
				}
			}

			return;
		}

		const results = (one === undefined ? ids : [find(one)]).map(id => {
			const {entries, torn, fault, head} = readJournal(context.paths.run(id).journal);
			const status = fault ? 'broken' : torn ? 'torn' : entries.length === 0 ? 'empty' : 'whole';
			return {
				run: id,
				status,
				entries: entries.length,
				head,
				line: fault ? fault.line : torn ? entries.length + 1 : null,
				because:
					fault?.because ??
					(torn ? 'the last line was cut off: its writer was ended' : entries.length === 0 ? 'no line at all' : ''),
			};
		});
		if (options['json']) {
			io.json(results);
		} else {
			for (const {run, status, entries, line, because, head} of results) {
				io.out(
					`${run} ${status}, ${entries} lines${line === null ? `, head ${head.slice(0, 16)}` : `; line ${line}: ${because}`}\n`,
				);
			}
		}

		return results.some(result => result.status !== 'whole') ? exitCodes.gate : exitCodes.ok;
	},
};
