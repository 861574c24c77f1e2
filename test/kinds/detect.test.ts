import assert from 'node:assert/strict';
import {test} from 'node:test';
import type {ProjectFolder} from '../../source/core/project-kind.ts';
import {detectParts, joinParts, wantedPaths} from '../../source/kinds/detect.ts';

/* Projects of several kinds, and of several folders. */

function folderOf(files: Readonly<Record<string, string>>, missing: readonly string[] = []): ProjectFolder {
	return {
		paths: Object.keys(files),
		text: name => (Object.hasOwn(files, name) ? files[name] : undefined),
		has: program => !missing.includes(program),
	};
}

const names = (folder: ProjectFolder) => detectParts(folder).map(({kind, folder: name}) => `${name}:${kind}`);
const packageJson = '{"scripts":{"test":"x"},"dependencies":{"a":"1"}}';
const goMod = 'module x\n\nrequire y v1\n';

test('the kinds of one folder are joined in order, each host once', () => {
	const parts = detectParts(
		folderOf({
			'Cargo.toml': '[package]',
			'go.mod': goMod,
			'package.json': packageJson,
			'package-lock.json': '',
			'pyproject.toml': '[project]\n[tool.pytest.ini_options]\n',
		}),
	);
	assert.deepEqual(
		parts.map(({kind}) => kind),
		['npm', 'pip', 'cargo', 'go'],
	);
	const joined = joinParts([...parts, ...parts]);
	assert.deepEqual([joined.setup[0], joined.setup.at(-2)], ['npm ci', 'go mod download']);
	assert.deepEqual(joined.verify, [
		'npm test',
		'.venv/bin/python -m pytest',
		'cargo test --offline',
		'go vet ./...',
		'go test ./...',
	]);
	assert.equal(joined.network.filter(host => host === 'registry.npmjs.org').length, 1);
});

test('a makefile speaks where nothing else does', () => {
	const make = {Makefile: 'test:\n\tx\n'};
	assert.deepEqual(names(folderOf({...make, 'go.mod': goMod})), [':go']);
	assert.deepEqual(names(folderOf({...make, 'CMakeLists.txt': 'project(x)'})), [':cmake']);
	assert.deepEqual(
		names(folderOf({...make, 'CMakeLists.txt': 'project(x)'}, ['cmake'])),
		[':cmake', ':make'],
		'also where the other one cannot run here',
	);
	assert.deepEqual(names(folderOf({...make, 'package.json': '{"dependencies":{"a":"1"}}'})), [':npm', ':make']);
});

test('folders below are projects of their own without one at the top, or with a lock file of their own', () => {
	const web = {'web/package.json': packageJson, 'web/package-lock.json': ''};
	const files = {...web, 'api/go.mod': goMod, 'examples/a/package.json': packageJson, 'docs/package.json': packageJson};
	const parts = detectParts(folderOf(files));
	assert.deepEqual(
		parts.map(({folder, by}) => [folder, by]),
		[
			['web', 'web/package-lock.json'],
			['api', 'api/go.mod'],
		],
	);
	assert.deepEqual(joinParts(parts), {
		setup: [
			'cd web && npm ci',
			'cd api && go mod download',
			"cd api && { go test -run '^$' ./... > /dev/null 2>&1 || true; }",
		],
		verify: ['cd web && npm test', 'cd api && go vet ./...', 'cd api && go test ./...'],
		network: ['registry.npmjs.org', 'proxy.golang.org', 'sum.golang.org'],
		inputs: ['web/package.json', 'web/package-lock.json', 'api/go.mod'],
		preview: [],
	});
	assert.deepEqual(names(folderOf({...web, 'go.mod': goMod, 'web/other/package.json': packageJson})), [
		'web:npm',
		':go',
	]);
	assert.deepEqual(
		joinParts(detectParts(folderOf({'jvm/build.gradle': ''}))).setup,
		['cd jvm && { gradle --no-daemon --continue test || gradle --no-daemon testClasses; }'],
		'what stands for a failure stays in its folder',
	);
});

test('what a page is built to comes before the server that holds it, wherever the two lie', () => {
	const web = {'web/package.json': '{"scripts":{"build":"x"},"dependencies":{"a":"1"}}', 'web/package-lock.json': ''};
	assert.deepEqual(joinParts(detectParts(folderOf({'go.mod': goMod, ...web}))).verify, [
		'cd web && npm run build',
		'go vet ./...',
		'go test ./...',
	]);
});

test('a folder below is a project of its own where its language is another one than that of those above', () => {
	const files = {
		'package.json': packageJson,
		'package-lock.json': '',
		'packages/a/package.json': packageJson,
		'packages/a/native/Cargo.toml': '[package]',
		'services/api/pom.xml': '<project/>',
		'services/api/client/pom.xml': '<project/>',
		'services/api/deep/er/go.mod': goMod,
		'python/pyproject.toml': '[project]\n[tool.pytest.ini_options]\n',
		'native/CMakeLists.txt': 'project(x)',
		'native/Makefile': 'test:\n\tx\n',
		'-x/go.mod': goMod,
	};
	assert.deepEqual(names(folderOf(files)), [':npm', 'python:pip', 'packages/a/native:cargo', 'services/api:maven']);
	assert.deepEqual(
		names(
			folderOf({'a/b/c/go.mod': goMod, 'a/b/c/d/package.json': packageJson, 'native/CMakeLists.txt': 'project(x)'}),
		),
		['a/b/c:go', 'native:cmake'],
		'up to three folders below',
	);
	assert.deepEqual(
		names(folderOf({Makefile: 'test:\n\tx\n', 'web/package.json': packageJson, 'lib/Makefile': 'test:\n\tx\n'})),
		['web:npm', ':make'],
	);
});

test('the modules of a workspace of Go belong to it, although each has its sums', () => {
	const modules = {'a/go.mod': goMod, 'a/go.sum': '', 'b/go.mod': goMod, 'b/go.sum': ''};
	assert.deepEqual(names(folderOf({'go.work': 'use (\n\t./a\n\t./b\n)\n', ...modules})), [':go']);
	assert.deepEqual(names(folderOf({'go.mod': goMod, ...modules})), [':go', 'a:go', 'b:go']);
});

test('of many folders some are proposed, and the others named', () => {
	const many = Object.fromEntries(Array.from({length: 10}, (_, at) => [`s${at}/go.mod`, goMod]));
	const parts = detectParts(folderOf(many));
	assert.equal(parts.length, 8);
	assert.deepEqual(parts.at(-1)!.notes, ['besides, and not proposed: s8, s9']);
	const workspace = Object.fromEntries(Array.from({length: 300}, (_, at) => [`a/p${at}/package.json`, packageJson]));
	assert.deepEqual(
		names(folderOf({...workspace, 'package.json': packageJson, 'x/y/z/go.mod': goMod})),
		[':npm', 'x/y/z:go'],
		'the packages of a workspace hide nothing',
	);
});

test('what is ignored in a folder may be said above it', () => {
	const notes = (ignored: Record<string, string>) =>
		detectParts(folderOf({'a/web/package.json': packageJson, 'a/web/package-lock.json': '', ...ignored}))[0]!.notes;
	const enough: ReadonlyArray<Record<string, string>> = [
		{'.gitignore': 'dist\nnode_modules\n'},
		{'a/.gitignore': 'node_modules/\n'},
		{'a/web/.gitignore': '/node_modules\n'},
		{'.gitignore': '/a/web/node_modules\n'},
		{'a/.gitignore': 'web/node_modules\n'},
	];
	for (const ignored of enough) {
		assert.deepEqual(notes(ignored), [], JSON.stringify(ignored));
	}

	const other: ReadonlyArray<Record<string, string>> = [
		{},
		{'.gitignore': '/node_modules\n'},
		{'b/.gitignore': 'node_modules\n'},
	];
	for (const ignored of other) {
		assert.equal(notes(ignored).length, 1, JSON.stringify(ignored));
	}
});

test('only manifests are asked for, whatever else is there', () => {
	assert.deepEqual(
		wantedPaths([
			'package.json',
			'package.json/x',
			'src/a.ts',
			'web/package.json',
			'web/.npmrc',
			'web/deep/package.json',
			'web/deep/.gitignore',
			'web/in/to/much/package.json',
			'web/none/.gitignore',
			'.gitignore',
			'node_modules/package.json',
			'.cargo/config.toml',
			'a b/package.json',
			'requirements/dev.txt',
		]),
		[
			'package.json',
			'web/package.json',
			'web/.npmrc',
			'web/deep/package.json',
			'web/deep/.gitignore',
			'.gitignore',
			'.cargo/config.toml',
			'requirements/dev.txt',
		],
	);
	assert.deepEqual(names(folderOf({'readme.md': '# x'})), []);
});

test('what a project names of this machine, of a private network, or by a pattern, is not proposed', () => {
	const addresses = [
		'http://host.fleet.internal:8080',
		'http://10.0.0.1:8080',
		'http://169.254.169.254',
		'http://[fd00::1]',
		'https://*.example.com',
		'http://127.0.0.1',
		'https://npm.example.com',
		'http://8.8.8.8:81',
	];
	const npmrc = addresses.map((address, number) => `@a${number}:registry=${address}/\n`).join('');
	assert.deepEqual(joinParts(detectParts(folderOf({'package.json': packageJson, '.npmrc': npmrc}))).network, [
		'registry.npmjs.org',
		'npm.example.com',
		'8.8.8.8:81',
	]);
});

test('of a folder whose every file is asked for, some are read', () => {
	const many = Array.from({length: 5000}, (_, number) => `.mvn/${number}`);
	assert.equal(wantedPaths(['pom.xml', ...many]).length, 500);
});
