import assert from 'node:assert/strict';
import {writeFileSync} from 'node:fs';
import http from 'node:http';
import type {AddressInfo} from 'node:net';
import path from 'node:path';
import {test, type TestContext} from 'node:test';
import {Chromium} from './support/chromium.ts';
import {Fleet, until} from './support/fleet.ts';
import {served} from './support/served.ts';

/* What runs serve, as a real browser takes it: `npm run test:browser`. */

type Opened = {url: string; address: string};

async function serving(fleet: Fleet, name: string): Promise<Opened> {
	fleet.start(name, 'exec python3 served.py 127.0.0.1 3000', '--allow', 'port:3000', '--because', 'to look at it');
	await until(() => (fleet.json('show', name)['listening'] as number[]).includes(3000), 'it listens');
	return fleet.json('open', name, '3000');
}

/** A web server of this machine that counts how often it is asked. */
async function bait(t: TestContext): Promise<{address: string; hits(): number}> {
	let hits = 0;
	const server = http.createServer((_request, response) => {
		hits++;
		response.setHeader('Access-Control-Allow-Origin', '*');
		response.end('<title>bait</title>');
	});
	await new Promise<void>(resolve => {
		server.listen(0, '127.0.0.1', resolve);
	});
	t.after(() => {
		server.close();
		server.closeAllConnections();
	});
	return {address: `http://localhost:${(server.address() as AddressInfo).port}/`, hits: () => hits};
}

const fetched = (url: string, options = '{}') =>
	`fetch('${url}', ${options}).then(r => 'got ' + r.status, e => 'failed')`;
const image = (url: string) =>
	`new Promise(r => { const i = new Image(); i.onload = () => r('got'); i.onerror = () => r('failed'); i.src = '${url}' })`;
const framed = (url: string) =>
	`new Promise(r => { const f = document.createElement('iframe'); f.src = '${url}'; f.onload = () => { ` +
	`let seen = 'no'; try { seen = f.contentDocument?.title ?? 'no' } catch {} r(seen) }; document.body.append(f) })`;
const socket = (url: string) =>
	`new Promise(r => { const s = new WebSocket('${url}'); s.onopen = () => r('open'); s.onerror = () => r('failed') })`;

test('a page of a run: script, storage, websocket, hot reload, and its end', async t => {
	const fleet = new Fleet(t, {files: {'served.py': served, 'hot.txt': 'first'}});
	const {url, address} = await serving(fleet, 'web');
	const tab = await new Chromium(t).tab();
	assert.equal(await tab.go(url), undefined);
	await tab.until("document.querySelector('h1')?.textContent === 'script ran'");
	assert.equal(await tab.value('location.href'), address);
	assert.equal(await tab.value('document.cookie'), '');
	const own = address.replace('http', 'ws');
	assert.equal(await tab.value(socket(`${own}live`)), 'open');
	assert.equal(await tab.value(fetched('/asked', "{method: 'POST', body: 'x'}")), 'got 200');

	await tab.go(`${address}hot`);
	await tab.until("document.querySelector('h1')?.textContent === 'first'");
	writeFileSync(path.join(fleet.json('show', 'web')['worktree'] as string, 'hot.txt'), 'second');
	await tab.until("document.querySelector('h1')?.textContent === 'second'");

	await tab.value(
		"window.ended = new Promise(r => { const s = new WebSocket('/live'.replace(/^/, location.origin.replace('http', 'ws'))); s.onopen = () => { window.isOpen = true }; s.onclose = () => r('closed') }); 1",
	);
	await tab.until('window.isOpen');
	fleet.must('revoke', 'web', 'port:3000', '--because', 'seen');
	assert.equal(await tab.value('window.ended'), 'closed');
	assert.equal(await tab.go(address), 'net::ERR_CONNECTION_REFUSED');
});

test('a page of a run reaches no other port of this machine, and no host that its run may not', async t => {
	const fleet = new Fleet(t, {files: {'served.py': served}});
	const {url} = await serving(fleet, 'web');
	const other = await bait(t);
	const tab = await new Chromium(t).tab();
	await tab.go(url);
	await tab.until("document.querySelector('h1')?.textContent === 'script ran'");
	for (const address of [other.address, other.address.replace('localhost', '127.0.0.1')]) {
		assert.equal(await tab.value(fetched(address, "{mode: 'no-cors'}")), 'failed');
		assert.equal(await tab.value(image(address)), 'failed');
		assert.equal(await tab.value(socket(address.replace('http', 'ws'))).catch(() => 'failed'), 'failed');
		assert.equal(await tab.value(framed(address)), 'no');
		assert.equal(
			await tab
				.value(`navigator.sendBeacon('${address}', 'x') && new Promise(r => setTimeout(r, 500, 'sent'))`)
				.then(() => other.hits()),
			0,
		);
		await tab.value(
			`(() => { const f = document.createElement('form'); f.action = '${address}'; f.method = 'post'; document.body.append(f); f.submit() })()`,
		);
	}

	await new Promise(resolve => {
		setTimeout(resolve, 500);
	});
	assert.equal(other.hits(), 0);
	assert.equal(await tab.value(fetched('http://elsewhere.test/', "{mode: 'no-cors'}")), 'failed');
	await until(() => JSON.stringify(fleet.json('show', 'web')['denied']).includes('elsewhere.test:80'), 'it is told of');
	fleet.must('allow', 'web', `network:elsewhere.test`, '--because', 'to see that the page may, too');
	await tab.go(url.replace(/\?.*/, ''));
	assert.match(
		await tab.value("fetch('/').then(r => r.headers.get('content-security-policy'))"),
		/default-src 'self' ws:\/\/web\.localhost:\d+ elsewhere\.test /,
	);
});

test("neither another website nor another run's page reads a page of a run, its cookies or its storage", async t => {
	const fleet = new Fleet(t, {files: {'served.py': served}});
	const [one, two] = [await serving(fleet, 'one'), await serving(fleet, 'two')];
	const foreign = await bait(t);
	const browser = new Chromium(t);
	const first = await browser.tab();
	await first.go(one.url);
	await first.until("document.querySelector('h1')?.textContent === 'script ran'");
	await first.value(
		"localStorage.setItem('kept', 'mine'); document.cookie = 'kept=mine'; document.cookie = 'wide=mine; domain=localhost'; 1",
	);
	assert.equal(await first.value('document.cookie'), 'kept=mine');

	const second = await browser.tab();
	await second.go(two.url);
	await second.until("document.querySelector('h1')?.textContent === 'script ran'");
	const website = await browser.tab();
	await website.go(foreign.address);
	assert.deepEqual(await second.value("[localStorage.getItem('kept'), document.cookie]"), [null, '']);
	for (const tab of [second, website]) {
		assert.equal(await tab.value(fetched(one.address, "{credentials: 'include'}")), 'failed');
		assert.equal(
			await tab.value(fetched(`${one.address}asked`, "{credentials: 'include', method: 'POST', body: 'x'}")),
			'failed',
		);
		assert.equal(await tab.value(image(`${one.address}asked`)), 'failed');
		assert.equal(await tab.value(framed(one.address)), 'no');
		assert.equal(await tab.value(socket(`${one.address.replace('http', 'ws')}live`)), 'failed');
	}

	assert.equal(await website.value(`(() => { window.opened = window.open('${one.address}'); return 1 })()`), 1);
	assert.equal(await first.value("localStorage.getItem('kept')"), 'mine');
	assert.equal(await first.value(fetched('/')), 'got 200');
});
