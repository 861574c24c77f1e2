/* What a test run says about itself at its end. Only for showing: a gate goes by exit codes. */

/** How many tests there were; undefined for a number that is not told. */
export type TestSummary = {readonly passed: number | undefined; readonly failed: number | undefined};

const number = (text: string | undefined) => text === undefined ? undefined : Number(text);

const forms: ReadonlyArray<(text: string) => TestSummary | undefined> = [
	// node:test, TAP
	text => match(text, /^(?:ℹ|#) pass (\d+)$/m, /^(?:ℹ|#) fail (\d+)$/m),
	// jest, vitest: "Tests: 1 failed, 5 passed, 6 total", "Tests  1 failed | 5 passed (6)"
	text => {
		const line = /^\s*Tests:?\s+.*\b(?:passed|failed).*$/m.exec(text)?.[0];
		return line === undefined ? undefined : {passed: number(/(\d+) passed/.exec(line)?.[1]), failed: number(/(\d+) failed/.exec(line)?.[1])};
	},
	// cargo, several binaries: all together
	text => {
		const all = [...text.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed/gm)];
		return all.length === 0 ? undefined : {passed: all.reduce((sum, one) => sum + Number(one[1]), 0), failed: all.reduce((sum, one) => sum + Number(one[2]), 0)};
	},
	// pytest: "=== 1 failed, 5 passed in 0.1s ==="
	text => {
		const line = /^=+ .*\b(?:passed|failed|errors?)\b.* in [\d.:]+.*=+$/m.exec(text)?.[0];
		return line === undefined ? undefined : {passed: number(/(\d+) passed/.exec(line)?.[1]), failed: number(/(\d+) (?:failed|errors?)/.exec(line)?.[1])};
	},
	// mocha
	text => match(text, /^\s+(\d+) passing\b/m, /^\s+(\d+) failing$/m),
	// go test
	text => {
		const passed = [...text.matchAll(/^\s*--- PASS:/gm)].length;
		const failed = [...text.matchAll(/^\s*--- FAIL:/gm)].length;
		return passed + failed === 0 ? undefined : {passed, failed};
	},
	// unittest
	text => {
		const ran = /^Ran (\d+) tests? in /m.exec(text)?.[1];
		const failed = /^FAILED \((?:failures=(\d+))?(?:, )?(?:errors=(\d+))?/m.exec(text);
		const bad = Number(failed?.[1] ?? 0) + Number(failed?.[2] ?? 0);
		return ran === undefined ? undefined : {passed: Number(ran) - bad, failed: bad};
	},
];

function match(text: string, passed: RegExp, failed: RegExp): TestSummary | undefined {
	const good = passed.exec(text)?.[1];
	const bad = failed.exec(text)?.[1];
	return good === undefined && bad === undefined ? undefined : {passed: number(good), failed: number(bad)};
}

/** @param text the end of what the tests wrote, without escape sequences */
export function summariseTests(text: string): TestSummary | undefined {
	for (const form of forms) {
		const found = form(text);
		if (found) {
			return found;
		}
	}

	return undefined;
}

/** "3 of 120 tests failed", "120 tests passed". */
export function formatTests({passed, failed}: TestSummary): string {
	const total = (passed ?? 0) + (failed ?? 0);
	return (failed ?? 0) > 0 ? `${failed} ${passed === undefined ? '' : `of ${total} `}${total === 1 ? 'test' : 'tests'} failed` : `${passed ?? 0} ${passed === 1 ? 'test' : 'tests'} passed`;
}
