import process from 'node:process';
import {Refusal} from '../core/refusal.ts';
import {probeSandboxes} from '../compose.ts';
import {checkGit} from './doctor/git.ts';
import {install, missingPackages} from './doctor/packages.ts';
import {walkThrough} from './demo/steps.ts';
import {World} from './demo/world.ts';
import {define, flag} from './verb.ts';
import type {Io} from '../terminal/program.ts';

/*
 * The main job on a project that does not matter, with an agent that does an honest change and tries what it must not.
 */

/**
 * Installs what the demo needs and this machine lacks.
 * @throws Refusal where that is not to be, and where a sandbox does not work for another reason
 */
async function makeReady(io: Io, yes: boolean): Promise<void> {
	const look = async () => [await checkGit(), ...(await probeSandboxes())];
	let checks = await look();
	const packages = missingPackages(checks);
	if (packages.length > 0) {
		await install(io, packages, {yes, retry: 'fleet demo --yes'});
		checks = await look();
	}

	const failed = checks.find(({works}) => !works);
	if (failed) {
		throw new Refusal(failed.because, failed.hint);
	}
}

export const verb = define({
	summary: 'a throwaway project, a misbehaving agent, and every step to a deploy',
	arguments: {},
	options: {
		yes: flag('walk through by itself, and install what is missing'),
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

		await makeReady(io, options.yes);
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
