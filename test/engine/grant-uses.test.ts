import assert from 'node:assert/strict';
import {writeFileSync} from 'node:fs';
import http from 'node:http';
import type {AddressInfo} from 'node:net';
import path from 'node:path';
import process from 'node:process';
import {test, type TestContext} from 'node:test';
import {makeBinding, type Binding} from '../../source/core/secrets/secret.ts';
import type {EntryOf} from '../../source/core/run/event.ts';
import {addSecret} from '../../source/engine/grants/secrets.ts';
import {readJournal} from '../../source/host/journal.ts';
import {Fleet, until} from '../support/fleet.ts';
import {serveTls, world} from '../support/tls.ts';

/* Grants for a number of uses: real runs, against servers of this machine. */

const policy = `verify: []
grants:
  - {scope: "network:host.fleet.internal", uses: 2}
  - {scope: "secret:user/*", uses: 1}
`;

const because = ['--because', 'test'];

function events<Type extends 'scope.used' | 'scope.expired'>(
	fleet: Fleet,
	id: string,
	type: Type,
): Array<EntryOf<Type>> {
	const {entries} = readJournal(fleet.context().paths.run(id).journal);
	return entries.filter((entry): entry is EntryOf<Type> => entry.type === type);
}

/** A plain server that counts who asks. */
async function serve(t: TestContext): Promise<{port: number; hits(): number}> {
	let hits = 0;
	const server = http.createServer((_, response) => {
		hits++;
		response.end('here\n');
	});
	await new Promise<void>(resolve => {
		server.listen(0, '127.0.0.1', resolve);
	});
	t.after(() => server.close());
	return {port: (server.address() as AddressInfo).port, hits: () => hits};
}

const get = (url: string, more = '') => `curl -s -o /dev/null -w '%{http_code}\\n' ${more} ${url}`;

test('the network is taken back after so many connections, and a supervisor that is started anew counts on', async t => {
	const {port, hits} = await serve(t);
	const fleet = new Fleet(t, {policy});
	const url = `http://host.fleet.internal:${port}/`;
	const scope = `network:host.fleet.internal:${port}`;
	// All at once: what is decided together is counted one by one.
	const many = Array.from({length: 6}, () => `${get(url)} &`).join(' ');
	const output = await fleet.agent('many', `${many} wait; ${get(url)}`, '--allow', scope, ...because);
	assert.equal(output.match(/^200/gm)?.length, 2, output);
	assert.equal(hits(), 2);
	assert.deepEqual(
		events(fleet, 'many', 'scope.used').map(({use, of}) => [use, of]),
		[
			[1, 2],
			[2, 2],
		],
	);
	assert.deepEqual(
		events(fleet, 'many', 'scope.expired').map(({uses}) => uses),
		[2],
	);
	assert.match(fleet.must('journal', 'many'), /used 2 times, as granted/);

	fleet.start(
		'killed',
		`if [ -f seen ]; then ${get(url)}; ${get(url)}; ${get(url)}; else touch seen; ${get(url)}; sleep 300; fi`,
		'--allow',
		scope,
		...because,
	);
	await until(() => hits() === 3, 'it asks once');
	const {entries} = readJournal(fleet.context().paths.run('killed').journal);
	process.kill(entries.flatMap(entry => (entry.type === 'run.started' ? entry.pid : []))[0]!, 'SIGKILL');
	await fleet.until('killed', 'crashed');
	fleet.must('resume', 'killed');
	await fleet.until('killed', 'stopped');
	assert.equal(hits(), 4);
	assert.deepEqual(
		events(fleet, 'killed', 'scope.used').map(({use}) => use),
		[1, 2],
	);
	assert.deepEqual(fleet.json('show', 'killed')['grants'], []);
});

test('a secret is taken back after its last use, and that use is answered', async t => {
	const fleet = new Fleet(t, {policy: `${policy.replace('uses: 2', 'uses: 3')}`});
	const ca = path.join(fleet.folder, 'world.pem');
	writeFileSync(ca, world.certificate);
	Object.assign(fleet.env, {NODE_EXTRA_CA_CERTS: ca, TOKEN_SOURCE: 'value-of-the-token-1234567890'});
	const seen: string[] = [];
	const port = await serveTls(t, (request, response) => {
		seen.push(request.headers.authorization ?? '');
		response.end('welcome\n');
	});
	const binding = makeBinding({hosts: [`host.fleet.internal:${port}`], environment: 'TOKEN'}) as Binding;
	await addSecret(
		fleet.context(),
		{
			reference: {owner: 'user', name: 'token'},
			store: 'env',
			source: 'TOKEN_SOURCE',
			binding,
		} as never,
		undefined,
	);
	const ask = get(`https://host.fleet.internal:${port}/`, '-H "Authorization: Bearer $TOKEN"');
	const output = await fleet.agent('asks', `${ask}; ${ask}; ${ask}`, '--allow', 'secret:user/token', ...because);
	assert.equal(output.match(/^200/gm)?.length, 1, output);
	assert.deepEqual(seen, ['Bearer value-of-the-token-1234567890']);
	assert.deepEqual(
		events(fleet, 'asks', 'scope.used').map(({use, of}) => [use, of]),
		[[1, 1]],
	);
	assert.deepEqual(fleet.json('show', 'asks')['grants'], []);
});
