import process from 'node:process';
import {compose} from '../../source/compose.ts';
import {supervise} from '../../source/engine/run/supervise.ts';
import type {Handover} from '../../source/engine/run/start-supervisor.ts';
import {closeInheritedLate} from './descriptors.ts';

/* The supervisor's program, but for one thing: every host of the world is on a port of this machine's loopback. */

closeInheritedLate();
const [, , port = '', runId = ''] = process.argv;
const {
	secrets,
	serverSecrets = [],
	profile,
} = await new Promise<Handover>(resolve => {
	process.once('message', (message: Handover) => resolve(message));
});
await supervise(compose(), runId, {
	report(message) {
		process.send!(message, () => process.disconnect());
	},
	secrets,
	serverSecrets,
	profile,
	hooks: {resolve: async () => ['192.0.2.1'], placeOf: () => ({host: '127.0.0.1', port: Number(port)})},
});
process.exit(0);
