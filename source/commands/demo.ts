import process from 'node:process';
import {Refusal} from '../core/refusal.ts';
import {walkThrough} from './demo/steps.ts';
import {World} from './demo/world.ts';
import {define, flag} from './verb.ts';

/*
 * The main job on a project that does not matter, with an agent that does an honest change and tries what it must not.
 */

export const verb = define({
	summary: 'a throwaway project, a misbehaving agent, and every step to a deploy',
	arguments: {},
	options: {
		yes: flag('walk through by itself'),
		keep: flag('keep the throwaway project, to look around in it'),
	},
	brief: ['yes', 'keep'],
	async run(io, _positional, options) {
		if (!options.yes && !io.interactive) {
			throw new Refusal(
				'the demo asks on the way, and there is no terminal to ask on',
				'fleet demo --yes walks through by itself',
			);
		}

		const demo = new World(io, options.yes);
		const onSignal = () => {
			demo.end(false);
			process.exit(130);
		};

		const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
		for (const signal of signals) {
			process.once(signal, onSignal);
		}

		try {
			return await demo.walk(ports => walkThrough(demo, ports));
		} finally {
			for (const signal of signals) {
				process.off(signal, onSignal);
			}

			demo.end(options.keep);
		}
	},
});
