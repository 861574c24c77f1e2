import {compose} from '../compose.ts';
import {summaryLines} from '../core/packages/summary.ts';
import {viewedText} from '../core/run/viewed.ts';
import {escapeLine} from '../core/text/escape-controls.ts';
import {approve, wantedOf} from '../engine/handover/approve.ts';
import {Refusal} from '../core/refusal.ts';
import {findRun, withJournal} from '../engine/runs.ts';
import {ask} from '../terminal/ask.ts';
import {sayRun} from './documents.ts';
import {define, flag, json, reason, required, text} from './verb.ts';

export const verb = define({
	summary: "a person's yes to exactly what was verified",
	arguments: {run: required('RUN')},
	options: {
		because: reason(),
		confirm: text('WORD', 'the word that the policy asks for, in place of typing it'),
		key: text('FILE', "the SSH key to sign with, where the policy wants that; git's user.signingKey by default"),
		breakGlass: flag('without the others, where the policy lets one person do so; needs --because'),
		json,
	},
	brief: ['because', 'confirm', 'key', 'breakGlass'],
	async run(io, {run: name}, options) {
		const context = compose();
		const {id} = findRun(context, name);
		await withJournal(context, id, async journal => {
			// What is said yes to, before it is said: what became of packages is easily missed in a lock file.
			const {packages} = journal.run.captured ?? {};
			const [summary, ...flags] = packages ? summaryLines(packages) : [];
			if (summary !== undefined) {
				io.err(`packages  ${escapeLine(summary)}\n${flags.map(flag => `        ! ${escapeLine(flag)}\n`).join('')}`);
			}

			let confirmed = options.confirm;
			const {word} = await wantedOf(context, journal.run);
			if (word !== undefined && confirmed === undefined && io.interactive) {
				confirmed = await ask(`type ${word} to approve ${id}: `, false);
			}

			const signed = await approve(context, journal, {
				because: options.because,
				confirmed,
				key: options.key,
				breakGlass: options.breakGlass,
			});
			if (signed?.result instanceof Refusal) {
				const {because} = signed.result;
				sayRun(io, context, {run: id, json: options.json, text: `signed by ${signed.by}; ${escapeLine(because)}\n`});
				return;
			}

			const {head, base, viewed, accepted} = journal.run.approval!;
			const {runs = [], place = 1} = journal.run.verification?.train ?? {};
			const before = runs.slice(0, place - 1).map(other => other.run);
			sayRun(io, context, {
				run: id,
				json: options.json,
				text:
					`approved ${id} at ${head.slice(0, 10)} onto ${base.slice(0, 10)}` +
					`${before.length === 0 ? '' : ` after ${before.join(', ')}`}` +
					`${viewed ? `, ${viewedText(viewed)}` : ''}${accepted ? `, signed by ${accepted.by.join(', ')}` : ''}${accepted && !accepted.fourEyes ? ' (four eyes: no)' : ''}\n`,
			});
		});
	},
});
