import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {existsSync, readFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {test} from 'node:test';
import {createRun} from '../../source/engine/run/create.ts';
import {findProject} from '../../source/engine/project/projects.ts';
import {Fleet, program, root} from '../support/fleet.ts';
import {codes, failing, journalStatus, save, tried} from '../support/full-disk.ts';

/* A supervisor on a disk that takes no more: what is not written down is not on, and afterwards all works again. */

test('a supervisor on a disk that takes no more, at each write in turn', async t => {
	const fleet = new Fleet(t);
	const context = fleet.context();
	const script =
		'echo begins; echo x > x.txt; env -u NODE_USE_ENV_PROXY node -e \'require("node:http").get({host: ' +
		'"127.0.0.1", port: 3128, path: "http://denied.invalid/"}, () => process.exit())\'; echo ends';
	await createRun(context, {
		project: await findProject(context, undefined, fleet.project),
		agent: 'command',
		argv: ['sh', '-c', script],
		name: 'r1',
		allow: [],
		because: '',
	});
	const back = save(fleet);
	t.after(() => {
		spawnSync('rm', ['-rf', '--', `${fleet.folder}-saved`]);
	});
	const worker = ['--import', 'tsx', path.join(root, 'test', 'crash', 'worker.ts'), 'r1', 'supervise'];
	const whole = failing(fleet, 1e9, 'ENOSPC', worker);
	assert.equal(fleet.stage('r1'), 'stopped', whole.stderr);
	assert.ok(whole.writes > 5);
	for (const number of tried(whole.writes)) {
		back();
		const how = codes[number % codes.length]!;
		const place = `${how} at write ${number} of ${whole.writes}`;
		failing(fleet, number, how, worker);
		assert.match(journalStatus(fleet, 'r1'), /^(?:whole|torn)$/, place);
		const stage = fleet.stage('r1');
		assert.match(stage, /^(?:crashed|stopped|failed)$/, place);
		const again = fleet.run(['resume', 'r1']);
		assert.equal(again.code, 0, `${place}, then again: ${again.stderr}`);
		await fleet.until('r1', 'stopped');
		assert.equal(journalStatus(fleet, 'r1'), 'whole', place);
		assert.ok(existsSync(path.join(fleet.json('show', 'r1')['worktree'], 'x.txt')), place);
	}
});

/**
 * Mounting is what only root can do without a namespace in which everybody is root, for whom a sandbox is another one.
 */
const script = String.raw`
set -u
mount -t tmpfs -o size=16m tmpfs "$FLEET_HOME" && chmod 700 "$FLEET_HOME"
fleet() { "$NODE" "$PROGRAM" "$@"; }
fleet project add . && fleet run --name e1 -- sh -c 'while sleep 0.1; do echo tick; done'
sleep 1
cat /dev/zero > "$FLEET_HOME/fill" 2> /dev/null
for i in 1 2 3 4 5 6 7 8; do fleet allow e1 "network:host$i.example.test" --because because 2>&1 && echo "ON $i"; done
fleet run --name e2 -- true 2>&1 && echo STARTED
sleep 1
fleet show e1 --json > "$OUT/while-full.json"
rm "$FLEET_HOME/fill"
fleet journal verify e1 || echo BROKEN
fleet allow e1 network:after.example.test --because because || echo NOGRANT
fleet show e1 --json > "$OUT/after.json"
fleet continue e1; fleet stop e1 || echo NOSTOP
fleet resume e1 || echo NORESUME
fleet stop e1; fleet discard e1 || echo NODISCARD
fleet journal verify e1 || echo BROKEN
fleet run --name e2 -- true || echo NORUN
while fleet list --json --all | grep -qE '"stage": ?"(running|starting)"'; do sleep 0.2; done
`;

test(
	'a disk that is full, and has room again',
	{skip: process.getuid!() === 0 ? false : 'only root mounts a small disk'},
	t => {
		const fleet = new Fleet(t, {add: false});
		const {stdout, stderr, status} = spawnSync(
			'unshare',
			['--mount', '--propagation', 'private', 'sh', '-c', `mkdir -p -m 700 "$FLEET_HOME"; ${script}`],
			{
				cwd: fleet.project,
				env: {...fleet.env, NODE: process.execPath, PROGRAM: program, OUT: fleet.folder},
				encoding: 'utf8',
				timeout: 150_000,
			},
		);
		assert.equal(status, 0, stderr);
		assert.doesNotMatch(stdout, /BROKEN|NO[A-Z]+|STARTED|internal error/, stdout);
		assert.match(stdout, /no space is left on the disk/);
		const on = [...stdout.matchAll(/^ON (\d)$/gm)].map(([, number]) => `network:host${number}.example.test`);
		const scopes = (file: string) =>
			(JSON.parse(readFileSync(path.join(fleet.folder, file), 'utf8')) as {grants: Array<{scope: string}>}).grants.map(
				grant => grant.scope,
			);
		assert.deepEqual(scopes('while-full.json'), on, 'what was said to be on is on, and nothing else');
		assert.deepEqual(scopes('after.json'), [...on, 'network:after.example.test']);
	},
);
