import assert from 'node:assert/strict';
import {test} from 'node:test';
import {answerNameQuery, asksForAddress, readNameQuery} from '../../source/core/network/name-query.ts';

/** A question as a resolver writes it. */
function question(name: string, type = 1, flags = 0x01_00): Uint8Array {
	const labels = name.split('.').flatMap(label => [label.length, ...Buffer.from(label, 'latin1')]);
	return Uint8Array.from([0x12, 0x34, flags >> 8, flags & 255, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, type, 0, 1]);
}

test('a name of the world does not exist, and who asked is told of', () => {
	for (const type of [1, 28]) {
		const query = readNameQuery(question('Registry.Example.org', type))!;
		assert.equal(query.name, 'registry.example.org');
		assert.ok(asksForAddress(query));
		const answer = answerNameQuery(question('Registry.Example.org', type), query);
		assert.deepEqual(
			[...answer.subarray(0, 12)],
			[0x12, 0x34, 0x85, 0x83, 0, 1, 0, 0, 0, 0, 0, 0],
			'no such name, in its own id',
		);
		assert.deepEqual([...answer.subarray(12)], [...question('Registry.Example.org', type).subarray(12)]);
	}

	assert.ok(!asksForAddress(readNameQuery(question('_http._tcp.example.org', 33))!), 'a service, not a host');
});

test("names below localhost are the sandbox's own loopback", () => {
	const answer = (type: number) =>
		answerNameQuery(question('app.localhost', type), readNameQuery(question('app.localhost', type))!);
	assert.deepEqual([...answer(1).subarray(-4)], [127, 0, 0, 1]);
	assert.deepEqual([...answer(28).subarray(-16)], [...Array.from({length: 15}, () => 0), 1]);
	assert.deepEqual([answer(1)[7], answer(28)[7], answer(15)[7], answer(15)[3]! & 15], [1, 1, 0, 0]);
	assert.ok(!asksForAddress(readNameQuery(question('localhost'))!));
});

test('what is no plain question gets no answer, whatever it is', () => {
	const plain = question('a.example.org');
	for (const bad of [
		new Uint8Array(),
		plain.subarray(0, 11),
		plain.subarray(0, 20),
		plain.subarray(0, -1),
		question('a.example.org', 1, 0x81_00),
		question('a.example.org', 1, 0x28_00),
		question('a\u0007b.example.org'),
		question('a b'),
		Uint8Array.from(plain, (byte, at) => (at === 12 ? 0xc0 : byte)),
		Uint8Array.from(plain, (byte, at) => (at === 5 ? 2 : byte)),
		Uint8Array.from(plain, (byte, at) => (at === 12 ? 60 : byte)),
		new Uint8Array(600).fill(97),
	]) {
		assert.equal(readNameQuery(bad), undefined);
	}

	// Any bytes at all.
	let seed = 7;
	for (let times = 0; times < 20_000; times++) {
		const bytes = Uint8Array.from({length: times % 80}, (_, at) => {
			seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
			return at < 12 && times % 2 === 0 ? plain[at]! : (seed >> 16) & 255;
		});
		const query = readNameQuery(bytes);
		assert.ok(query === undefined || /^[\w.-]+$/.test(query.name));
	}
});
