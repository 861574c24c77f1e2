import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {readdirSync} from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import {Fleet, until} from '../support/fleet.ts';
import {served} from '../support/served.ts';

/* What was verified, served for a person to look at. */

const curl = (...argv: string[]) =>
	spawnSync('curl', ['-sS', '--max-time', '60', '--noproxy', '*', ...argv], {encoding: 'utf8'}).stdout;

test('a preview serves what was verified in a sandbox of its own without a network, and leaves nothing', async t => {
	const command =
		'cat result.txt; test -z "$HTTPS_PROXY" && curl -sS -m 5 http://192.0.2.1/ 2>&1; exec python3 served.py 127.0.0.1 3000';
	const fleet = new Fleet(t, {
		files: {'served.py': served},
		policy: JSON.stringify({verify: ['test -f result.txt'], preview: {command, port: 3000}}),
	});
	await fleet.agent('work', 'echo the result > result.txt; sed -i "s/3000/3001/" .fleet/policy.yaml');
	const early = fleet.run(['preview', 'work']);
	assert.equal(early.code, 3);
	assert.match(early.stderr, /work is not verified: a preview shows what was\n {2}hint: fleet verify work/);
	fleet.must('verify', 'work');

	const child = fleet.spawn(['preview', 'work', '--no-browser', '--for', '10m']);
	let output = '';
	child.stdout.on('data', text => {
		output += String(text);
	});
	child.stderr.on('data', text => {
		output += String(text);
	});
	await until(() => /192\.0\.2\.1/.test(output.slice(output.indexOf('the result'))), `it runs: ${output}`);
	const url = /http:\/\/work\.localhost:\d+\/\?fleet-token=\S+/.exec(output)![0];
	const jar = path.join(fleet.folder, 'jar');
	await until(() => /script ran/.test(curl('-L', '-c', jar, '-b', jar, url)), 'it is served');
	assert.match(output, /the result/);
	assert.match(output, /curl: \(7\)/, 'it has no network');
	child.kill('SIGINT');
	await once(child, 'close');
	assert.match(output, /preview of work: ended by a person/);
	assert.equal(curl(url), '');
	const state = fleet.context().paths.state;
	assert.deepEqual(
		readdirSync(state).filter(name => name.startsWith('preview-')),
		[],
	);
	assert.match(
		fleet.must('journal', 'work'),
		/preview\.started +\w{10}, port 3000: [\s\S]*preview\.finished +ended by a person/,
	);
	assert.equal(fleet.stage('work'), 'verified');
});

test('a preview ends by its time, says how its command ended, and needs a policy that names one', async t => {
	const fleet = new Fleet(t, {
		policy: JSON.stringify({verify: ['true'], preview: {command: 'sleep 100', port: 3000}}),
	});
	await fleet.agent('work', 'echo x > b.txt');
	fleet.must('verify', 'work');
	assert.match(fleet.must('preview', 'work', '--no-browser', '--for', '2s'), /preview of work: its time is over/);
	fleet.must('approve', 'work', '--because', 'fine');
	fleet.must('merge', 'work');
	assert.match(fleet.must('preview', 'work', '--no-browser', '--for', '1s'), /its time is over/);

	const without = new Fleet(t, {policy: 'verify: ["true"]\n'});
	await without.agent('work', 'echo x > b.txt');
	without.must('verify', 'work');
	const {code, stderr} = without.run(['preview', 'work']);
	assert.equal(code, 2);
	assert.match(stderr, /names no preview\n {2}hint: write preview:/);
});
