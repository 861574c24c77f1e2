import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import path from 'node:path';
import {test, type TestContext} from 'node:test';
import {Fleet, program} from '../support/fleet.ts';
import {codes, failing, journalStatus, save, tried} from '../support/full-disk.ts';

/*
 * A disk that takes no more, at each write in turn: what was asked is refused in
 * one line, or done; the journal is whole afterwards, and the same verb works.
 */

const policy = 'verify:\n  - test -f x.txt\ndeploy:\n  shelf:\n    command: "true"\n';

async function workedOn(t: TestContext, steps: readonly string[][]): Promise<Fleet> {
	const fleet = new Fleet(t, {policy});
	t.after(() => {
		spawnSync('rm', ['-rf', '--', `${fleet.folder}-saved`]);
	});
	await fleet.agent('r1', 'echo x > x.txt; git add x.txt; git commit -qm x');
	for (const step of steps) {
		fleet.must(...step);
	}

	return fleet;
}

const approve = ['approve', 'r1', '--because', 'x', '--confirm', 'yes'];
const verbs: Array<{argv: string[]; before: string[][]; stage: string}> = [
	{argv: ['verify', 'r1'], before: [], stage: 'verified'},
	{argv: approve, before: [['verify', 'r1']], stage: 'approved'},
	{argv: ['merge', 'r1'], before: [['verify', 'r1'], approve], stage: 'merged'},
	{
		argv: ['deploy', 'r1', 'shelf', '--confirm', 'shelf'],
		before: [['verify', 'r1'], approve, ['merge', 'r1']],
		stage: 'deployed',
	},
	{argv: ['reject', 'r1', '--because', 'x'], before: [['verify', 'r1']], stage: 'rejected'},
	{argv: ['discard', 'r1'], before: [], stage: 'discarded'},
	{argv: ['restore', 'r1'], before: [['discard', 'r1']], stage: 'stopped'},
	{argv: ['allow', 'r1', 'network:a.test', '--because', 'x'], before: [], stage: 'stopped'},
	{
		argv: ['revoke', 'r1', 'network:a.test'],
		before: [['allow', 'r1', 'network:a.test', '--because', 'x']],
		stage: 'stopped',
	},
	{argv: ['budget', 'r1', '1M'], before: [], stage: 'stopped'},
];

for (const {argv, before, stage} of verbs) {
	test(`fleet ${argv[0]} on a disk that takes no more, at each write in turn`, async t => {
		const fleet = await workedOn(t, before);
		const back = save(fleet);
		const start = fleet.stage('r1');
		const main = fleet.git('rev-parse', 'main');
		const whole = failing(fleet, 1e9, 'ENOSPC', [program, ...argv]);
		assert.equal(whole.code, 0, whole.stderr);
		assert.ok(whole.writes > 0, 'nothing was written, so nothing is tried');
		for (const number of tried(whole.writes)) {
			back();
			const how = codes[number % codes.length]!;
			const {code, stderr} = failing(fleet, number, how, [program, ...argv]);
			const place = `${how} at write ${number} of ${whole.writes}`;
			assert.match(journalStatus(fleet, 'r1'), /^(?:whole|torn)$/, place);
			if (code === 0) {
				// What failed was of no account, such as a note of what was used last.
				assert.equal(fleet.stage('r1'), stage, place);
				continue;
			}

			assert.match(stderr, /^fleet: (?!internal error)[^\n]+\n  hint: [^\n]+\n$/, place);
			assert.match(stderr, /disk|quota/, place);
			const grants = fleet.json('show', 'r1')['grants'] as Array<{scope: string}>;
			if (argv[0] === 'allow') {
				assert.deepEqual(grants, [], `${place}: nothing is on that is not written down`);
			}

			if (argv[0] === 'revoke') {
				assert.equal(grants.length, 1, `${place}: what was refused did not happen`);
			}

			const between = fleet.stage('r1');
			if (argv[0] === 'merge' && between !== 'merged') {
				assert.ok(
					fleet.git('rev-parse', 'main') === main || between === 'crashed',
					`${place}: nothing was merged without a word`,
				);
			}

			// The way on is the same verb, unless it had done its work already.
			if (between === start || argv[0] === 'verify') {
				const again = fleet.run(argv);
				assert.equal(again.code, 0, `${place}, then again: ${again.stderr}`);
				assert.equal(fleet.stage('r1'), stage, place);
			}

			assert.equal(journalStatus(fleet, 'r1'), 'whole', place);
			assert.ok(
				['discard', 'restore'].includes(argv[0]!) ||
					existsSync(path.join(fleet.json('show', 'r1')['worktree'], 'x.txt')),
				`${place}: the work is where it was`,
			);
		}
	});
}
