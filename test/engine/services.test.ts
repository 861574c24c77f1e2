import assert from 'node:assert/strict';
import {mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import {findServices} from '../../source/engine/sandbox/services.ts';
import {parsePolicy} from '../../source/core/policy.ts';
import {Refusal} from '../../source/core/refusal.ts';
import {Fleet} from '../support/fleet.ts';

/* Services of a project, with the real PostgreSQL and Redis. */

/** Commits a policy on main. */
function setPolicy(fleet: Fleet, policy: string): void {
	writeFileSync(path.join(fleet.project, '.fleet', 'policy.yaml'), policy);
	fleet.git('commit', '--quiet', '--all', '--message=policy');
}

const query = (sql: string) => `psql --no-psqlrc -At "$DATABASE_URL" -c "${sql}"`;

/** Redis by its own protocol, with what every machine has. */
const redis = (...words: string[]) =>
	`perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new("127.0.0.1:6379") or die "no redis"; ` +
	`print $s "${words.join(' ')}\\r\\n"; print scalar <$s>'`;

test('an agent has PostgreSQL and Redis, with what was kept from the attempt before', async t => {
	const fleet = new Fleet(t, {
		policy: [
			`services: {postgres: {prepare: ${JSON.stringify(query('create table if not exists t (n int)'))}}, ` +
				'redis: {env: {CACHE: "redis://127.0.0.1:6379/1"}}}',
			'verify: ["true"]',
			'',
		].join('\n'),
	});
	const script = `${query('insert into t values (7)')}; ${query('select count(*), sum(n) from t')}; ${redis('PING')}; echo $CACHE`;
	const output = await fleet.agent('s', script);
	assert.match(output, /INSERT 0 1\s+1\|7\s+\+PONG\s+redis:\/\/127\.0\.0\.1:6379\/1/);
	fleet.must('resume', 's');
	await fleet.until('s', 'stopped');
	assert.match(fleet.must('logs', 's'), /2\|14/, fleet.must('logs', 's', '--service', 'postgres'));
	assert.match(fleet.must('logs', 's', '--service', 'postgres'), /database system is ready to accept connections/);
	assert.match(fleet.must('logs', 's', '--service', 'redis'), /Ready to accept connections/);
	// What it left names a process that is another one by now: here one that is there from the first.
	const {home} = fleet.context().paths.run('s');
	const left = path.join(home, '.local/state/fleet/services/postgres');
	const [data] = readdirSync(left).filter(name => /^\d/.test(name));
	for (const file of [path.join(left, data!, 'postmaster.pid'), path.join(left, '.s.PGSQL.5432.lock')]) {
		writeFileSync(file, readFileSync(file, 'utf8').replace(/^\d+/, '1'));
	}

	fleet.must('resume', 's');
	await fleet.until('s', 'stopped');
	assert.match(fleet.must('logs', 's'), /3\|21/, fleet.must('logs', 's', '--service', 'postgres'));
	assert.match(fleet.must('show', 's'), /^note +service postgres of \/.*\/bin$/m);
	const none = fleet.run(['logs', 's', '--service', '../postgres']);
	assert.deepEqual([none.code, none.stderr.split('\n')[0]], [2, 'fleet: s has no log of a service "../postgres"']);
});

test("a service's log that the agent made a link of leads to nothing of the person's", async t => {
	const fleet = new Fleet(t, {policy: 'services: {web: {command: "sleep 100"}}\nverify: ["true"]\n'});
	writeFileSync(path.join(fleet.folder, 'secret'), 'the secret\n', {mode: 0o644});
	await fleet.agent('l', `cd ~/.local/state/fleet/services && ln -sf ${fleet.folder}/secret web.log; ls -l`);
	const {code, stdout, stderr} = fleet.run(['logs', 'l', '--service', 'web']);
	assert.equal(code, 2);
	assert.doesNotMatch(stdout + stderr, /the secret/);
});

test('a verification has services of its own, and each command finds what the one before left', async t => {
	const fleet = new Fleet(t);
	await fleet.agent('v', 'echo two >> a.txt');
	setPolicy(
		fleet,
		`services: {postgres: }\nverify: ${JSON.stringify([query('create table t (n int)'), query('select count(*) from t')])}\n`,
	);
	const first = fleet.run(['verify', 'v']);
	assert.equal(first.code, 0, first.stdout + first.stderr);
	// A second one begins with nothing.
	assert.equal(fleet.run(['verify', 'v']).code, 0);
	setPolicy(fleet, `services: {postgres: }\nverify: ${JSON.stringify([query('select * from nothing')])}\n`);
	assert.equal(fleet.run(['verify', 'v']).code, 3);
	assert.match(
		fleet.must('logs', 'v', '--verify'),
		/the end of what postgres wrote:[\s\S]*relation "nothing" does not exist/,
	);
});

test('a command, a port that it listens on, and a command that asks', async t => {
	const server =
		'perl -MIO::Socket::INET -e \'sleep 1; my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => PORT, ' +
		'Listen => 5, ReuseAddr => 1) or die; while (my $c = $s->accept) { print $c "hello of PORT\\n"; close $c }\'';
	const ask = (port: number) =>
		`perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new("127.0.0.1:${port}") or exit 1; print scalar <$s>'`;
	const fleet = new Fleet(t, {
		policy: JSON.stringify({
			services: {
				one: {command: `sh server.sh`, ready: 8301},
				two: {command: server.replaceAll('PORT', '8302'), ready: ask(8302)},
			},
			// What a service of the project's needs is there before it.
			setup: [`printf %s ${JSON.stringify(server.replaceAll('PORT', '8301')).replaceAll('$', '\\$')} > server.sh`],
			verify: [`${ask(8302)} | grep "hello of 8302"`],
		}),
	});
	assert.match(
		await fleet.agent('c', `${ask(8301)}; ${ask(8302)}; rm server.sh; echo x > x.txt`),
		/hello of 8301\s+hello of 8302/,
	);
});

test('a service that does not get ready is said, with the end of its log', async t => {
	const fleet = new Fleet(t, {
		policy: 'services: {web: {command: "echo my last words; exit 3", ready: 8301}}\nverify: ["true"]\n',
	});
	const output = await fleet.agent('n', 'echo the agent ran');
	assert.match(
		output,
		/the service web did not get ready; the end of its log:\s+my last words\s+fleet: ended with exit code 3/,
	);
	assert.doesNotMatch(output, /the agent ran/);
	assert.equal(fleet.json('show', 'n')['because'], 'a service did not get ready');
	await fleet.agent('ok', 'echo two >> a.txt', '--base', 'HEAD');
	const late = new Fleet(t);
	await late.agent('v', 'echo two >> a.txt');
	setPolicy(late, 'services: {web: {command: "sleep 100", ready: 8301, timeout: 1}}\nverify: ["true"]\n');
	const {code, stdout} = late.run(['verify', 'v', '--json']);
	const found = JSON.parse(stdout) as {doubt: string; because: string};
	assert.deepEqual([code, found.doubt], [4, 'service'], stdout);
	assert.equal(found.because, '"true" was not run: the service web did not get ready');
});

test('services as they are written', () => {
	const read = (text: string) => parsePolicy(`services:\n${text}`);
	const policy = read(
		'  redis:\n  web: {command: npm start, ready: 3000, env: {URL: http://127.0.0.1:3000}, timeout: 5}\n',
	);
	assert.ok(!(policy instanceof Refusal));
	assert.deepEqual(policy.services, [
		{
			name: 'redis',
			command: undefined,
			ready: 6379,
			prepare: undefined,
			env: {REDIS_URL: 'redis://127.0.0.1:6379'},
			timeout: 60,
		},
		{
			name: 'web',
			command: 'npm start',
			ready: 3000,
			prepare: undefined,
			env: {URL: 'http://127.0.0.1:3000'},
			timeout: 5,
		},
	]);
	for (const [text, because] of [
		['  kafka:\n', /a service has a command, or is one of: postgres, redis/],
		['  Web: {command: x}\n', /a service is named with/],
		['  web: {command: x, ready: 70000}\n', /ready|port/],
		['  web: {command: x, port: 80}\n', /"port"/],
	] as const) {
		const result = read(text);
		assert.ok(result instanceof Refusal, text);
		assert.match(result.because, because);
	}

	// What is not on this machine is named with its package.
	const missing = {name: 'redis', command: undefined, ready: 6379, prepare: undefined, env: {}, timeout: 60};
	assert.throws(() => findServices([missing], ['/nowhere']), {
		because: 'the service redis needs redis-server, not on this machine (package redis-server)',
	});
});

test('a container program of the machine says why it is refused, and what to do instead', async t => {
	const fleet = new Fleet(t, {policy: 'verify: ["docker compose up --wait"]\n'});
	// Also where it lies in a folder of the person's search path that runs do not see.
	const tools = path.join(fleet.folder, 'tools');
	mkdirSync(tools, {mode: 0o755});
	for (const name of ['docker', 'podman']) {
		writeFileSync(path.join(tools, name), '#!/bin/sh\necho the real one\n', {mode: 0o755});
	}

	fleet.env['PATH'] = `${fleet.env['PATH']}:${tools}`;
	const output = await fleet.agent('d', 'docker run x; echo "code $?"; podman ps; nerdctl ps; echo two >> a.txt');
	assert.match(
		output,
		/docker is refused in a sandbox: .*\s+hint: name what the project needs under services in .*\s+code 127/,
	);
	assert.match(output, /podman is refused/);
	assert.doesNotMatch(output, /nerdctl is refused|the real one/);
	const {code, stdout} = fleet.run(['verify', 'd', '--json']);
	assert.deepEqual([code, (JSON.parse(stdout) as {doubt: string}).doubt], [4, 'not-run']);
});

test("a browser's first question to the kernel is answered as without a sandbox", async t => {
	const fleet = new Fleet(t);
	// Chromium asks memfd_create with every flag, and ends at any other answer than EINVAL, ENOSYS or EPERM.
	const output = await fleet.agent(
		'm',
		`perl -e 'use POSIX; my $n = (uname())[4] eq "aarch64" ? 279 : 319; my $name = ""; ` +
			`print syscall($n, $name, 0xffffffff) == -1 && $! == EINVAL ? "invalid" : "other: $!"'; df -B1 --output=size /dev/shm`,
	);
	assert.match(output, /^invalid/);
	assert.match(output, /^ *1073741824\r?$/m, 'room for what its processes share');
});
