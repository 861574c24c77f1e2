import assert from 'node:assert/strict';
import {test} from 'node:test';
import {agents} from '../../source/agents/registry.ts';
import {commitFlags, parseCommits} from '../../source/core/review/commits.ts';
import {parseDiff, visibleText, type DiffFile} from '../../source/core/review/diff.ts';
import {commentState, isViewed, reviewPrompt, type Comment} from '../../source/core/review/comments.ts';
import {flagsOf, isGenerated} from '../../source/core/review/flags.ts';

const facts = {verify: [], instructions: agents.flatMap(agent => agent.instructions)};

const header = (path: string, mode = '100644') =>
	`diff --git a/${path} b/${path}\nnew file mode ${mode}\nindex ${'0'.repeat(40)}..${'1'.repeat(40)}\n` +
	`--- /dev/null\n+++ b/${path}\n`;
const added = (path: string, lines: readonly string[], mode?: string) =>
	`${header(path, mode)}@@ -0,0 +1,${lines.length} @@\n${lines.map(line => `+${line}\n`).join('')}`;
const one = (text: string): DiffFile => parseDiff(text)[0]!;
const flags = (path: string, lines: readonly string[] = ['x'], mode?: string) =>
	flagsOf(one(added(path, lines, mode)), facts).map(flag => flag.id);

test('a unified diff becomes files, hunks and numbered lines', () => {
	const [file, other, mode, binary] = parseDiff(`diff --git a/a.txt b/a.txt
index ${'2'.repeat(40)}..${'3'.repeat(40)} 100644
--- a/a.txt
+++ b/a.txt
@@ -1,3 +1,4 @@ heading
 one
-two
+zwei
+--- not a header
 three
\\ No newline at end of file
@@ -9 +10 @@
-nine
+neun
diff --git a/old.txt b/new.txt
similarity index 90%
rename from old.txt
rename to new.txt
diff --git a/run.sh b/run.sh
old mode 100644
new mode 100755
diff --git a/x.png b/x.png
index 1..2 100644
Binary files a/x.png and b/x.png differ
`);
	assert.deepEqual(
		[file!.path, file!.status, file!.added, file!.removed, file!.hunks.length],
		['a.txt', 'modified', 3, 2, 2],
	);
	assert.deepEqual(
		file!.hunks[0]!.lines.map(line => [line.kind, line.text, line.old, line.new]),
		[
			[' ', 'one', 1, 1],
			['-', 'two', 2, undefined],
			['+', 'zwei', undefined, 2],
			['+', '--- not a header', undefined, 3],
			[' ', 'three', 3, 4],
		],
	);
	assert.equal(file!.hunks[0]!.lines.at(-1)!.open, true);
	assert.deepEqual([other!.status, other!.oldPath, other!.path], ['renamed', 'old.txt', 'new.txt']);
	assert.deepEqual([mode!.path, mode!.oldMode, mode!.newMode], ['run.sh', '100644', '100755']);
	assert.equal(binary!.binary, true);
	assert.equal(
		one(
			'diff --git "a/\\303\\274 b.txt" "b/\\303\\274 b.txt"\nindex 1..2 100644\n--- "a/\\303\\274 b.txt"\n' +
				'+++ "b/\\303\\274 b.txt"\n@@ -1 +1 @@\n-a\n+b\n',
		).path,
		'ü b.txt',
	);
	for (const nonsense of ['', 'nothing', 'diff --git', '@@ -1 +1 @@\n+x', '+++ b/x']) {
		assert.ok(Array.isArray(parseDiff(nonsense)));
	}
});

test('what a line hides is in sight', () => {
	const file = one(added('a.py', ['x = "\u001B[31m"', 'if admin\u202E']));
	assert.deepEqual(
		file.hunks[0]!.lines.map(line => [line.text, line.control]),
		[
			['x = "^[[31m"', true],
			['if admin<U+202E>', true],
		],
	);
	assert.deepEqual(flags('a.py', ['x\u202E']), ['control']);
	assert.deepEqual(flags('a.py', ['windows\r']), []);
});

test('what begins a string of a terminal takes nothing out of sight: neither the rest of its line nor lines behind it', () => {
	assert.equal(
		visibleText(
			'+a(); /* \u001B] */ b(); /* \u0007 */\n+x \u001BP\n+c();\n+y \u009D d() \u009C\n+z\u001B[8m e()\n+dos\r\n',
		),
		'+a(); /* ^[] */ b(); /* ^G */\n+x ^[P\n+c();\n+y <U+009D> d() <U+009C>\n+z^[[8m e()\n+dos\n',
	);
});

test('what is to be looked at first is flagged, and an ordinary change is not', () => {
	const cases: Array<[string, string, (readonly string[])?, string?]> = [
		['policy', '.fleet/policy.yaml'],
		['ci', '.github/workflows/x.yml'],
		['ci', '.gitlab-ci.yml'],
		['hooks', '.husky/pre-commit'],
		['agent', 'AGENTS.md'],
		['agent', 'sub/CLAUDE.md'],
		['agent', '.claude/settings.json'],
		['agent', '.mcp.json'],
		['editor', '.vscode/tasks.json'],
		['editor', '.envrc'],
		['git', '.gitattributes'],
		['install', 'setup.py'],
		['executable', 'run.sh', ['#!/bin/sh'], '100755'],
		['link', 'l', ['/etc/passwd'], '120000'],
		['install', 'package.json', ['  "postinstall": "node x.js",']],
		['dependency', 'package.json', ['    "left-pad": "^1.0.0",']],
		['dependency', 'package.json', ['{"dependencies":{"left-pad":"1.0.0"}}']],
		['dependency', 'requirements.txt', ['requests==2.0']],
		['dependency', 'Cargo.toml', ['serde = "1.0"']],
		['dependency', 'go.mod', ['	github.com/x/y v1.2.3']],
		['secret', 'a.js', [`key = "sk-ant-api03-${'Ab1'.repeat(20)}"`]],
		['control', 'a.js', ['\u001B[2J']],
	];
	for (const [id, path, lines, mode] of cases) {
		assert.ok(
			flags(path, lines, mode).includes(id as never),
			`${path}: ${id}, not ${flags(path, lines, mode).join(' ')}`,
		);
	}

	for (const path of ['source/parser.ts', 'readme.md', 'test/a.test.ts', 'docs/agents.md']) {
		assert.deepEqual(flags(path, ['const version = "1.0"']), [], path);
	}

	const moved = one(
		'diff --git a/package.json b/package.json\nindex 1..2 100644\n--- a/package.json\n+++ b/package.json\n' +
			'@@ -1 +1 @@\n-    "left-pad": "^1.0.0",\n+    "left-pad": "^1.0.1",\n',
	);
	assert.deepEqual(flagsOf(moved), [], 'a newer version is no new dependency');
	assert.ok(
		isGenerated(one(added('package-lock.json', ['{}']))) &&
			isGenerated(one(added('x.min.js', ['x']))) &&
			!isGenerated(one(added('x.js', ['x']))),
	);
});

const comment = (changes: Partial<Comment> = {}): Comment => ({
	id: '1',
	path: 'a.txt',
	side: 'new',
	from: 2,
	to: 3,
	quoted: 'two\nthree',
	text: 'why?',
	digest: one(added('a.txt', ['one', 'two', 'three'])).digest,
	sent: true,
	...changes,
});

test('a comment is open while its lines are there, answered when they changed, stale when the file is gone', () => {
	const state = (lines: readonly string[] | undefined, changes?: Partial<Comment>) =>
		commentState(
			comment(changes),
			lines ? parseDiff(added('a.txt', lines).replace('1'.repeat(40), String(lines.length).repeat(40))) : [],
		);
	assert.equal(state(['one', 'two', 'three'], {sent: false}), 'draft');
	assert.equal(state(['zero', 'one', 'two', 'three']), 'open', 'moved');
	assert.equal(state(['one', 'two', 'drei', 'vier']), 'answered');
	assert.equal(state(undefined), 'stale');
});

test('a mark holds for exactly the change that was seen', () => {
	const file = one(added('a.txt', ['one']));
	const review = {viewed: {'a.txt': file.digest}, comments: []};
	assert.ok(isViewed(review, file));
	assert.ok(!isViewed(review, one(added('a.txt', ['one']).replace('1'.repeat(40), '9'.repeat(40)))));
	assert.ok(!isViewed(review, one(added('a.txt', ['one'], '100755'))));
});

test('the drafts are one prompt; what was sent is not sent again', () => {
	assert.equal(reviewPrompt([comment()]), undefined);
	assert.equal(
		reviewPrompt([
			comment({sent: false}),
			comment({id: '2', sent: false, side: 'old', from: 7, to: 7, quoted: 'seven', text: 'keep it'}),
			comment({id: '3'}),
		]),
		'Your change was reviewed. Please work on these 2 comments, then run the tests and commit.\n\n' +
			'1. a.txt, lines 2 to 3:\n> two\n> three\nwhy?\n\n2. a.txt, line 7 (before your change):\n> seven\nkeep it',
	);
});

test('what may change what a verify command runs is flagged, and a test that is gone', () => {
	const changed = (path: string, ...lines: string[]) =>
		one(
			`diff --git a/${path} b/${path}\nindex 1..2 100644\n--- a/${path}\n+++ b/${path}\n@@ -1 +1 @@\n` +
				`${lines.map(line => `${line}\n`).join('')}`,
		);
	const ids = (file: DiffFile, ...verify: string[]) => flagsOf(file, {verify, instructions: []}).map(flag => flag.id);
	for (const [path, command] of [
		['check.sh', 'sh check.sh | cat'],
		['tools/check.py', 'python3 ./tools/check.py --all'],
		['scripts/t', './scripts/t'],
		['a b/t.sh', 'x'],
	] as const) {
		assert.deepEqual(ids(changed(path, '-x', '+y'), command), path === 'a b/t.sh' ? [] : ['verify'], path);
	}

	assert.deepEqual(ids(changed('check.sh', '-x', '+y'), 'sh other-check.sh'), []);
	for (const path of [
		'Makefile',
		'sub/tox.ini',
		'jest.config.ts',
		'.mocharc.json',
		'conftest.py',
		'pom.xml',
		'noxfile.py',
	]) {
		assert.deepEqual(ids(changed(path, '-x', '+y')), ['verify'], path);
	}

	assert.deepEqual(ids(changed('package.json', '-    "test": "node --test",', '+    "test": "true",')), ['verify']);
	assert.deepEqual(ids(changed('package.json', '-    "lint": "xo",')), ['verify'], 'one that is gone');
	assert.deepEqual(ids(changed('package.json', '-  "version": "1.0.0",', '+  "version": "1.0.1",')), []);
	assert.deepEqual(ids(changed('package.json', '-    "left-pad": "^1.0.0",', '+    "left-pad": "^1.0.1",')), []);
	for (const path of ['test/a.js', 'src/a.test.ts', 'pkg/a_test.go', 'test_a.py', 'spec/a_spec.rb', 'src/ATest.java']) {
		assert.deepEqual(
			ids(
				one(
					`diff --git a/${path} b/${path}\ndeleted file mode 100644\nindex 1..0 100644\n--- a/${path}\n` +
						'+++ /dev/null\n@@ -1 +0,0 @@\n-x\n',
				),
			),
			['tests'],
			path,
		);
		assert.deepEqual(ids(changed(path, '-x', '+y')), [], path);
	}

	assert.deepEqual(
		ids(
			one(
				'diff --git a/src/a.test.ts b/src/a.off.ts\nsimilarity index 100%\nrename from src/a.test.ts\n' +
					'rename to src/a.off.ts\n',
			),
		),
		['tests'],
	);
});

test('what in the messages and names of commits steers a terminal, reorders or is not seen, is told by the commit', () => {
	const id = 'a'.repeat(40);
	const told = (message: string, names = 'A <a@x> C <c@x>') =>
		commitFlags(parseCommits(`${id}\0${names}\0${message}\0`));
	assert.deepEqual(told('a title\n\n- a point, \u00E9 and \u{1F44D}\uFE0F\n\tindented\n'), []);
	assert.deepEqual(told('a title\r\n\r\nas Windows writes it\r\n'), []);
	assert.deepEqual(told('fix\u202E \u200Btypo'), [
		'the message of commit aaaaaaaaaa holds 2 invisible characters (U+202E, U+200B)',
	]);
	assert.deepEqual(told('fix', 'A\u2066 <a@x> C <c@x>'), [
		'the names in commit aaaaaaaaaa hold 1 invisible character (U+2066)',
	]);
	assert.deepEqual(told('fix\u001B[2J'), ['the message of commit aaaaaaaaaa holds control characters']);
	const many = commitFlags(Array.from({length: 9}, () => ({id, names: '', message: '\u202E'})));
	assert.equal(many.length, 6);
	assert.match(many.at(-1)!, /^4 more/);
	assert.deepEqual(commitFlags(parseCommits('')), []);
});

test('a mark of a renamed file holds for that rename alone; a file that became a link is one file', () => {
	const renamed = (from: string) =>
		one(`diff --git a/${from} b/new.sh\nsimilarity index 100%\nrename from ${from}\nrename to new.sh\n`);
	const review = {viewed: {'new.sh': renamed('harmless.sh').digest}, comments: []};
	assert.ok(isViewed(review, renamed('harmless.sh')));
	assert.ok(!isViewed(review, renamed('other.sh')), 'another content under the same name');
	const files = parseDiff(
		`diff --git a/l b/l\ndeleted file mode 100644\nindex ${'1'.repeat(40)}..${'0'.repeat(40)}\n--- a/l\n+++ /dev/null\n` +
			`@@ -1 +0,0 @@\n-text\n${added('l', ['/etc/passwd'], '120000')}`,
	);
	assert.deepEqual(
		files.map(file => [file.path, file.status, file.oldMode, file.newMode, file.added, file.removed]),
		[['l', 'modified', '100644', '120000', 1, 1]],
	);
	assert.deepEqual(
		flagsOf(files[0]!).map(flag => flag.text),
		['symlink → /etc/passwd'],
	);
});
