import process from 'node:process';
import {compose} from '../compose.ts';
import {visibleText} from '../core/review/diff.ts';
import {diff} from '../engine/handover/diff.ts';
import {findRun} from '../engine/runs.ts';
import {define, flag, required} from './verb.ts';

const colours: Record<string, string> = {'+': '\u001B[32m', '-': '\u001B[31m', '@': '\u001B[36m'};

export const verb = define({
	summary: 'what the run changed',
	arguments: {run: required('RUN')},
	options: {stat: flag('a summary'), raw: flag('as git writes it, with every byte; on a terminal, those that paint')},
	brief: ['stat'],
	async run(io, {run: name}, options) {
		const context = compose();
		const raw = await diff(context, findRun(context, name), options.stat);
		if (options.raw) {
			io.out(raw);
			return;
		}

		const text = visibleText(raw);
		if (text === '') {
			io.err('fleet: no changes\n');
			return;
		}

		io.out(
			process.stdout.isTTY && !process.env['NO_COLOR'] && !options.stat
				? text
						.split('\n')
						.map(line => (colours[line[0] ?? ''] ? `${colours[line[0]!]}${line}\u001B[0m` : line))
						.join('\n')
				: text,
		);
	},
});
