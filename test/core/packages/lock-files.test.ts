import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import {plainJson} from '../../../source/core/packages/bun.ts';
import {compareLocks} from '../../../source/core/packages/difference.ts';
import {npm} from '../../../source/core/packages/npm.ts';
import type {Package} from '../../../source/core/packages/package.ts';
import {formatOf, formats, maxChars, readLock} from '../../../source/core/packages/registry.ts';
import {Chance} from '../../support/chance.ts';

const folder = path.join(import.meta.dirname, 'samples');
const sample = (name: string) => readFileSync(path.join(folder, `${name}.txt`), 'utf8');
const managers = JSON.parse(readFileSync(path.join(folder, 'managers.json'), 'utf8')) as Record<string, string[]>;

/** Samples, and what each is called in a project. */
const names: Readonly<Record<string, string>> = {
	'npm-1': 'package-lock.json',
	'npm-2': 'package-lock.json',
	'npm-3': 'npm-shrinkwrap.json',
	'pnpm-6': 'pnpm-lock.yaml',
	'pnpm-9': 'pnpm-lock.yaml',
	'yarn-1': 'yarn.lock',
	'yarn-4': 'yarn.lock',
	bun: 'bun.lock',
	uv: 'uv.lock',
	poetry: 'poetry.lock',
	pipenv: 'Pipfile.lock',
	pip: 'requirements.txt',
	cargo: 'Cargo.lock',
	'go.mod': 'go.mod',
	'go.sum': 'go.sum',
	maven: 'pom.xml',
	bundler: 'Gemfile.lock',
};

function read(name: string, text: string): readonly Package[] {
	const reading = readLock(formatOf(name)!, text);
	assert.ok('packages' in reading, `${name}: ${'unread' in reading ? reading.unread : ''}`);
	return reading.packages;
}

/** Why a text is not read. */
function refused(name: string, text: string): string {
	const reading = readLock(formatOf(name)!, text);
	return 'unread' in reading ? reading.unread : '';
}

const found = (name: string, text: string, wanted: string) =>
	read(name, text).find(entry => entry.name === wanted || entry.name.startsWith(`${wanted}@`));

test('each format is found by its name, and nothing else is one', () => {
	for (const [name, format] of [
		['package-lock.json', 'npm'],
		['packages/a/npm-shrinkwrap.json', 'npm'],
		['bun.lockb', 'bun'],
		['requirements-dev.txt', 'requirements'],
		['dev_requirements.txt', 'requirements'],
		['deep/er/go.sum', 'go.sum'],
		['gradle.lockfile', 'gradle'],
		['buildscript-gradle.lockfile', 'gradle'],
		['gems.locked', 'bundler'],
		['composer.lock', 'composer'],
	] as const) {
		assert.equal(formatOf(name)?.id, format, name);
	}

	for (const name of [
		'package.json',
		'my-package-lock.json',
		'package-lock.json/x',
		'yarn.lock.orig',
		'notes.txt',
		'',
	]) {
		assert.equal(formatOf(name), undefined, name);
	}
});

test('what is read of a lock file is what its package manager lists', () => {
	for (const [name, listed] of Object.entries(managers)) {
		const own = read(names[name]!, sample(name))
			// What stands behind another name, and folders of the project, are listed by some under the one, by some the other.
			.map(entry => `${entry.name.replace(/@npm:.*/, '')} ${entry.version}`.trim());
		const plain = (text: string) => text.replace(/^(?:kleur-alias|kleur) /, 'kleur ').replace(/^local .*/, 'local');
		assert.deepEqual(
			[...new Set(own.map(text => plain(text)))].sort(),
			listed
				.filter(text => text !== 'sample 1.0.0')
				.map(text => plain(text))
				.sort(),
			name,
		);
	}
});

test('the formats of one ecosystem agree on one project', () => {
	const parts = (name: string) =>
		read(names[name]!, sample(name))
			.filter(entry => entry.source.kind === 'registry' && !entry.name.includes('kleur'))
			.map(
				({name: own, version, integrity}) =>
					`${own} ${version} ${name === 'yarn-4' ? '' : [...integrity].sort().join()}`,
			)
			.sort();
	for (const name of ['npm-2', 'npm-3', 'pnpm-6', 'pnpm-9', 'yarn-1', 'bun']) {
		assert.deepEqual(parts(name), parts('npm-1'), name);
	}

	for (const name of ['poetry', 'pipenv', 'pip']) {
		assert.deepEqual(parts(name), parts('uv'), name);
	}
});

test('whether a package runs a script is said where the file says it, and not guessed elsewhere', () => {
	for (const [name, script] of [
		['npm-1', 'unknown'],
		['npm-2', 'yes'],
		['npm-3', 'yes'],
		['pnpm-6', 'yes'],
		['pnpm-9', 'unknown'],
		['yarn-1', 'unknown'],
		['yarn-4', 'unknown'],
		['bun', 'yes'],
	] as const) {
		assert.equal(found(names[name]!, sample(name), 'core-js-pure')?.script, script, name);
		assert.equal(found(names[name]!, sample(name), 'is-odd')?.script, script === 'yes' ? 'no' : 'unknown', name);
	}

	// A wheel is unpacked; without one, what is in the archive is built.
	for (const name of ['uv', 'poetry']) {
		assert.equal(found(names[name]!, sample(name), 'docopt')?.script, 'yes', name);
		assert.equal(found(names[name]!, sample(name), 'idna')?.script, 'no', name);
	}
});

const npmLock = (entries: Record<string, unknown>) =>
	JSON.stringify({lockfileVersion: 3, packages: {'': {}, ...entries}});

/** The source of one package of npm's. */
function npmSource(resolved: string, more: Record<string, unknown> = {}) {
	const lock = npmLock({'node_modules/@a/left': {version: '1.0.0', resolved, ...more}});
	const {kind, at, host} = read('package-lock.json', lock)[0]!.source;
	return [kind, at, host];
}

test('only an address of just this name and version is a registry', () => {
	const [host = ''] = npm.hosts;
	const registry = ['registry', `https://${host}`, host];
	assert.deepEqual(npmSource(`https://${host}/@a/left/-/left-1.0.0.tgz`), registry);
	assert.deepEqual(npmSource(`https://${host}/@a%2fleft/-/left-1.0.0.tgz`), registry);
	assert.deepEqual(npmSource('https://npm.pkg.github.com/download/@a/left/1.0.0/0123abc')[0], 'registry');
	for (const address of [
		`https://${host}/@b/left/-/left-1.0.0.tgz`,
		`https://${host}/@a/left/-/left-1.0.1.tgz`,
		`https://${host}/@a/left/-/../../evil/-/evil-1.0.0.tgz`,
		`https://${host}@evil.example/@a/left/-/left-1.0.0.tgz`,
		`http://${host}/@a/left/-/left-1.0.0.tgz`,
		'https://evil.example/left.tgz',
		`https://${host}/%zz/@a/left/-/left-1.0.0.tgz`,
	]) {
		assert.equal(npmSource(address)[0], 'url', address);
	}

	assert.equal(npmSource(`https://${host}@evil.example/@a/left/-/left-1.0.0.tgz`)[2], 'evil.example');
	assert.deepEqual(npmSource('git+ssh://git@host.example/a/b.git#0123'), [
		'git',
		'git+ssh://git@host.example/a/b.git',
		'host.example',
	]);
	assert.deepEqual(npmSource('github:a/b#0123'), ['git', 'github:a/b', 'github.com']);
	assert.deepEqual(npmSource('file:../left'), ['path', 'file:../left', '']);
	assert.deepEqual(npmSource('javascript:alert(1)')[0], 'unknown');
	assert.equal(npmSource('', {inBundle: true})[0], 'unknown');
});

test('what npm 6 alone would install of a file for both is not passed over', () => {
	const lock = JSON.stringify({
		lockfileVersion: 2,
		packages: {'': {}, 'node_modules/a': {version: '1.0.0', integrity: 'sha512-a'}},
		dependencies: {
			a: {version: '1.0.0', integrity: 'sha512-a', dependencies: {b: {version: 'git+https://h.example/b.git#12'}}},
		},
	});
	assert.deepEqual(
		read('package-lock.json', lock).map(({name, source}) => [name, source.kind]),
		[
			['a', 'registry'],
			['b', 'git'],
		],
	);
});

test('other sources than registries', () => {
	const toml = (lines: string) => `version = 1\n[[package]]\nname = "a"\nversion = "1"\n${lines}`;
	for (const [name, text, kind, host, commit] of [
		['uv.lock', toml('source = { git = "https://h.example/a?rev=1#0123" }'), 'git', 'h.example', '0123'],
		['uv.lock', toml('source = { url = "https://h.example/a.whl" }'), 'url', 'h.example', ''],
		['uv.lock', toml('source = { editable = "../a" }'), 'path', '', ''],
		['Cargo.lock', toml('source = "git+https://h.example/a?branch=b#0123"'), 'git', 'h.example', '0123'],
		['Cargo.lock', toml('source = "sparse+https://h.example/index/"'), 'registry', 'h.example', ''],
		[
			'poetry.lock',
			toml('[package.source]\ntype = "git"\nurl = "https://h.example/a.git"\nresolved_reference = "0123"'),
			'git',
			'h.example',
			'0123',
		],
		[
			'Pipfile.lock',
			'{"default": {"a": {"git": "https://h.example/a.git", "ref": "0123"}}}',
			'git',
			'h.example',
			'0123',
		],
		['requirements.txt', 'a @ git+https://h.example/a.git@0123', 'git', 'h.example', '0123'],
		['requirements.txt', '-e git+https://h.example/a.git@0123#egg=a', 'git', 'h.example', ''],
		['requirements.txt', 'https://h.example/a.whl --hash=sha256:0123', 'url', 'h.example', '0123'],
		[
			'pnpm-lock.yaml',
			"lockfileVersion: '9.0'\npackages:\n  a@https://h.example/a.tgz:\n    resolution: {tarball: https://h.example/a.tgz}\n    version: 1.0.0\n",
			'url',
			'h.example',
			'',
		],
		[
			'pnpm-lock.yaml',
			"lockfileVersion: '9.0'\npackages:\n  a@git+https://h.example/a.git#0123:\n    resolution: {type: git, repo: https://h.example/a.git, commit: 0123}\n",
			'git',
			'h.example',
			'0123',
		],
		[
			'yarn.lock',
			'"a@h/a":\n  version "1.0.0"\n  resolved "git+https://h.example/a.git#0123"\n',
			'git',
			'h.example',
			'0123',
		],
		[
			'yarn.lock',
			'__metadata:\n  version: 8\n"a@npm:1":\n  version: 1.0.0\n  resolution: "a@npm:1.0.0::__archiveUrl=https%3A%2F%2Fh.example%2Fa.tgz"\n',
			'url',
			'h.example',
			'',
		],
		[
			'yarn.lock',
			'__metadata:\n  version: 8\n"a@h/a":\n  version: 1.0.0\n  resolution: "a@https://h.example/a.git#commit=0123"\n',
			'git',
			'h.example',
			'0123',
		],
		[
			'bun.lock',
			'{"lockfileVersion": 1, "packages": {"a": ["a@git+https://h.example/a.git#0123", {}, "0123"],}}',
			'git',
			'h.example',
			'0123',
		],
		[
			'bun.lock',
			'{"lockfileVersion": 1, "packages": {"a": ["a@https://h.example/a.tgz", {}]}}',
			'url',
			'h.example',
			'',
		],
		['go.mod', 'require a.example/a v1.0.0\nreplace a.example/a => h.example/other v1.0.1', 'url', 'h.example', ''],
		[
			'Gemfile.lock',
			'GIT\n  remote: https://h.example/a.git\n  revision: 0123\n  specs:\n    a (1.0)\n',
			'git',
			'h.example',
			'0123',
		],
		[
			'composer.lock',
			'{"packages": [{"name": "v/a", "version": "1", "source": {"type": "git", "url": "https://h.example/a.git", "reference": "0123"}}]}',
			'git',
			'h.example',
			'0123',
		],
	] as const) {
		const [entry] = read(name, text);
		assert.deepEqual([entry?.source.kind, entry?.source.host], [kind, host], text);
		assert.ok(commit === '' || entry!.integrity.some(part => part.includes(commit)), text);
	}
});

test('formats of which there is no manager here', () => {
	const gradle = read(
		'gradle.lockfile',
		'# a comment\ncom.google.code.gson:gson:2.10.1=compileClasspath,runtimeClasspath\nempty=annotationProcessor\n',
	);
	assert.deepEqual(
		gradle.map(({name, version}) => `${name} ${version}`),
		['com.google.code.gson:gson 2.10.1'],
	);
	const [log, plugin] = read(
		'composer.lock',
		JSON.stringify({
			packages: [
				{
					name: 'psr/log',
					version: '3.0.0',
					source: {type: 'git', url: 'https://github.com/php-fig/log.git', reference: 'fe5e'},
					dist: {
						type: 'zip',
						url: 'https://api.github.com/repos/php-fig/log/zipball/fe5e',
						reference: 'fe5e',
						shasum: '',
					},
					type: 'library',
					'notification-url': 'https://packagist.org/downloads/',
				},
			],
			'packages-dev': [
				{name: 'v/plugin', version: '1', type: 'composer-plugin', dist: {type: 'path', url: '../plugin'}},
			],
		}),
	);
	assert.deepEqual(
		[log!.source.kind, log!.source.host, log!.script, log!.integrity],
		['registry', 'api.github.com', 'no', ['fe5e']],
	);
	assert.ok(!log!.source.at.includes('fe5e'));
	assert.deepEqual([plugin!.source.kind, plugin!.script], ['path', 'yes']);
});

test('what cannot be read is said to be that', () => {
	assert.match(refused('bun.lockb', '#!/usr/bin/env bun\nbun-lockfile-format-v0\n\0\0'), /not as bun/);
	assert.match(refused('package-lock.json', '{"lockfileVersion": 4, "packages": {}}'), /lockfileVersion/);
	assert.match(refused('package-lock.json', '{"lockfileVersion": 3, "packages": {"node_modules/a": 1}}'), /no table/);
	assert.match(refused('pnpm-lock.yaml', "lockfileVersion: '5.4'\n"), /lockfileVersion/);
	assert.match(refused('pnpm-lock.yaml', ''), /empty/);
	assert.match(refused('pnpm-lock.yaml', "lockfileVersion: &a '9.0'\npackages: {b@1: *a}"), /not as pnpm/);
	assert.match(refused('yarn.lock', '<<<<<<< HEAD\n"a@1":\n  version "1"\n'), /line 1/);
	assert.match(refused('yarn.lock', '"a@1":\n  version "1"\n  resolved: "x"\n'), /line 3/);
	assert.match(refused('pom.xml', '<!DOCTYPE a [<!ENTITY b "c">]><project/>'), /document type/);
	assert.match(refused('pom.xml', '<project><a></project>'), /ends nothing/);
	assert.match(refused('go.sum', 'a v1'), /line 1/);
	assert.match(refused('gradle.lockfile', 'a b'), /line 1/);
	assert.match(refused('Cargo.lock', '[[package]]\nname = "a"\nname = "b"\n'), /not as cargo/);
	assert.match(refused('package-lock.json', `"${'a'.repeat(maxChars)}"`), /longer than 8 MiB/);
	assert.match(refused('go.sum', `${'a'.repeat(2000)} v1 h1:x`), /too long/);
	for (const [name, text] of [
		['package-lock.json', '['.repeat(1e6)],
		['bun.lock', '['.repeat(1e6)],
		['pnpm-lock.yaml', '['.repeat(1e6)],
		['Cargo.lock', `a = ${'['.repeat(1e6)}`],
		['pom.xml', '<a>'.repeat(1e6)],
	] as const) {
		assert.notEqual(refused(name, text), '', name);
	}

	const change = compareLocks('yarn.lock', formatOf('yarn.lock')!, {
		before: {packages: [], hosts: []},
		after: {unread: 'line 1 is not as Yarn writes it'},
	});
	assert.equal(change.unread, 'line 1 is not as Yarn writes it');
});

test('no key of a lock file becomes a property of anything', () => {
	const lock =
		'{"lockfileVersion": 3, "__proto__": {"packages": {"node_modules/x": {}}}, "packages": {"node_modules/__proto__": {"version": "1", "polluted": true}, "node_modules/constructor": {"version": "2"}}}';
	assert.deepEqual(
		read('package-lock.json', lock).map(({name}) => name),
		['__proto__', 'constructor'],
	);
	assert.equal(
		read('pnpm-lock.yaml', "lockfileVersion: '9.0'\npackages:\n  __proto__@1.0.0:\n    resolution: {}\n")[0]?.name,
		'__proto__',
	);
	assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
});

test("Bun's JSON, with its commas and comments", () => {
	for (const [text, value] of [
		['{"a": [1, 2,], /* , */ "b": "//,]", // ,\n}', {a: [1, 2], b: '//,]'}],
		[String.raw`["\\", "\",]", ]`, ['\\', '",]']],
		['[1,,]', undefined],
		['{"a": 1},', undefined],
	] as const) {
		let parsed: unknown;
		try {
			parsed = JSON.parse(plainJson(text));
		} catch {
			// What it is then is undefined.
		}

		assert.deepEqual(parsed, value, text);
	}
});

test('whatever a lock file holds, it is read or said not to be, in a time that grows with its length', () => {
	const chance = new Chance(20_26);
	const texts = Object.entries(names).map(([name, file]) => ({file, text: sample(name)}));
	const bits = [
		'"',
		'\n',
		'  ',
		'{',
		'}',
		'[',
		']',
		'\\',
		'@',
		':',
		'#',
		"'",
		'<',
		'/*',
		'&a ',
		'*a',
		'- ',
		'\0',
		'\u202E',
		'=',
		'(',
		'__proto__',
	];
	for (let round = 0; round < 3000; round++) {
		const {file, text} = chance.pick(texts);
		let mutated = text;
		for (let times = chance.below(4) + 1; times > 0; times--) {
			const at = chance.below(mutated.length);
			mutated =
				mutated.slice(0, at) + (chance.once(0.5) ? chance.pick(bits) : '') + mutated.slice(at + chance.below(20));
		}

		const reading = readLock(formatOf(file)!, mutated);
		assert.ok('unread' in reading ? reading.unread !== '' : reading.packages.every(({name}) => name !== ''), mutated);
	}

	// One that took a step for each pair of characters would not end.
	for (const bit of [
		...bits,
		' ',
		'a',
		'\t',
		',',
		'"a@1", ',
		'&#1;',
		'  a "b"\n',
		'a @ ',
		'--hash ',
		'${a}',
		';',
		'\\"',
		'\\\n',
		'> ',
		'? ',
		'|\n',
		'!',
	]) {
		for (const format of formats) {
			for (const [begin, end] of [
				['', ''],
				['"', ''],
				['a', ':'],
				['<project><a>', '</a></project>'],
				['a: ', ''],
			] as const) {
				readLock(format, begin + bit.repeat(Math.ceil(300_000 / bit.length)) + end);
			}
		}
	}
});

/** What a change does, in words; what is not read as well. */
function changed(name: string, before: string, after: string): string {
	const format = formatOf(name)!;
	const change = compareLocks(name, format, {before: readLock(format, before), after: readLock(format, after)});
	return [
		change.unread ?? '',
		...change.flags.map(({text}) => text),
		...change.packages.map(({kind, name: one}) => `${kind} ${one}`),
	]
		.filter(text => text !== '')
		.join('; ');
}

test('what pip reads in a requirements file is read, however it is hidden from people', () => {
	for (const [added, wanted] of [
		['-r x.lst', 'came requirement x.lst'],
		['-cx.lst', 'came constraint x.lst'],
		['-ihttps://evil.example/simple', 'new host evil.example'],
		['--extra-index https://evil.example/simple', 'new host evil.example'],
		['--trusted-host=evil.example', 'new host evil.example'],
		['# a note \\\nevil==1', 'came evil'],
		['b==1 # a note\u2028evil==1', 'came b; came evil'],
		['b==1 # a note\u0085evil==1', 'came b; came evil'],
		['ev\\\nil==1', 'came evil'],
		['-e./evil', 'came ./evil'],
		['--edit ./evil', 'came ./evil'],
		['--no-such-option', 'it has an option that no requirements file has'],
	] as const) {
		assert.equal(changed('requirements.txt', 'a==1\n', `a==1\n${added}\n`), wanted, added);
	}

	assert.equal(changed('requirements.txt', 'a==1\n', 'a==1 --global-option=x\n'), 'changed a');
	assert.equal(changed('requirements/base.txt', 'a==1\n', 'a==1\nb==1\n'), 'came b');
	assert.equal(changed('constraints.txt', 'a==1\n', 'a==1\nb==1\n'), 'came b');
});

test('a block of go.mod needs no blank, and a line that go does not know is not passed over', () => {
	const mod = 'module x\n\nrequire a v1\n';
	assert.equal(changed('go.mod', mod, `${mod}require(\n\tb v1\n)\n`), 'came b');
	assert.match(changed('go.mod', mod, `${mod}replace(\n\ta => b v1\n)\n`), /changed a/);
	assert.equal(changed('go.mod', mod, `${mod}requires b v1\n`), 'line 4 is not as go writes it');
});

test('a table that YAML lays over another, and a resolution of an unknown kind, are not passed over', () => {
	const lock = "lockfileVersion: '9.0'\npackages:\n  a@1.0.0:\n    resolution: {integrity: sha512-AA==}\n";
	const merged = lock.replace('{integrity', '{<<: {tarball: https://evil.example/x.tgz}, integrity');
	assert.equal(changed('pnpm-lock.yaml', lock, merged), 'it has a key <<');
	assert.match(changed('pnpm-lock.yaml', lock, `${lock}<<: {packages: {b@1.0.0: {}}}\n`), /<</);
	const binary = `${lock}  node@runtime:22.0.0:\n    resolution: {type: binary, url: https://evil.example/n.tgz}\n`;
	const format = formatOf('pnpm-lock.yaml')!;
	const {packages} = compareLocks('', format, {before: readLock(format, lock), after: readLock(format, binary)});
	assert.match(packages[0]!.flags[0]!.text, /evil\.example.*which is no registry/);
});

test('a gem in a line that Bundler alone reads is not passed over', () => {
	const lock = 'GEM\n  remote: https://gems.example/\n  specs:\n    a (1.0)\n';
	assert.equal(changed('Gemfile.lock', lock, `${lock}    evil (1.0)!\n`), 'line 5 is not as Bundler writes it');
});

test('a host of repositories that is known is no registry that is', () => {
	const lock = (packages: object) =>
		JSON.stringify({
			lockfileVersion: 3,
			packages: {
				'': {},
				'node_modules/g': {version: '1.0.0', resolved: 'git+https://github.com/a/g.git#abc'},
				...packages,
			},
		});
	const resolved = 'https://github.com/evil/r/raw/main/left-pad/-/left-pad-1.3.0.tgz';
	assert.equal(
		changed('package-lock.json', lock({}), lock({'node_modules/left-pad': {version: '1.3.0', resolved}})),
		'new host github.com (left-pad); came left-pad',
	);
});
