import assert from 'node:assert/strict';
import {existsSync, readFileSync, globSync} from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import {parseServers} from '../source/core/mcp/definition.ts';
import {parsePolicy} from '../source/core/policy.ts';
import {parseProposals} from '../source/core/secrets/proposals.ts';
import {Refusal} from '../source/core/refusal.ts';
import {keyTable} from '../source/tui/keymap.ts';
import {attacks} from '../source/attacks/catalogue.ts';
import {threatTable} from '../scripts/threats.ts';
import {Fleet, root} from './support/fleet.ts';

const page = (name: string) => readFileSync(path.join(root, name), 'utf8');

test('the documents show the help and the keys as they are', t => {
	const fleet = new Fleet(t, {add: false});
	assert.ok(page('docs/usage.md').includes(fleet.must('--help').trimEnd()), 'node --import tsx scripts/record.ts');
	assert.ok(page('docs/keys.md').includes(keyTable()), 'node --import tsx scripts/record.ts');
});

test("the documents' policy is a policy, and their list of secrets one", () => {
	const block = (name: string) => /```yaml\n([^]*?)```/.exec(page(name))![1]!;
	assert.ok(!(parsePolicy(block('docs/policy.md')) instanceof Refusal));
	const proposals = parseProposals(block('docs/secrets.md'));
	const servers = parseServers(block('docs/mcp.md'), 'mcp.yaml');
	assert.ok(!(servers instanceof Refusal) && servers.get('github')?.timeout === 60_000);
	assert.ok(!(proposals instanceof Refusal) && proposals.get('stripe-test')?.binding.longest === 7_200_000);
});

test('the readme is short, and every page is in the index', () => {
	assert.ok(page('readme.md').split('\n').length <= 250);
	for (const name of globSync('docs/*.md', {cwd: root}).map(file => path.basename(file))) {
		assert.ok(name === 'readme.md' || page('docs/readme.md').includes(`](${name})`), name);
	}

	for (const name of globSync('docs/decisions/*.md', {cwd: root}).map(file => path.basename(file))) {
		assert.ok(name === 'readme.md' || page('docs/decisions/readme.md').includes(`](${name})`), name);
	}
});

test('every place that the page about extending names is there', () => {
	const places = [...page('docs/extending.md').matchAll(/`((?:source|test|scripts|docs)\/[^` ]*)`/g)].map(
		match => match[1]!,
	);
	assert.ok(places.length > 30);
	for (const place of places.filter(name => !name.includes('NAME'))) {
		assert.ok(existsSync(path.join(root, place)), place);
	}
});

test('every link of the documents leads somewhere', () => {
	for (const file of [...globSync('*.md', {cwd: root}), ...globSync('docs/**/*.md', {cwd: root})]) {
		const text = readFileSync(path.join(root, file), 'utf8');
		for (const [, target] of text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
			assert.ok(existsSync(path.resolve(root, path.dirname(file), target!)), `${file}: ${target}`);
		}
	}
});

test('every verb of the help is a file of its own', () => {
	for (const [, verb] of page('docs/usage.md').matchAll(/^ {2}([a-z]+) [^\n]*$/gm)) {
		assert.ok(
			existsSync(path.join(root, 'source', 'commands', `${verb}.ts`)) || ['repo', 'network', 'secret'].includes(verb!),
			verb,
		);
	}
});

test('the threat model lists every attack of the catalogue, as its script writes it', () => {
	assert.ok(
		readFileSync(path.join(root, 'docs', 'threat-model.md'), 'utf8').includes(threatTable()),
		'run scripts/threats.ts',
	);
	assert.ok(page('readme.md').includes(`tries ${attacks.length} known attacks`));
});
