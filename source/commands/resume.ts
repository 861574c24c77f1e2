import {compose} from '../compose.ts';
import {resumeRun} from '../engine/run/resume.ts';
import {send} from '../engine/owner.ts';
import {findRun} from '../engine/runs.ts';
import {askHidden} from '../terminal/ask.ts';
import {sayRun} from './documents.ts';
import {noteHidden, readPrompt} from '../terminal/prompt.ts';
import {define, flag, json, optional, promptFile, required} from './verb.ts';

export const verb = define({
	summary: 'start another attempt in the same worktree and conversation; a run that waits for another one: start it',
	arguments: {
		run: required('RUN'),
		prompt: optional('["PROMPT"]', 'what to tell the agent, in the same conversation where it can be gone on with'),
	},
	options: {
		promptFile,
		rebase: flag('tell it to bring its work onto the target as that is today, and what conflicts'),
		failed: flag('tell it what the last verification found'),
		comments: flag('tell it which checks failed at the forge, and what was said there by whom the policy names'),
		json,
	},
	brief: ['rebase', 'failed', 'comments'],
	async run(io, {run: name, prompt: typed}, options) {
		const prompt = readPrompt(typed, options.promptFile);
		noteHidden(io, prompt);
		const context = compose(askHidden(io.interactive));
		const found = findRun(context, name);
		if (
			found.stage === 'queued' &&
			found.after !== undefined &&
			prompt === undefined &&
			!options.rebase &&
			!options.failed &&
			!options.comments
		) {
			await send(context, found, {type: 'release', because: ''});
			const text = `${found.id} starts without waiting for ${found.after}\n`;
			sayRun(io, context, {run: found.id, json: options.json, text});
			return;
		}

		const {rebase, failed} = options;
		const remarks = options.comments ? {interactive: io.interactive} : undefined;
		const run = await resumeRun(context, found.id, {prompt, rebase, failed, remarks});
		const conversation = run.conversation === undefined ? '' : ', in the same conversation';
		const text = `${run.id} ${run.stage}, attempt ${run.attempt}${conversation}\n`;
		sayRun(io, context, {run: run.id, json: options.json, text});
	},
});
