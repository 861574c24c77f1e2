import {compose} from '../compose.ts';
import {learn, proposalLines} from '../core/learn.ts';
import {neutraliseLine} from '../core/neutralise.ts';
import {policyPath} from '../core/policy.ts';
import {findRun} from '../engine/runs.ts';
import {readJournal} from '../host/journal.ts';
import type {Verb} from './verb.ts';

export const verb: Verb = {
	define(command) {
		command.argument('<run>').option('--json', 'one JSON document');
	},
	async run(io, [name], options) {
		const context = compose();
		const run = findRun(context, name!);
		const lesson = learn(readJournal(context.paths.run(run.id).journal).entries);
		if (options['json']) {
			io.json(lesson);
			return;
		}

		if (lesson.asked.length === 0) {
			io.out(`${run.id} asked the network for nothing\n`);
			return;
		}

		for (const {target, allowed, denied, because} of lesson.asked) {
			io.out(`${denied > 0 ? 'denied ' : 'allowed'} ${String(Math.max(denied, allowed)).padStart(5)}  ${neutraliseLine(target).padEnd(40)} ${neutraliseLine(because)}\n`);
		}

		const lines = proposalLines(lesson.proposal);
		io.out(lines.length === 0 ? '\nnothing of it is a public host that a policy could list\n' : `\nto allow it for every run of the project, after you looked at each line, put into ${policyPath}:\n\n${lines.map(line => `  ${line}\n`).join('')}`);
	},
};
