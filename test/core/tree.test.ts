import assert from 'node:assert/strict';
import {test} from 'node:test';
import {
	findForbidden,
	folded,
	isDotGit,
	isLike,
	isPointer,
	onlyTakesAway,
	parseChanges,
	type Change,
	type Entry,
} from '../../source/core/git/tree.ts';

const file: Entry = {mode: '100644', object: 'a'.repeat(40)};
const repository: Entry = {mode: '160000', object: 'b'.repeat(40)};
const bytes = (text: string) => Buffer.from(text).toString('latin1');

/** What is said of a tree in which some paths are new. */
function forbidden(
	old: readonly string[],
	fresh: readonly string[],
	options: {entry?: Entry; ignoreCase?: boolean; gone?: readonly string[]} = {},
): string[] {
	const entry = options.entry ?? file;
	const tree = new Map([...old, ...fresh].map(path => [bytes(path), entry] as const));
	const changes: Change[] = [
		...fresh.map(path => ({path: bytes(path), before: undefined, after: entry})),
		...(options.gone ?? []).map(path => ({path: bytes(path), before: entry, after: undefined})),
	];
	return findForbidden(tree, changes, options.ignoreCase ?? false);
}

test('a repository inside the repository is seen in the whole tree, whichever half is new', () => {
	const bare = ['d/HEAD', 'd/objects/x', 'd/refs/x'];
	for (const half of bare) {
		assert.match(
			forbidden(
				bare.filter(path => path !== half),
				[half],
			).join(),
			/"d" is a repository inside/,
		);
	}

	assert.match(forbidden([], ['deep/down/HEAD', 'deep/down/commondir']).join(), /"deep\/down" is a repository/);
	assert.match(
		forbidden([], ['d/head', 'd/OBJECTS/x', 'd/Refs']).join(),
		/"d" is a repository/,
		'where case does not count',
	);
	assert.match(
		forbidden([], ['d/He\u200Cad', 'd/objects', 'd/refs']).join(),
		/"d" is a repository/,
		'what some file systems do not see',
	);
	assert.match(forbidden([], ['HEAD', 'objects/x', 'refs/x']).join(), /"\." is a repository/);
	assert.match(
		forbidden(bare, ['d/config']).join(),
		/"d" is a repository/,
		'one that is there already gets no other configuration',
	);
	assert.deepEqual(forbidden(bare, ['d2/x', 'd/readme/of/it']), [], 'what lies beside one is not held against it');
	assert.deepEqual(forbidden([], ['d/HEAD', 'd/objects/x', 'e/refs/x']), []);
	assert.deepEqual(forbidden(bare, [], {gone: ['d/config']}), [], 'what is taken away makes none');
});

test('names that git, a terminal or a file system takes for something else', () => {
	for (const name of [
		'.git/x',
		'a/.GIT',
		'a/git~1',
		'.gi\u200Dt/config',
		'.git /x',
		'.git./x',
		'.git::$INDEX_ALLOCATION/x',
		'a\\.git\\x',
		'a\u0007',
		'a\nb',
		'x\u001B[2J',
	]) {
		assert.equal(forbidden([], [name]).length, 1, JSON.stringify(name));
	}

	for (const name of ['.gitignore', 'git', '.github/x', 'dot.git', 'git~2', 'ü', 'a b', '-x', '"q"']) {
		assert.deepEqual(forbidden([], [name]), [], name);
	}

	assert.match(forbidden([], ['sub'], {entry: repository}).join(), /"sub" is a link to another repository/);
	for (const name of ['.GitModules', 'GITMOD~1', 'gi7eba~1', '.gitmodules ']) {
		assert.match(forbidden([], [name]).join(), /stands for \.gitmodules/, name);
	}

	assert.match(forbidden([], ['.gitmodules'], {entry: {...file, mode: '120000'}}).join(), /stands for \.gitmodules/);
	assert.deepEqual(forbidden([], ['.gitmodules']), []);
	assert.match(forbidden(['Readme'], ['README'], {ignoreCase: true}).join(), /"Readme" and "README" are one file/);
	assert.deepEqual(forbidden(['Readme'], ['README']), []);
	assert.ok(
		!isDotGit(bytes('.gitmodules')) && isLike('.gitmodules', '.gitmodules') && !isLike('modules', '.gitmodules'),
	);
	assert.equal(folded(bytes('A.\u200C')), 'a');
});

test("what Git LFS keeps in a file's place, and nothing else", () => {
	const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 12\n`;
	assert.ok(isPointer(pointer) && isPointer(''));
	for (const content of [
		'x',
		pointer.trim(),
		`${pointer}more\n`,
		pointer.replace('oid', `ext-0-x sha256:${'b'.repeat(64)}\noid`),
		pointer.replace('size 12', `size ${'1'.repeat(20)}`),
		pointer.replace('sha256', 'sha1'),
		pointer.replace('size 12', 'size'),
		`${pointer}${' '.repeat(2000)}`,
	]) {
		assert.ok(!isPointer(content), content);
	}
});

test('settings of submodules may only go', () => {
	const before = 'submodule.a.path\na\0submodule.a.url\nx\0';
	assert.ok(
		onlyTakesAway(before, before) && onlyTakesAway(before, '') && onlyTakesAway(before, 'submodule.a.path\na\0'),
	);
	assert.ok(!onlyTakesAway(before, before.replace('\nx', '\ny')) && !onlyTakesAway('', before));
});

test('what git says of two trees', () => {
	const [a, b] = ['a'.repeat(40), 'b'.repeat(40)];
	assert.deepEqual(
		parseChanges(`:000000 100644 ${'0'.repeat(40)} ${a} A\0x\ty\0:100644 000000 ${b} ${'0'.repeat(40)} D\0z\0`),
		[
			{path: 'x\ty', before: undefined, after: {mode: '100644', object: a}},
			{path: 'z', before: {mode: '100644', object: b}, after: undefined},
		],
	);
});
