import assert from 'node:assert/strict';
import {test} from 'node:test';
import {
	choice,
	define,
	flag,
	json,
	listOrBare,
	neededReason,
	optional,
	reason,
	required,
	text,
	textOrBare,
	texts,
} from '../../source/commands/verb.ts';
import {verbs} from '../../source/commands/verbs.ts';
import {Refusal} from '../../source/core/refusal.ts';
import {parseCommandLine} from '../../source/programs/command-line.ts';

/* One declaration: the command line, the help and the types. */

const verb = define({
	summary: 'a verb',
	arguments: {run: required('RUN'), prompt: optional('["PROMPT"]')},
	options: {
		promptFile: text('FILE', 'a file'),
		allow: texts('SCOPE', 'scopes'),
		attack: textOrBare('AREA', 'an area'),
		propose: listOrBare('HOST', 'hosts'),
		model: choice('with it', 'without it'),
		follow: flag('go on', 'f'),
		because: neededReason(),
		json,
	},
	brief: ['because', 'promptFile', 'allow', 'attack', 'propose', 'follow'],
	async run(_io, {run, prompt}, options) {
		// What is written here is compiled, and that is the test.
		const given: string = run;
		// @ts-expect-error: it may be left out
		const left: string = prompt;
		const file: string | undefined = options.promptFile;
		const scopes: readonly string[] = options.allow;
		const model: boolean | undefined = options.model;
		// @ts-expect-error: no option has this name
		const misspelt = options.promtFile;
		return [given, left, file, scopes, model, misspelt].length;
	},
});

const parse = (...argv: string[]) => parseCommandLine('try', verb, argv)!;

test('the usage is made from what is declared', () => {
	assert.equal(
		verb.usage,
		'RUN ["PROMPT"] --because TEXT [--prompt-file FILE] [--allow SCOPE]… [--attack [AREA]] [--propose [HOST]…] [--follow]',
	);
});

test('a command line is read as it is declared', () => {
	assert.deepEqual(parse('one'), {
		positional: {run: 'one', prompt: undefined},
		options: {
			promptFile: undefined,
			allow: [],
			attack: undefined,
			propose: undefined,
			model: undefined,
			follow: false,
			because: '',
			json: false,
		},
	});
	const {positional, options} = parse(
		'one',
		'two',
		'--prompt-file',
		'x',
		'--allow',
		'a',
		'--allow',
		'b',
		'--attack',
		'--no-model',
		'-f',
		'--because',
		'y',
		'--json',
		'--propose',
		'c',
		'd',
	);
	assert.deepEqual(positional, {run: 'one', prompt: 'two'});
	assert.deepEqual(options, {
		promptFile: 'x',
		allow: ['a', 'b'],
		attack: true,
		propose: ['c', 'd'],
		model: false,
		follow: true,
		because: 'y',
		json: true,
	});
	assert.equal(parse('one', '--model').options['model'], true);
	assert.equal(parse('one', '--propose').options['propose'], true);
});

test('what is not declared is refused, with the help to look at', () => {
	for (const argv of [[], ['one', 'two', 'three'], ['one', '--promt-file', 'x'], ['one', '--prompt-file']]) {
		assert.throws(
			() => parse(...argv),
			(error: unknown) => error instanceof Refusal && error.hint === 'fleet try --help',
		);
	}
});

test('every verb says what it is, and names no option twice', async () => {
	for (const [name, load] of Object.entries(verbs)) {
		const {verb} = await load();
		assert.match(verb.summary, /^[^A-Z].*[^.]$/, name);
		assert.ok(parseCommandLine(name, {...verb, arguments: {}}, []), name);
	}

	assert.equal(reason().mandatory, false);
});
