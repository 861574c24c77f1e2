import type {TestSummary} from '../../core/run/test-summary.ts';

/* How the commands of a trial come out, and what a person reads of each. */

/** How many of a command's last lines are kept. */
const keptLines = 20;

/** How one command of a policy came out. */
export type Step = {
	readonly phase: 'setup' | 'verify';
	readonly command: string;
	readonly result: 'passed' | 'failed' | 'inconclusive';
	readonly because: string;
	readonly tests: TestSummary | undefined;
	readonly ms: number;
	/** The last lines that it wrote. */
	readonly lines: readonly string[];
};

/** Gets what begins, and how it came out. */
export type Tell = (news: {readonly phase: Step['phase']; readonly command: string} | Step) => void;

/** Where a program of Node or the JVM was when it failed: dozens of lines that hide the one that says why. */
const isStackFrame = (line: string) => /^\s+at \S.*(?:\(.*\)|:\d+:\d+)(?: \{)?$/.test(line);

/** Lines for people: of one that was written over again and again, the last of it. */
export function lastLines(words: string): string[] {
	return words
		.split(/\r?\n/)
		.map(line => line.slice(line.lastIndexOf('\r') + 1).trimEnd())
		.filter(line => line !== '' && !isStackFrame(line))
		.slice(-keptLines);
}

/** The commands of setup as they come and go. */
export class SetupSteps {
	readonly all: Step[] = [];
	readonly #tell: Tell;
	#running: string | undefined;
	#words = '';
	#began = 0;

	constructor(tell: Tell) {
		this.#tell = tell;
	}

	/** A command begins: the one before it passed. */
	begin(command: string): void {
		this.end('passed');
		this.#running = command;
		this.#words = '';
		this.#began = Date.now();
		this.#tell({phase: 'setup', command});
	}

	write(text: string): void {
		// Who reads it has the command already.
		this.#words = (this.#words + (text === `$ ${this.#running}\n` ? '' : text)).slice(-20_000);
	}

	/** The one that is running has ended; nothing where none is. */
	end(result: Step['result'], because = ''): void {
		if (this.#running === undefined) {
			return;
		}

		const ms = Date.now() - this.#began;
		const lines = lastLines(this.#words);
		const step: Step = {phase: 'setup', command: this.#running, result, because, tests: undefined, ms, lines};
		this.#running = undefined;
		this.all.push(step);
		this.#tell(step);
	}

	/** What was not run is there already, or failed before it could be: `all` has every command that counts. */
	finish(commands: readonly string[], result: Step['result'], because = ''): void {
		this.end(result, because);
		const left = commands.slice(this.all.length);
		for (const command of result === 'passed' ? left : left.slice(0, this.all.length === 0 ? 1 : 0)) {
			this.begin(command);
			this.end(result, because);
		}
	}
}
