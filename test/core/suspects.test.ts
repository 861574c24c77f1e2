import assert from 'node:assert/strict';
import {test} from 'node:test';
import {addedLines, findSuspects, fingerprintOf, maskSpan} from '../../source/core/secrets/suspects.ts';

const rest = (length: number) => 'Zq7Wx3Tv9Lm2Kp8Bn4Rc6Jd1Hf5Gs0Ya'.repeat(4).slice(0, length);
const rules = (text: string) => findSuspects('f', [{number: 1, text}]).map(({rule}) => rule);

test('the forms of keys are known, wherever they stand in a line', () => {
	const keys: Array<[string, string]> = [
		['anthropic', `sk-ant-api03-${rest(93)}AA`],
		['anthropic', `sk-ant-oat01-${rest(80)}`],
		['openai', `sk-proj-${rest(60)}`],
		['openai', `sk-${rest(48)}`],
		['google', `AIza${rest(35)}`],
		['github', `ghp_${rest(36)}`],
		['github', `github_pat_${rest(22)}_${rest(59)}`],
		['gitlab', `glpat-${rest(20)}`],
		['npm', `npm_${rest(36)}`],
		['slack', `xoxb-${rest(40)}`],
		['stripe', `sk_live_${rest(24)}`],
		['aws', 'AKIAZ7XW2Q9TLM4KP8VN'],
		['huggingface', `hf_${rest(34)}`],
		['sendgrid', `SG.${rest(22)}.${rest(43)}`],
		['jwt', `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.${rest(43)}`],
		['private-key', '-----BEGIN OPENSSH PRIVATE KEY-----'],
		['private-key', '-----BEGIN PRIVATE KEY-----'],
		['url-password', `postgres://app:${rest(16)}@db.internal/app`],
		['assignment', `DB_PASSWORD=${rest(16)}`],
		['assignment', `"api_key": "${rest(24)}"`],
	];
	for (const [rule, key] of keys) {
		for (const line of [key, `const x = '${key}';`, `  - name: ${key} # note`]) {
			assert.ok(rules(line).includes(rule), `${rule}: ${line} → ${rules(line).join()}`);
		}
	}
});

test('what is no secret is none', () => {
	for (const line of [
		'',
		'const password = process.env.PASSWORD;',
		'password: ${{ secrets.PASSWORD }}',
		'api_key = get_api_key("name1")',
		'PASSWORD=changeme-please-123',
		'export SECRET=your-secret-here-12345',
		'postgres://user:$PASSWORD@host/db',
		'postgres://user:xxxxxxxx@host/db',
		'https://example.org/a/b',
		'sk-ant',
		'the task-based approach',
		'sha512-0dT8RbHfZ5cQ0vZ5Q7g3o8==',
		'AKIAIOSFODNN7EXAMPLE',
		'git@github.com:a/b.git',
		'token: string',
		'secret = "short"',
		'const maskedPassword = "************";',
		'a'.repeat(50_000),
	]) {
		assert.deepEqual(rules(line), [], line.slice(0, 80));
	}
});

test('no line is slow to look at', () => {
	const began = performance.now();
	for (const line of [
		'a'.repeat(200_000),
		'password='.repeat(20_000),
		'sk-'.repeat(60_000),
		'eyJ'.repeat(60_000),
		'-----BEGIN '.repeat(20_000),
		'A '.repeat(90_000),
		'a://'.repeat(50_000),
		`secret="${'1a'.repeat(90_000)}`,
	]) {
		findSuspects('f', [{number: 1, text: line}]);
	}

	// Seconds for a search that goes back and forth, a few milliseconds for one that does not.
	assert.ok(performance.now() - began < 3000, String(performance.now() - began));
});

test('a span is shown so that it can be found and not used, and told again by its fingerprint', () => {
	const key = `ghp_${rest(36)}`;
	const [suspect] = findSuspects('a/b.ts', [{number: 7, text: `x ${key}`}]);
	assert.deepEqual([suspect?.file, suspect?.line, suspect?.span], ['a/b.ts', 7, maskSpan(key)]);
	assert.ok(!suspect!.span.includes(key.slice(4, 12)));
	assert.equal(suspect!.fingerprint, fingerprintOf(`a/b.ts\n${key}`));
	assert.notEqual(fingerprintOf('a'), fingerprintOf('b'));
});

test('only what a diff adds is looked at, with its line, and lines that look like headers are content', () => {
	const diff = [
		'diff --git a/one b/one',
		'--- a/one',
		'+++ b/one',
		'@@ -1,2 +1,3 @@',
		' kept',
		'-gone',
		'+first',
		'+second',
		'@@ -10 +12,2 @@ f()',
		' kept',
		'+twelve',
		'diff --git "a/t\\303\\266" "b/t\\303\\266"',
		'--- /dev/null',
		'+++ "b/t\\303\\266"',
		'@@ -0,0 +1,3 @@',
		'+++ b/not-a-header',
		'+@@ -1 +1 @@',
		'+last',
		'\\ No newline at end of file',
		'diff --git a/x b/x',
		'deleted file mode 100644',
		'--- a/x',
		'+++ /dev/null',
		'@@ -1 +0,0 @@',
		'-bye',
		'',
	].join('\n');
	assert.deepEqual(addedLines(diff), [
		{
			file: 'one',
			lines: [
				{number: 2, text: 'first'},
				{number: 3, text: 'second'},
				{number: 13, text: 'twelve'},
			],
		},
		{
			file: 't\\303\\266',
			lines: [
				{number: 1, text: '++ b/not-a-header'},
				{number: 2, text: '@@ -1 +1 @@'},
				{number: 3, text: 'last'},
			],
		},
	]);
	assert.deepEqual(addedLines('not a diff'), []);
});
