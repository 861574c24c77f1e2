import type {Availability} from '../../core/seams.ts';
import type {Context} from '../../engine/context.ts';
import {lastOutcomes} from '../../engine/notify/spool.ts';
import {readSettings} from '../../engine/project/settings.ts';

/** How the last message by each notifier went that is set; nothing is sent for that. */
export async function checkNotifiers({
	paths,
}: Pick<Context, 'paths'>): Promise<Array<Availability & {readonly id: string}>> {
	const {send} = (await readSettings(paths)).notify;
	const last = lastOutcomes(paths);
	return [...new Set(send.map(({kind}) => kind))].map(kind => {
		const {ok = true, because = '', at} = last[kind] ?? {};
		const sent = at === undefined ? 'nothing was sent yet: fleet notify test' : `the last message was sent at ${at}`;
		return {
			id: `notify ${kind}`,
			works: ok,
			version: '',
			because: ok ? sent : `the last message was not sent: ${because}`,
			hint: ok ? '' : 'fleet notify test',
		};
	});
}
