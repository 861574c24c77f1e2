import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import http from 'node:http';
import net, {type AddressInfo} from 'node:net';
import path from 'node:path';
import process from 'node:process';
import {writeFileSync} from 'node:fs';
import {test, type TestContext} from 'node:test';
import type {Definition} from '../../source/core/mcp/definition.ts';
import type {KnownTools} from '../../source/core/mcp/tools.ts';
import type {Vault} from '../../source/core/seams.ts';
import {makeBinding, type Binding} from '../../source/core/secrets/secret.ts';
import type {Context} from '../../source/engine/context.ts';
import {addSecret, findSecret} from '../../source/engine/grants/secrets.ts';
import {resolveSecret} from '../../source/engine/grants/secret-values.ts';
import type {ServerSecret} from '../../source/engine/mcp/secrets.ts';
import {Served} from '../../source/engine/mcp/served.ts';
import {transportOf} from '../../source/engine/mcp/transport.ts';
import {Fleet, until} from '../support/fleet.ts';
import {leftOut, serverProgram} from '../support/mcp.ts';
import {serveTls, world} from '../support/tls.ts';

/* Servers at an address: over TLS, with a credential or a login that no run sees. */

type Json = Record<string, any>;

/** A vault in memory, which two processes could share. */
function memoryVault(): Vault & {readonly all: Map<string, string>} {
	const all = new Map<string, string>();
	return {
		all,
		id: 'keyring',
		title: 'a vault for the test',
		probe: async () => ({works: true, version: '1', because: '', hint: '', state: 'unlocked'}),
		read: async account => all.get(account),
		async write(account, text) {
			all.set(account, text);
		},
		remove: async account => all.delete(account),
	};
}

function contextFor(t: TestContext, vault: Vault): Context {
	const fleet = new Fleet(t, {add: false});
	const ca = path.join(fleet.folder, 'world.pem');
	writeFileSync(ca, world.certificate);
	const before = process.env['NODE_EXTRA_CA_CERTS'];
	process.env['NODE_EXTRA_CA_CERTS'] = ca;
	t.after(() => {
		if (before === undefined) {
			delete process.env['NODE_EXTRA_CA_CERTS'];
		} else {
			process.env['NODE_EXTRA_CA_CERTS'] = before;
		}
	});
	return {...fleet.context(), vaults: [vault]};
}

/** A server as a run has it. */
function served(
	t: TestContext,
	context: Context,
	more: Partial<Definition> & {readonly url: string},
	secrets: readonly ServerSecret[] = [],
): Served {
	const definition = {network: [], files: [], secrets: {}, resources: false, limits: {}, ...more} as Definition;
	const known: Record<string, KnownTools[string]> = {};
	const one = new Served({
		name: 'far',
		definition,
		open: transportOf(context, {
			server: {name: 'far', owner: '.', definition, approved: true},
			project: undefined,
			id: 'x',
			folder: '/nowhere',
			group: 'x',
			secrets,
			onRefused() {},
		}),
		values: () => secrets.map(({value}) => value),
		known: () => known,
		remember() {},
		onChanged() {},
		onWithheld() {},
	});
	t.after(() => one.close('the test is over'));
	return one;
}

const call = async (one: Served, name: string, given: Json = {}) => {
	const reply = await one.call({name, arguments: given}, {signal: new AbortController().signal});
	return {
		...reply,
		text: reply.result === undefined ? reply.error!.message : (JSON.parse(reply.result) as Json)['content'][0].text,
	};
};

/** The parts of a server: what it answers to each method. */
function answerTo(message: Json): Json | undefined {
	switch (message['method']) {
		case 'initialize': {
			return {protocolVersion: '2025-06-18', capabilities: {tools: {}}, serverInfo: {name: 'far', version: '1'}};
		}

		case 'tools/list': {
			return {tools: [{name: 'say', inputSchema: {type: 'object'}, annotations: {readOnlyHint: true}}]};
		}

		case 'tools/call': {
			return {content: [{type: 'text', text: 'said'}]};
		}

		default: {
			return undefined;
		}
	}
}

type Handler = (message: Json, request: http.IncomingMessage, response: http.ServerResponse) => boolean | void;

/** A server over HTTPS that answers as JSON, where the handler does not. @returns its address */
async function serve(t: TestContext, handle: Handler = () => false): Promise<string> {
	const port = await serveTls(t, (request, response) => {
		const parts: Buffer[] = [];
		request.on('data', part => parts.push(part));
		request.on('end', () => {
			const body = Buffer.concat(parts).toString('utf8');
			const message = (request.method === 'POST' && body.startsWith('{') ? JSON.parse(body) : {body}) as Json;
			if (handle(message, request, response) === true) {
				return;
			}

			const result = answerTo(message);
			if (result === undefined) {
				response.writeHead(202).end();
			} else {
				response
					.writeHead(200, {'content-type': 'application/json'})
					.end(JSON.stringify({jsonrpc: '2.0', id: message['id'], result}));
			}
		});
	});
	return `https://host.fleet.internal:${port}/mcp`;
}

function secretFor(url: string, value: string, more: Partial<Binding> = {}): ServerSecret {
	const binding = makeBinding({hosts: [new URL(url).host], ...more}) as Binding & {class: 'task'};
	return {scope: 'mcp:far', reference: 'fleet://user/far', binding, shape: 'plain', value, as: 'authorization'};
}

test("the reference server's own HTTP, with a session, events and progress", {skip: leftOut}, async t => {
	const port = await new Promise<number>(resolve => {
		const probe = net.createServer().listen(0, '127.0.0.1', () => {
			const {port} = probe.address() as AddressInfo;
			probe.close(() => resolve(port));
		});
	});
	const child = spawn(process.execPath, [serverProgram('server-everything'), 'streamableHttp'], {
		env: {PATH: process.env['PATH'], PORT: String(port)},
		stdio: 'ignore',
	});
	t.after(() => child.kill('SIGKILL'));
	await until(
		() =>
			new Promise<boolean>(resolve => {
				const socket = net.connect(port, '127.0.0.1');
				socket.once('connect', () => {
					socket.destroy();
					resolve(true);
				});
				socket.once('error', () => resolve(false));
			}),
		'it listens',
		120_000,
	);
	const seen: string[] = [];
	const front = await serveTls(t, (request, response) => {
		seen.push(`${request.method} ${request.headers.authorization ?? ''}`);
		const {authorization: _, ...headers} = request.headers;
		const onward = http.request(
			{
				port,
				host: '127.0.0.1',
				method: request.method,
				path: request.url,
				headers: {...headers, host: `127.0.0.1:${port}`},
			},
			answer => {
				response.writeHead(answer.statusCode!, answer.headers);
				answer.pipe(response);
			},
		);
		onward.on('error', () => response.destroy());
		request.pipe(onward);
	});
	const url = `https://host.fleet.internal:${front}/mcp`;
	const one = served(t, contextFor(t, memoryVault()), {url, tools: ['echo', 'trigger-long-running-operation']}, [
		secretFor(url, 'sk-real-credential-123456'),
	]);
	assert.equal((await call(one, 'echo', {message: 'far away'})).text, 'Echo: far away');
	const progress: unknown[] = [];
	const reply = await one.call(
		{name: 'trigger-long-running-operation', arguments: {duration: 1, steps: 2}},
		{signal: new AbortController().signal, progress: told => progress.push(told['progress'])},
	);
	assert.equal(reply.outcome, 'answered');
	assert.deepEqual(progress, [1, 2]);
	assert.ok(
		seen.every(line => line.endsWith('Bearer sk-real-credential-123456')),
		seen.join('\n'),
	);
	await one.close('done');
	assert.ok(
		seen.some(line => line.startsWith('DELETE')),
		'the session is ended',
	);
});

test('a secret goes where it is bound to, in its header, and nowhere else', async t => {
	const context = contextFor(t, memoryVault());
	const url = await serve(t);
	for (const secret of [
		secretFor('https://elsewhere.test/', 'sk-real-credential-123456'),
		secretFor(url, 'sk-real-credential-123456', {headers: ['x-api-key']}),
		secretFor(url, 'sk-real-credential-123456', {paths: ['/other']}),
	]) {
		await assert.rejects(served(t, context, {url}, [secret]).tools(), /bound/);
	}

	assert.equal(
		(await call(served(t, context, {url}, [secretFor(url, 'sk-real-credential-123456')]), 'say')).text,
		'said',
	);
});

test('what a server over HTTP can do that is not honest', async t => {
	const context = contextFor(t, memoryVault());
	const cases: Array<[string, Handler, RegExp]> = [
		[
			'a redirect',
			(_m, _q, response) => (response.writeHead(307, {location: 'https://attacker.test/'}).end(), true),
			/leads elsewhere/,
		],
		[
			'a page',
			(_m, _q, response) => (response.writeHead(200, {'content-type': 'text/html'}).end('<p>'), true),
			/answered with text\/html/,
		],
		['a fault', (_m, _q, response) => (response.writeHead(500).end(), true), /answered 500/],
		['no login', (_m, _q, response) => (response.writeHead(401).end(), true), /refuses the login/],
		[
			'a stream that ends too soon',
			(_m, _q, response) => (response.writeHead(200, {'content-type': 'text/event-stream'}).end(': hello\n\n'), true),
			/before it was whole/,
		],
		[
			'a stream without an end',
			(_m, _q, response) => {
				response.writeHead(200, {'content-type': 'text/event-stream'});
				const timer = setInterval(() => response.write(': more\n\n'), 20);
				response.once('close', () => clearInterval(timer));
				return true;
			},
			/did not answer in/,
		],
		[
			'an event without an end',
			(_m, _q, response) => {
				response.writeHead(200, {'content-type': 'text/event-stream'});
				const piece = `data: ${'x'.repeat(1024 ** 2)}\n`;
				const more = () => {
					while (!response.destroyed && response.write(piece)) {
						// Until the connection is full.
					}
				};

				response.on('drain', more);
				more();
				return true;
			},
			/no end/,
		],
		[
			'a body without an end',
			(_m, _q, response) => {
				response.writeHead(200, {'content-type': 'application/json'});
				const more = () => {
					while (!response.destroyed && response.write('x'.repeat(1024 ** 2))) {
						// Until the connection is full.
					}
				};

				response.on('drain', more);
				more();
				return true;
			},
			/more than is read/,
		],
		[
			'no JSON',
			(_m, _q, response) => (response.writeHead(200, {'content-type': 'application/json'}).end('{'), true),
			/not JSON/,
		],
	];
	for (const [what, behave, said] of cases) {
		const url = await serve(t, (message, request, response) =>
			message['method'] === 'tools/call' ? behave(message, request, response) : false,
		);
		const one = served(t, context, {url, timeout: 3000});
		assert.match((await call(one, 'say')).text, said, what);
	}

	const url = `https://host.fleet.internal:1/mcp`;
	await assert.rejects(served(t, context, {url}).tools(), /could not be reached/);
});

/** A server with a login by OAuth beside it. Its refresh tokens work once. */
async function loginWorld(t: TestContext, options: {rotate?: boolean; life?: number} = {}) {
	const state = {refresh: 'refresh-token-number-0', access: '', made: 0, refused: 0, ended: false};
	const url = await serve(t, (message, request, response) => {
		if (request.url === '/token') {
			const asked = new URLSearchParams(String(message['body']));
			if (state.ended || asked.get('refresh_token') !== state.refresh || asked.get('client_id') !== 'fleet-test') {
				state.refused++;
				response.writeHead(400, {'content-type': 'application/json'}).end('{"error":"invalid_grant"}');
				return true;
			}

			state.made++;
			state.access = `access-token-number-${state.made}`;
			if (options.rotate !== false) {
				state.refresh = `refresh-token-number-${state.made}`;
			}

			response.writeHead(200, {'content-type': 'application/json'}).end(
				JSON.stringify({
					access_token: state.access,
					token_type: 'Bearer',
					expires_in: options.life ?? 3600,
					...(options.rotate === false ? {} : {refresh_token: state.refresh}),
				}),
			);
			return true;
		}

		if (request.headers.authorization !== `Bearer ${state.access}`) {
			response.writeHead(401).end();
			return true;
		}

		if (message['method'] === 'tools/call') {
			response.writeHead(200, {'content-type': 'application/json'}).end(
				JSON.stringify({
					jsonrpc: '2.0',
					id: message['id'],
					result: {content: [{type: 'text', text: `you are ${request.headers.authorization}`}]},
				}),
			);
			return true;
		}

		return false;
	});
	const vault = memoryVault();
	const context = contextFor(t, vault);
	const token = `${new URL(url).origin}/token`;
	const binding = makeBinding({hosts: [new URL(url).host]}) as Binding;
	const reference = {owner: 'user', name: 'far'} as const;
	await addSecret(context, {reference, store: 'keyring', binding}, state.refresh);
	const login = {token, client: 'fleet-test', refresh: 'fleet://user/far'};
	return {
		state,
		vault,
		context,
		open: () => served(t, context, {url, login}),
		kept: async () => (await resolveSecret(context, findSecret(context, reference, undefined)!)).value,
	};
}

test('a login is refreshed outside, its tokens rotate, and none is shown', async t => {
	const {state, open, kept, vault} = await loginWorld(t);
	const one = open();
	const {text} = await call(one, 'say');
	assert.match(text, /you are Bearer/);
	assert.ok(!text.includes('access-token-number'), text);
	assert.equal(state.made, 1);
	assert.equal(await kept(), 'refresh-token-number-1', 'the next one is in the vault');
	assert.ok(vault.all.get('mcp-login/./far')!.includes('access-token-number-1'));

	// The server forgets the token before its time.
	state.access = 'another';
	assert.equal((await call(one, 'say')).outcome, 'answered');
	assert.equal(state.made, 2);
	assert.equal(await kept(), 'refresh-token-number-2');
});

test('thirty runs refresh once', async t => {
	const {state, open} = await loginWorld(t);
	const all = Array.from({length: 30}, () => open());
	const said = await Promise.all(all.map(one => call(one, 'say')));
	assert.deepEqual([...new Set(said.map(({outcome}) => outcome))], ['answered']);
	assert.equal(state.made, 1);
	assert.equal(state.refused, 0, 'no token was used twice');
});

test('a token that is at its end is not used, and one that does not rotate stays', async t => {
	const {state, open, kept} = await loginWorld(t, {rotate: false, life: 30});
	t.mock.timers.enable({apis: ['Date'], now: Date.now()});
	const one = open();
	await call(one, 'say');
	await call(one, 'say');
	assert.equal(state.made, 1);
	t.mock.timers.tick(16_000);
	await call(one, 'say');
	assert.equal(state.made, 2);
	assert.equal(await kept(), 'refresh-token-number-0');
});

test('a login that has ended is told, with what to do', async t => {
	const {state, open, kept} = await loginWorld(t);
	state.ended = true;
	await assert.rejects(open().tools(), /the login of far has ended: sign in again, and fleet secret add far/);
	assert.equal(await kept(), 'refresh-token-number-0', 'nothing is lost');
});
