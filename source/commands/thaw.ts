import {compose} from '../compose.ts';
import {Refusal} from '../core/refusal.ts';
import {connect, findRun} from '../engine/runs.ts';
import {reasonOption, type Verb} from './verb.ts';

export const verb: Verb = {
	define(command) {
		reasonOption(command.argument('<run>'));
	},
	async run(io, [name], options) {
		const context = compose();
		const run = findRun(context, name!);
		const connection = await connect(context, run.id);
		if (!connection) {
			throw new Refusal(`${run.id} is not running: it is ${run.stage}`, `fleet show ${run.id}`);
		}

		try {
			await connection.request({method: 'thaw', because: options['because'], actor: context.actor as `person:${string}`});
		} finally {
			connection.close();
		}

		io.out(`${run.id} goes on\n`);
	},
};
