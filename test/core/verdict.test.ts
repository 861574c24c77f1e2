import assert from 'node:assert/strict';
import {test} from 'node:test';
import {TestCounter} from '../../source/core/run/test-summary.ts';
import {verdictOf, VerifyReader, whereFrom, type Checked, type Earlier} from '../../source/core/run/verdict.ts';

/* What makes a gate doubt an exit code, in the words of shells and test runners. */

function read(text: string): VerifyReader {
	const reader = new VerifyReader();
	// In small pieces, as a pipe may bring them.
	for (let at = 0; at < text.length; at += 7) {
		reader.push(text.slice(at, at + 7), 'stdout');
	}

	reader.end();
	return reader;
}

test('what was not run is seen, whoever says it', () => {
	for (const line of [
		'verify: 1: mocha: not found',
		'verify: line 1: mocha: command not found',
		'verify: 1: ./check.sh: not found',
		'verify: 1: ./check.sh: Permission denied',
		'verify: 1: cannot open list: No such file',
		"verify: 1: cd: can't cd to packages/a",
		'sh: 1: eslint: not found',
		'sh: eslint: not found',
		'/bin/sh: 1: tsc: not found',
		'bash: line 3: tsc: command not found',
		'bash: tsc: command not found',
		'zsh: command not found: tsc',
		'./run.sh: 3: tsc: not found',
		'./run.sh: line 3: tsc: command not found',
		'scripts/all: line 9: ./one: Permission denied',
		'sh: 0: cannot open check.sh: No such file',
		'bash: check.sh: No such file or directory',
		'/usr/bin/env: \u2018node20\u2019: No such file or directory',
		"env: 'node20': No such file or directory",
		'xargs: eslint: No such file or directory',
		'timeout: failed to run command \u2018pytest\u2019: No such file or directory',
		'find: \u2018srcs\u2019: No such file or directory',
		'make: pytest: No such file or directory',
		'make: [Makefile:3: test] Error 127 (ignored)',
		'/usr/bin/python3: No module named pytest',
		"python3: can't open file '/x/check.py': [Errno 2] No such file or directory",
		'ruby: No such file or directory -- check.rb (LoadError)',
		'node:internal/modules/cjs/loader:1210',
		'\u001B[31mverify: 1: mocha: not found\u001B[0m',
		'verify: 1: mocha: not found\r',
	]) {
		assert.equal(read(`before\n${line}\nafter\n`).doubt?.doubt, 'not-run', line);
		assert.equal(read(line).doubt?.doubt, 'not-run', `${line}, without a line feed`);
	}

	for (const line of [
		'fatal: not a git repository (or any of the parent directories): .git',
		'Error: Not a git repository',
		"fatal: detected dubious ownership in repository at '/x'",
		'fatal: this operation must be run in a work tree',
		'fatal: Not a git repository: /x/.git/modules/y',
		'[build] warning: Not a git repository. Use --no-index to compare two paths outside a working tree',
	]) {
		assert.equal(read(`${line}\n`).doubt?.doubt, 'no-git', line);
	}

	for (const line of [
		'all is well',
		'checking for gcc... not found',
		'the page was not found',
		'404: Not Found',
		'file not found: a.txt',
		'GET /x: not found',
		'ok 3 - says command not found',
		'    sh: 1: indented: not found, as a test shows it',
		'verify: done',
		'verify: 1: kill: No such process',
		'which: no tsc in (/bin)',
		'✔ says that it is not a git repository (2ms)',
		'not ok is no line of ours: not a git repository',
	]) {
		assert.equal(read(`${line}\n`).doubt, undefined, line);
	}
});

test('whether tests were run, in the words of those who run them', () => {
	const ran = (text: string) => {
		const counter = new TestCounter();
		for (const line of text.split('\n')) {
			counter.read(line);
		}

		return [counter.ran, counter.summary?.passed, counter.summary?.failed];
	};

	for (const text of [
		'ℹ tests 0\nℹ suites 0\nℹ pass 0\nℹ fail 0',
		'1..0\n# tests 0\n# pass 0\n# fail 0',
		'  0 passing (2ms)',
		'=== no tests ran in 0.01s ===',
		'no tests ran in 0.01s',
		'===== 4 deselected in 0.02s =====',
		'No tests found, exiting with code 0',
		'No test files found, exiting with code 0',
		'running 0 tests\n\ntest result: ok. 0 passed; 0 failed; 0 ignored',
		'?       example.com/x    [no test files]',
		'testing: warning: no tests to run\nPASS\nok      example.com/x    0.002s [no tests to run]',
		'1..0 # SKIP',
		'1..2\nok 1 - a # SKIP\nok 2 - b # TODO later',
		'ok 1 - a # SKIP\nok 2 - b # TODO\n1..2\n# tests 2\n# pass 0\n# fail 0\n# skipped 1\n# todo 1',
		'    ok 1 - a # SKIP\n    1..1\nok 1 - group\n1..1\n# tests 1\n# pass 0\n# fail 0\n# skipped 1',
		'No tests were found!!!',
		'Ran 0 tests in 0.000s\n\nOK',
		'NO TESTS RAN',
		'0 examples, 0 failures',
		'0 tests, 0 failures',
		'0 runs, 0 assertions, 0 failures, 0 errors, 0 skips',
		'No tests executed!',
		'Files=0, Tests=0,  0 wallclock secs\nResult: NOTESTS',
		'[INFO] No tests to run.',
		'> Task :test NO-SOURCE',
		'ok | 0 passed | 0 failed (1ms)',
		' 0 pass\n 0 fail',
		'[==========] Running 0 tests from 0 test suites.',
		'Error: No tests found',
		'  ✖ Couldn\u2019t find any files to test',
		'error: No test modules found',
		'Executed 0 of 0 SUCCESS',
	]) {
		assert.equal(ran(text)[0], 'none', text);
	}

	for (const [text, passed, failed] of [
		['ok      example.com/x    0.002s\n?       example.com/y    [no test files]', undefined, undefined],
		['1..3\nok 1 - a\nok 2 - b\nok 3 - c', undefined, undefined],
		['1..2\nok 1 - a # SKIP\nok 2 - b', undefined, undefined],
		['5 passed in 0.01s', 5, undefined],
		['1 failed, 5 passed, 2 warnings in 1.2s', 5, 1],
		['test result: ok. 0 passed; 0 failed;\ntest result: ok. 3 passed; 0 failed;', 3, 0],
		['  3 tests passed', 3, undefined],
		['5 examples, 1 failure', 4, 1],
		['OK (7 tests, 9 assertions)', 7, undefined],
		['[INFO] Tests run: 4, Failures: 1, Errors: 1, Skipped: 0', 2, 2],
		['Tests: 5, Assertions: 9, Failures: 1.', 4, 1],
		['Passed!  - Failed:     0, Passed:     5, Skipped:     0, Total:     5', 5, 0],
		['ok | 5 passed | 1 failed (3ms)', 5, 1],
		['100% tests passed, 0 tests failed out of 5', 5, 0],
		['Files=2, Tests=5,  1 wallclock secs', 5, undefined],
		['[  PASSED  ] 5 tests.', 5, undefined],
		['     Summary [   0.010s] 5 tests run: 4 passed, 1 failed, 0 skipped', 4, 1],
		['Executed 5 tests, with 0 failures (0 unexpected) in 0.1 seconds', undefined, undefined],
		['  12 passed (1.2s)', 12, undefined],
	] as Array<[string, number?, number?]>) {
		assert.deepEqual(ran(text), ['some', passed, failed], text);
	}

	assert.deepEqual(ran('compiled\ndone'), [undefined, undefined, undefined]);
});

const one = (changes: Partial<Checked> = {}): Checked => ({
	command: 'npm test',
	code: 0,
	ms: 1,
	started: true,
	timedOut: false,
	tests: undefined,
	ran: undefined,
	foundNone: false,
	doubt: undefined,
	...changes,
});
const verdict = (checked: Checked, earlier?: Earlier) => verdictOf(['npm test'], [checked], () => earlier);

test('a verification passes only where something was checked', () => {
	const fifty: Earlier = {ran: 'some', count: 50, when: 'the last time'};
	const tests = (passed: number, failed = 0): Partial<Checked> => ({
		tests: {passed, failed},
		ran: passed + failed > 0 ? 'some' : 'none',
	});
	assert.deepEqual(verdict(one()), {result: 'passed', because: '1 command passed'});
	assert.deepEqual(verdict(one(tests(51)), fifty), {result: 'passed', because: '1 command passed, 51 tests passed'});
	assert.deepEqual(verdict(one(tests(3)), fifty), {
		result: 'passed',
		because: '1 command passed, 3 tests passed (50 the last time)',
	});
	assert.deepEqual(verdict(one(tests(0)), {ran: 'none', count: 0, when: 'on main'}), {
		result: 'passed',
		because: '1 command passed, no test was run',
	});
	assert.equal(verdict(one(tests(1)), {ran: 'unclear', count: undefined, when: 'on main alone'}).result, 'passed');
	assert.deepEqual(verdict(one({code: 2})), {result: 'failed', because: 'npm test ended with exit code 2'});
	assert.deepEqual(verdict(one({code: 1, ...tests(4, 1)})), {
		result: 'failed',
		because: '1 of 5 tests failed: npm test ended with exit code 1',
	});
	for (const [doubt, checked, earlier] of [
		['timeout', {code: null, timedOut: true}],
		['sandbox', {code: null}],
		['sandbox', {code: 1, started: false}],
		['sandbox', {started: false}],
		['not-run', {doubt: {doubt: 'not-run', line: 'x'}}],
		['not-run', {code: 127}],
		['not-run', {code: 126}],
		['no-git', {doubt: {doubt: 'no-git', line: 'x'}}],
		['no-tests', tests(0), fifty],
		['no-tests', {}, fifty],
		['no-tests', tests(0), {ran: 'some', count: undefined, when: 'on main'}],
		['no-tests', tests(0), {ran: 'unclear', count: undefined, when: 'on main alone'}],
		['no-tests', {code: 5, ran: 'none', foundNone: true}],
		['contradiction', tests(4, 1)],
	] as Array<[string, Partial<Checked>, Earlier?]>) {
		const found = verdict(one(checked), earlier);
		assert.deepEqual([found.result, found.doubt], ['inconclusive', doubt], JSON.stringify(checked));
		assert.doesNotMatch(found.because, /\n/);
	}

	assert.equal(verdictOf([], [], () => undefined).result, 'inconclusive');
	assert.equal(
		verdictOf(['a', 'b'], [one({command: 'a'})], () => undefined).result,
		'inconclusive',
		'not all were run',
	);
});

test('what is not there has a name, and where it would come from is said', () => {
	const named: ReadonlyArray<readonly [string, string | undefined]> = [
		['sh: 1: mocha: not found', 'mocha'],
		['verify: 1: cargo: not found', 'cargo'],
		['verify: line 1: exec: tsc: command not found', 'tsc'],
		['bash: tsc: command not found', 'tsc'],
		["env: 'node20': No such file or directory", 'node20'],
		['make: pytest: No such file or directory', 'pytest'],
		['/usr/bin/python3: No module named pytest', 'pytest'],
		["ModuleNotFoundError: No module named 'yaml'", 'yaml'],
		["Error: Cannot find module 'express'", 'express'],
		["Error [ERR_MODULE_NOT_FOUND]: Cannot find package '@scope/pkg' imported from /x/y.js", '@scope/pkg'],
		["Error: Cannot find module './local.js'", undefined],
		['verify: 1: ./check.sh: not found', undefined],
		['not found', undefined],
	];
	for (const [line, name] of named) {
		assert.equal(read(`${line}\n`).missing, name, line);
	}

	assert.match(
		whereFrom('mocha', false),
		/^mocha is not there: packages come from setup, which this policy does not have$/,
	);
	assert.match(whereFrom('mocha', true), /^mocha is not there: neither .* nor setup brings it$/);
});

test('where no test was counted, a failure says what was written last', () => {
	for (const [text, last] of [
		['src/a.c:3: error: x undeclared\n1 error generated.\nmake: *** [all] Error 1\n', '1 error generated.'],
		['  2:1  error  no-var\n\n✖ 1 problem\n-----\nnpm error code 1\nnpm ERR! path /w\n', '✖ 1 problem'],
		['error: it is missing\nerror Command failed with exit code 2.\n', 'error: it is missing'],
		['\n  \n====\n', undefined],
		[`${'x'.repeat(500)}\n`, 'x'.repeat(200)],
	] as const) {
		assert.equal(read(text).last, last);
	}

	const checked = {command: 'make', ms: 1, started: true, timedOut: false, tests: undefined, ran: undefined};
	assert.equal(
		verdictOf(['make'], [{...checked, code: 2, foundNone: false, doubt: undefined, last: '1 error'}], () => undefined)
			.because,
		'make ended with exit code 2: 1 error',
	);
});
