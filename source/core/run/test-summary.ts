/*
 * What a test run says about itself. It is others' words: they can
 * make a gate doubt what an exit code says, never make it pass.
 */

/** How many tests there were; undefined for a number that is not told. */
export type TestSummary = {readonly passed: number | undefined; readonly failed: number | undefined};

/** A line in which a test runner says how many there were. */
type Form = {
	readonly line: RegExp;
	count(match: RegExpExecArray): {readonly passed?: number | undefined; readonly failed?: number | undefined};
};

const number = (text: string | undefined) => (text === undefined ? undefined : Number(text));
const named = (words: string) => (match: RegExpExecArray) => {
	const of = (word: string) => new RegExp(`(\\d+) (?:${word})\\b`).exec(match[0])?.[1];
	return {passed: number(of('passed|pass')), failed: number(of(words))};
};

const total = (match: RegExpExecArray) => {
	const failed = Number(match[2] ?? 0) + Number(match[3] ?? 0);
	return {passed: Math.max(0, Number(match[1]) - failed), failed};
};

const forms: readonly Form[] = [
	// node:test, and what writes TAP as it does
	{line: /^(?:ℹ|#) pass +(\d+)$/, count: match => ({passed: Number(match[1])})},
	{line: /^(?:ℹ|#) fail +(\d+)$/, count: match => ({failed: Number(match[1])})},
	// jest, vitest: "Tests: 1 failed, 5 passed, 6 total", "Tests  1 failed | 5 passed (6)"
	{line: /^\s*Tests:?\s+.*\b\d+ (?:passed|failed)\b.*$/, count: named('failed')},
	// cargo, nextest
	{
		line: /^test result: \w+\. (\d+) passed; (\d+) failed/,
		count: match => ({passed: Number(match[1]), failed: Number(match[2])}),
	},
	{
		line: /^\s*Summary \[.*\] +\d+ tests? run: (\d+) passed(?: \(.*?\))?(?:, (\d+) failed)?/,
		count: match => ({passed: Number(match[1]), failed: Number(match[2] ?? 0)}),
	},
	// pytest: "=== 1 failed, 5 passed in 0.1s ===", the same without the bars
	{
		line: /^=* ?(?:\d+ [a-z]+, )*\d+ (?:passed|failed|errors?|skipped|deselected|xfailed|xpassed|warnings?)\b[^=]* in [\d.:]+.*$/,
		count: named('failed|errors?'),
	},
	// mocha
	{line: /^\s+(\d+) passing\b/, count: match => ({passed: Number(match[1])})},
	{line: /^\s+(\d+) failing$/, count: match => ({failed: Number(match[1])})},
	// go test -v
	{line: /^\s*--- PASS:/, count: () => ({passed: 1})},
	{line: /^\s*--- FAIL:/, count: () => ({failed: 1})},
	// unittest
	{line: /^Ran (\d+) tests? in /, count: match => ({passed: Number(match[1])})},
	// ava, playwright, deno, bun
	{line: /^\s+(\d+) tests? passed$/, count: match => ({passed: Number(match[1])})},
	{line: /^\s+(\d+) tests? failed$/, count: match => ({failed: Number(match[1])})},
	{line: /^\s+(\d+) passed \([\d.]+m?s?\)$/, count: match => ({passed: Number(match[1])})},
	{
		line: /^(?:ok|FAILED) \| (\d+) passed(?: \(.*?\))? \| (\d+) failed/,
		count: match => ({passed: Number(match[1]), failed: Number(match[2])}),
	},
	{line: /^\s*(\d+) pass$/, count: match => ({passed: Number(match[1])})},
	{line: /^\s*(\d+) fail$/, count: match => ({failed: Number(match[1])})},
	// rspec, minitest, exunit, jasmine
	{line: /^(\d+) (?:examples?|tests?|specs?), (\d+) failures?/, count: total},
	{line: /^(\d+) runs?, \d+ assertions?, (\d+) failures?, (\d+) errors?/, count: total},
	// PHPUnit, Maven, .NET
	{line: /^OK \((\d+) tests?, /, count: match => ({passed: Number(match[1])})},
	{line: /^(?:\[\w+\] )?Tests run: (\d+), Failures: (\d+), Errors: (\d+)(?!.*Time elapsed)/, count: total},
	{line: /^Tests: (\d+), Assertions: \d+(?:, Errors: (\d+))?(?:, Failures: (\d+))?/, count: total},
	{
		line: /^(?:Passed|Failed)!\s+- Failed:\s+(\d+), Passed:\s+(\d+)/,
		count: match => ({passed: Number(match[2]), failed: Number(match[1])}),
	},
	// ctest, prove, Google Test
	{
		line: /^\d+% tests passed, (\d+) tests? failed out of (\d+)/,
		count: match => ({passed: Number(match[2]) - Number(match[1]), failed: Number(match[1])}),
	},
	{line: /^Files=\d+, Tests=(\d+),/, count: match => ({passed: Number(match[1])})},
	{line: /^\[ {2}PASSED {2}\] (\d+) tests?\.$/, count: match => ({passed: Number(match[1])})},
];

/** Of those that unittest ran. */
const unittestFailed = /^FAILED \((?:failures=(\d+))?(?:, )?(?:errors=(\d+))?/;

/** Says that tests were run, without how many. */
const some: readonly RegExp[] = [/^ok\s{2,}\S+\s+(?!.*\[no tests to run\])/, /^Executed [1-9]\d* (?:of|tests?)\b/];

/** The lines of TAP: a test that was skipped, or is still to be written, is "ok", too. */
const tap = {
	test: /^(?:not )?ok \d+\b/,
	passedOver: /^(?:not )?ok \d+\b.* # (?:skip|todo)\b/i,
	plan: /^1\.\.[1-9]\d*\b/,
};

/** Says that there was none at all. */
const none: readonly RegExp[] = [
	/^=* ?no tests ran\b/,
	/^collected 0 items\b/,
	/^NO TESTS RAN$/,
	/\bNo tests? found\b/i,
	/^No test (?:files?|modules|suites?) (?:were )?found/i,
	/^error: No test modules found/,
	/^No tests were found/i,
	/^No tests executed!/,
	/^There are no tests to run/,
	/^Result: NOTESTS/,
	/^No specs found/i,
	/^(?:\[\w+\] )?No tests to run\./,
	/^No test is available in /,
	/Couldn.t find any files to test/,
	/^error: no tests to run/,
];

/** Says so of a part. */
const nonePart: readonly RegExp[] = [
	/\[no test(?: file)?s(?: to run)?\]$/,
	/^testing: warning: no tests to run/,
	/^(?:ℹ|#) tests +0$/,
	/^1\.\.0\b/,
	/^> Task \S*:test NO-SOURCE$/,
	/^\[=+\] Running 0 tests /,
	/^Executed 0 (?:of|tests?)\b/,
];

/** What one command's output said of tests, line by line. */
export class TestCounter {
	#passed: number | undefined;
	#failed: number | undefined;
	#some = false;
	#none = false;
	#nonePart = false;
	readonly #tap = {ran: false, passedOver: false, planned: false};

	/** @param line without escape sequences and line feed */
	read(line: string): void {
		const unittest = unittestFailed.exec(line);
		if (unittest) {
			const bad = Number(unittest[1] ?? 0) + Number(unittest[2] ?? 0);
			this.#failed = (this.#failed ?? 0) + bad;
			this.#passed = Math.max(0, (this.#passed ?? 0) - bad);
			return;
		}

		for (const {line: pattern, count} of forms) {
			const match = pattern.exec(line);
			if (match) {
				const {passed, failed} = count(match);
				this.#passed = passed === undefined ? this.#passed : (this.#passed ?? 0) + passed;
				this.#failed = failed === undefined ? this.#failed : (this.#failed ?? 0) + failed;
				this.#nonePart ||= passed === undefined && failed === undefined;
				return;
			}
		}

		if (tap.passedOver.test(line)) {
			this.#tap.passedOver = true;
		} else if (tap.test.test(line)) {
			this.#tap.ran = true;
		}

		this.#tap.planned ||= tap.plan.test(line);
		this.#some ||= some.some(pattern => pattern.test(line));
		this.#none ||= none.some(pattern => pattern.test(line));
		this.#nonePart ||= nonePart.some(pattern => pattern.test(line));
	}

	/** How many, where that was told; undefined where nothing was. */
	get summary(): TestSummary | undefined {
		return this.#passed === undefined && this.#failed === undefined
			? undefined
			: {passed: this.#passed, failed: this.#failed};
	}

	/** `some`: tests were run; `none`: it says that there was none; undefined where it says nothing of tests. */
	get ran(): 'some' | 'none' | undefined {
		const count = (this.#passed ?? 0) + (this.#failed ?? 0);
		// A file or a group of tests is "ok", too, where all in it were passed over: then the numbers say so.
		const isToldNone = this.#passed !== undefined && this.#failed !== undefined;
		const {ran, passedOver, planned} = this.#tap;
		if (count > 0 || this.#some || (!isToldNone && (ran || (planned && !passedOver)))) {
			return 'some';
		}

		return this.#none || this.#nonePart || passedOver || this.summary !== undefined ? 'none' : undefined;
	}

	/** Whether it ended since there was nothing to run: some runners call that a failure. */
	get foundNone(): boolean {
		return this.#none && this.ran === 'none';
	}
}

/** @param text what the tests wrote, without escape sequences */
export function summariseTests(text: string): TestSummary | undefined {
	const counter = new TestCounter();
	for (const line of text.split('\n')) {
		counter.read(line.replace(/\r$/, ''));
	}

	return counter.summary;
}

/** Of several commands together; undefined where none of them told. */
export function addTests(all: ReadonlyArray<TestSummary | undefined>): TestSummary | undefined {
	const told = all.filter(one => one !== undefined);
	const sum = (key: keyof TestSummary) =>
		told.every(one => one[key] === undefined) ? undefined : told.reduce((total, one) => total + (one[key] ?? 0), 0);
	return told.length === 0 ? undefined : {passed: sum('passed'), failed: sum('failed')};
}

/** "3 of 120 tests failed", "120 tests passed". */
export function formatTests({passed, failed}: TestSummary): string {
	const all = (passed ?? 0) + (failed ?? 0);
	return (failed ?? 0) > 0
		? `${failed} ${passed === undefined ? '' : `of ${all} `}${all === 1 ? 'test' : 'tests'} failed`
		: `${passed ?? 0} ${passed === 1 ? 'test' : 'tests'} passed`;
}
