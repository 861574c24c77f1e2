import {compose} from '../compose.ts';
import {placeText, requestName} from '../core/publish/place.ts';
import {carriers, type CarrierName} from '../core/publish/state.ts';
import {escapeControls, escapeLine} from '../core/text/escape-controls.ts';
import {publishedText} from '../core/publish/words.ts';
import {refresh} from '../engine/publish/look.ts';
import {planPublish, publish} from '../engine/publish/publish.ts';
import {findRun, withJournal} from '../engine/runs.ts';
import {asTyped} from '../terminal/as-typed.ts';
import {askHidden} from '../terminal/ask.ts';
import {sayRun} from './documents.ts';
import {choice, define, flag, json, required, text} from './verb.ts';

export const verb = define({
	summary: 'where main is on a forge: push what was verified, and ask for it there as a pull or merge request',
	arguments: {run: required('RUN')},
	options: {
		with: text('PROGRAM', 'gh, glab, or rest: fleet itself with a token from the vault', carriers),
		draft: choice('as a draft, whether it is approved or not', 'not as a draft'),
		token: text('SECRET', 'fleet://user/NAME or fleet://project/NAME: a deploy secret for the host of the API'),
		replace: text('COMMIT', 'overwrite this commit, which somebody else pushed to the branch of the run'),
		refresh: flag('look what became of it: checks, reviews, merged or closed'),
		dryRun: flag('say what would be pushed and written; nothing is asked of anybody'),
		json,
	},
	brief: ['with', 'refresh', 'dryRun'],
	async run(io, {run: name}, options) {
		const context = compose(askHidden(io.interactive));
		const {id} = findRun(context, name);
		const order = {
			by: options.with as CarrierName | undefined,
			draft: options.draft,
			token: options.token,
			replace: options.replace,
			interactive: io.interactive,
		};
		if (options.dryRun) {
			const {remote, head, branch, draft, title, body} = await planPublish(context, findRun(context, name), order);
			if (options.json) {
				io.json({remote: remote.name, place: remote.place, head, branch, draft, title, body});
				return;
			}

			io.out(`push   ${head.slice(0, 10)} to ${branch} at ${remote.name} (${escapeLine(placeText(remote.place))})\n`);
			io.out(`title  ${escapeLine(title)}${draft ? ' (draft)' : ''}\n\n${escapeControls(body)}\n`);
			return;
		}

		if (options.refresh) {
			await withJournal(context, id, async journal => {
				await refresh(context, journal, order);
				const text = `${escapeLine(publishedText(journal.run.published!))}\n  ${escapeLine(journal.run.published!.url)}\n`;
				sayRun(io, context, {run: id, json: options.json, text});
			});
			return;
		}

		await withJournal(context, id, async journal => {
			const {place, number, url, draft, commit} = await publish(context, journal, order);
			const text =
				`${id} published at ${commit.slice(0, 10)}: ${draft ? 'draft of ' : ''}${requestName(place.forge, number)}\n` +
				`  ${escapeLine(url)}\n` +
				asTyped(`  fleet publish ${id} --refresh\n`);
			sayRun(io, context, {run: id, json: options.json, text});
		});
	},
});
