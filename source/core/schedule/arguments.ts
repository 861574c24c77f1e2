import {printable} from '../names.ts';
import {Refusal} from '../refusal.ts';

/** Options of `fleet run` that a schedule may have: whether a value follows. */
const allowed: Readonly<Record<string, boolean>> = {
	'--agent': true,
	'--budget': true,
	'--project': true,
	'--path': true,
	'--base': true,
	'--model': false,
	'--no-model': false,
	'--no-profile': false,
	'--no-include': false,
	'--no-filters': false,
};

/** What would give a run more than every run has, whatever it is called. */
const scopes = [
	'--allow',
	'--because',
	'--scope',
	'--network',
	'--secret',
	'--files',
	'--mcp',
	'--port',
	'--remember-model',
];

/** What is asked of a run that starts by itself. */
export type ScheduledRun = {
	readonly agent: string;
	readonly prompt: string | undefined;
	readonly project: string | undefined;
	/** Whether its model's scope was said yes or no to; undefined where it was not said. */
	readonly model: boolean | undefined;
	/** What stands after `--`. */
	readonly argv: readonly string[];
};

function refuse(option: string): Refusal {
	if (scopes.includes(option)) {
		return new Refusal(
			`a run that starts by itself has the scopes of every run, and no ${option}`,
			'leave it out; turn a scope on for a run once it asks: fleet allow RUN SCOPE',
		);
	}

	return new Refusal(
		`${printable(option, 40)} is no option of a run that starts by itself`,
		`take some of: ${Object.keys(allowed).join(' ')}`,
	);
}

/**
 * Reads what was typed for the run, without starting anything. Closed: an option that `fleet run` has some day is
 * refused until somebody has thought about it.
 */
export function parseScheduled(words: readonly string[]): ScheduledRun | Refusal {
	const end = words.indexOf('--');
	const own = end === -1 ? words : words.slice(0, end);
	const argv = end === -1 ? [] : words.slice(end + 1);
	const values: Record<string, string | true> = {};
	const prompts: string[] = [];
	for (let index = 0; index < own.length; index++) {
		const word = own[index]!;
		if (!word.startsWith('-')) {
			prompts.push(word);
			continue;
		}

		const [option = '', ...rest] = word.split('=');
		if (!Object.hasOwn(allowed, option)) {
			return refuse(option);
		}

		const takes = allowed[option]!;
		const value = rest.length > 0 ? rest.join('=') : own[index + 1];
		if (takes ? value === undefined || value.startsWith('-') : rest.length > 0) {
			return new Refusal(`${option} takes ${takes ? 'a value' : 'no value'}`, 'fleet run --help');
		}

		values[option] = takes ? value! : true;
		index += takes && rest.length === 0 ? 1 : 0;
	}

	if (prompts.length > 1) {
		return new Refusal('there are two prompts', 'put the prompt in quotes: -- --agent NAME "what to do"');
	}

	const text = (option: string) => (typeof values[option] === 'string' ? values[option] : undefined);
	const said = values['--model'] ? true : undefined;
	return {
		agent: text('--agent') ?? 'command',
		prompt: prompts[0],
		project: text('--project'),
		model: values['--no-model'] ? false : said,
		argv,
	};
}
