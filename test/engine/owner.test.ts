import assert from 'node:assert/strict';
import {mkdirSync, readFileSync} from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import {test} from 'node:test';
import type {Entry} from '../../source/core/run/event.ts';
import {Refusal} from '../../source/core/refusal.ts';
import {connect, send} from '../../source/engine/owner.ts';
import {allow, revoke} from '../../source/engine/grants/scopes.ts';
import {findRun} from '../../source/engine/runs.ts';
import {readJournal} from '../../source/host/journal.ts';
import {Fleet} from '../support/fleet.ts';

/* The same command to a run with a supervisor and to one without: who writes it down differs, what is written does not. */

function lastOf<Type extends Entry['type']>(fleet: Fleet, id: string, type: Type): Extract<Entry, {type: Type}> {
	const {entries} = readJournal(fleet.context().paths.run(id).journal);
	const found = entries.findLast(entry => entry.type === type);
	assert.ok(found, type);
	return found as Extract<Entry, {type: Type}>;
}

test('a command reaches the journal by the supervisor, and without one by the lock', async t => {
	const fleet = new Fleet(t);
	fleet.start('owned', 'sleep 300');
	const context = fleet.context();
	const run = () => findRun(context, 'owned');
	const commandAll = async (effect: string) => {
		await send(context, run(), {type: 'budget', budget: {dollars: 3}, because: 'enough'});
		assert.deepEqual(lastOf(fleet, 'owned', 'budget.set').budget, {dollars: 3});
		assert.equal(lastOf(fleet, 'owned', 'budget.set').actor, context.actor);
		const granted = await allow(context, run(), {scope: 'network:a.test', because: ' x ', durationMs: 60_000});
		assert.equal(granted.effect, effect);
		const {grant, at} = lastOf(fleet, 'owned', 'scope.granted');
		assert.equal(grant.because, 'x');
		assert.equal(Date.parse(grant.until!) - Date.parse(grant.at), 60_000);
		assert.ok(Math.abs(Date.parse(grant.at) - Date.parse(at)) < 5000);
		assert.deepEqual(await revoke(context, run(), {scope: 'network:a.test', because: ''}), {cut: 0});
		assert.deepEqual(run().grants, []);
		await send(context, run(), {
			type: 'audit',
			items: [{id: 'repo', status: 'PASS'}],
			asked: ['merge/x'],
			because: '',
		});
		assert.equal(lastOf(fleet, 'owned', 'gate.refused').actor, 'agent:owned');
		assert.equal(lastOf(fleet, 'owned', 'audit.finished').actor, context.actor);
		await assert.rejects(send(context, run(), {type: 'acknowledge', because: ''}), {because: 'owned has no alarm'});
		await assert.rejects(send(context, run(), {type: 'dismiss', target: 'b.test:443', because: ''}), {
			because: 'owned was not denied b.test:443',
		});
		await assert.rejects(revoke(context, run(), {scope: 'repo', because: ''}), {because: 'repo cannot be revoked'});
	};

	await commandAll('effective now');
	await send(context, run(), {type: 'freeze', because: ''});
	assert.match(lastOf(fleet, 'owned', 'run.frozen').because, /^by /);
	await assert.rejects(send(context, run(), {type: 'freeze', because: ''}), {because: 'owned is paused already'});
	await send(context, run(), {type: 'thaw', because: ''});
	assert.equal(run().stage, 'running');
	fleet.must('stop', 'owned');
	assert.equal(await connect(context, 'owned'), undefined);
	await commandAll('when the run is next started');
	for (const type of ['freeze', 'thaw', 'stop'] as const) {
		await assert.rejects(send(context, run(), {type, because: ''}), {
			because: 'owned is not running: it is stopped',
		});
	}
});

test('who answers as no supervisor does is not believed', async t => {
	const fleet = new Fleet(t);
	const context = fleet.context();
	const places = context.paths.run('odd');
	mkdirSync(path.dirname(places.socket), {recursive: true});
	const answers: string[] = [];
	const server = net.createServer(socket => {
		socket.on('data', () => socket.write(`${answers.shift()}\n`));
		socket.on('error', () => {});
	});
	await new Promise<void>(resolve => {
		server.listen(places.socket, resolve);
	});
	t.after(() => server.close());
	const asked = async (answer: string) => {
		answers.push(answer);
		const connection = (await connect(context, 'odd'))!;
		try {
			return await connection.request({type: 'revoke', scope: 'network:a.test', because: ''});
		} finally {
			connection.close();
		}
	};

	assert.deepEqual(await asked('{"id": 1, "ok": true, "result": {"cut": 2}}'), {cut: 2});
	for (const answer of ['{"id": 1, "ok": true, "result": {"cut": "2"}}', '{"id": 1, "ok": true, "result": {}}']) {
		await assert.rejects(asked(answer), {because: 'the supervisor answered what this version of fleet does not know'});
	}

	for (const answer of ['not JSON', 'null', '{"id": 1, "ok": "perhaps"}', '{"id": 1}']) {
		await assert.rejects(asked(answer), (error: unknown) => {
			assert.ok(error instanceof Refusal);
			return /another version of fleet/.test(error.because);
		});
	}

	await assert.rejects(asked('{"id": 1, "ok": false, "because": "no", "hint": "h", "exitCode": 3}'), {
		because: 'no',
		hint: 'h',
		exitCode: 3,
	});
});

test('a supervisor takes nothing that is not in its messages', async t => {
	const fleet = new Fleet(t);
	fleet.start('strict', 'sleep 300');
	const places = fleet.context().paths.run('strict');
	const before = readFileSync(places.journal, 'utf8');
	const stop = {type: 'stop', because: ''};
	for (const request of [
		{id: 1, actor: 'agent:strict', ask: stop},
		{id: 1, ask: stop},
		{id: 1, actor: 'person:a', ask: {...stop, more: 1}},
		{id: 1, actor: 'person:a', ask: {type: 'merge', facts: {}, commit: ''}},
		{
			id: 1,
			actor: 'person:a',
			ask: {type: 'grant', id: '00000000', scope: 'network:a.test', because: 'x', identity: '1:1'},
		},
		{id: 1, actor: 'person:a\u0007', ask: stop},
	]) {
		const socket = net.connect(places.socket);
		let said = '';
		socket.on('data', bytes => {
			said += String(bytes);
		});
		socket.write(`${JSON.stringify(request)}\n`);
		await new Promise(resolve => {
			socket.on('close', resolve);
		});
		assert.equal(said, '');
	}

	assert.equal(readFileSync(places.journal, 'utf8'), before);
	fleet.must('stop', 'strict');
});
