import {Refusal} from '../../core/refusal.ts';
import type {Agent} from '../../core/seams.ts';

/** Any program. Its prompt is in FLEET_PROMPT, and `{prompt}` in its argv stands for it. */
export const command: Agent = {
	id: 'command',
	title: 'any program or script',
	instructions: [],
	start({prompt, argv, cwd}) {
		if (argv.length === 0 || argv[0] === '') {
			return new Refusal('no command was given', 'write it after "--", such as: fleet run -- ./agent.sh');
		}

		if (argv.some(argument => argument.includes('\0'))) {
			return new Refusal('the command holds a NUL byte', 'no program can be given one');
		}

		return {
			argv: argv.map(argument => argument.replaceAll('{prompt}', () => prompt ?? '')),
			cwd,
			env: {...(prompt === undefined ? undefined : {FLEET_PROMPT: prompt})},
		};
	},
};
