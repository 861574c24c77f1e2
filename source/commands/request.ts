import {compose} from '../compose.ts';
import {Refusal} from '../core/refusal.ts';
import {escapeLine} from '../core/text/escape-controls.ts';
import {ask, collect} from '../engine/requests/send.ts';
import {findRun, withJournal} from '../engine/runs.ts';
import {sayRun} from './documents.ts';
import {define, flag, json, reason, required, text} from './verb.ts';

export const verb = define({
	summary: 'say whose work a run is, and ask others to approve it; --answers: take what they said',
	arguments: {run: required('RUN')},
	options: {
		to: text('REMOTE', 'push what others need to look at it to this remote of the project, such as origin'),
		answers: flag('take what others signed, and approve it where that is enough'),
		because: reason(),
		key: text('FILE', "the SSH key to sign with; git's user.signingKey by default"),
		json,
	},
	brief: ['to', 'answers', 'because', 'key'],
	async run(io, {run: name}, {to, answers, because, key, json}) {
		const context = compose();
		const {id} = findRun(context, name);
		await withJournal(context, id, async journal => {
			if (answers) {
				const found = await collect(context, journal, io.interactive);
				if (!found) {
					throw new Refusal(`nobody was asked about ${id} over a remote`, `fleet request ${id} --to origin`);
				}

				const said = found.taken.map(({statement: {by, decision, because}}) => `${by}: ${decision} ${because}`.trim());
				for (const refusal of found.left) {
					io.err(`left out: ${escapeLine(refusal.because)}\n`);
				}

				const state =
					found.result instanceof Refusal ? found.result.because : `approved by ${found.result.by.join(', ')}`;
				sayRun(io, context, {run: id, json, text: [...said, state].map(line => `${escapeLine(line)}\n`).join('')});
				return;
			}

			const by = await ask(context, journal, {to, because, key, interactive: io.interactive});
			sayRun(io, context, {
				run: id,
				json,
				text:
					to === undefined
						? `${by} asks for ${id} to be approved\n`
						: `${by} asks for ${id} to be approved, at ${to}\n`,
			});
		});
	},
});
