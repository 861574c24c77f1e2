import assert from 'node:assert/strict';
import {test} from 'node:test';
import {compareInstall, installFormatOf} from '../../../source/core/packages/install.ts';
import {summarize, summaryText} from '../../../source/core/packages/summary.ts';
import {flagsOf} from '../../../source/core/review/flags.ts';
import {parseDiff} from '../../../source/core/review/diff.ts';
import {Chance} from '../../support/chance.ts';

function compare(path: string, before: string | undefined, after: string | undefined) {
	return compareInstall(path, installFormatOf(path)!, {before, after});
}

const texts = (path: string, before: string | undefined, after: string | undefined) =>
	compare(path, before, after)?.flags.map(({text}) => text) ?? [];

test('what runs at an install, and from where packages come, is said by its setting', () => {
	const json = (value: unknown) => JSON.stringify(value);
	const package0 = json({scripts: {test: 'node --test', prepare: 'husky'}});
	for (const [path, before, after, lines] of [
		[
			'a/package.json',
			package0,
			json({scripts: {test: 'x', postinstall: 'node x.js'}}),
			['scripts.prepare is gone', 'scripts.postinstall is now: node x.js'],
		],
		[
			'package.json',
			'{}',
			json({pnpm: {onlyBuiltDependencies: ['esbuild']}, trustedDependencies: ['a']}),
			['pnpm.onlyBuiltDependencies is now: ["esbuild"]', 'trustedDependencies is now: ["a"]'],
		],
		[
			'package.json',
			'{"packageManager": "pnpm@9.0.0"}',
			'{"packageManager": "pnpm@9.0.1"}',
			['packageManager is now: pnpm@9.0.1'],
		],
		[
			'package.json',
			package0,
			json({version: '2', scripts: {test: 'y', prepare: 'husky'}, dependencies: {a: '1'}}),
			[],
		],
		[
			'pnpm-workspace.yaml',
			'packages: [a]\n',
			'packages: [b]\nonlyBuiltDependencies:\n  - esbuild\n',
			['onlyBuiltDependencies is now: ["esbuild"]'],
		],
		[
			'.npmrc',
			'ignore-scripts=true\n; a comment\n',
			'registry = https://r.example/\n',
			['ignore-scripts is gone', 'registry is now: https://r.example/'],
		],
		['.npmrc', undefined, '//r.example/:_authToken=hunter2\n', ['//r.example/:_authToken is now: ***']],
		[
			'.npmrc',
			'registry=https://a.example/\n',
			'registry=https://me:hunter2@a.example/\n',
			['registry is now: https://***@a.example/'],
		],
		[
			'.yarnrc.yml',
			'enableScripts: false\n',
			'enableScripts: true\nyarnPath: .yarn/x.cjs\n',
			['enableScripts is now: true', 'yarnPath is now: .yarn/x.cjs'],
		],
		['.yarnrc', undefined, 'registry "https://r.example"\n', ['registry is now: "https://r.example"']],
		[
			'bunfig.toml',
			'[test]\na = 1\n',
			'[test]\na = 2\n[install]\nregistry = "https://r.example"\n',
			['registry is now: https://r.example'],
		],
		[
			'pip.conf',
			undefined,
			'[global]\nextra-index-url = https://r.example\n',
			['extra-index-url is now: https://r.example'],
		],
		[
			'pyproject.toml',
			'[build-system]\nbuild-backend = "hatchling.build"\n',
			'[project]\nname = "a"\n[build-system]\nbuild-backend = "own"\nbackend-path = ["."]\n',
			['build-system.build-backend is now: own', 'build-system.backend-path is now: ["."]'],
		],
		[
			'Cargo.toml',
			'[dependencies]\na = "1"\n',
			'[package]\nbuild = "b.rs"\n[dependencies]\na = "2"\n[patch.crates-io]\na = {path = "a"}\n',
			['package.build is now: b.rs', 'patch is now: {"crates-io":{"a":{"path":"a"}}}'],
		],
		[
			'.cargo/config.toml',
			undefined,
			'[source.crates-io]\nreplace-with = "own"\n',
			['source.crates-io is now: {"replace-with":"own"}'],
		],
		[
			'composer.json',
			'{}',
			json({scripts: {'post-install-cmd': 'x', test: 'y'}}),
			['scripts.post-install-cmd is now: x'],
		],
		[
			'gradle/wrapper/gradle-wrapper.properties',
			'distributionUrl=https\\://a.example/x.zip\n',
			'distributionUrl=https\\://b.example/x.zip\n',
			['distributionUrl is now: https\\://b.example/x.zip'],
		],
		['build.rs', 'fn main() {}\n', 'fn main() { x() }\n', ['runs when packages are installed or built']],
		['setup.py', 'x', undefined, ['ran when packages were installed or built, and is gone']],
	] as const) {
		assert.deepEqual(texts(path, before, after), lines, path);
	}

	for (const path of ['package.jsonc', 'my-package.json5', 'config.toml', 'setup.txt', 'x.npmrc']) {
		assert.equal(installFormatOf(path), undefined, path);
	}
});

test('a manifest that cannot be read is said to be that', () => {
	const change = compare('package.json', '{}', '{"scripts": ')!;
	assert.notEqual(change.unread, undefined);
	assert.equal(summaryText(summarize([change])!), 'a file could not be read');
	assert.equal(
		compareInstall('.npmrc', installFormatOf('.npmrc')!, {before: '', after: {unread: 'it is a link'}})?.unread,
		'it is a link',
	);
	assert.equal(summaryText(summarize([compare('.npmrc', '', 'a=b')!])!), 'what runs at install changed');
});

test('the review says a setting once, and a dependency as before', () => {
	const [file] = parseDiff(`diff --git a/package.json b/package.json
index 1111111..2222222 100644
--- a/package.json
+++ b/package.json
@@ -1 +1,3 @@
 {
+"scripts": {"postinstall": "node x.js"},
+"dependencies": {"left-pad": "1.3.0"}
`);
	const facts = {verify: [], instructions: []};
	const ids = (packages: Parameters<typeof flagsOf>[1]) => flagsOf(file!, packages).map(({id}) => id);
	assert.equal(ids(facts).filter(id => id === 'install').length, 1);
	const lock = compare('package.json', '{}', '{"scripts": {"postinstall": "node x.js"}}')!;
	const flags = flagsOf(file!, {...facts, packages: [lock]});
	assert.deepEqual(
		flags.filter(({id}) => id === 'install').map(({text}) => text),
		['scripts.postinstall is now: node x.js'],
	);
	assert.ok(flags.some(({id, text}) => id === 'dependency' && text.includes('left-pad')));
});

test('whatever a manifest holds, something is said of it', () => {
	const chance = new Chance(7);
	const bits = [
		'{',
		'}',
		'[',
		']',
		'"',
		':',
		'=',
		'\n',
		' ',
		'-',
		'&a',
		'*a',
		'://a:',
		'@',
		'\\',
		'scripts',
		'install',
		'\u0000',
		'__proto__',
	];
	const paths = [
		'package.json',
		'pnpm-workspace.yaml',
		'.npmrc',
		'.yarnrc',
		'.yarnrc.yml',
		'pyproject.toml',
		'.cargo/config.toml',
		'composer.json',
	];
	for (let round = 0; round < 3000; round++) {
		const text = Array.from({length: chance.below(30)}, () => chance.pick(bits)).join('');
		const change = compare(chance.pick(paths), undefined, text);
		assert.ok(change === undefined || change.unread !== '', text);
	}

	for (const path of paths) {
		for (const bit of bits) {
			compare(path, undefined, bit.repeat(200_000));
		}
	}
});

test('what runs at an install without a setting that says so is one as a whole', () => {
	for (const path of [
		'.yarn/releases/yarn-4.0.0.cjs',
		'.yarn/plugins/x.cjs',
		'a/.pnp.cjs',
		'.pnpmfile.mjs',
		'gradle/wrapper/gradle-wrapper.jar',
		'settings.gradle.kts',
		'buildSrc/src/main/java/X.java',
		'gradlew',
		'mvnw.cmd',
		'.mvn/jvm.config',
		'Gemfile',
		'x.gemspec',
		'ext/a/extconf.rb',
	]) {
		assert.equal(installFormatOf(path)?.isProgram, true, path);
	}

	for (const path of ['.cargo', '.mvn', 'a/gradle/wrapper', '.yarn/releases']) {
		assert.equal(installFormatOf(path)?.isLink, true, path);
	}

	for (const path of ['src/yarn/releases/x.js', 'Gemfile.md', 'gradlew.txt', 'x.gradle.md', 'setup.cfg/x']) {
		assert.equal(installFormatOf(path), undefined, path);
	}
});

test('settings that a manager reads under other names or from other files are said, too', () => {
	for (const [path, before, after, lines] of [
		['package.json', '{}', '{"overrides":{"a":"npm:b@1"}}', ['overrides is now: {"a":"npm:b@1"}']],
		[
			'package.json',
			'{}',
			'{"pnpm":{"patchedDependencies":{"a":"p"}}}',
			['pnpm.patchedDependencies is now: {"a":"p"}'],
		],
		['pnpm-workspace.yaml', 'packages: [a]\n', 'packages: [b]\nnodeOptions: -r ./x\n', ['nodeOptions is now: -r ./x']],
		['go.work', 'go 1.22\n', 'go 1.22\nreplace(\n a => b v1\n)\n', ['replace a is now: => b v1']],
		['rust-toolchain.toml', '[toolchain]\n', '[toolchain]\npath = "x"\n', ['path is now: "x"']],
		[
			'setup.cfg',
			'[flake8]\nignore = a\n',
			'[flake8]\nignore = b\n[options]\nsetup_requires =\n  x\n',
			['setup_requires is now: x'],
		],
		['.bundle/config', undefined, 'BUNDLE_MIRROR__ALL: "x"\n', ['BUNDLE_MIRROR__ALL is now: "x"']],
		[
			'gradle.properties',
			'a=1\n',
			'a=1\norg.gradle.jvmargs=-javaagent:x\n',
			['org.gradle.jvmargs is now: -javaagent:x'],
		],
	] as const) {
		assert.deepEqual(texts(path, before, after), lines, path);
	}
});
