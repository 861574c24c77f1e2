import assert from 'node:assert/strict';
import {existsSync, mkdirSync, readdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {test} from 'node:test';
import type {Policy} from '../../source/core/policy.ts';
import type {Project} from '../../source/core/project.ts';
import {tryParts} from '../../source/engine/project/propose.ts';
import {tryPolicy} from '../../source/engine/project/try-policy.ts';
import type {Step} from '../../source/engine/project/trial-steps.ts';
import type {Part} from '../../source/kinds/detect.ts';
import {Fleet} from '../support/fleet.ts';

/* A policy that is tried: with real sandboxes, and nothing that is kept. */

const projectOf = (fleet: Fleet): Project => fleet.json<Project[]>('project', 'list')[0]!;
const results = (steps: readonly Step[]) => steps.map(({command, result}) => `${command}: ${result}`);

const setupOf = (...commands: string[]): Policy['setup'] => ({commands, inputs: [], secrets: [], reuse: true});

/** What asks a host, and says in its exit code whether there was an answer of the proxy's. */
const asks = (host: string) => `curl -sf -o /dev/null http://${host}/ || exit 7`;

test('setup has the hosts of the policy and no other, verify has none, and both see what setup made', async t => {
	const fleet = new Fleet(t);
	const project = projectOf(fleet);
	const told: string[] = [];
	const policy = {
		setup: setupOf('mkdir made; echo x > made/x; echo h > "$HOME/h"; echo "$HTTPS_PROXY"', 'git log -1 --format=%s'),
		verify: [
			'test -f a.txt -a -f made/x -a -f "$HOME/h"',
			'test -z "$HTTPS_PROXY$SECRET_OF_MINE" && test "$CI" = true',
			`echo words; for line in $(seq 40); do echo "    at call (node:internal/a:$line:1)"; done; false`,
			'sh -c no-such-program',
			'echo "Tests: 3 passed, 3 total"',
		],
		network: [],
	};
	process.env['SECRET_OF_MINE'] = 'x';
	t.after(() => delete process.env['SECRET_OF_MINE']);
	const trial = await tryPolicy(fleet.context(), project, {
		policy,
		named: [],
		tell: news => told.push('result' in news ? `${news.result}` : news.command),
	});

	assert.deepEqual(
		trial.steps.map(({phase, result}) => `${phase} ${result}`),
		[
			'setup passed',
			'setup passed',
			'verify passed',
			'verify passed',
			'verify failed',
			'verify inconclusive',
			'verify passed',
		],
		JSON.stringify(trial.steps),
	);
	assert.equal(trial.steps[0]!.lines.at(-1), 'http://127.0.0.1:3128');
	assert.deepEqual(trial.steps[1]!.lines, ['start']);
	assert.deepEqual(trial.steps[4]!.lines, ['words']);
	assert.equal(trial.steps[6]!.tests?.passed, 3);
	assert.deepEqual(told.slice(0, 2), [policy.setup.commands[0], 'passed']);
	assert.equal(fleet.git('status', '--short'), '', 'nothing of it is in the checkout');
	const again = await tryPolicy(fleet.context(), project, {policy: {...policy, verify: []}, named: [], tell() {}});
	assert.deepEqual(
		again.steps.map(({result, lines}) => [result, lines.length]),
		[
			['passed', 0],
			['passed', 0],
		],
		'what setup left is there, and not made again',
	);
	assert.deepEqual(readdirSync(path.join(fleet.context().paths.state, 'trials')), []);
});

test('a host that is denied is named, and the commands after a setup that failed are not run', async t => {
	const fleet = new Fleet(t);
	const {steps, denied} = await tryPolicy(fleet.context(), projectOf(fleet), {
		policy: {
			setup: setupOf(asks('denied.example.com'), 'touch later'),
			verify: ['true'],
			network: ['other.example.com'],
		},
		named: [],
		tell() {},
	});
	assert.deepEqual(results(steps), [`${asks('denied.example.com')}: failed`]);
	assert.deepEqual(denied, ['denied.example.com']);
});

test('a host that is allowed and does not answer is named, and what hides that is not', async t => {
	const fleet = new Fleet(t);
	const frames = Array.from({length: 20}, (_, at) => `\tat java.base/sun.net.Some$Part.<init>(Some.java:${at})`).join(
		'\n',
	);
	for (const scheme of ['http', 'https']) {
		const {steps, denied, unreached} = await tryPolicy(fleet.context(), projectOf(fleet), {
			policy: {
				setup: setupOf(
					`curl -sf -o /dev/null ${scheme}://gone.example.invalid/ && exit 0; printf '%s\n' 'why it failed' '${frames}'; exit 7`,
				),
				verify: ['true'],
				network: ['gone.example.invalid'],
			},
			named: [],
			tell() {},
		});
		assert.match(
			steps[0]!.because,
			/exit code 7; no answer: gone\.example\.invalid(?::\d+)?: the name does not resolve$/,
		);
		assert.deepEqual(steps[0]!.lines, ['why it failed']);
		assert.equal(unreached.length, 1);
		assert.deepEqual(denied, []);
	}
});

const part = (kind: string, setup: string[], verify: string[], network: string[] = []): Part => ({
	kind,
	title: kind,
	language: 'C',
	folder: '',
	canRun: true,
	by: 'a.txt',
	program: 'sh',
	setup,
	verify,
	network,
	inputs: [],
	notes: [],
});

test('of a mixed project that part stays away whose setup fails, and each command that does not pass', async t => {
	const fleet = new Fleet(t);
	const asked: string[][] = [];
	const tried = await tryParts(fleet.context(), projectOf(fleet), {
		parts: [
			part('one', ['mkdir one'], ['test -d one', 'false'], ['one.example.com']),
			part('two', [asks('two.example.com')], ['true'], ['x.example.com']),
			part('three', [], ['test ! -e two']),
		],
		hosts: ['own.example.com'],
		tell() {},
		async mayReach(hosts) {
			asked.push([...hosts]);
			return false;
		},
	});
	assert.deepEqual(tried.policy, {
		setup: setupOf('mkdir one'),
		verify: ['test -d one', 'test ! -e two'],
		network: ['one.example.com', 'own.example.com'],
	});
	assert.deepEqual(asked, [['two.example.com']], 'a person is asked once');
	assert.deepEqual(
		results(tried.steps).filter(line => line.endsWith('failed')),
		[`${asks('two.example.com')}: failed`, 'false: failed'],
	);
	const none = await tryParts(fleet.context(), projectOf(fleet), {
		parts: [part('one', ['false'], ['true'])],
		hosts: [],
		tell() {},
		mayReach: async () => true,
	});
	assert.deepEqual(none.policy, {setup: setupOf(), verify: [], network: []});
});

test('what a project names in a private network is not open to its setup, and not in its policy, until a person names it', async t => {
	const fleet = new Fleet(t);
	const asked: Array<readonly (readonly string[])[]> = [];
	const project = projectOf(fleet);
	const trial = (hosts: string[]) =>
		tryParts(fleet.context(), project, {
			parts: [part('one', [`(${asks('10.255.255.1:81')}) || true`], ['true'], ['10.255.255.1:81', 'x.example.com'])],
			hosts,
			tell() {},
			async mayReach(...lists) {
				asked.push(lists);
				return false;
			},
		});
	const {denied, nearby, policy} = await trial([]);
	assert.deepEqual([denied, nearby], [['10.255.255.1:81'], ['10.255.255.1:81']]);
	assert.deepEqual(policy.network, ['x.example.com']);
	assert.deepEqual(asked, [], 'it passed without');
});

test('what a trial left that was cut short goes with the next one', async t => {
	const fleet = new Fleet(t);
	const {state} = fleet.context().paths;
	mkdirSync(path.join(state, 'trials', 'try-1-abcdef', 'tree'), {recursive: true, mode: 0o700});
	writeFileSync(path.join(state, 'trials', 'try-1-abcdef', 'tree', 'x'), '');
	await tryPolicy(fleet.context(), projectOf(fleet), {
		policy: {setup: setupOf(), verify: ['true'], network: []},
		named: [],
		tell() {},
	});
	assert.equal(existsSync(path.join(state, 'trials', 'try-1-abcdef')), false);
});
