import {compose} from '../compose.ts';
import {resumeRun} from '../engine/run/resume.ts';
import {findRun} from '../engine/runs.ts';
import {askHidden} from '../terminal/ask.ts';
import {runDocument} from './documents.ts';
import {noteHidden, promptOption, readPrompt} from './prompt.ts';
import type {Verb} from './verb.ts';

export const verb: Verb = {
	define(command) {
		command
			.argument('<run>')
			.argument('[prompt]', 'what to tell the agent, in the same conversation where it can be gone on with')
			.option(...promptOption)
			.option('--rebase', 'tell it to bring its work onto the target as that is today, and what conflicts')
			.option('--json', 'one JSON document');
	},
	async run(io, [name, typed], options) {
		const prompt = readPrompt(typed, options['promptFile']);
		noteHidden(io, prompt);
		const context = compose(askHidden(io.interactive));
		const run = await resumeRun(context, findRun(context, name!).id, prompt, {rebase: Boolean(options['rebase'])});
		if (options['json']) {
			io.json(runDocument(run));
		} else {
			const conversation = run.conversation === undefined ? '' : ', in the same conversation';
			io.out(`${run.id} ${run.stage}, attempt ${run.attempt}${conversation}\n`);
		}
	},
};
