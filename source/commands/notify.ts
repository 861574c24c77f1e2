import {compose} from '../compose.ts';
import {isReference, type NotifyTarget} from '../core/notify/adapters.ts';
import {exitCodes, Refusal} from '../core/refusal.ts';
import {escapeLine} from '../core/text/escape-controls.ts';
import {localStamp} from '../core/text/time.ts';
import {deliver} from '../engine/notify/deliver.ts';
import {keepOutcomes, lastOutcomes} from '../engine/notify/spool.ts';
import {readSettings, settingsFile} from '../engine/project/settings.ts';
import {askHidden} from '../terminal/ask.ts';
import {define, json, optional} from './verb.ts';

/** Where messages go, without what may be secret of it: a reference is a name, an address may be more. */
const shown = ({kind, address}: NotifyTarget) =>
	kind === 'sendmail' || isReference(address) ? address : new URL(address).host;

export const verb = define({
	summary: 'how you are told that a run needs you, where no screen is open; test sends a message',
	arguments: {action: optional('[test]', 'test: send a message by each')},
	options: {json},
	usage: '[test] [--json]',
	async run(io, {action}, options) {
		if (action !== undefined && action !== 'test') {
			throw new Refusal(`there is no action "${action.slice(0, 20)}"`, 'fleet notify test');
		}

		const context = compose(askHidden(io.interactive));
		const {send} = (await readSettings(context.paths)).notify;
		if (send.length === 0 && action === 'test') {
			throw new Refusal('no notifier is set', `name one below notify: send: in ${settingsFile(context.paths)}`);
		}

		const facts = [
			{run: 'test', project: 'fleet', need: 'nothing: this is a test', verdict: null, at: new Date().toISOString()},
		];
		const results =
			action === 'test'
				? await Promise.all(send.map(async target => deliver(context, target, {facts, values: {}})))
				: undefined;
		if (results) {
			keepOutcomes(context.paths, results);
		}

		const last = lastOutcomes(context.paths);
		const rows = send.map((target, index) => {
			const {ok = null, because = ''} = results?.[index] ?? last[target.kind] ?? {};
			return {kind: target.kind, to: shown(target), ok, because, at: last[target.kind]?.at ?? null};
		});
		if (options.json) {
			io.json(rows);
		} else {
			for (const {kind, to, ok, because, at} of rows) {
				const sent = ok ? 'sent' : `not sent: ${escapeLine(because)}`;
				const state = ok === null ? 'nothing was sent yet' : sent;
				io.out(`${kind.padEnd(8)}  ${escapeLine(to)}  ${state}${at === null ? '' : `, ${localStamp(at)}`}\n`);
			}

			io.out(rows.length === 0 ? 'no notifier is set\n' : '');
		}

		return results?.some(({ok}) => !ok) ? exitCodes.gate : exitCodes.ok;
	},
});
