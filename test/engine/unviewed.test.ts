import assert from 'node:assert/strict';
import {writeFileSync} from 'node:fs';
import {test} from 'node:test';
import {parseDiff} from '../../source/core/review/diff.ts';
import {decideUnviewed} from '../../source/core/review/unviewed.ts';
import {Fleet} from '../support/fleet.ts';

/* An approval of a file with a flag that nobody viewed needs a reason, in a shell as on the screen. */

test('a shell approves a file with a flag that nobody viewed with a reason alone', async t => {
	const fleet = new Fleet(t, {policy: 'verify: ["test -f a.txt"]\n'});
	await fleet.agent('r', 'mkdir -p .github/workflows; echo "on: push" > .github/workflows/ci.yml; echo b > b.txt');
	fleet.must('verify', 'r');
	const {code, stderr} = fleet.run(['approve', 'r']);
	assert.equal(code, 3);
	assert.match(
		stderr,
		/a file with a flag is not viewed \(\.github\/workflows\/ci\.yml\): an approval needs a reason\n {2}hint: fleet approve r --because "why"; what it is: fleet diff r/,
	);
	assert.equal(fleet.stage('r'), 'verified');
	// What was marked as viewed on the screen, exactly as it is.
	const [ci] = parseDiff(fleet.must('diff', 'r', '--raw')).filter(file => file.path.endsWith('ci.yml'));
	const review = (digest: string) =>
		writeFileSync(fleet.context().paths.run('r').review, JSON.stringify({viewed: {[ci!.path]: digest}, comments: []}));
	review('0'.repeat(64));
	assert.equal(fleet.run(['approve', 'r']).code, 3);
	review(ci!.digest);
	assert.match(fleet.must('approve', 'r'), /1 of 2 files not viewed/);
	review('');
	fleet.must('verify', 'r');
	assert.match(fleet.must('approve', 'r', '--because', 'the job is ours'), /2 of 2 files not viewed/);
});

test('a change that could not be read is approved with a reason alone', () => {
	assert.match(decideUnviewed({id: 'r'}, undefined, '')!.because, /could not be read.*needs a reason/);
	assert.equal(decideUnviewed({id: 'r'}, undefined, 'known'), undefined);
	assert.equal(decideUnviewed({id: 'r'}, [], ''), undefined);
});
