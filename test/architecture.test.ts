import assert from 'node:assert/strict';
import {existsSync, globSync, readdirSync, readFileSync} from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import {verbs} from '../source/commands/verbs.ts';

/*
 * Who may know whom. The directions carry a promise: the screen can reach
 * no secret, no worktree and no sandbox, because it cannot import one.
 */

const source = path.resolve(import.meta.dirname, '../source');

/** What each folder may import, besides itself: folders, or files by their path. */
const ink = '../node_modules/ink/build';
const allowed: Record<string, readonly string[]> = {
	core: [],
	scopes: ['core'],
	kinds: ['core'],
	protocol: ['core', 'scopes'],
	agents: ['core'],
	sandboxes: ['core'],
	vaults: ['core', 'host/write.ts'],
	executors: ['core'],
	toolchains: ['core'],
	probe: ['core'],
	host: ['core', 'protocol'],
	engine: ['core', 'scopes', 'kinds', 'protocol', 'host'],
	attacks: ['core', 'host', 'engine'],
	// What two stand-ins stand for, which Ink exports to itself alone.
	tui: ['core', 'scopes', 'protocol', `${ink}/output.js`, `${ink}/log-update.js`],
	terminal: ['core', 'protocol', 'host', 'engine', 'tui'],
	commands: ['core', 'scopes', 'kinds', 'protocol', 'host', 'engine', 'attacks', 'tui', 'terminal', 'compose.ts'],
	'compose.ts': ['core', 'agents', 'sandboxes', 'vaults', 'executors', 'toolchains', 'host', 'engine'],
	programs: ['core', 'host', 'engine', 'terminal', 'commands', 'compose.ts'],
};

/** Loaded before everything else: what it imports is loaded before it runs. */
const first = 'host/inherited.ts';

/** Folders that touch nothing but data: no Node, no clock, no chance. */
const pure = ['core', 'scopes', 'kinds', 'protocol'];

const importPattern = /(?:^|[\s;])(?:import|export)\b[^'"`]*?\bfrom\s*'([^']+)'|\bimport\s*\(\s*'([^']+)'\s*\)/gm;

/** What a file imports, as it names it; types count, too. */
function importsOf(text: string): string[] {
	return [...text.matchAll(importPattern)].map(([, first, second]) => first ?? second ?? '');
}

/** Files that import each other in a circle: for each circle the shortest way round from its first file by name. */
export function circles(files: ReadonlyArray<{name: string; text: string}>): string[] {
	const imports = new Map(
		files.map(({name, text}) => [
			name,
			importsOf(text)
				.filter(target => target.startsWith('.'))
				.map(target => path.posix.normalize(path.posix.join(path.posix.dirname(name), target))),
		]),
	);
	const found = new Set<string>();
	for (const start of [...imports.keys()].sort()) {
		const ways = [[start]];
		const seen = new Set<string>();
		for (let way = ways.shift(); way; way = ways.shift()) {
			for (const next of imports.get(way.at(-1)!) ?? []) {
				if (next === start) {
					const members = [...way].sort();
					if (members[0] === start) {
						found.add([...way, start].join(' > '));
					}
				} else if (!seen.has(next)) {
					seen.add(next);
					ways.push([...way, next]);
				}
			}
		}
	}

	return [...found];
}

/** Every violation in a set of files, given as path below source/ and text. */
export function violations(files: ReadonlyArray<{name: string; text: string}>): string[] {
	const found: string[] = [];
	for (const {name, text} of files) {
		const room = name.split('/')[0]!;
		const rules = allowed[room];
		if (!rules) {
			found.push(`${name}: ${room} has no rule`);
			continue;
		}

		for (const target of importsOf(text)) {
			if (target.startsWith('.')) {
				const file = path.posix.normalize(path.posix.join(path.posix.dirname(name), target));
				const other = file.split('/')[0]!;
				if (other !== room && !rules.includes(other) && !rules.includes(file)) {
					found.push(`${name} imports ${target}: ${room} may not know ${other}`);
				}
			} else if (
				pure.includes(room) &&
				(target.startsWith('node:') || /^(?:react|ink|execa|simple-git)/.test(target))
			) {
				found.push(`${name} imports ${target}: ${room} is pure`);
			} else if (name === first && target !== 'node:fs') {
				found.push(`${name} imports ${target}: it closes what was open before anything was loaded`);
			} else if (target === 'simple-git' && name !== 'host/git.ts') {
				found.push(`${name} imports simple-git: only host/git.ts makes the hardened instance`);
			} else if (room === 'tui' && target.startsWith('node:')) {
				found.push(`${name} imports ${target}: the screen asks for effects, it has none`);
			}
		}

		if (pure.includes(room) && /\bDate\.now\(|\bMath\.random\(|\bnew Date\(\)|\bprocess\.[a-z]/.test(text)) {
			found.push(`${name}: ${room} has no clock, no chance and no process`);
		}

		// Adapters of one kind do not know each other.
		const kind = /^(agents|sandboxes|vaults|executors|scopes)\/([^/]+)\//.exec(name);
		if (kind && new RegExp(`from '\\.\\./(?!\\.\\./)[^']+/[^']+'`).test(text)) {
			found.push(`${name} imports another kind of ${kind[1]}`);
		}
	}

	return found;
}

test('imports go in the directions of docs/architecture.md', () => {
	const files = globSync('**/*.{ts,tsx}', {cwd: source}).map(name => ({
		name,
		text: readFileSync(path.join(source, name), 'utf8'),
	}));
	assert.ok(files.length > 60);
	assert.deepEqual(violations(files), []);
	assert.deepEqual(circles(files), []);
});

test('a file is exchanged by host/write.ts alone, which waits until the disk has it', () => {
	const own = new Set(['host/write.ts', 'host/log-writer.ts']);
	const others = globSync('**/*.{ts,tsx}', {cwd: source})
		.filter(name => !own.has(name) && !name.startsWith('attacks/'))
		.filter(name => /\brename(?:Sync)?\(/.test(readFileSync(path.join(source, name), 'utf8')));
	assert.deepEqual(others, []);
});

test('commands/ holds one file for each verb, and folders with the parts of one', () => {
	const besides = ['verb.ts', 'verbs.ts', 'documents.ts', 'readme.md'];
	const names = readdirSync(path.join(source, 'commands')).filter(name => !besides.includes(name));
	const parts = names.filter(name => !name.endsWith('.ts'));
	assert.deepEqual(
		names.filter(name => name.endsWith('.ts')).sort(),
		Object.keys(verbs)
			.map(verb => `${verb}.ts`)
			.sort(),
	);
	assert.deepEqual(
		parts.filter(name => !names.includes(`${name}.ts`)),
		[],
	);
});

test('nothing is loaded before what was inherited is closed', () => {
	const program = (name: string) => readFileSync(path.join(source, '../dist', name), 'utf8');
	const requiresOf = (name: string) =>
		[...program(name).matchAll(/\brequire\("([^"]+)"\)/g)].map(([, target]) => target);
	assert.deepEqual(requiresOf('inherited.cjs'), ['node:fs']);
	assert.equal(requiresOf('fleet.cjs')[0], './inherited.cjs');
	assert.deepEqual(importsOf(program('fleet.cjs').replaceAll('"', "'")), ['./main.js']);
	assert.deepEqual(importsOf(program('supervisor.js').replaceAll('"', "'")), [
		'./inherited.cjs',
		'./supervisor-main.js',
	]);
	for (const file of globSync('**/*.ts', {cwd: source}).filter(name => name !== first)) {
		assert.ok(
			!importsOf(readFileSync(path.join(source, file), 'utf8')).some(name => name.endsWith('/inherited.ts')),
			file,
		);
	}
});

test('the first frame waits for no library but those that measure and rank text', () => {
	const program = readFileSync(path.join(source, '../dist/screen.cjs'), 'utf8');
	const packages = [...program.matchAll(/^\/\/ node_modules\/((?:@[^/]+\/)?[^/]+)\//gm)].map(([, name]) => name);
	assert.deepEqual(
		new Set(packages),
		new Set(['@leeoniya/ufuzzy', 'ansi-regex', 'get-east-asian-width', 'string-width', 'strip-ansi']),
	);
});

test('a planted circle is found, of types alone, too', () => {
	const planted = [
		{name: 'core/a.ts', text: "import type {B} from './b.ts';"},
		{name: 'core/b.ts', text: "export {c} from './c.ts';"},
		{name: 'core/c.ts', text: "const a = await import('./a.ts');\nimport {d} from './d.ts';"},
		{name: 'core/d.ts', text: ''},
	];
	assert.deepEqual(circles(planted), ['core/a.ts > core/b.ts > core/c.ts > core/a.ts']);
	assert.deepEqual(circles(planted.slice(1)), []);
});

test('a planted violation is found', () => {
	const planted: Array<[string, string]> = [
		['tui/app.tsx', "import {Git} from '../host/git.ts';"],
		['tui/app.tsx', "import fs from 'node:fs';"],
		['tui/store.ts', "const x = await import('../engine/verify.ts');"],
		['core/run.ts', "import {readFileSync} from 'node:fs';"],
		['core/run.ts', 'export const now = Date.now();'],
		['core/run.ts', "import {x} from '../scopes/registry.ts';"],
		['agents/command/index.ts', "import {x} from '../other/index.ts';"],
		['sandboxes/bubblewrap/index.ts', "import {x} from '../../engine/plan.ts';"],
		['vaults/keyring/index.ts', "import {x} from '../../host/git.ts';"],
		['host/paths.ts', "export {x} from '../engine/plan.ts';"],
		['engine/verify.ts', "import {x} from '../sandboxes/registry.ts';"],
		['engine/verify.ts', "import {simpleGit} from 'simple-git';"],
		['host/inherited.ts', "import tls from 'node:tls';"],
		['kinds/npm.ts', "import fs from 'node:fs';"],
		['newroom/x.ts', ''],
	];
	for (const [name, text] of planted) {
		assert.equal(violations([{name, text}]).length, 1, `${name}: ${text}`);
	}
});

test('every folder says at its door what is in it, and names files that are there', () => {
	const doors = globSync(['*/readme.md', '*/*/readme.md'], {cwd: source});
	const rooms = globSync(['*/*.ts', '*/*/*.ts'], {cwd: source})
		.map(name => path.dirname(name))
		.filter(folder => !/^(?:agents|executors|scopes|sandboxes|vaults|commands)\//.test(folder));
	assert.deepEqual(
		[...new Set(rooms)].filter(folder => !doors.includes(`${folder}/readme.md`)),
		[],
	);
	for (const door of doors) {
		const text = readFileSync(path.join(source, door), 'utf8');
		assert.ok(text.split('\n').length <= 6, door);
		for (const [, name] of text.matchAll(/`([\w./-]+\.\w+)`/g)) {
			const places = [path.dirname(path.join(source, door)), source, path.dirname(source)];
			assert.ok(
				places.some(place => existsSync(path.join(place, name!))),
				`${door}: ${name}`,
			);
		}
	}
});
