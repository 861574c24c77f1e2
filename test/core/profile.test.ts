import assert from 'node:assert/strict';
import {test} from 'node:test';
import {parse as parseToml} from 'smol-toml';
import {agents} from '../../source/agents/registry.ts';
import {changesSince, changesText, tokenOf, type ProfileFile} from '../../source/core/profile.ts';
import {keepAllowed, mergeUnder, parseLoose, settingsText} from '../../source/core/profile-settings.ts';
import {Refusal} from '../../source/core/refusal.ts';
import {Chance} from '../support/chance.ts';

const layouts = agents.flatMap(agent => (agent.profile ? [[agent, agent.profile] as const] : []));

/** Every key of a value, at any depth. */
function keysOf(value: unknown): string[] {
	return typeof value === 'object' && value !== null
		? Object.entries(value).flatMap(([key, one]) => [...(Array.isArray(value) ? [] : [key]), ...keysOf(one)])
		: [];
}

/** Every text of a value, at any depth. */
function textsOf(value: unknown): string[] {
	if (typeof value === 'string') {
		return [value];
	}

	return typeof value === 'object' && value !== null ? Object.values(value).flatMap(one => textsOf(one)) : [];
}

/** What never goes in, by what it is called. */
const powers =
	/hook|env|key|token|secret|credential|auth|permission|mcp|server|url|proxy|host|telemetry|otel|command|statusline|script|plugin|extension|sandbox|trust|path|dir|approval|allow|deny|provider|notify|shell|exec/i;

test('five agents say what a profile of theirs is made of', () => {
	assert.deepEqual(
		layouts.map(([{id}]) => id),
		['claude-code', 'codex', 'gemini', 'opencode', 'copilot'],
	);
	for (const [{id, logins}, {places, settings, never, moved}] of layouts) {
		const paths = [...places.map(({path}) => path), ...settings.paths, settings.target, ...never.map(({path}) => path)];
		for (const path of paths) {
			assert.ok(!path.startsWith('/') && !path.split('/').includes('..'), `${id}: ${path} is below HOME`);
		}

		assert.ok(
			places.some(({kind}) => kind === 'instructions'),
			id,
		);
		assert.ok(
			places.some(({kind}) => kind === 'skill'),
			id,
		);
		for (const {path} of places) {
			assert.ok(!never.some(one => one.path === path.replace(/\/$/, '')), `${id}: ${path} is taken and is not`);
			assert.ok(
				!(logins?.paths ?? []).some(login => login !== '.copilot' && (login === path || login.startsWith(path))),
				`${id}: ${path} is no login`,
			);
		}

		for (const {folder} of moved) {
			assert.ok(
				places.some(({path}) => path.startsWith(`${folder}/`)),
				`${id}: ${folder}`,
			);
		}
	}
});

test("what is kept lies below what the adapter writes, and the adapter's counts", () => {
	for (const [agent, {settings}] of layouts) {
		const start = agent.start({
			prompt: 'x',
			argv: [],
			cwd: '/w',
			home: '/home/agent',
			program: '/p',
			interactive: false,
			conversation: undefined,
			pointer: undefined,
			uuid: 'u',
			servers: [],
		});
		assert.ok(!(start instanceof Refusal));
		const own = start.files?.[settings.target];
		const parse = (text: string) => (settings.target.endsWith('.toml') ? parseToml(text) : JSON.parse(text)) as object;
		const hostile = {
			approval_policy: 'always',
			model: 'mine',
			autoUpdates: true,
			...(settings.target.endsWith('.toml') ? {} : {permission: {bash: 'deny'}}),
		};
		const merged = parse(settings.merge({model: 'mine'}, own)) as Record<string, unknown>;
		const before = own === undefined ? {} : parse(own);
		assert.deepEqual({...merged, model: undefined}, {...before, model: undefined}, agent.id);
		assert.equal(merged['model'], (before as Record<string, unknown>)['model'] ?? 'mine', agent.id);
		if (own !== undefined) {
			const loud = parse(settings.merge(hostile, own));
			assert.deepEqual(
				Object.fromEntries(Object.keys(before).map(key => [key, (loud as Record<string, unknown>)[key]])),
				Object.fromEntries(
					Object.entries(before).map(([key, value]) => [key, mergeUnder((hostile as never)[key], value)]),
				),
			);
		}
	}

	assert.deepEqual(mergeUnder({a: {b: 1, c: 2}, d: 3}, {a: {b: 9}, e: 1}), {a: {b: 9, c: 2}, d: 3, e: 1});
});

test('of real settings the harmless ones are kept, and what is left out has a name', () => {
	const keep = (id: string, text: string) => layouts.find(([agent]) => agent.id === id)![1].settings.keep(text);
	assert.deepEqual(
		keep(
			'claude-code',
			JSON.stringify({
				model: 'opus[1m]',
				outputStyle: 'Explanatory',
				alwaysThinkingEnabled: true,
				apiKeyHelper: '/bin/key',
				env: {ANTHROPIC_BASE_URL: 'https://example.invalid'},
				hooks: {PreToolUse: [{hooks: [{type: 'command', command: 'evil'}]}]},
				statusLine: {type: 'command', command: 'evil'},
				permissions: {allow: ['Bash(*)']},
				language: 'https://example.invalid',
			}),
		),
		{
			kept: {model: 'opus[1m]', outputStyle: 'Explanatory', alwaysThinkingEnabled: true},
			left: ['apiKeyHelper', 'env', 'hooks', 'statusLine', 'permissions', 'language'],
		},
	);
	assert.deepEqual(
		keep(
			'codex',
			'# mine\nmodel = "gpt-5.1" # the good one\n"model_reasoning_effort" = \'high\'\nnotify = ["sh", "-c", "evil"]\n' +
				'openai_base_url = "https://example.invalid"\n[mcp_servers.x]\ncommand = "evil"\nmodel = "other"\n[otel]\n',
		),
		{
			kept: {model: 'gpt-5.1', model_reasoning_effort: 'high'},
			left: ['openai_base_url', 'notify', 'mcp_servers', 'otel'],
		},
	);
	assert.deepEqual(
		keep('gemini', '{// a comment\n"ui": {"theme": "GitHub", "footer": {}}, "context": {"fileName": ["AGENTS.md"]},}'),
		{kept: {ui: {theme: 'GitHub'}, context: {fileName: ['AGENTS.md']}}, left: ['ui.footer']},
	);
	assert.deepEqual(keep('gemini', '{"context": {"fileName": "../x.md"}}'), {kept: {}, left: ['context.fileName']});
	assert.equal(keep('copilot', 'not json'), undefined);
	assert.equal(keep('opencode', '[]'), undefined);
	assert.equal(parseLoose('{"a": "// no comment, ]", /* one */ "b": [1, 2,],}') instanceof Object, true);
	assert.deepEqual(parseLoose('{"a": "// no comment, ]", /* one */ "b": [1, 2,],}'), {
		a: '// no comment, ]',
		b: [1, 2],
	});
});

test('whatever a settings file holds, no key of power and no address comes through, at any depth', () => {
	const chance = new Chance(1129);
	const random = () => chance.next();
	const names = [
		'hooks',
		'env',
		'apiKeyHelper',
		'permissions',
		'mcpServers',
		'mcp_servers',
		'statusLine',
		'proxy',
		'proxyUrl',
		'telemetry',
		'otel',
		'base_url',
		'openai_base_url',
		'notify',
		'sandbox',
		'plugin',
		'provider',
		'command',
		'model',
		'ui',
		'theme',
		'general',
		'context',
		'fileName',
		'name',
		'outputStyle',
		'accessibility',
		'verbose',
		'__proto__',
		'constructor',
		'toString',
		'hasOwnProperty',
		'',
	];
	const values = [
		'https://example.invalid/x',
		'$(touch /tmp/x)',
		'sh -c evil; x',
		'../../etc/passwd',
		'/bin/sh',
		'`x`',
		'a\nb',
		'opus',
		'GEMINI.md',
		true,
		false,
		0,
		-1,
		1e9,
		null,
		'\x1B[2J',
		'~/.ssh/id',
		'x'.repeat(1e4),
	];
	const pick = <Value>(list: readonly Value[]) => chance.pick(list);
	const make = (depth: number): unknown => {
		const kind = depth === 0 ? 1 : random();
		if (depth > 4 || kind < 0.35) {
			return pick(values);
		}

		return kind < 0.5
			? Array.from({length: Math.floor(random() * 4)}, () => make(depth + 1))
			: JSON.parse(
					`{${Array.from({length: Math.floor(random() * 12)}, () => `${JSON.stringify(pick(names))}: ${JSON.stringify(make(depth + 1))}`).join(', ')}}`,
				);
	};
	let keptOnce = 0;
	for (let round = 0; round < 400; round++) {
		const value = make(0);
		const lines = Object.entries(typeof value === 'object' && value ? value : {})
			.map(([key, one]) => `${/^[\w-]+$/.test(key) ? key : JSON.stringify(key)} = ${JSON.stringify(one)}`)
			.join('\n');
		for (const [{id}, {settings}] of layouts) {
			const found = settings.keep(settings.target.endsWith('.toml') ? lines : JSON.stringify(value));
			if (!found) {
				continue;
			}

			keptOnce += Object.keys(found.kept).length;
			for (const key of keysOf(found.kept)) {
				assert.ok(!powers.test(key), `${id}: ${key} of ${JSON.stringify(value)}`);
			}

			for (const text of textsOf(found.kept)) {
				assert.match(text, /^[A-Za-z0-9_][\w .:@+()[\]/-]{0,79}$/, `${id}: ${text}`);
				assert.ok(!/\/\/|\.\.|[$`;|&<>\n]/.test(text), `${id}: ${text}`);
			}

			assert.doesNotThrow(() => settings.merge(found.kept, undefined));
		}
	}

	assert.ok(keptOnce > 5, `something was kept: ${keptOnce}`);
	assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
	assert.deepEqual(keepAllowed(JSON.parse('{"__proto__": {"polluted": true}}'), {model: 'word'}), {
		kept: {},
		left: ['__proto__'],
	});
});

test('what changed since an approval is told by file; settings are the same however they are written', () => {
	const file = (path: string, sha256: string, more: Partial<ProfileFile> = {}): ProfileFile => {
		return {path, kind: 'skill', size: 1, sha256, executable: false, ...more};
	};

	const approved = Object.fromEntries(
		[file('a', '1'), file('b', '1'), file('c', '1'), file('d', '1')].map(one => [one.path, tokenOf(one)]),
	);
	const changes = changesSince(approved, [
		file('a', '1'),
		file('b', '2'),
		file('c', '1', {real: '/elsewhere'}),
		file('d', '1', {executable: true}),
		file('e', '1'),
		file('constructor', '1'),
	]);
	assert.deepEqual(changes, {added: ['constructor', 'e'], changed: ['b', 'c', 'd'], removed: []});
	assert.deepEqual(changesSince(approved, []).removed, ['a', 'b', 'c', 'd']);
	assert.equal(changesText(changes), '3 changed, 2 added');
	assert.equal(settingsText({b: 1, a: {d: true, c: 'x'}}), settingsText({a: {c: 'x', d: true}, b: 1}));
});
