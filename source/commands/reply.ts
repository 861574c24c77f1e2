import {compose} from '../compose.ts';
import {Refusal} from '../core/refusal.ts';
import {stageName} from '../core/run/stages.ts';
import {isUnreadable} from '../core/text/controls.ts';
import {connectOrRefuse} from '../engine/owner.ts';
import {findRun} from '../engine/runs.ts';
import {readPrompt} from '../terminal/prompt.ts';
import {sayRun} from './documents.ts';
import {define, flag, json, required} from './verb.ts';

/** More than a person types in a line. UTF-16 units. */
const maxLength = 4000;

export const verb = define({
	summary: 'type one line into the terminal of a running agent, and press enter',
	arguments: {
		run: required('RUN'),
		text: required('"TEXT"', 'what is typed; - reads it from stdin'),
	},
	options: {key: flag('only the text, without enter: for a menu that a single key answers'), json},
	brief: ['key'],
	async run(io, {run: name, text: given}, options) {
		const text = given === '-' ? readPrompt(undefined, '-')!.replace(/\n$/, '') : given;
		if (text.length > maxLength || isUnreadable(text)) {
			throw new Refusal('a reply is one line of readable text, and up to 4000 characters', 'fleet attach RUN');
		}

		const context = compose();
		const run = findRun(context, name);
		if (run.stage !== 'running') {
			throw new Refusal(
				`${run.id} is ${stageName(run.stage)}: nobody reads what is typed`,
				run.stage === 'frozen' ? `fleet continue ${run.id}` : `fleet resume ${run.id} "PROMPT"`,
			);
		}

		const connection = await connectOrRefuse(context, run);
		try {
			await connection.request({type: 'reply', text, enter: !options.key});
		} finally {
			connection.close();
		}

		sayRun(io, context, {
			run: run.id,
			json: options.json,
			text: `${run.id}: typed ${[...text].length} ${[...text].length === 1 ? 'character' : 'characters'}\n`,
		});
	},
});
