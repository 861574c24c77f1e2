import assert from 'node:assert/strict';
import {execFileSync, spawn, spawnSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync} from 'node:fs';
import type http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {test, type TestContext} from 'node:test';
import {trustEnvironment} from '../../source/engine/run/injected-files.ts';
import {openBroker, pointer, serveTls, value, world} from '../support/tls.ts';

/* Real programs, through the broker, with a pointer and the variables that a run gets: each arrives with the value. */

type Ended = {code: number | null; stdout: string; stderr: string};

/** A folder with the two files of a run's trust, and an environment that knows nothing else. */
async function setUp(t: TestContext, listener: http.RequestListener) {
	const port = await serveTls(t, listener);
	const opened = await openBroker(t, port);
	const folder = mkdtempSync(path.join(realpathSync(os.tmpdir()), 'programs-'));
	t.after(() => rmSync(folder, {recursive: true, force: true}));
	writeFileSync(path.join(folder, 'run.pem'), opened.broker.authority.certificate);
	writeFileSync(path.join(folder, 'bundle.pem'), opened.broker.authority.certificate);
	const proxy = `http://127.0.0.1:${opened.port}`;
	const env = {
		PATH: process.env['PATH'] ?? '',
		HOME: folder,
		...trustEnvironment(folder),
		HTTPS_PROXY: proxy,
		https_proxy: proxy,
		HTTP_PROXY: proxy,
		http_proxy: proxy,
		NODE_USE_ENV_PROXY: '1',
		NO_PROXY: '',
		no_proxy: '',
	};
	// The server is in this very process: nothing may wait for a program without letting it answer.
	const run = (argv: string[], more: Record<string, string> = {}) =>
		new Promise<Ended>(resolve => {
			const child = spawn(argv[0]!, argv.slice(1), {
				env: {...env, ...more},
				cwd: folder,
				stdio: ['ignore', 'pipe', 'pipe'],
				timeout: 60_000,
			});
			let stdout = '';
			let stderr = '';
			child.stdout.setEncoding('utf8').on('data', (text: string) => {
				stdout += text;
			});
			child.stderr.setEncoding('utf8').on('data', (text: string) => {
				stderr += text;
			});
			child.on('close', code => resolve({code, stdout, stderr}));
		});
	return {...opened, server: port, folder, run, url: `https://host.fleet.internal:${port}`};
}

/** Answers to the real credential only, and says nothing of it. */
const guarded: http.RequestListener = (request, response) => {
	const basic = Buffer.from((request.headers.authorization ?? '').replace(/^Basic /, ''), 'base64').toString();
	const known = request.headers.authorization === `Bearer ${value}` || basic === `user:${value}`;
	response.writeHead(known ? 200 : 401, {'content-type': 'application/json'}).end(JSON.stringify({known}));
};

test('curl: a bearer, a login, and an echo that comes back blanked', async t => {
	const {run, url, seen} = await setUp(t, (request, response) => {
		if (request.url === '/echo') {
			response.end(`you sent ${request.headers.authorization}`);
			return;
		}

		guarded(request, response);
	});
	assert.equal(
		(await run(['curl', '-sS', '-H', `Authorization: Bearer ${pointer}`, `${url}/`])).stdout,
		'{"known":true}',
	);
	assert.equal((await run(['curl', '-sS', '-u', `user:${pointer}`, `${url}/`])).stdout, '{"known":true}');
	assert.equal(
		(await run(['curl', '-sS', '-H', `Authorization: Bearer ${pointer}`, `${url}/echo`])).stdout,
		`you sent Bearer ${'*'.repeat(value.length)}`,
	);
	assert.match(
		(await run(['curl', '-sS', '-H', 'Authorization: Bearer attacker', `${url}/`])).stdout,
		/not a pointer of this run/,
	);
	const elsewhere = await run(['curl', '-sS', '-H', `Authorization: Bearer ${pointer}`, 'https://elsewhere.invalid/']);
	assert.notEqual(elsewhere.code, 0);
	assert.equal(seen.alarms.length, 0, 'nothing of it left the tunnel, which was never opened');
});

test('node and its own fetch', async t => {
	const {run, url} = await setUp(t, guarded);
	const {stdout, stderr} = await run([
		process.execPath,
		'--disable-warning=UNDICI-EHPA',
		'-e',
		`fetch('${url}/', {headers: {authorization: 'Bearer ${pointer}'}}).then(r => r.text()).then(console.log, ` +
			'e => console.log(String(e), String(e.cause)))',
	]);
	assert.equal(stdout.trim(), '{"known":true}', stderr);
});

test('python', async t => {
	const {run, url} = await setUp(t, guarded);
	const script =
		`import urllib.request\nr = urllib.request.Request("${url}/", headers={"Authorization": "Bearer ` +
		`${pointer}"})\nprint(urllib.request.urlopen(r, timeout=20).read().decode())`;
	const {stdout, stderr} = await run(['python3', '-c', script]);
	assert.equal(stdout.trim(), '{"known":true}', stderr);
});

test('npm asks its registry', async t => {
	const seen: string[] = [];
	const {run, url, server, folder} = await setUp(t, (request, response) => {
		seen.push(`${request.url} ${request.headers.authorization ?? '-'}`);
		response
			.writeHead(request.headers.authorization === `Bearer ${value}` ? 200 : 401, {'content-type': 'application/json'})
			.end(
				JSON.stringify({
					name: 'private-thing',
					'dist-tags': {latest: '4.5.6'},
					versions: {
						'4.5.6': {name: 'private-thing', version: '4.5.6', dist: {tarball: 'https://host.fleet.internal/x.tgz'}},
					},
				}),
			);
	});
	writeFileSync(
		path.join(folder, '.npmrc'),
		`registry=${url}/\n//host.fleet.internal:${server}/:_authToken=${pointer}\nupdate-notifier=false\nfetch-retries=0\n`,
	);
	const {stdout, stderr} = await run([
		'npm',
		'view',
		'private-thing',
		'version',
		'--cache',
		path.join(folder, 'cache'),
	]);
	assert.equal(stdout.trim(), '4.5.6', stderr);
	assert.deepEqual(seen, [`/private-thing Bearer ${value}`]);
	// What npm keeps of the exchange (its log, its cache) holds no value.
	assert.equal(spawnSync('grep', ['-rlF', value, folder]).status, 1);
});

test('git clones over https with a login', async t => {
	const served = mkdtempSync(path.join(realpathSync(os.tmpdir()), 'served-'));
	t.after(() => rmSync(served, {recursive: true, force: true}));
	const repository = path.join(served, 'repo');
	mkdirSync(repository);
	const git = (...argv: string[]) =>
		execFileSync('git', ['-C', repository, '-c', 'user.name=x', '-c', 'user.email=x@x.invalid', ...argv], {
			stdio: 'ignore',
			env: {PATH: process.env['PATH'] ?? '', HOME: served},
		});
	git('init', '--quiet', '--initial-branch=main');
	writeFileSync(path.join(repository, 'file.txt'), 'from the server\n');
	git('add', '.');
	git('commit', '--quiet', '--message=one');
	git('update-server-info');
	const {run, url, folder} = await setUp(t, (request, response) => {
		const login = Buffer.from((request.headers.authorization ?? '').replace(/^Basic /, ''), 'base64').toString();
		if (login !== `user:${value}`) {
			response.writeHead(401, {'www-authenticate': 'Basic realm="x"'}).end();
			return;
		}

		// The plain protocol: files as they lie.
		try {
			response.end(
				readFileSync(
					path.join(repository, '.git', new URL(request.url!, 'https://x').pathname.replace('/repo.git/', '')),
				),
			);
		} catch {
			response.writeHead(404).end();
		}
	});
	const helper = `!f() { echo username=user; echo password=${pointer}; }; f`;
	const {code, stderr} = await run(
		['git', '-c', `credential.helper=${helper}`, 'clone', '--quiet', `${url}/repo.git`, 'clone'],
		{GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0'},
	);
	assert.equal(code, 0, stderr);
	assert.equal(readFileSync(path.join(folder, 'clone', 'file.txt'), 'utf8'), 'from the server\n');
	assert.ok(!readFileSync(path.join(folder, 'clone', '.git', 'config'), 'utf8').includes(value));
});

test("without the run's authority each of them refuses: the broker is seen, never believed blindly", async t => {
	const {run, url, folder} = await setUp(t, guarded);
	writeFileSync(path.join(folder, 'bundle.pem'), world.certificate);
	writeFileSync(path.join(folder, 'run.pem'), world.certificate);
	const authorization = `Authorization: Bearer ${pointer}`;
	for (const argv of [
		['curl', '-sS', '-H', authorization, `${url}/`],
		['git', 'ls-remote', `${url}/repo.git`],
		['python3', '-c', `import urllib.request; urllib.request.urlopen("${url}/", timeout=20)`],
		[process.execPath, '-e', `fetch('${url}/').then(() => 0, () => process.exit(1))`],
	]) {
		assert.notEqual((await run(argv)).code, 0, argv[0]);
	}
});
