import process from 'node:process';
import {isName} from '../core/names.ts';
import {compose} from '../compose.ts';
import {ownSignals} from '../engine/run/halt.ts';
import {supervise} from '../engine/run/supervise.ts';
import type {Handover} from '../engine/run/start-supervisor.ts';

/* The bin of the detached process that owns one run. Its argv names the run, so that a person finds it in `ps`. */

// Whoever reads the title may send one at once. Unheard, each of them would end the process.
const early: NodeJS.Signals[] = [];
const note = (name: NodeJS.Signals) => early.push(name);
for (const name of ownSignals) {
	process.on(name, note);
}

process.title = `fleet-supervisor ${process.argv[2] ?? ''}`;
const [, , runId = ''] = process.argv;
if (!isName(runId)) {
	process.stderr.write('usage: supervisor.js RUN\n');
	process.exit(2);
}

/** What a supervisor has that was started by hand. */
const nothing: Handover = {secrets: [], setupSecrets: [], profile: undefined};

/** What the starter hands over. */
const handover = process.connected
	? new Promise<Handover>(resolve => {
			process.once('message', (message: Handover) => resolve(message));
			process.once('disconnect', () => resolve(nothing));
		})
	: undefined;

try {
	const {secrets, setupSecrets, serverSecrets = [], profile, notify} = (await handover) ?? nothing;
	await supervise(compose(), runId, {
		report(message) {
			// Whoever started it may have gone already.
			if (process.connected) {
				process.send!(message, () => {
					process.disconnect();
				});
			}
		},
		secrets,
		setupSecrets,
		serverSecrets,
		profile,
		notify,
		early: () => early.splice(0),
	});
	process.exit(0);
} catch (error) {
	process.stderr.write(`${(error as Error).stack ?? String(error)}\n`);
	process.exit(1);
}
