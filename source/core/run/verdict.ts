import {escapeControls} from '../text/escape-controls.ts';
import {exitOfService} from '../services.ts';
import {addTests, formatTests, TestCounter, type TestSummary} from './test-summary.ts';

/*
 * What a verification amounts to. An exit code alone can be 0 by
 * accident: nothing to check, a program that is not there, no test. Pure.
 */

/** `inconclusive`: it could not be told. Never a pass. */
export type VerifyResult = 'passed' | 'failed' | 'inconclusive';

/** Why it could not be told. */
export type Doubt =
	| 'no-commands'
	| 'not-run'
	| 'no-git'
	| 'no-tests'
	| 'contradiction'
	| 'timeout'
	| 'limit'
	| 'service'
	| 'sandbox'
	| 'stopped'
	| 'log';

/**
 * What a verify command's shell is called, so that its own complaints
 * can be told from what others write: `verify: 1: mocha: not found`.
 */
export const shellName = 'verify';

const notRun: readonly RegExp[] = [
	// The command's own shell: dash, bash, busybox.
	new RegExp(
		`^${shellName}: (?:line )?\\d+: .*(?:not found|No such file(?: or directory)?|Permission denied|` +
			"can't cd to .*|cannot execute.*|Exec format error|bad interpreter.*)$",
	),
	// Another shell below it, such as that of npm run, make or a script.
	/^(?:\S*\/)?(?:ba|da|k|z|a)?sh: (?:(?:line )?\d+: )?.+: (?:command )?not found$/,
	/^zsh: (?:\d+: )?command not found: .+$/,
	/^\S+: (?:line )?\d+: .+: (?:command )?not found$/,
	/^\S+: (?:line )?\d+: \S+: (?:Permission denied|cannot execute: .+)$/,
	/^(?:\S*\/)?(?:ba|da|k|z|a)?sh: (?:(?:line )?\d+: )?(?:cannot open |can't open )?\S+: No such file(?: or directory)?$/i,
	// Programs that start others.
	/^(?:\S*\/)?env: ['\u2018].+['\u2019]: (?:No such file or directory|Permission denied)$/,
	/^(?:\S*\/)?(?:xargs|make(?:\[\d+\])?): \S+: (?:No such file or directory|Permission denied)$/,
	/^(?:\S*\/)?\w+: failed to run command ['\u2018].+['\u2019]: /,
	/^(?:\S*\/)?find: ['\u2018].+['\u2019]: No such file or directory$/,
	/^make(?:\[\d+\])?: \[.*\] Error 12[67] \(ignored\)$/,
	// Interpreters without the program that they were to run.
	/^(?:\S*\/)?python[\d.]*: (?:No module named \S+|can't open file .+)$/,
	/^Can't open perl script /,
	/^(?:\S*\/)?ruby: No such file or directory -- /,
	/^node:internal\/modules\/.*\bloader:\d+$/,
];

const noGit: readonly RegExp[] = [
	/(?:^|[\s:'"`(])(?:fatal|error|warning): not a git repository\b/i,
	/^fatal: detected dubious ownership in repository/,
	/^fatal: this operation must be run in a work tree/,
];

/** What a line says is not there: a program, or a package of a language. */
const missing: readonly RegExp[] = [
	new RegExp(`^${shellName}: (?:line )?\\d+: (?:exec: )?([^\\s:/]+): (?:command )?not found$`),
	/^(?:\S*\/)?(?:ba|da|k|z|a)?sh: (?:(?:line )?\d+: )?(?:exec: )?([^\s:/]+): (?:command )?not found$/,
	/^zsh: (?:\d+: )?command not found: ([^\s:/]+)$/,
	/^(?:\S*\/)?env: ['\u2018]([^\s/]+)['\u2019]: No such file or directory$/,
	/^(?:\S*\/)?(?:xargs|make(?:\[\d+\])?): ([^\s:/]+): No such file or directory$/,
	/(?:^|: )No module named '?([\w.-]+)'?$/,
	/^(?:\S+: )?Error(?: \[\w+\])?: Cannot find (?:module|package) '([^'./][^']*)'/,
];

/** The name of what a line says is not there; undefined where it says no such thing. */
function missingIn(line: string): string | undefined {
	for (const pattern of missing) {
		const name = pattern.exec(line)?.[1];
		if (name !== undefined) {
			return name.slice(0, 80);
		}
	}

	return undefined;
}

/**
 * Where what is missing would come from.
 * @param hasSetup whether the policy has commands that bring what the project needs
 */
export function whereFrom(name: string, hasSetup: boolean): string {
	return hasSetup
		? `${name} is not there: neither this machine's tools nor setup brings it`
		: `${name} is not there: packages come from setup, which this policy does not have`;
}

/** Characters of a line that are looked at. */
const longestLine = 4000;

/** Characters of the last line that are kept. */
const longestLast = 200;

/** Lines in which a program that starts others says no more than that one of them failed. */
const aboutEnd: readonly RegExp[] = [
	/^npm (?:error|ERR!)/,
	/^(?:\S*\/)?g?make(?:\[\d+\])?: /,
	/^error: (?:script|Recipe|recipe) .* (?:exited|failed)/,
	/^(?:error )?Command failed with exit code \d+/,
	/^(?:\s*ELIFECYCLE|info Visit https?:)/,
];

/** Reads what a verify command writes, as it comes. */
export class VerifyReader {
	readonly #tests = new TestCounter();
	readonly #rests = {stdout: '', stderr: ''};
	#doubt: {readonly doubt: Doubt; readonly line: string} | undefined;
	#missing: string | undefined;
	#last: string | undefined;

	push(text: string, stream: 'stdout' | 'stderr'): void {
		const lines = (this.#rests[stream] + text).split('\n');
		this.#rests[stream] = lines.pop()!.slice(-longestLine);
		for (const line of lines) {
			this.#read(line);
		}
	}

	end(): void {
		this.#read(this.#rests.stdout);
		this.#read(this.#rests.stderr);
	}

	#read(raw: string): void {
		const line = escapeControls(raw.slice(0, longestLine).replace(/\r$/, ''));
		if (line === '') {
			return;
		}

		this.#tests.read(line);
		this.#missing ??= missingIn(line);
		if (/[\p{L}\d]/u.test(line) && !aboutEnd.some(pattern => pattern.test(line))) {
			this.#last = line.trim();
		}

		if (this.#doubt !== undefined) {
			return;
		}

		if (noGit.some(pattern => pattern.test(line))) {
			this.#doubt = {doubt: 'no-git', line};
		} else if (notRun.some(pattern => pattern.test(line))) {
			this.#doubt = {doubt: 'not-run', line};
		}
	}

	get tests(): TestSummary | undefined {
		return this.#tests.summary;
	}

	get ran(): 'some' | 'none' | undefined {
		return this.#tests.ran;
	}

	get foundNone(): boolean {
		return this.#tests.foundNone;
	}

	/** The last line that says more than how the command ended: what it failed with, where no test was counted. */
	get last(): string | undefined {
		return this.#last?.slice(0, longestLast);
	}

	/** The first program or package that was said not to be there. */
	get missing(): string | undefined {
		return this.#missing;
	}

	/** The first line by which something was not run that should have been. */
	get doubt(): {readonly doubt: Doubt; readonly line: string} | undefined {
		return this.#doubt;
	}
}

/** How one command ended, and what it said. `code`: null where it was ended by a signal. */
export type Checked = {
	readonly command: string;
	readonly code: number | null;
	readonly ms: number;
	/** Whether it was started at all: a sandbox that does not come up also ends with an exit code. */
	readonly started: boolean;
	readonly timedOut: boolean;
	/** Which limit of the whole it went over, where it was ended for that. */
	readonly over?: string | undefined;
	/** Limits that it met, in words. */
	readonly hits?: readonly string[] | undefined;
	/** Services that it had to have. */
	readonly services?: readonly string[] | undefined;
	readonly tests: TestSummary | undefined;
	readonly ran: 'some' | 'none' | undefined;
	readonly foundNone: boolean;
	/** See `VerifyReader.last`. */
	readonly last?: string | undefined;
	/** A program or package that it said is not there. */
	readonly missing?: string | undefined;
	readonly doubt: {readonly doubt: Doubt; readonly line: string} | undefined;
};

/**
 * What a command ran before: the last time that it passed, or on the target alone. `count`
 * where that was told; `unclear` where it does not pass there, so that nothing can be compared.
 */
export type Earlier = {
	readonly ran: 'some' | 'none' | 'unclear' | undefined;
	readonly count: number | undefined;
	readonly when: string;
};
export type Before = (command: string) => Earlier | undefined;

export type Verdict = {readonly result: VerifyResult; readonly doubt?: Doubt | undefined; readonly because: string};

const quoted = (text: string) => JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text);
const earlierText = ({count, when}: Earlier) =>
	count === undefined ? `it ran some ${when}` : `it ran ${count} ${when}`;

/** What one command amounts to, where it did not pass. */
function doubtOf(
	{command, code, started, timedOut, over, hits = [], services = [], tests, ran, foundNone, doubt, last}: Checked,
	before: Before,
): Verdict | undefined {
	const unclear = (why: Doubt, because: string): Verdict => ({result: 'inconclusive', doubt: why, because});
	const failed = (because: string, said?: string): Verdict => ({
		result: 'failed',
		because: `${because}${command} ended with exit code ${code}${said === undefined ? '' : `: ${said}`}`,
	});
	if (timedOut) {
		return unclear('timeout', [`${quoted(command)} was ended by its time limit`, ...hits].join(': '));
	}

	if (over !== undefined) {
		return unclear('limit', `${quoted(command)} was ended: ${over}`);
	}

	if (started && code !== 0 && hits.length > 0) {
		const how = code === null ? 'was ended from outside' : `ended with exit code ${code}`;
		return unclear('limit', `${quoted(command)} ${how}: ${hits.join('; ')}`);
	}

	if (!started && code === exitOfService && services.length > 0) {
		const which = services.length === 1 ? `the service ${services[0]}` : `one of the services ${services.join(', ')}`;
		return unclear('service', `${quoted(command)} was not run: ${which} did not get ready`);
	}

	if (!started || code === null) {
		return unclear(
			'sandbox',
			started ? `${quoted(command)} was ended from outside` : `the sandbox for ${quoted(command)} did not start`,
		);
	}

	if ((tests?.failed ?? 0) > 0) {
		return code === 0
			? unclear('contradiction', `${quoted(command)} ended with 0, and says that ${formatTests(tests!)}`)
			: failed(`${formatTests(tests!)}: `);
	}

	if (doubt) {
		return unclear(doubt.doubt, `${quoted(command)} wrote ${quoted(doubt.line)}`);
	}

	if (code === 126 || code === 127) {
		return unclear('not-run', `${quoted(command)} could not be run: exit code ${code}`);
	}

	const earlier = before(command);
	const ranBefore = earlier?.ran === 'some';
	if (code !== 0) {
		return foundNone
			? unclear(
					'no-tests',
					`${quoted(command)} found no test, and ended with exit code ${code}` +
						`${ranBefore ? `; ${earlierText(earlier)}` : ''}`,
				)
			: failed('', last);
	}

	if (earlier?.ran === 'unclear' && ran !== 'some') {
		return unclear(
			'no-tests',
			`${quoted(command)} ran no test, and does not pass ${earlier.when}, so that nobody knows whether there is one`,
		);
	}

	return ranBefore && ran !== 'some'
		? unclear(
				'no-tests',
				`${quoted(command)} ${ran === 'none' ? 'ran no test' : 'says of no test that it ran'}; ${earlierText(earlier)}`,
			)
		: undefined;
}

/** What all commands together amount to. @param all as far as they were run; the first that did not pass is the last */
export function verdictOf(commands: readonly string[], all: readonly Checked[], before: Before): Verdict {
	const bad = all.map(one => doubtOf(one, before)).find(verdict => verdict !== undefined);
	if (bad) {
		return bad;
	}

	if (commands.length === 0 || all.length < commands.length) {
		return {
			result: 'inconclusive',
			doubt: commands.length === 0 ? 'no-commands' : 'sandbox',
			because: commands.length === 0 ? 'there is no verify command' : 'not every command was run',
		};
	}

	const tests = addTests(all.map(one => one.tests));
	const counts = commands.map(command => before(command)).filter(earlier => earlier?.count !== undefined);
	const earlier = counts.reduce((sum, one) => sum + one!.count!, 0);
	let told = '';
	if (tests && (tests.passed ?? 0) > 0) {
		told = `, ${formatTests(tests)}${tests.passed! < earlier ? ` (${earlier} ${counts[0]!.when})` : ''}`;
	} else if (all.some(one => one.ran === 'none')) {
		told = ', no test was run';
	}

	return {
		result: 'passed',
		because: `${commands.length} ${commands.length === 1 ? 'command' : 'commands'} passed${told}`,
	};
}

/** Whether a command passed, so that the next one is run. */
export function isPassed(one: Checked): boolean {
	return one.started && !one.timedOut && one.over === undefined && one.code === 0;
}

/** What to do about it. */
export function verifyHint(
	run: {readonly id: string; readonly project: {readonly id: string}},
	doubt: Doubt | undefined,
): string {
	switch (doubt) {
		case undefined: {
			return `fleet logs ${run.id} --verify`;
		}

		case 'no-commands': {
			return `fleet project init ${run.project.id} --verify "npm test"`;
		}

		case 'limit':
		case 'timeout': {
			return `raise it under limits in settings.yaml, then: fleet verify ${run.id}`;
		}

		case 'no-tests': {
			return `fleet diff ${run.id}`;
		}

		default: {
			return `fleet logs ${run.id} --verify`;
		}
	}
}
