import {appendFileSync} from 'node:fs';
import process from 'node:process';
import {compose} from '../../source/compose.ts';
import {deploy} from '../../source/engine/handover/deploy.ts';
import {merge} from '../../source/engine/handover/merge.ts';
import {approve} from '../../source/engine/handover/approve.ts';
import {supervise} from '../../source/engine/run/supervise.ts';
import {verify} from '../../source/engine/handover/verify.ts';
import {discard} from '../../source/engine/handover/discard.ts';
import {Journal} from '../../source/host/journal.ts';

/*
 * Does one piece of work on a run, and dies by SIGKILL in the moment that one kind
 * of line is in the journal: `whole`, or with the next line `torn` in the middle.
 */

const [, , runId = '', work = '', crashAt = '', tail = 'whole'] = process.argv;
const context = compose();

const open: typeof Journal.open = (places, wait) => {
	const journal = Journal.open(places, wait);
	journal?.subscribe(entry => {
		if (entry.type === crashAt) {
			if (tail === 'torn') {
				appendFileSync(places.journal, `{"seq":${entry.seq + 1},"at":"2026-`);
			}

			process.kill(process.pid, 'SIGKILL');
		}
	});
	return journal;
};

if (work === 'supervise') {
	await supervise(context, runId, {report() {}, openJournal: open, patience: 0});
} else {
	const journal = open(context.paths.run(runId), 1000)!;
	const works: Record<string, () => Promise<unknown>> = {
		verify: () => verify(context, journal, {onOutput() {}}),
		approve: () => approve(context, journal, {because: 'read it'}),
		merge: () => merge(context, journal, {because: ''}),
		deploy: () =>
			deploy(context, journal, {target: 'shelf', order: {confirmed: 'shelf'}, credentials: new Map(), onOutput() {}}),
		discard: () => discard(context, journal, ''),
	};
	await works[work]!();
	journal.close();
}

process.exit(0);
