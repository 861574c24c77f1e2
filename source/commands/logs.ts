import {existsSync} from 'node:fs';
import path from 'node:path';
import {StringDecoder} from 'node:string_decoder';
import {compose} from '../compose.ts';
import {neutralise} from '../core/neutralise.ts';
import {liveStages} from '../core/run.ts';
import {findRun} from '../engine/runs.ts';
import {follow} from '../host/tail.ts';
import type {Verb} from './verb.ts';

export const verb: Verb = {
	define(command) {
		command.argument('<run>').option('-f, --follow', 'go on until the run ends').option('--verify', 'what the verify commands wrote, the last time').option('--raw', 'the agent\'s bytes as they are; they can steer your terminal');
	},
	async run(io, [name], options) {
		const context = compose();
		const {id} = findRun(context, name!);
		const {output: own, folder} = context.paths.run(id);
		const output = options['verify'] ? path.join(folder, 'verify.log') : own;
		const decoder = new StringDecoder('utf8');
		let held = '';
		const print = (bytes: Uint8Array) => {
			if (options['raw']) {
				process.stdout.write(bytes);
				return;
			}

			// An escape sequence may be cut by a chunk's end, but not by a line's.
			const text = held + decoder.write(Buffer.from(bytes));
			const end = text.lastIndexOf('\n') + 1;
			held = text.slice(end);
			io.out(neutralise(text.slice(0, end)));
		};

		const tail = follow(output, {from: 'start'}, bytes => print(bytes));
		tail.poll();
		while (options['follow'] && liveStages.has(findRun(context, id).stage)) {
			await new Promise(resolve => {
				setTimeout(resolve, 100);
			});
			tail.poll();
		}

		tail.poll();
		tail.close();
		io.out(neutralise(held + decoder.end()));
		if (!existsSync(output)) {
			io.err(`fleet: ${options['verify'] ? 'the run was not verified' : 'the agent has not written anything'} yet\n`);
		}
	},
};
