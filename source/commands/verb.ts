import type {Io} from '../terminal/program.ts';

/* What a verb is. Declared once: the command line, the help and the types of what `run` gets are made from it. */

/** Something that a verb takes by its place. `Value` is what `run` gets for it. */
export type Argument<Value extends string | undefined = string | undefined> = {
	/** As the help shows it, such as `RUN` or `[PATH]`. */
	readonly shown: string;
	readonly help: string;
	readonly required: boolean;
	/** All that it may be, where they are known: offered by completion. */
	readonly choices?: readonly string[] | undefined;
	/** Only for the types. */
	readonly value?: Value;
};

/** Something that a verb takes by its name. `Value` is what `run` gets for it. */
export type Option<Value = unknown> = {
	readonly help: string;
	/** What follows its name, such as `TIME`; undefined for a flag. */
	readonly takes: string | undefined;
	/** All that may follow, where they are known: offered by completion. */
	readonly choices?: readonly string[] | undefined;
	/** Whether what follows may be left out. */
	readonly bare: boolean;
	/** `repeat`: given again for each value. `list`: all that follow it are values. */
	readonly many: 'repeat' | 'list' | undefined;
	/** One letter that means the same. */
	readonly letter: string | undefined;
	/** The help of `--no-NAME`, where there is one. */
	readonly negative: string | undefined;
	/** Whether the verb refuses without it. */
	readonly mandatory: boolean;
	/** What `run` gets where it is not given. */
	readonly absent: Value;
};

type Arguments = Readonly<Record<string, Argument>>;
type Options = Readonly<Record<string, Option>>;

/** What `run` gets for the arguments that a verb declares. */
export type ArgumentValues<Declared extends Arguments> = {
	readonly [Name in keyof Declared]: Declared[Name] extends Argument<infer Value> ? Value : never;
};

/** What `run` gets for the options that a verb declares. */
export type OptionValues<Declared extends Options> = {
	readonly [Name in keyof Declared]: Declared[Name] extends Option<infer Value> ? Value : never;
};

type Definition<DeclaredArguments extends Arguments, DeclaredOptions extends Options> = {
	/** One line of `fleet --help`. */
	readonly summary: string;
	/** In their order. */
	readonly arguments: DeclaredArguments;
	/** By their names in camel case: `promptFile` is `--prompt-file`. */
	readonly options: DeclaredOptions;
	/** The options that `fleet --help` shows; `fleet VERB --help` shows all. */
	readonly brief?: ReadonlyArray<keyof DeclaredOptions & string>;
	/** In place of what the arguments and `brief` make: for a verb of several actions. */
	readonly usage?: string;
	/** What it does. Returns the exit code; nothing is 0. */
	run(
		io: Io,
		positional: ArgumentValues<DeclaredArguments>,
		options: OptionValues<DeclaredOptions>,
	): Promise<number | void>;
};

/** One verb, whatever it takes. */
export type Verb = Definition<Arguments, Options> & {readonly usage: string};

/** Verbs by their names, each loaded only when it is asked for. */
export type VerbList = Readonly<Record<string, () => Promise<{readonly verb: Verb}>>>;

/** For a verb that tells of all of them: `verbs.ts`, which loads every verb's file, puts its list here. */
export const known: {verbs: VerbList} = {verbs: {}};

/** Declares a verb: what `run` gets has the types of what is declared. */
export function define<const DeclaredArguments extends Arguments, const DeclaredOptions extends Options>(
	verb: Definition<DeclaredArguments, DeclaredOptions>,
): Definition<DeclaredArguments, DeclaredOptions> & {readonly usage: string} {
	const parts = [
		...Object.values(verb.arguments).map(({shown}) => shown),
		...(verb.brief ?? []).map(name => usageOf(name, verb.options[name]!)),
	];
	return {...verb, usage: verb.usage ?? parts.join(' ')};
}

/** The name of an option on the command line, without its dashes. */
export function dashed(name: string): string {
	return name.replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`);
}

function usageOf(name: string, {takes, bare, many, mandatory}: Option): string {
	const list = many === 'list' ? '…' : '';
	const value = takes === undefined ? '' : ` ${bare ? `[${takes}]` : takes}${list}`;
	const text = `--${dashed(name)}${value}`;
	return mandatory ? text : `[${text}]${many === 'repeat' ? '…' : ''}`;
}

/** An argument that has to be there. */
export function required(shown: string, help = ''): Argument<string> {
	return {shown, help, required: true};
}

/** An argument that has to be there and is one of a few words. */
export function oneOf(shown: string, choices: readonly string[], help = choices.join(', ')): Argument<string> {
	return {shown, help, required: true, choices};
}

/** An argument that may be left out. */
export function optional(shown: string, help = ''): Argument<string | undefined> {
	return {shown, help, required: false};
}

const plain = {
	takes: undefined,
	bare: false,
	many: undefined,
	letter: undefined,
	negative: undefined,
	mandatory: false,
} as const;

/** An option that is there or not. @param letter one letter that means the same */
export function flag(help: string, letter?: string): Option<boolean> {
	return {...plain, help, letter, absent: false};
}

/** An option that is said, denied with `--no-NAME`, or left open: then undefined. */
export function choice(help: string, negative: string): Option<boolean | undefined> {
	return {...plain, help, negative, absent: undefined};
}

/** An option with a value. @param choices all that it may be, where they are known */
export function text(takes: string, help: string, choices?: readonly string[]): Option<string | undefined> {
	return {...plain, help, takes, choices, absent: undefined};
}

/** An option that may be given several times, with a value each. */
export function texts(takes: string, help: string): Option<readonly string[]> {
	return {...plain, help, takes, many: 'repeat', absent: []};
}

/** An option whose value may be left out: then `true`. */
export function textOrBare(takes: string, help: string): Option<string | true | undefined> {
	return {...plain, help, takes, bare: true, absent: undefined};
}

/** An option with any number of values; `true` where it has none. */
export function listOrBare(takes: string, help: string): Option<readonly string[] | true | undefined> {
	return {...plain, help, takes, bare: true, many: 'list', absent: undefined};
}

/** The reason of a person, for the journal. */
export function reason(help = 'why, for the journal'): Option<string> {
	return {...plain, help, takes: 'TEXT', absent: ''};
}

/** A reason without which the verb refuses. */
export function neededReason(help = 'why, for the journal'): Option<string> {
	return {...reason(help), mandatory: true};
}

/** `--json`, of every verb that has it. */
export const json = flag('one JSON document');

/** `--prompt-file`, for a verb that takes a prompt. */
export const promptFile = text('FILE', 'the prompt from a file, - for stdin: for what is too long for a command line');
