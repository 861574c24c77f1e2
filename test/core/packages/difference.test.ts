import assert from 'node:assert/strict';
import {test} from 'node:test';
import {compareLocks, type LockChange} from '../../../source/core/packages/difference.ts';
import {npm} from '../../../source/core/packages/npm.ts';
import {formatOf, readLock} from '../../../source/core/packages/registry.ts';
import {changeText, flagLines, summarize, summaryText} from '../../../source/core/packages/summary.ts';

/** The registry that npm's lock files name by default. */
const [host = ''] = npm.hosts;
const registry = `https://${host}`;

/** An entry of npm's lock file. */
const entry = (name: string, version: string, more: Record<string, unknown> = {}) => ({
	[`node_modules/${name}`]: {
		version,
		resolved: `${registry}/${name}/-/${name}-${version}.tgz`,
		integrity: `sha512-${name}${version}`,
		...more,
	},
});
const lock = (...entries: Array<Record<string, unknown>>) =>
	JSON.stringify({lockfileVersion: 3, packages: Object.assign({}, ...entries)});

function compare(before: string | undefined, after: string | undefined, path = 'package-lock.json'): LockChange {
	const format = formatOf(path)!;
	const read = (text: string | undefined) => (text === undefined ? undefined : readLock(format, text));
	return compareLocks(path, format, {before: read(before), after: read(after)});
}

const lines = (change: LockChange) => change.packages.map(one => changeText(one));

test('came, went and changed, those with flags first', () => {
	const change = compare(
		lock(entry('kept', '1.0.0'), entry('gone', '1.0.0'), entry('up', '1.0.0')),
		lock(
			entry('kept', '1.0.0'),
			entry('up', '1.1.0'),
			entry('new', '2.0.0'),
			entry('zx', '3.0.0', {hasInstallScript: true}),
		),
	);
	assert.deepEqual(lines(change), [
		'+ zx 3.0.0; runs a script when it is installed',
		'- gone 1.0.0',
		'+ new 2.0.0',
		'~ up 1.0.0 → 1.1.0',
	]);
	assert.equal(summaryText(summarize([change])!), '2 came (1 runs a script at install), 1 went, 1 changed');
	assert.deepEqual(flagLines(change), ['zx 3.0.0: runs a script when it is installed']);
	assert.equal(summarize([]), undefined);
});

test('the same in another order, or of another version of the file, is no change', () => {
	const [a, b] = [entry('a', '1.0.0'), entry('b', '1.0.0')];
	assert.deepEqual(compare(lock(a, b), lock(b, a)).packages, []);
	assert.equal(summaryText(summarize([compare(lock(a, b), lock(b, a))])!), 'none came, went or changed');
	const plain = {'node_modules/a': {version: '1.0.0', integrity: 'sha512-a1.0.0'}};
	assert.deepEqual(
		compare(lock(plain), lock(a)).packages,
		[],
		"npm was told to write the registry's address, or not to",
	);
});

test('another source, another checksum, another host are flagged', () => {
	const before = lock(entry('a', '1.0.0'), entry('b', '1.0.0'), entry('c', '1.0.0'), entry('d', '1.0.0'));
	const change = compare(
		before,
		lock(
			entry('a', '1.0.0', {resolved: 'git+ssh://git@h.example/a.git#0123'}),
			entry('b', '1.0.0', {integrity: 'sha512-other'}),
			entry('c', '1.0.0', {integrity: undefined}),
			entry('d', '1.0.0', {resolved: `${registry}/evil/-/evil-1.0.0.tgz`}),
			entry('e', '1.0.0', {resolved: 'https://r.example/e/-/e-1.0.0.tgz'}),
			entry('f', '1.0.0', {resolved: 'https://h.example/f.tgz'}),
		),
	);
	assert.deepEqual(lines(change), [
		`~ a 1.0.0; comes from git+ssh://git@h.example/a.git, and came from the registry ${host}`,
		'~ b 1.0.0; another checksum, of the same version 1.0.0',
		'~ c 1.0.0; has no checksum any more, of the same version 1.0.0',
		`~ d 1.0.0; comes from ${registry}/evil/-/evil-1.0.0.tgz, and came from the registry ${host}`,
		'+ f 1.0.0; comes from https://h.example/f.tgz, which is no registry',
		'+ e 1.0.0',
	]);
	assert.deepEqual(
		change.flags.map(({text}) => text),
		['new host h.example (a)', 'new host r.example (e)'],
	);
});

test('one that is asked of the public registry, where all came from a private one, is flagged', () => {
	const own = (name: string) =>
		entry(name, '1.0.0', {resolved: `https://npm.corp.example/${name}/-/${name}-1.0.0.tgz`});
	const change = compare(lock(own('a')), lock(own('a'), entry('b', '1.0.0')));
	assert.deepEqual(
		change.flags.map(({text}) => text),
		[`new host ${host} (b)`],
	);
});

test('a file that was made, one that is gone, one that cannot be read', () => {
	const text = lock(entry('a', '1.0.0'));
	const made = compare(undefined, text);
	assert.deepEqual([made.state, made.flags.length, lines(made)], ['made', 0, ['+ a 1.0.0']]);
	const gone = compare(text, undefined);
	assert.deepEqual([gone.state, lines(gone)], ['deleted', ['- a 1.0.0']]);
	assert.match(flagLines(gone)[0]!, /^package-lock\.json: is gone/);
	const broken = compare(text, `${text} <<<`);
	assert.deepEqual(flagLines(broken), ['package-lock.json could not be read: it is not as npm writes it']);
	assert.equal(summaryText(summarize([broken])!), 'a file could not be read');
	assert.match(flagLines(compare('nothing', text))[0]!, /could not be read: as it was before/);
	const removed = compare(undefined, lock(entry('a', '1.0.0', {resolved: 'https://r.example/a/-/a-1.0.0.tgz'})));
	assert.equal(removed.flags.length, 1, 'of a new file, a host that is not where its packages come from');
});

test('a name counts once, in however many files of its ecosystem it is', () => {
	const mod = (version: string) => `require a.example/a ${version}\n`;
	const sum = (version: string) => `a.example/a ${version} h1:${version}\na.example/a ${version}/go.mod h1:x\n`;
	const change = [
		compare(mod('v1.0.0'), mod('v1.1.0'), 'go.mod'),
		compare(sum('v1.0.0'), sum('v1.1.0'), 'go.sum'),
		compare(undefined, 'a==1.0\n', 'requirements.txt'),
	];
	assert.equal(summaryText(summarize(change)!), '1 came (scripts at install: not known of 1), 1 changed');
});

test('more flags than are kept are counted, and long names are cut', () => {
	const many = Array.from({length: 50}, (_, index) => entry(`p${index}`, '1.0.0', {hasInstallScript: true}));
	const summary = summarize([
		compare(lock(), lock(...many, entry('l'.repeat(900), '1.0.0', {hasInstallScript: true}))),
	])!;
	assert.deepEqual([summary.flags.length, summary.flagged, summary.scripts], [20, 51, 51]);
	assert.ok(summary.flags.every(flag => flag.length < 400));
});
