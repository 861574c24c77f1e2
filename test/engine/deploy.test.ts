import assert from 'node:assert/strict';
import {existsSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {test, type TestContext} from 'node:test';
import {Fleet, until} from '../support/fleet.ts';

/* Deploys to targets that wait, that look at what came of them, and that bring the last good one back. */

/** A fleet with a run that is merged. `place`: a folder that the commands may write to. */
async function merged(t: TestContext, targets: (place: string) => string) {
	const fleet = new Fleet(t, {policy: ''});
	const place = fleet.folder;
	writeFileSync(
		path.join(fleet.project, '.fleet', 'policy.yaml'),
		`verify: ["test -f a.txt"]\ndeploy:\n${targets(place)}`,
	);
	fleet.git('commit', '--quiet', '--all', '--message=targets');
	const next = async (name: string, script: string) => {
		await fleet.agent(name, script);
		fleet.must('verify', name);
		fleet.must('approve', name, '--because', 'read it');
		fleet.must('merge', name);
	};

	await next('one', 'echo one > b.txt; git add b.txt; git commit -qm "Add one"');
	return {fleet, place, next};
}

const deploy = (fleet: Fleet, run: string, target: string, input?: string, ...more: string[]) =>
	fleet.run(['deploy', run, target, '--confirm', target, ...more], input === undefined ? {} : {input});

const kinds = (fleet: Fleet, run: string) => fleet.json<Array<{type: string}>>('journal', run).map(({type}) => type);

test('a deploy waits for a credential that nobody is there to give, and goes on with it', async t => {
	const {fleet, place} = await merged(
		t,
		place =>
			`  shelf: {command: 'printf %s "$SHELF_TOKEN" > ${place}/shelf', credentials: [SHELF_TOKEN, OTHER_TOKEN]}\n` +
			`  brief: {command: 'true', credentials: [SHELF_TOKEN], expires: 1s}\n`,
	);
	const waits = deploy(fleet, 'one', 'shelf', 'other-value\n', '--credential', 'OTHER_TOKEN=-');
	assert.equal(waits.code, 2);
	assert.match(
		waits.stderr,
		/^fleet: the deploy to shelf waits for SHELF_TOKEN, until \d\d:\d\d\n {2}hint: fleet deploy one shelf --credential SHELF_TOKEN=-/,
	);
	assert.ok(!existsSync(path.join(place, 'shelf')), 'nothing was run');
	const shown = fleet.json('show', 'one');
	assert.equal(shown['needs'], 'needs you: shelf waits for SHELF_TOKEN');
	assert.equal(shown['stage'], 'merged');
	const {at, until: end} = shown['deployRequest'];
	assert.equal(Date.parse(end) - Date.parse(at) > 3_590_000 && Date.parse(end) - Date.parse(at) < 3_610_000, true);
	assert.match(fleet.must('show', 'one'), /deploy +ready: shelf waits for SHELF_TOKEN\n/);
	assert.match(fleet.must('list'), /needs you: shelf waits for SHELF_TOKEN/);

	const both = ['--credential', 'SHELF_TOKEN=-', '--credential', 'OTHER_TOKEN=-'];
	const done = deploy(fleet, 'one', 'shelf', 'shelf-value\nother-value\n', ...both);
	assert.equal(done.code, 0, done.stderr);
	assert.equal(readFileSync(path.join(place, 'shelf'), 'utf8'), 'shelf-value');
	assert.deepEqual([fleet.json('show', 'one')['deployRequest'], fleet.stage('one')], [null, 'deployed']);

	// One that nobody comes back to is over.
	assert.equal(deploy(fleet, 'one', 'brief').code, 2);
	assert.equal(fleet.json('show', 'one')['needs'], 'needs you: brief waits for SHELF_TOKEN');
	await sleep(1100);
	assert.deepEqual([fleet.json('show', 'one')['needs'], fleet.json('show', 'one')['deployRequest']], [null, null]);
});

test('a deploy that only starts something elsewhere waits until that says how it ended', async t => {
	const wait = (place: string, command: string, more = '') =>
		`{command: 'echo 7 > "$HOME/number"; rm -f ${place}/polls', wait: {every: 1s, ${more}command: '${command}'}}`;
	const {fleet, place} = await merged(
		t,
		place =>
			`  done: ${wait(place, `test "$(cat $HOME/number)" = 7 && echo x >> ${place}/polls && test $(wc -l < ${place}/polls) -ge 3 || exit 75`)}\n` +
			`  failed: ${wait(place, 'exit 1')}\n` +
			`  odd: ${wait(place, 'exit 2')}\n` +
			`  signal: ${wait(place, 'kill -9 $$')}\n` +
			`  long: ${wait(place, 'exit 75', 'longest: 2s, ')}\n` +
			`  hangs: ${wait(place, 'sleep 60', 'longest: 2s, ')}\n`,
	);
	assert.equal(deploy(fleet, 'one', 'done').code, 0, fleet.must('logs', 'one', '--deploy'));
	assert.equal(readFileSync(path.join(place, 'polls'), 'utf8'), 'x\nx\nx\n');
	for (const [target, code, stage, pattern] of [
		['failed', 3, 'deploy-failed', /failed, as its wait command says/],
		['odd', 4, 'deploy-unknown', /exit code 2; look at the target/],
		['signal', 4, 'deploy-unknown', /could not be asked; look at the target/],
		['long', 4, 'deploy-unknown', /not done after 2s; look at the target/],
		['hangs', 4, 'deploy-unknown', /look at the target/],
	] as const) {
		const {code: ended, stdout} = deploy(fleet, 'one', target);
		assert.deepEqual([ended, fleet.stage('one')], [code, stage], `${target}: ${stdout}`);
		assert.match(fleet.json('show', 'one')['because'], pattern);
	}
});

test('what is found bad is brought back to the last good one, where the policy says so', async t => {
	const {fleet, place, next} = await merged(
		t,
		place =>
			`  shop:\n    command: 'git rev-parse HEAD > ${place}/shop; test "$SHOP_TOKEN" = shop-value'\n` +
			`    credentials: [SHOP_TOKEN]\n` +
			`    health: {command: 'echo "$SHOP_TOKEN"; ! test -f bad', tries: 2, every: 1s}\n    rollback: auto\n` +
			`  hand: {command: 'true', health: {command: '! test -f bad', tries: 1}}\n` +
			`  gone: {command: 'test ! -f bad || kill -9 $$', health: {command: 'true', tries: 1}, rollback: auto}\n`,
	);
	const shop = (run: string) => deploy(fleet, run, 'shop', 'shop-value\n', '--credential', 'SHOP_TOKEN=-');
	const good = fleet.git('rev-parse', 'main');
	assert.equal(shop('one').code, 0);
	assert.equal(deploy(fleet, 'one', 'gone').code, 0);
	await next('two', 'echo bad > bad; git add bad; git commit -qm "Add bad"');
	const bad = shop('two');
	assert.equal(bad.code, 3, bad.stderr);
	assert.match(bad.stdout, /shop: failed: rolled back to [0-9a-f]{7}; the health check failed 2 times: exit code 1\n/);
	assert.match(bad.stdout, /try 1 of 2: exit code 1\n[^]*try 2 of 2: exit code 1\n/);
	assert.ok(!bad.stdout.includes('shop-value'), 'the health check has the credentials, and they are blanked');
	assert.equal(readFileSync(path.join(place, 'shop'), 'utf8').trim(), good);
	const shown = fleet.json('show', 'two');
	assert.equal(shown['stage'], 'deploy-failed');
	const [deployment] = shown['deployments'];
	assert.deepEqual(
		[shown['deployments'].length, deployment.outcome, deployment.rolledBack.commit, deployment.rolledBack.outcome],
		[1, 'failed', good, 'succeeded'],
	);
	assert.match(fleet.must('list', '--all'), /rolled back shop: the health check failed 2 times: exit code 1/);
	assert.deepEqual(kinds(fleet, 'two').slice(-4), [
		'deploy.started',
		'deploy.finished',
		'deploy.started',
		'deploy.finished',
	]);
	assert.match(fleet.must('activity'), /rolled shop back to/);
	const plan = fleet.json('deploy', 'two', 'shop', '--dry-run');
	assert.deepEqual([plan['last'].run, plan['last'].commit], ['one', good], 'the last good one is where it was');

	assert.equal(deploy(fleet, 'two', 'hand').code, 3);
	assert.equal(fleet.json('show', 'two')['deployments'].at(-1).rolledBack, undefined, 'nobody asked for that');

	// Nobody knows what is there now: that is for a person to look at.
	assert.equal(deploy(fleet, 'two', 'gone').code, 4);
	assert.equal(fleet.stage('two'), 'deploy-unknown');
	assert.equal(kinds(fleet, 'two').filter(type => type === 'deploy.started').length, 4);

	// With nothing good before it, there is nothing to bring back.
	rmSync(path.join(place, 'shop'));
});

test('a deploy whose fleet is killed is unknown, and nothing is done about it by itself', async t => {
	const {fleet, place} = await merged(
		t,
		place =>
			`  slow:\n    command: 'echo x >> ${place}/begun; sleep 30'\n` +
			`    health: {command: 'exit 1', tries: 1}\n    rollback: auto\n`,
	);
	const child = fleet.spawn(['deploy', 'one', 'slow', '--confirm', 'slow']);
	await until(() => existsSync(path.join(place, 'begun')), 'it began');
	child.kill('SIGKILL');
	await until(() => fleet.stage('one') === 'deploy-unknown', 'it is told');
	const {deployments, because} = fleet.json('show', 'one');
	assert.equal(deployments[0].outcome, 'unknown');
	assert.match(because, /look at the target before trying again/);
	assert.equal(readFileSync(path.join(place, 'begun'), 'utf8'), 'x\n', 'begun once');
});

test('a fleet that is killed while it brings the last good one back leaves it unknown', async t => {
	const {fleet, place, next} = await merged(
		t,
		place =>
			`  slow:\n    command: 'test -f bad || ! test -f ${place}/hold || { echo x >> ${place}/back; sleep 30; }'\n` +
			`    health: {command: '! test -f bad', tries: 1}\n    rollback: auto\n`,
	);
	assert.equal(deploy(fleet, 'one', 'slow').code, 0);
	await next('two', 'echo bad > bad; git add bad; git commit -qm "Add bad"');
	writeFileSync(path.join(place, 'hold'), '');
	const child = fleet.spawn(['deploy', 'two', 'slow', '--confirm', 'slow']);
	await until(() => existsSync(path.join(place, 'back')), 'it is being brought back');
	child.kill('SIGKILL');
	await until(() => fleet.stage('two') === 'deploy-unknown', 'it is told');
	const [deployment] = fleet.json('show', 'two')['deployments'];
	assert.deepEqual([deployment.outcome, deployment.rolledBack.outcome], ['failed', 'unknown']);
});
