import assert from 'node:assert/strict';
import {chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {createServer, type IncomingMessage, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import path from 'node:path';
import process from 'node:process';
import {test, type TestContext} from 'node:test';
import type {NotifyTarget} from '../../source/core/notify/adapters.ts';
import type {RunEvent} from '../../source/core/run/event.ts';
import {deliver} from '../../source/engine/notify/deliver.ts';
import {Needs} from '../../source/engine/notify/needs.ts';
import {flush, lastOutcomes} from '../../source/engine/notify/spool.ts';
import {Journal} from '../../source/host/journal.ts';
import {Fleet, until} from '../support/fleet.ts';
import {serveTls, world} from '../support/tls.ts';

/* Messages to a server on the loopback, a hostile one, too, and to a stand-in for sendmail. */

type Got = {readonly path: string; readonly headers: IncomingMessage['headers']; readonly body: string};

/** A server that keeps what it is sent. */
async function serve(
	t: TestContext,
	answer: (response: ServerResponse, count: number) => void = response => response.end(),
): Promise<{readonly got: Got[]; readonly url: string}> {
	const got: Got[] = [];
	const server = createServer((request, response) => {
		let body = '';
		request.setEncoding('utf8').on('data', (text: string) => {
			body += text;
		});
		request.on('end', () => {
			got.push({path: request.url!, headers: request.headers, body});
			answer(response, got.length);
		});
	});
	await new Promise<void>(resolve => {
		server.listen(0, '127.0.0.1', resolve);
	});
	t.after(() => {
		server.closeAllConnections();
		server.close();
	});
	return {got, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`};
}

const created = (id: string): RunEvent => ({
	type: 'run.created',
	id,
	name: id,
	project: {id: 'web', name: 'web', root: '/web'},
	agent: 'command',
	argv: ['x'],
	branch: `fleet/${id}`,
	base: 'b'.repeat(40),
	target: 'refs/heads/main',
	worktree: '/w',
	grants: [],
});

function open(t: TestContext, fleet: Fleet, id: string): Journal {
	const journal = Journal.open(fleet.context().paths.run(id))!;
	journal.append(created(id), 'person:ada');
	journal.append({type: 'run.started', attempt: 1, pid: process.pid, sandbox: 's', notes: []}, 'fleet');
	t.after(() => {
		try {
			journal.close();
		} catch {
			// The test closed it.
		}
	});
	return journal;
}

const waiting: RunEvent = {type: 'agent.status', state: 'waiting', because: 'what now?'};
const working: RunEvent = {type: 'agent.status', state: 'working', because: ''};
const settings = (send: readonly NotifyTarget[], more = '') => `notify: {send: ${JSON.stringify(send)}${more}}\n`;
const fact = {run: 'one', project: 'web', need: 'verify', verdict: null, at: '2026-01-05T10:00:00.000Z'};
const pause = (ms: number) =>
	new Promise(resolve => {
		setTimeout(resolve, ms);
	});

test('what several runs come to need at once is one message, told once, and not where it is over', async t => {
	const fleet = new Fleet(t, {add: false});
	const {got, url} = await serve(t);
	fleet.settings(settings([{kind: 'webhook', address: `${url}/hook`}]));
	const context = fleet.context();
	const journals = ['one', 'two', 'three'].map(id => open(t, fleet, id));
	const needs = journals.map(journal => new Needs(context, journal, {burst: 300}));
	for (const journal of journals) {
		journal.append(waiting, 'fleet', false);
	}

	// Answered before anybody was told; and said twice, which is one need.
	journals[2]!.append(working, 'fleet', false);
	journals[0]!.append({...waiting, because: 'well?'}, 'fleet', false);
	await until(
		() => got.length > 0,
		() => 'a message comes',
	);
	const {runs} = JSON.parse(got[0]!.body) as {runs: Array<{run: string; need: string}>};
	assert.deepEqual(runs.map(({run, need}) => `${run}: ${need}`).sort(), [
		'one: its agent waits for an answer',
		'two: its agent waits for an answer',
	]);
	assert.doesNotMatch(got[0]!.body, /what now|well/);

	// Another need comes after a longer silence, or at the run's end.
	journals[0]!.append(working, 'fleet', false);
	journals[0]!.append({type: 'run.exited', code: 1, signal: null, because: 'x'}, 'fleet');
	for (const journal of journals) {
		journal.close();
	}

	await Promise.all(needs.map(async need => need.end()));
	assert.equal(got.length, 2);
	assert.deepEqual(
		(JSON.parse(got[1]!.body) as {runs: Array<{run: string; need: string}>}).runs.map(({run, need}) => [run, need]),
		[['one', 'its agent failed']],
	);
	assert.equal(lastOutcomes(context.paths).webhook?.ok, true);
});

test('in quiet hours nothing is sent, and what is still needed is in the message after them', async t => {
	const fleet = new Fleet(t, {add: false});
	const {got, url} = await serve(t);
	const target: NotifyTarget = {kind: 'ntfy', address: `${url}/topic`};
	const hours = new Date().getHours() < 12 ? '00:00-12:00' : '12:00-00:00';
	fleet.settings(settings([target], `, quiet: "${hours}"`));
	const context = fleet.context();
	const journal = open(t, fleet, 'one');
	const needs = new Needs(context, journal, {burst: 10});
	journal.append(waiting, 'fleet', false);
	journal.close();
	await needs.end();
	// Of another run somebody saw to what was needed: it needs something else now, which a person knows.
	const seen = open(t, fleet, 'seen');
	const other = new Needs(context, seen, {burst: 10});
	seen.append(waiting, 'fleet', false);
	await other.end();
	seen.append({type: 'run.exited', code: 1, signal: null, because: ''}, 'person:ada');
	assert.equal(got.length, 0);
	fleet.settings(settings([target]));
	await flush(context, {});
	await flush(context, {});
	assert.deepEqual(
		got.map(({body}) => body),
		['one (web): its agent waits for an answer'],
	);
});

test('a hostile server costs a bounded time, is not followed, and is asked three times at most', async t => {
	const fleet = new Fleet(t, {add: false});
	const context = fleet.context();
	const send = async (answer: (response: ServerResponse, count: number) => void, attemptMs = 10_000) => {
		const {got, url} = await serve(t, answer);
		const target: NotifyTarget = {kind: 'webhook', address: `${url}/hook`};
		const began = Date.now();
		const {ok, because} = await deliver(context, target, {
			facts: [fact],
			values: {},
			patience: {attemptMs, pauses: [10, 20]},
		});
		assert.ok(Date.now() - began < 9000);
		assert.ok(!because.includes(url));
		return [ok, because, got.length];
	};

	const [ok, because, asked] = await send(() => {}, 500);
	assert.deepEqual([ok, because], [false, 'it did not answer in time']);
	assert.ok(Number(asked) <= 3);
	const moved = (response: ServerResponse) => response.writeHead(302, {location: '/else'}).end();
	assert.deepEqual(await send(moved), [false, 'it answered 302, a redirect, which is not followed', 1]);
	assert.deepEqual(await send(response => response.writeHead(404).end()), [false, 'it answered 404', 1]);
	assert.deepEqual(await send(response => response.socket!.destroy()), [
		false,
		'it could not be reached: ECONNRESET',
		3,
	]);
	assert.deepEqual(
		await send((response, count) => response.writeHead(count < 3 ? 503 : 200).end()),
		[true, '', 3],
		'the third time it works',
	);
	const endless = (response: ServerResponse) => {
		const more = () => {
			while (!response.destroyed && response.write('x'.repeat(65_536))) {
				// Until the other side reads no more.
			}
		};
		response.on('drain', more);
		more();
	};
	assert.deepEqual(await send(endless), [true, '', 1]);
});

test('a server behind https is asked, whose authority the machine trusts', async t => {
	const fleet = new Fleet(t, {add: false});
	const file = path.join(fleet.folder, 'world.pem');
	writeFileSync(file, world.certificate);
	const before = process.env['SSL_CERT_FILE'];
	process.env['SSL_CERT_FILE'] = file;
	t.after(() => {
		if (before === undefined) {
			delete process.env['SSL_CERT_FILE'];
		} else {
			process.env['SSL_CERT_FILE'] = before;
		}
	});
	const tokens: string[] = [];
	const port = await serveTls(t, (request, response) => {
		tokens.push(request.headers.authorization ?? '');
		response.end();
	});
	const outcome = await deliver(
		fleet.context(),
		{kind: 'webhook', address: `https://host.fleet.internal:${port}/hook`},
		{facts: [fact], values: {}},
	);
	assert.deepEqual([outcome, tokens], [{kind: 'webhook', ok: true, because: ''}, ['']]);
});

// The program is a script of this test's: what a real sendmail makes of the mail is not tested.
test('a mail is handed to the program sendmail', async t => {
	const fleet = new Fleet(t, {add: false});
	const bin = path.join(fleet.folder, 'bin');
	const script = (text: string) => {
		mkdirSync(bin, {recursive: true});
		writeFileSync(path.join(bin, 'sendmail'), `#!/bin/sh\n${text}\n`);
		chmodSync(path.join(bin, 'sendmail'), 0o755);
	};
	const before = process.env['PATH'];
	process.env['PATH'] = `${bin}:${before}`;
	t.after(() => {
		process.env['PATH'] = before;
	});
	const send = async (attemptMs = 10_000) => {
		const {ok, because} = await deliver(
			fleet.context(),
			{kind: 'sendmail', address: 'ada@example.org'},
			{facts: [fact], values: {}, patience: {attemptMs, pauses: [10, 20]}},
		);
		return [ok, because];
	};

	script(`printf '%s ' "$@" > ${bin}/got; cat >> ${bin}/got`);
	assert.deepEqual(await send(), [true, '']);
	assert.match(
		readFileSync(path.join(bin, 'got'), 'utf8'),
		/^-i -- ada@example\.org To: ada@example\.org\nSubject: fleet: one needs you\n[^]*\n\none \(web\): verify\n$/,
	);
	script('exit 67');
	assert.deepEqual(await send(), [false, 'sendmail ended with 67']);
	script(`echo x >> ${bin}/tries; exit 75`);
	assert.deepEqual(await send(), [false, 'sendmail says to try again later']);
	assert.equal(readFileSync(path.join(bin, 'tries'), 'utf8'), 'x\nx\nx\n');
	script('exec sleep 30');
	assert.deepEqual(await send(300), [false, 'sendmail did not end in time']);
});

test("a real run's supervisor tells, with an address from the vault that nothing prints", async t => {
	const fleet = new Fleet(t);
	const {got, url} = await serve(t);
	const hook = `${url}/hunter2`;
	fleet.settings(settings([{kind: 'slack', address: 'fleet://user/hook'}]));
	fleet.env['HOOK'] = hook;
	fleet.must('secret', 'add', 'hook', '--user', '--class', 'deploy', '--from', 'env:HOOK');
	fleet.start('one', 'echo secret output; exit 3');
	await until(
		() => got.length > 0,
		() => 'a message comes',
		30_000,
	);
	await pause(200);
	assert.deepEqual(
		got.map(({path: place, body}) => [place, JSON.parse(body)]),
		[['/hunter2', {text: 'fleet: one needs you\none (project): its agent failed'}]],
	);
	const {stdout, code} = fleet.run(['notify']);
	assert.match(stdout, /^slack {5}fleet:\/\/user\/hook {2}sent, \d{4}-/);
	assert.equal(code, 0);
	assert.doesNotMatch(stdout, /hunter2/);
	const lacking = fleet.run(['notify', 'test'], {env: {HOOK: ''}});
	assert.deepEqual([lacking.code, lacking.stdout.includes('not sent: ')], [3, true]);
	assert.doesNotMatch(lacking.stdout + lacking.stderr, /hunter2/);
	assert.equal(fleet.run(['notify', 'tset']).code, 2);
	assert.equal(existsSync(path.join(fleet.context().paths.state, 'notify', 'one.run')), false);
});
