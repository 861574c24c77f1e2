import {actorName} from '../core/actor.ts';
import {compose} from '../compose.ts';
import {escapeLine} from '../core/text/escape-controls.ts';
import {Refusal} from '../core/refusal.ts';
import {localStamp} from '../core/text/time.ts';
import {isName} from '../core/names.ts';
import {findRun, listRunIds} from '../engine/runs.ts';
import {readJournal, type JournalReading} from '../host/journal.ts';
import {describe} from '../protocol/describe.ts';
import type {Io} from '../terminal/program.ts';
import {push} from './journal/push.ts';
import {exported, exportForms} from './journal/export.ts';
import {verify} from './journal/verify.ts';
import {define, flag, json, optional, required, text} from './verb.ts';

/** A journal's lines as people read them, or as they are. */
function print(io: Io, {entries, fault}: JournalReading, isJson: boolean): void {
	if (isJson) {
		io.json(entries);
		return;
	}

	for (const entry of entries) {
		const what = escapeLine(`${describe(entry)} (${actorName(entry.actor)})`);
		io.out(`${localStamp(entry.at)} ${entry.type.padEnd(16)} ${what}\n`);
	}

	if (fault) {
		io.out(`broken at line ${fault.line}: ${fault.because}; it and what follows is not believed\n`);
	}
}

/** The runs that a word may mean: one by its whole name, or all whose names begin with it. */
function matching(ids: readonly string[], text: string): readonly string[] {
	if (ids.includes(text)) {
		return [text];
	}

	return isName(text) ? ids.filter(id => id.startsWith(text)) : [];
}

export const verb = define({
	summary: 'what happened, and whether the record is whole; in forms for others, and to a log that only grows',
	arguments: {
		run: required('RUN', 'a run, or an action: verify, export, push'),
		one: optional('[RUN]', 'for an action: which run; verify takes all by default'),
	},
	options: {
		dsse: flag('export: what people signed, as DSSE envelopes in JSON'),
		sarif: flag('export: the audit, alarms and denials, as SARIF 2.1.0'),
		markdown: flag('export: all of it, to read'),
		to: text('REMOTE', "push: the remote whose branch of this machine's gate log it is added to; origin by default"),
		json,
	},
	usage: 'RUN [--json] | verify [RUN] | export RUN --dsse|--sarif|--markdown | push RUN [--to REMOTE]',
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

		const theOne = () => {
			if (one === undefined) {
				throw new Refusal('say which run', `fleet journal ${what} RUN`);
			}

			return findRun(context, find(one));
		};

		if (what === 'verify') {
			return verify(context, io, {ids: one === undefined ? ids : [find(one)], json: options.json});
		}

		if (what === 'export') {
			const [form, ...more] = exportForms.filter(form => options[form]);
			if (form === undefined || more.length > 0) {
				throw new Refusal('say in which form', `fleet journal export RUN --${exportForms.join('|--')}`);
			}

			io.out(exported(theOne(), form));
			return;
		}

		if (what === 'push') {
			await push(context, io, {run: theOne(), remote: options.to ?? 'origin', json: options.json});
			return;
		}

		print(io, readJournal(context.paths.run(find(what)).journal), options.json);
	},
});
