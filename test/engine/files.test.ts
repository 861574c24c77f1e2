import assert from 'node:assert/strict';
import {execFileSync, spawnSync} from 'node:child_process';
import {
	chmodSync,
	existsSync,
	linkSync,
	mkdirSync,
	readFileSync,
	renameSync,
	rmSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import process from 'node:process';
import {test, type TestContext} from 'node:test';
import {readPlain} from '../../source/engine/project/include.ts';
import {Fleet, program, until} from '../support/fleet.ts';
import {openBox} from '../support/sandbox.ts';

/* What a `files:` scope names, at the grant and at every mount. */

type World = {
	fleet: Fleet;
	shared: string;
	data: string;
	secret: string;
	allow(run: string, scope: string): ReturnType<Fleet['run']>;
	refused(scope: string, because: RegExp): void;
};

/** A run that has ended, a shared folder with data in it, and a folder that nobody is granted. */
async function world(t: TestContext): Promise<World> {
	const fleet = new Fleet(t);
	const shared = path.join(fleet.folder, 'shared');
	const [data, secret] = [path.join(shared, 'data'), path.join(fleet.folder, 'secret')];
	for (const [place, word] of [
		[data, 'granted'],
		[secret, 'canary'],
	] as const) {
		mkdirSync(place, {recursive: true});
		writeFileSync(path.join(place, 'file'), `${word}\n`);
	}

	await fleet.agent('one', `cat ${data}/file`);
	const allow = (run: string, scope: string) => fleet.run(['allow', run, scope, '--because', 'test']);
	return {
		fleet,
		shared,
		data,
		secret,
		allow,
		refused(scope, because) {
			const {code, stdout, stderr} = allow('one', scope);
			assert.equal(code, 2, `${scope}: ${stdout}${stderr}`);
			assert.match(stderr, because);
			assert.match(stderr, /\n {2}hint: ./);
		},
	};
}

test('a grant is of what a link leads to, and says so', async t => {
	const {fleet, shared, data, allow, refused} = await world(t);
	symlinkSync(data, path.join(shared, 'link'));
	mkdirSync(path.join(fleet.home, '.ssh'));
	symlinkSync(path.join(fleet.home, '.ssh'), path.join(shared, 'innocent'));
	refused(`files:${shared}/innocent`, /\.ssh is in \.ssh, where logins lie/);
	for (const spelling of [
		`${shared}/link/`,
		`${shared}//link`,
		`/proc/self/root${shared}/link`,
		`/proc/self/cwd/../shared/link`,
	]) {
		const {code, stdout, stderr} = allow('one', `files:${spelling}`);
		if (spelling.startsWith('/proc/')) {
			assert.equal(code, 2);
			continue;
		}

		assert.equal(code, 0, stderr);
		assert.ok(stdout.startsWith(`files:${data} is on for one`), stdout);
		assert.match(stdout, new RegExp(`leads to ${data}, and that is what is granted`));
		const [grant] = fleet.json<any>('show', 'one')['grants'];
		assert.equal(grant.scope, `files:${data}`);
		const entry = readFileSync(fleet.context().paths.run('one').journal, 'utf8')
			.trim()
			.split('\n')
			.map(line => JSON.parse(line))
			.findLast(line => line.type === 'scope.granted');
		const {dev, ino} = process.getBuiltinModule('node:fs').statSync(data);
		assert.equal(entry.grant.identity, `${dev}:${ino}`);
		assert.equal(
			fleet.run(['revoke', 'one', `files:${spelling}`]).code,
			0,
			'it is taken back by the name that was typed',
		);
		assert.deepEqual(fleet.json<any>('show', 'one')['grants'], []);
	}
});

test('what was exchanged since the grant is not given: at a resume, in mid-run, and by a folder above', async t => {
	const {fleet, shared, data, secret, allow} = await world(t);
	assert.equal(allow('one', `files:${data}`).code, 0);
	const again = async () => {
		// Its supervisor holds the journal for a moment after the end.
		await until(() => fleet.run(['resume', 'one']).code === 0, 'it is resumed');
		await fleet.until('one', 'stopped');
		return fleet.must('logs', 'one').trim().split(/\r?\n/).at(-1);
	};

	assert.equal(await again(), 'granted');
	const exchanges: Array<[string, () => void, () => void]> = [
		[
			'a link in its place',
			() => {
				renameSync(data, `${data}.old`);
				symlinkSync(secret, data);
			},
			() => {
				rmSync(data);
				renameSync(`${data}.old`, data);
			},
		],
		[
			'another folder in its place',
			() => {
				renameSync(data, `${data}.old`);
				renameSync(secret, data);
			},
			() => {
				renameSync(data, secret);
				renameSync(`${data}.old`, data);
			},
		],
		[
			'the folder above exchanged',
			() => {
				renameSync(shared, `${shared}.old`);
				mkdirSync(shared);
				symlinkSync(secret, data);
			},
			() => {
				rmSync(shared, {recursive: true});
				renameSync(`${shared}.old`, shared);
			},
		],
		[
			'a link above it',
			() => {
				renameSync(shared, `${shared}.old`);
				symlinkSync(`${shared}.old`, shared);
			},
			() => {
				rmSync(shared);
				renameSync(`${shared}.old`, shared);
			},
		],
	];
	for (const [title, exchange, back] of exchanges) {
		exchange();
		assert.match((await again()) ?? '', /No such file/, title);
		const shown = fleet.must('show', 'one');
		assert.match(
			shown,
			new RegExp(
				`ALARM +it is.+; it is not given\\. To give what is there now: fleet revoke one files:${data}, then .*, ` +
					`files:${data}`,
			),
			title,
		);
		fleet.must('acknowledge', 'one');
		back();
	}

	assert.equal(await again(), 'granted', 'and back');

	fleet.must('revoke', 'one', `files:${data}`);
	fleet.must('run', '--name', 'live', '--', 'sh', '-c', `while :; do cat ${data}/file; sleep 0.1; done`);
	renameSync(data, `${data}.old`);
	symlinkSync(secret, data);
	assert.ok(
		allow('live', `files:${data}`).stdout.startsWith(`files:${secret} is on`),
		'what is granted has its own name',
	);
	fleet.must('stop', 'live');
});

test('what holds power is refused with a way out, under its other names, too', async t => {
	const {fleet, shared, data, refused, allow} = await world(t);
	const {state, config} = fleet.context().paths;
	const tool = path.join(fleet.folder, 'tools');
	mkdirSync(tool);
	const other = path.join(fleet.folder, 'other');
	execFileSync('git', ['init', '--quiet', '--bare', path.join(other, 'bare')]);
	refused(`files:${state}`, /fleet's own/);
	refused(`files:${config}:rw`, /fleet's own/);
	refused(`files:${fleet.env['FLEET_HOME']}`, /fleet's own/);
	refused(`files:${fleet.folder}`, /logins and start-up files/);
	refused(`files:${fleet.project}/.git:rw`, /hooks|settings/);
	refused(`files:${fleet.project}/.git`, /hooks|settings/);
	refused(`files:${fleet.project}:rw`, /hooks|settings/);
	refused(`files:${other}/bare:rw`, /git repository/);
	refused(`files:${other}/bare/refs:rw`, /git repository/);
	refused(`files:${fleet.home}/.nothing`, /is not there/);
	mkdirSync(path.join(fleet.home, '.unknown-agent'));
	refused(`files:${fleet.home}/.unknown-agent`, /hidden part of a home/);
	linkSync(path.join(data, 'file'), path.join(shared, 'second-name'));
	refused(`files:${data}/file:rw`, /another name/);
	rmSync(path.join(shared, 'second-name'));
	symlinkSync(shared, path.join(fleet.folder, 'odd:rw'));
	renameSync(data, path.join(shared, 'd:rw'));
	symlinkSync(path.join(shared, 'd:rw'), data);
	refused(`files:${data}`, /cannot hold/);
	fleet.env['PATH'] = `${tool}:${fleet.env['PATH']}`;
	refused(`files:${tool}:rw`, /search path/);
	assert.equal(allow('one', `files:${tool}`).code, 0);
	refused(`files:${tool}:rw`, /search path/);
	// The same folder, mounted at another place.
	mkdirSync(path.join(fleet.home, '.ssh', 'below'), {recursive: true});
	mkdirSync(path.join(fleet.folder, 'mounted'));
	const mounted = (from: string, scope: string) =>
		spawnSync(
			'unshare',
			[
				'--mount',
				'--map-root-user',
				'--propagation',
				'private',
				'sh',
				'-c',
				'mount --bind "$1" "$2"; shift 2; exec "$@"',
				'sh',
				from,
				path.join(fleet.folder, 'mounted'),
				process.execPath,
				program,
				'allow',
				'one',
				scope,
				'--because',
				'x',
			],
			{cwd: fleet.project, env: fleet.env, encoding: 'utf8'},
		);
	for (const [from, below] of [
		[path.join(fleet.home, '.ssh'), ''],
		[path.join(fleet.home, '.ssh', 'below'), ''],
		[fleet.home, ''],
		[fleet.home, '/.ssh'],
		[state, '/runs'],
	] as const) {
		const {status, stderr} = mounted(from, `files:${fleet.folder}/mounted${below}`);
		assert.equal(status, 2, `${from}${below}: ${stderr}`);
		assert.match(stderr, below === '/.ssh' ? /where logins lie/ : /is mounted from there/);
	}

	const {status, stderr} = mounted(shared, `files:${fleet.folder}/secret`);
	assert.equal(status, 0, stderr);
});

test('folders that lie in each other, and folders that runs share', async t => {
	const {fleet, shared, data, refused, allow} = await world(t);
	assert.equal(allow('one', `files:${data}`).code, 0);
	refused(`files:${shared}:rw`, /holds .+data, which is granted/);
	refused(`files:${data}/file:rw`, /lies in .+data, which is granted/);
	const {code, stderr} = fleet.run([
		'run',
		'--name',
		'x',
		'--allow',
		`files:${shared}:rw`,
		'--allow',
		`files:${data}`,
		'--because',
		'x',
		'--',
		'true',
	]);
	assert.equal(code, 2, stderr);
	assert.match(stderr, /lies in .+shared, which is granted/);
	assert.ok(!existsSync(fleet.context().paths.run('x').folder), 'nothing half done');
	await fleet.agent('two', 'true');
	assert.match(
		allow('two', `files:${shared}:rw`).stdout,
		/shared with one: what one of them writes there, another reads/,
	);
	// A repository in a folder that a run may change decides nothing for fleet.
	const inside = path.join(shared, 'repository');
	execFileSync('git', ['init', '--quiet', inside]);
	execFileSync('git', [
		'-C',
		inside,
		'-c',
		'user.name=x',
		'-c',
		'user.email=x@x.invalid',
		'commit',
		'--quiet',
		'--allow-empty',
		'-m',
		'x',
	]);
	const added = fleet.run(['project', 'add', inside]);
	assert.equal(added.code, 2, added.stderr);
	assert.match(added.stderr, /the run two may change[^]*hint: fleet revoke two files:/);
});

test('a folder for changing holds no socket: none that is there, and none that comes', async t => {
	const {fleet, shared, data, refused, allow} = await world(t);
	chmodSync(data, 0o777);
	const server = net.createServer(socket => socket.end('hello from the host\n'));
	const listen = (place: string) =>
		new Promise<void>(resolve => {
			server.listen(place, resolve);
		});
	const deep = path.join(data, 'a');
	mkdirSync(deep);
	const odd = Buffer.concat([Buffer.from(`${deep}/`), Buffer.from([0xff])]);
	mkdirSync(odd);
	await listen(path.join(deep, 'host.sock'));
	// Below a name that is not UTF-8, too.
	execFileSync('sh', ['-c', 'mv "$1" "$(printf "%s/\\377/s" "$2")"', 'sh', path.join(deep, 'host.sock'), deep]);
	refused(`files:${data}:rw`, /a socket, behind which a program outside may listen/);
	refused(`files:${shared}:rw`, /a socket/);
	server.close();
	rmSync(deep, {recursive: true, force: true});
	execFileSync('mkfifo', [path.join(data, 'fifo')]);
	refused(`files:${data}:rw`, /a FIFO/);
	refused(`files:${data}/fifo`, /neither a folder nor a file/);
	rmSync(path.join(data, 'fifo'));
	assert.equal(
		fleet.run([
			'run',
			'--name',
			'live',
			'--allow',
			`files:${data}:rw`,
			'--because',
			'test',
			'--',
			'sh',
			'-c',
			`while :; do cat ${data}/file; n=$((n+1)); sleep 0.1; done`,
		]).code,
		0,
	);
	await until(() => fleet.must('logs', 'live').includes('granted'), 'it is there');
	const later = net.createServer();
	await new Promise<void>(resolve => {
		later.listen(path.join(data, 'later.sock'), resolve);
	});
	try {
		await until(() => fleet.json<any>('show', 'live')['grants'].length === 0, 'the folder is taken away', 60_000);
		assert.match(fleet.must('show', 'live'), /ALARM +.+later\.sock is there now: a socket.+; the folder is taken away/);
		await until(() => /No such file/.test(fleet.must('logs', 'live').trim().split(/\r?\n/).at(-1) ?? ''), 'it is gone');
	} finally {
		later.close();
	}

	assert.equal(allow('live', `files:${data}:rw`).code, 0, 'the listener is gone, and so is the socket');
	fleet.must('stop', 'live');
});

test('what was granted is there in a sandbox without a network, too, and no more of it', async t => {
	const {data, secret} = await world(t);
	chmodSync(data, 0o755);
	const {dev, ino} = statSync(data, {bigint: true});
	const mounts = [
		{source: data, target: '/opt/data', mode: 'read' as const, identity: `${dev}:${ino}`},
		{
			source: path.join(data, 'file'),
			target: '/opt/file',
			mode: 'read' as const,
			identity: (({dev, ino}) => `${dev}:${ino}`)(statSync(path.join(data, 'file'), {bigint: true})),
		},
	];
	const box = await openBox({plan: plan => ({...plan, mounts: [...plan.mounts, ...mounts]})});
	for (const network of [true, false]) {
		const {output} = await box.run(
			"cat /opt/data/file /opt/file; touch /opt/data/new /opt/file 2>&1 | grep -cE 'Read-only|denied'; " +
				`ls ${secret} 2>&1; grep CapEff /proc/self/status; id -u`,
			{network},
		);
		assert.match(
			output,
			/^granted\r?\ngranted\r?\n2\r?\nls: .+No such file[^]*CapEff:\s*0+\r?\n1000$/,
			`network: ${network}`,
		);
	}

	renameSync(data, `${data}.old`);
	symlinkSync(secret, data);
	assert.match((await box.run('cat /opt/data/file', {network: false})).output, /is, or lies behind, a link now/);
	assert.equal((await box.run('cat /opt/data/file')).output, 'granted', 'what was mounted stays what it was');
	await box.close();
});

test('a file to include is read where its name says, or not at all', t => {
	const fleet = new Fleet(t, {add: false});
	const folder = path.join(fleet.project, 'below');
	mkdirSync(folder);
	writeFileSync(path.join(folder, 'env'), 'own');
	assert.equal(readPlain(fleet.project, 'below/env')?.toString(), 'own');
	mkdirSync(path.join(fleet.folder, 'secret'));
	writeFileSync(path.join(fleet.folder, 'secret', 'env'), 'canary');
	renameSync(folder, `${folder}.old`);
	symlinkSync(path.join(fleet.folder, 'secret'), folder);
	assert.equal(readPlain(fleet.project, 'below/env'), undefined, 'a folder on the way is a link');
	symlinkSync(path.join(fleet.folder, 'secret', 'env'), path.join(fleet.project, 'link'));
	assert.equal(readPlain(fleet.project, 'link'), undefined);
	execFileSync('mkfifo', [path.join(fleet.project, 'fifo')]);
	assert.equal(readPlain(fleet.project, 'fifo'), undefined);
});
