import process from 'node:process';
import {isName} from './core/names.ts';
import {closeInherited} from './host/descriptors.ts';
import {compose} from './compose.ts';
import {supervise} from './engine/supervise.ts';

/* The bin of the detached process that owns one run. Its argv names the run, so that a person finds it in `ps`. */

closeInherited();
process.title = `fleet-supervisor ${process.argv[2] ?? ''}`;
const [, , runId = ''] = process.argv;
if (!isName(runId)) {
	process.stderr.write('usage: supervisor.js RUN\n');
	process.exit(2);
}

try {
	await supervise(compose(), runId, message => {
		// Whoever started it may have gone already.
		if (process.connected) {
			process.send!(message, () => {
				process.disconnect();
			});
		}
	});
	process.exit(0);
} catch (error) {
	process.stderr.write(`${(error as Error).stack ?? String(error)}\n`);
	process.exit(1);
}
