import type {Command} from 'commander';
import type {VerbReport} from '../protocol/report.ts';

/** What a verb may do to the outside. */
export type Io = {
	out(text: string | Uint8Array): void;
	err(text: string): void;
	/** Prints the one JSON document of `--json`. */
	json(value: unknown): void;
	/** Tells the program that started this one, where it listens. */
	report(report: VerbReport): void;
	/** Where it was typed. */
	readonly folder: string;
	/** What stood after "--"; undefined without one. */
	readonly rest: readonly string[] | undefined;
	/** Whether there is a person to ask. */
	readonly interactive: boolean;
};

type Options = Record<string, any>;

/** One verb: its options, and what it does. Returns the exit code; nothing is 0. */
export type Verb = {
	define(command: Command): void;
	run(io: Io, positional: readonly string[], options: Options): Promise<number | void>;
};

/** For verbs whose arguments are `RUN` and who take a reason. */
export function reasonOption(command: Command): Command {
	return command.option('--because <text>', 'why, for the journal', '');
}
