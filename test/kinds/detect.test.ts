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
			['api', 'api/go.mod'],
			['web', 'web/package-lock.json'],
		],
	);
	assert.deepEqual(joinParts(parts), {
		setup: [
			'cd api && go mod download',
			"cd api && { go test -run '^$' ./... > /dev/null 2>&1 || true; }",
			'cd web && npm ci',
		],
		verify: ['cd api && go vet ./...', 'cd api && go test ./...', 'cd web && npm test'],
		network: ['proxy.golang.org', 'sum.golang.org', 'registry.npmjs.org'],
		inputs: ['api/go.mod', 'web/package.json', 'web/package-lock.json'],
		preview: [],
	});
	assert.deepEqual(names(folderOf({...web, 'go.mod': goMod, 'other/package.json': packageJson})), [':go', 'web:npm']);
	assert.deepEqual(
		joinParts(detectParts(folderOf({'jvm/build.gradle': ''}))).setup,
		['cd jvm && { gradle --no-daemon --continue test || gradle --no-daemon testClasses; }'],
		'what stands for a failure stays in its folder',
	);
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
			'node_modules/package.json',
			'.cargo/config.toml',
			'a b/package.json',
			'requirements/dev.txt',
		]),
		['package.json', 'web/package.json', 'web/.npmrc', '.cargo/config.toml', 'requirements/dev.txt'],
	);
	assert.deepEqual(names(folderOf({'readme.md': '# x'})), []);
});
