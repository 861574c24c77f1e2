import {Command, CommanderError, Option as CommanderOption} from 'commander';
import {dashed, type Option, type Verb} from '../commands/verb.ts';
import {Refusal} from '../core/refusal.ts';

/* A verb's declaration, as commander reads a command line by it. */

/** The arguments and options of one command line, by their names; undefined where only the help was asked for, and shown. */
export type Given = {
	readonly positional: Readonly<Record<string, string | undefined>>;
	readonly options: Readonly<Record<string, unknown>>;
};

/** Reads what was typed after a verb. @throws Refusal where the verb does not take it */
export function parseCommandLine(name: string, verb: Verb, argv: readonly string[]): Given | undefined {
	const command = new Command(`fleet ${name}`)
		.usage(verb.usage)
		.description(verb.summary)
		.exitOverride()
		.configureOutput({writeErr() {}})
		.allowExcessArguments(false);
	for (const [name, {required, help}] of Object.entries(verb.arguments)) {
		command.argument(required ? `<${name}>` : `[${name}]`, help);
	}

	for (const [name, option] of Object.entries(verb.options)) {
		addOption(command, name, option);
	}

	try {
		command.parse(argv, {from: 'user'});
	} catch (error) {
		if (!(error instanceof CommanderError)) {
			throw error;
		}

		if (error.exitCode === 0) {
			return undefined;
		}

		throw new Refusal(
			error.message
				.replace(/^error: /, '')
				.replaceAll('\n', ' ')
				.replace('(Did you', '(did you'),
			`fleet ${name} --help`,
		);
	}

	const typed: Readonly<Record<string, unknown>> = command.opts();
	return {
		positional: Object.fromEntries(Object.keys(verb.arguments).map((name, index) => [name, command.args[index]])),
		options: Object.fromEntries(Object.entries(verb.options).map(([name, {absent}]) => [name, typed[name] ?? absent])),
	};
}

function addOption(command: Command, name: string, option: Option): void {
	const {letter, takes, bare, many, help, negative} = option;
	const value = takes === undefined ? '' : `${takes.toLowerCase()}${many === 'list' ? '...' : ''}`;
	const flags = `${letter === undefined ? '' : `-${letter}, `}--${dashed(name)}`;
	const positive = new CommanderOption(value === '' ? flags : `${flags} ${bare ? `[${value}]` : `<${value}>`}`, help);
	if (many === 'repeat') {
		positive.argParser((value: string, earlier: readonly string[] | undefined) => [...(earlier ?? []), value]);
	}

	command.addOption(positive);
	if (negative !== undefined) {
		command.option(`--no-${dashed(name)}`, negative);
	}
}
