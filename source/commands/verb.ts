import type {Command} from 'commander';
import type {Io} from '../terminal/program.ts';

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
