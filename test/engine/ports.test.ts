import assert from 'node:assert/strict';
import {execFileSync, spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, rmSync} from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import {createInterface} from 'node:readline';
import {test, type TestContext} from 'node:test';
import {Fleet, until} from '../support/fleet.ts';
import {served, websocketClient} from '../support/served.ts';

/* A port inside a run, as independent clients find it: curl, and Python for websockets. */

type Opened = {url: string; address: string; port: number; listens: boolean};

/** A run that serves on a port, which is granted. */
async function serving(t: TestContext, name = 'web', address = '127.0.0.1'): Promise<{fleet: Fleet; opened: Opened}> {
	const fleet = new Fleet(t, {files: {'served.py': served}});
	fleet.start(name, `exec python3 served.py ${address} 3000`, '--allow', 'port:3000', '--because', 'to look at it');
	await until(() => (fleet.json('show', name)['listening'] as number[]).includes(3000), 'it listens');
	return {fleet, opened: fleet.json('open', name, '3000')};
}

const curl = (...argv: string[]) =>
	spawnSync('curl', ['-sS', '--max-time', '60', '--noproxy', '*', ...argv], {encoding: 'utf8'});

/** Follows the first address, and keeps the cookie. @returns options for later requests */
function letIn(t: Pick<TestContext, 'after'>, {url}: Opened): string[] {
	const folder = mkdtempSync(path.join(os.tmpdir(), 'fleet-ports-'));
	t.after(() => rmSync(folder, {recursive: true, force: true}));
	const jar = path.join(folder, 'jar');
	const {stdout, stderr} = curl('-L', '-c', jar, '-b', jar, url);
	assert.match(stdout, /script ran/, stderr);
	return ['-b', jar];
}

const status = (...argv: string[]) => curl('-o', '/dev/null', '-w', '%{http_code}', ...argv).stdout;

/** What the server inside was asked with. */
function askedWith(...argv: string[]): {method: string; path: string; body: string; headers: Array<[string, string]>} {
	return JSON.parse(curl(...argv).stdout);
}

/** Starts the client of websockets. */
function websocket(t: Pick<TestContext, 'after'>, argv: string[]) {
	const child = spawn('python3', ['-c', websocketClient, ...argv], {stdio: ['ignore', 'pipe', 'inherit']});
	t.after(() => child.kill());
	const lines = createInterface({input: child.stdout})[Symbol.asyncIterator]();
	return {child, next: async () => String((await lines.next()).value)};
}

const cookieIn = (options: string[]) =>
	/\t(fleet-page-\d+)\t(\S+)/
		.exec(execFileSync('cat', [options[1]!], {encoding: 'utf8'}))!
		.slice(1)
		.join('=');

test('a page of a run is reached with the address that is printed, once, and with nothing else', async t => {
	const {fleet, opened} = await serving(t);
	assert.match(opened.url, /^http:\/\/web\.localhost:\d+\/\?fleet-token=[\w-]{22}$/);
	assert.equal(opened.listens, true);
	assert.equal(status(opened.address), '403');
	const cookie = letIn(t, opened);
	assert.equal(status(...cookie, opened.address), '200');
	assert.equal(status(opened.url), '403');
	assert.equal(status(opened.address), '403');
	assert.equal(status('-H', `Cookie: fleet-page-${new URL(opened.address).port}=x`, opened.address), '403');
	// Who is in already may come by an address that was used.
	assert.equal(
		curl('-w', '%{http_code} %{redirect_url}', '-o', '/dev/null', ...cookie, `${opened.url}&x=1`).stdout,
		`303 ${opened.address}?x=1`,
	);
	assert.equal(
		curl('-w', '%{redirect_url}', '-o', '/dev/null', ...cookie, `${opened.address}/evil.test/?fleet-token=x`).stdout,
		`${opened.address}evil.test/`,
	);
	const types = fleet.must('journal', 'web', '--json').match(/"type": ?"port\.\w+"/g);
	assert.deepEqual(
		types?.map(type => /port\.\w+/.exec(type)![0]),
		['port.opened'],
	);
	status(...cookie, '-H', 'Sec-Fetch-Dest: document', opened.address);
	assert.match(fleet.must('journal', 'web'), /port\.used +3000: a page was loaded/);
});

test("only the run's own name is answered, and only its own origin", async t => {
	const {opened} = await serving(t);
	const cookie = letIn(t, opened);
	const port = new URL(opened.address).port;
	const at = `http://127.0.0.1:${port}/asked`;
	const own = `web.localhost:${port}`;
	assert.equal(status(...cookie, '-H', `Host: ${own}`, '-H', `Cookie: ${cookieIn(cookie)}`, at), '200');
	const names = [
		'',
		`127.0.0.1:${port}`,
		`localhost:${port}`,
		`other.localhost:${port}`,
		'web.localhost',
		`web.localhost.:${port}`,
		`evil.test:${port}`,
		`web.localhost.evil.test:${port}`,
		`evil.test#web.localhost:${port}`,
		`web.localhost:${port}@evil.test`,
		`${own},evil.test`,
		`x${own}`,
		`${own}0`,
		`web.localhost:0${port}`,
		`[::1]:${port}`,
		`web.localhost:80`,
	];
	for (const name of names) {
		assert.match(
			status('-H', `Cookie: ${cookieIn(cookie)}`, '-H', `Host:${name === '' ? '' : ` ${name}`}`, at),
			/^4(?:00|21)$/,
			name,
		);
	}

	// Any name that is not its own, as a fuzzer writes it.
	const parts = [
		'web',
		'localhost',
		'.',
		':',
		port,
		'evil',
		'[',
		']',
		'%00',
		'\t',
		'@',
		'/',
		'127.0.0.1',
		'-',
		'0x7f.1',
	];
	for (let round = 0; round < 120; round++) {
		const name = Array.from(
			{length: 1 + (round % 6)},
			(_, index) => parts[(round * 7 + index * 11 + (round >> 3)) % parts.length],
		).join('');
		if (name.trim().toLowerCase() !== own) {
			assert.match(
				await firstLine(
					Number(port),
					`GET /asked HTTP/1.1\r\nHost: ${name}\r\nCookie: ${cookieIn(cookie)}\r\nConnection: close\r\n\r\n`,
				),
				/^HTTP\/1\.1 4(?:00|21) /,
				name,
			);
		}
	}

	const raw = [
		`GET http://127.0.0.1:22/ HTTP/1.1\r\nHost: ${own}`,
		`GET http://${own}/ HTTP/1.1\r\nHost: ${own}`,
		`GET / HTTP/1.1\r\nHost: ${own}\r\nHost: evil.test`,
		`GET / HTTP/1.1\r\nHost: ${own}\r\nHost: ${own}`,
		`OPTIONS * HTTP/1.1\r\nHost: ${own}`,
		`GET / HTTP/1.0`,
	];
	for (const head of raw) {
		assert.match(
			await firstLine(Number(port), `${head}\r\nCookie: ${cookieIn(cookie)}\r\nConnection: close\r\n\r\n`),
			/^HTTP\/1\.1 4(?:00|21) /,
			head,
		);
	}

	assert.equal(
		await firstLine(
			Number(port),
			`CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: ${own}\r\nCookie: ${cookieIn(cookie)}\r\n\r\n`,
		),
		'',
	);
	const post = (...headers: string[]) =>
		status(...cookie, '-X', 'POST', '-d', 'x', ...headers.flatMap(header => ['-H', header]), `${opened.address}asked`);
	assert.equal(post(), '200');
	assert.equal(post(`Origin: http://${own}`), '200');
	assert.equal(post('Origin: null', 'Sec-Fetch-Site: same-origin'), '200');
	for (const origin of [
		'http://evil.test',
		'null',
		`https://${own}`,
		`http://other.localhost:${port}`,
		'http://web.localhost:1',
		'http://localhost:3000',
	]) {
		assert.equal(post(`Origin: ${origin}`), '403', origin);
	}

	for (const site of ['cross-site', 'same-site']) {
		assert.equal(post(`Sec-Fetch-Site: ${site}`), '403', site);
		assert.equal(
			status(
				...cookie,
				'-H',
				`Sec-Fetch-Site: ${site}`,
				'-H',
				'Sec-Fetch-Mode: no-cors',
				'-H',
				'Sec-Fetch-Dest: image',
				opened.address,
			),
			'403',
		);
	}

	assert.equal(
		status(
			...cookie,
			'-H',
			'Sec-Fetch-Site: cross-site',
			'-H',
			'Sec-Fetch-Mode: navigate',
			'-H',
			'Sec-Fetch-Dest: document',
			opened.address,
		),
		'200',
	);
	assert.equal(
		status(
			...cookie,
			'-H',
			'Sec-Fetch-Site: cross-site',
			'-H',
			'Sec-Fetch-Mode: navigate',
			'-H',
			'Sec-Fetch-Dest: iframe',
			opened.address,
		),
		'403',
	);
});

test('what the server inside is asked with, and what of its answer comes out', async t => {
	const {opened} = await serving(t);
	const cookie = letIn(t, opened);
	const origin = opened.address.slice(0, -1);
	const {headers, body, method} = askedWith(
		'-H',
		`Cookie: ${cookieIn(cookie)}; mine=1`,
		'-H',
		`Origin: ${origin}`,
		'-H',
		`Referer: ${origin}/a?b`,
		'-H',
		'X-Own: yes',
		'-d',
		'a=b',
		`${origin}/asked?q=1`,
	);
	const of = (name: string) => headers.filter(([key]) => key === name).map(([, value]) => value);
	assert.deepEqual([method, body], ['POST', 'a=b']);
	assert.deepEqual(of('host'), ['localhost:3000']);
	assert.deepEqual(of('origin'), ['http://localhost:3000']);
	assert.deepEqual(of('referer'), ['http://localhost:3000/a?b']);
	assert.deepEqual(of('cookie'), ['mine=1']);
	assert.deepEqual(of('x-own'), ['yes']);
	assert.deepEqual(
		askedWith(...cookie, '-H', 'Referer: https://evil.test/', `${origin}/asked`).headers.filter(
			([key]) => key === 'referer' || key === 'cookie',
		),
		[],
	);

	const answer = curl('-i', ...cookie, `${origin}/headers`).stdout.toLowerCase();
	assert.match(answer, /^set-cookie: a=1; path=\/\r$/m);
	assert.match(answer, /^set-cookie: b=2\r$/m);
	assert.match(answer, /^content-security-policy: img-src 'none'\r$/m);
	assert.match(answer, /^content-security-policy: default-src 'self' ws:\/\/web\.localhost:\d+ 'unsafe-inline'/m);
	assert.match(answer, /^permissions-policy: .*camera=\*[\s\S]*^permissions-policy: .*camera=\(\)/m);
	assert.match(answer, /^cross-origin-resource-policy: same-origin\r$/m);
	assert.doesNotMatch(answer, /evil\.test|^nel|report-to|alt-svc|fleet-page-1/m);
	const location = (from: string) => curl('-o', '/dev/null', '-w', '%{redirect_url}', ...cookie, origin + from).stdout;
	assert.equal(location('/self'), `${origin}/there?x=1`);
	assert.equal(location('/away'), 'http://127.0.0.1:22/');
});

test('websockets of the page pass, others do not; events come as they are sent; a revoke ends it all', async t => {
	const {fleet, opened} = await serving(t, 'web', '::1');
	const cookie = letIn(t, opened);
	const {port, host} = new URL(opened.address);
	const own = `http://${host}`;
	const value = cookieIn(cookie);
	for (const [origin, sent] of [
		['http://evil.test', value],
		['http://other.localhost:1', value],
		['null', value],
		[own, ''],
		['', 'x=1'],
	] as const) {
		assert.match(await websocket(t, [port, host, origin, sent]).next(), /^HTTP\/1\.1 403 /, origin);
	}

	assert.match(await websocket(t, [port, `localhost:${port}`, own, value]).next(), /^HTTP\/1\.1 421 /);
	const socket = websocket(t, [port, host, own, value]);
	assert.match(await socket.next(), /^HTTP\/1\.1 101 /);
	assert.deepEqual(JSON.parse(await socket.next()), {origin: 'http://localhost:3000', host: 'localhost:3000'});
	assert.equal(await socket.next(), 'ping');

	const events = spawn('curl', ['-sSN', '--noproxy', '*', ...cookie, `${own}/events`]);
	const times: number[] = [];
	events.stdout.on('data', () => times.push(Date.now()));
	await once(events, 'close');
	assert.ok(times.length >= 3 && times.at(-1)! - times[0]! > 1500, `they came at ${times.join(', ')}`);

	assert.match(fleet.must('revoke', 'web', 'port:3000', '--because', 'seen'), /port:3000 is off/);
	assert.equal(await socket.next(), 'closed');
	assert.equal(curl(opened.address).status, 7);
	assert.match(fleet.must('journal', 'web'), /port\.closed +3000: not granted any more, [12] connections? cut/);
	const again = fleet.run(['open', 'web', '3000']);
	assert.equal(again.code, 2);
	assert.match(again.stderr, /port:3000 is not granted to web\n {2}hint: fleet allow web port:3000 --because "…"/);
});

test('a port closes when its time is over, when the run is paused, and with the run', async t => {
	const {fleet, opened} = await serving(t);
	const cookie = letIn(t, opened);
	fleet.must('pause', 'web');
	assert.equal(status(...cookie, opened.address), '503');
	fleet.must('continue', 'web');
	assert.equal(status(...cookie, opened.address), '200');
	fleet.must('allow', 'web', 'port:3001', '--because', 'another', '--for', '2s');
	const other: Opened = fleet.json('open', 'web', '3001');
	assert.equal(other.listens, false);
	assert.equal(curl(other.address).status, 0);
	await until(() => curl(other.address).status === 7, 'its time is over');
	assert.equal(status(...cookie, opened.address), '200');
	fleet.must('stop', 'web');
	await fleet.until('web', 'stopped');
	assert.equal(curl(opened.address).status, 7);
	assert.deepEqual(fleet.json('show', 'web')['openPorts'], []);
	assert.match(fleet.run(['open', 'web', '3000']).stderr, /web is not running/);
});

test("two runs have names of their own, and neither takes the other's cookie", async t => {
	const {fleet, opened} = await serving(t, 'one');
	fleet.start('two', 'exec python3 served.py 127.0.0.1 3000', '--allow', 'port:3000', '--because', 'too');
	await until(() => (fleet.json('show', 'two')['listening'] as number[]).includes(3000), 'it listens');
	const second: Opened = fleet.json('open', 'two');
	const cookie = cookieIn(letIn(t, opened));
	letIn(t, second);
	const forged = cookie.replace(/^fleet-page-\d+/, `fleet-page-${new URL(second.address).port}`);
	assert.equal(status('-H', `Cookie: ${cookie}; ${forged}`, second.address), '403');
	assert.equal(status('-H', `Cookie: ${cookie}`, '-H', `Host: ${new URL(second.address).host}`, opened.address), '421');
	assert.equal(status(second.url.replace(/^[^?]*/, opened.address)), '403');
});

/** Sends bytes, and reads the first line of what comes back; empty where nothing does. */
function firstLine(port: number, bytes: string): Promise<string> {
	return new Promise(resolve => {
		const socket = net.connect(port, '127.0.0.1', () => socket.write(bytes, 'latin1'));
		let text = '';
		socket.on('error', () => {});
		socket.on('data', part => {
			text += part.toString('latin1');
		});
		socket.on('close', () => resolve(text.split('\r\n')[0]!));
	});
}
