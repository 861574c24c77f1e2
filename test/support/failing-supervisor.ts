import process from 'node:process';
import {compose} from '../../source/compose.ts';
import {supervise} from '../../source/engine/run/supervise.ts';
import type {Handover} from '../../source/engine/run/start-supervisor.ts';
import {closeInheritedLate} from './descriptors.ts';

/*
 * The supervisor's program with faults planted in it: at one host
 * within the request, at another later, where nothing holds it.
 */

closeInheritedLate();
const [, , runId = ''] = process.argv;
const {secrets} = await new Promise<Handover>(resolve => {
	process.once('message', (message: Handover) => resolve(message));
});

/** An address that fails once it is looked at. */
const planted = new Proxy([], {
	get(_list, name) {
		if (name === 'then') {
			return undefined;
		}

		throw new RangeError('planted');
	},
});

await supervise(compose(), runId, {
	report(message) {
		process.send!(message, () => process.disconnect());
	},
	secrets,
	hooks: {
		async resolve(host) {
			if (host === 'later.test') {
				setTimeout(() => {
					throw new RangeError('planted');
				}, 50);
			} else if (host === 'promise.test') {
				void Promise.reject(new RangeError('planted'));
			}

			return host === 'within.test' ? planted : ['127.0.0.1'];
		},
	},
});
process.exit(0);
