import assert from 'node:assert/strict';
import {existsSync, readFileSync, globSync} from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import {parsePolicy} from '../source/core/policy.ts';
import {parseProposals} from '../source/core/proposals.ts';
import {Refusal} from '../source/core/refusal.ts';
import {keyTable} from '../source/tui/keymap.ts';
import {attacks} from '../source/attacks/catalogue.ts';
import {threatTable} from '../scripts/threats.ts';
import {Fleet, root} from './support/fleet.ts';

const readme = readFileSync(path.join(root, 'readme.md'), 'utf8');

test('the readme shows the help and the keys as they are', t => {
	const fleet = new Fleet(t, {add: false});
	assert.ok(readme.includes(fleet.must('--help').trimEnd()), 'node --import tsx scripts/record.ts');
	assert.ok(readme.includes(keyTable()), 'node --import tsx scripts/record.ts');
});

test("the readme's policy is a policy, and its list of secrets one", () => {
	const block = (heading: string) => /```yaml\n([^]*?)```/.exec(readme.slice(readme.indexOf(`## ${heading}\n`)))![1]!;
	assert.ok(!(parsePolicy(block('Policy')) instanceof Refusal));
	const proposals = parseProposals(block('Secrets'));
	assert.ok(!(proposals instanceof Refusal) && proposals.get('stripe-test')?.binding.longest === 7_200_000);
});

test('every link of the documents leads somewhere', () => {
	for (const file of ['readme.md', ...globSync('docs/**/*.md', {cwd: root})]) {
		const text = readFileSync(path.join(root, file), 'utf8');
		for (const [, target] of text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
			assert.ok(existsSync(path.resolve(root, path.dirname(file), target!)), `${file}: ${target}`);
		}
	}
});

test('every verb of the help is a file of its own', () => {
	for (const [, verb] of readme.matchAll(/^ {2}([a-z]+) [^\n]*$/gm)) {
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
	assert.ok(readme.includes(`tries ${attacks.length} known attacks`));
});
