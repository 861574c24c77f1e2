import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {mkdirSync, readFileSync, symlinkSync} from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import {asCronReads, privateCrontab} from '../support/crontab.ts';
import {Fleet} from '../support/fleet.ts';

/* Runs by the person's own crontab: the real program, with a spool of the test's own. */

test('a schedule is a line of the crontab that works in the environment of cron, and all else of it stays', async t => {
	const fleet = new Fleet(t);
	const cron = privateCrontab(fleet.folder);
	fleet.env['PATH'] = `${cron.folder}:${fleet.env['PATH']}`;
	const own = '# mine\nMAILTO=ada\n\n0 1 * * 0 echo 50\\% # done\n@daily \u00FF\n';
	assert.equal(cron.write(own).code, 0);
	const before = cron.read();
	const script = ['--', 'sh', '-c', 'printf "%s\\n" "$FLEET_PROMPT" "$PATH" > "it\'s 100%"; sleep 300'];
	const says = fleet.must('schedule', '30 3 * * 1-5', '--name', 'nightly', '--', "don't stop at 100%", ...script);
	assert.match(says, /nightly starts at "30 3 \* \* 1-5"/);
	const after = cron.read()!;
	assert.ok(after.startsWith(before!), 'the rest is as it was');
	const line = after.slice(before!.length).trimEnd();
	assert.match(
		line,
		/^30 3 \* \* 1-5 \/usr\/bin\/env FLEET_HOME=\S+ \S+node \S+fleet\.cjs schedule run nightly # fleet schedule nightly [0-9a-f]{8}$/,
	);
	fleet.must('schedule', '30 3 * * 1-5', '--name', 'nightly', '--', "don't stop at 100%", ...script);
	assert.equal(cron.read(), after, 'the same again changes nothing');

	// The exact command, as cron reads it, in an environment as cron has it.
	const command = asCronReads(line.slice('30 3 * * 1-5 '.length), true);
	const asCron = () =>
		spawnSync('/usr/bin/env', ['-i', `HOME=${fleet.home}`, 'PATH=/usr/bin:/bin', 'sh', '-c', command], {
			cwd: '/',
			encoding: 'utf8',
		});
	const first = asCron();
	assert.deepEqual([first.status, first.stdout, first.stderr], [0, '', ''], 'nothing to be mailed');
	const [listed] = fleet.json<any[]>('schedule', 'list');
	assert.equal(listed.last.outcome, 'started');
	assert.equal(listed.crontab, true);
	const run = listed.last.run as string;
	assert.match(run, /^nightly-\d{8}-\d{4}$/);
	await fleet.until(run, 'running');
	const shown = fleet.json('show', run);
	assert.equal(shown['prompt'], "don't stop at 100%");
	assert.deepEqual(shown['grants'], []);

	// Its time comes again, and it has not ended.
	const second = asCron();
	assert.equal(second.status, 0);
	assert.match(second.stderr, new RegExp(`schedule nightly: skipped: ${run} is running`));
	assert.equal(fleet.json<any[]>('list', '--all').length, 1);
	assert.match(fleet.must('schedule', 'list'), /nightly {2}30 3 \* \* 1-5 {2}project\n.*\n.*skipped/);
	fleet.must('stop', run);

	// A person takes the line out by hand, which is said.
	cron.write(before!);
	assert.match(fleet.must('schedule', 'list'), /not in your crontab/);
	fleet.must('schedule', 'remove', 'nightly');
	assert.equal(cron.read(), before);
	assert.deepEqual(fleet.json<any[]>('schedule', 'list'), []);
	assert.match(
		readFileSync(path.join(fleet.json('show', run)['worktree'], "it's 100%"), 'utf8'),
		/^don't stop at 100%\n/,
	);
});

test('what cannot be started by itself is refused before anything is written', t => {
	const fleet = new Fleet(t);
	const cron = privateCrontab(fleet.folder);
	fleet.env['PATH'] = `${cron.folder}:${fleet.env['PATH']}`;
	for (const [argv, words] of [
		[['0 3 * *', '--', '--', 'true'], /no time of a crontab/],
		[['0 3 * * *'], /nothing to run/],
		[
			['@daily', '--', '--allow', 'network:a.test', '--', 'true'],
			/scopes of every run[^\n]*--allow\n\s+hint: .*fleet allow/,
		],
		[['@daily', '--', '--agent', 'nobody', 'x'], /no agent "nobody"/],
		[['@daily', '--name', '../x', '--', '--', 'true'], /not a schedule name/],
		[['remove', 'none'], /no schedule "none"/],
		[['run', 'none'], /no schedule "none"/],
		[['remove'], /say which schedule/],
		[['0', '3'], /no action "0"[^\n]*\n\s+hint: .*in quotes/],
	] as const) {
		const {code, stderr} = fleet.run(['schedule', ...argv]);
		assert.equal(code, 2, `${argv.join(' ')}\n${stderr}`);
		assert.match(stderr, words);
	}

	assert.equal(cron.read(), undefined, 'there is no crontab yet');
	const bare = path.join(fleet.folder, 'bare');
	mkdirSync(bare);
	symlinkSync('/usr/bin/git', path.join(bare, 'git'));
	const none = fleet.run(['schedule', '@daily', '--', '--', 'true'], {env: {PATH: bare}});
	assert.match(none.stderr, /there is no crontab here[^\n]*\n\s+hint: sudo apt-get install cron/);
	assert.deepEqual(fleet.json<any[]>('schedule', 'list'), []);
	fleet.must('schedule', '@daily', '--name', 'a', '--', '--', 'true');
	assert.match(cron.read()!, /schedule run a/);
	assert.equal(fleet.run(['uninstall', '--yes']).code, 0);
	assert.equal(cron.read(), undefined, 'and none is left');
});
