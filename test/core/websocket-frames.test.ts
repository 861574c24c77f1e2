import assert from 'node:assert/strict';
import {test} from 'node:test';
import {Blanker} from '../../source/core/secrets/patterns.ts';
import {patternsOf} from '../../source/core/secrets/encodings.ts';
import {FrameBlanker, FrameWalker} from '../../source/core/network/websocket-frames.ts';
import {Chance} from '../support/chance.ts';

const value = 'sk-real-Q7zW3kP9vT2mX5bN8cR1';

function frame(
	payload: Uint8Array,
	options: {opcode?: number; last?: boolean; mask?: readonly number[] | undefined} = {},
): Buffer {
	const {opcode = 1, last = true, mask} = options;
	const length = payload.length < 126 ? [payload.length] : [126, payload.length >> 8, payload.length & 0xff];
	return Buffer.from([
		(last ? 0x80 : 0) | opcode,
		(mask ? 0x80 : 0) | length[0]!,
		...length.slice(1),
		...(mask ?? []),
		...payload.map((byte, index) => (mask ? byte ^ mask[index & 3]! : byte)),
	]);
}

/** The frames of a stream: their headers, and what is in them. */
function read(bytes: Uint8Array): Array<{header: string; payload: string}> {
	const found: Array<{header: string; payload: string}> = [];
	const walker = new FrameWalker(
		part => {
			found.at(-1)!.payload += Buffer.from(part).toString('latin1');
		},
		({header}) => found.push({header: header.join(), payload: ''}),
	);
	walker.push(Uint8Array.from(bytes));
	assert.equal(walker.broken, false);
	return found;
}

function blanking() {
	const cuts: boolean[] = [];
	let heard = '';
	const stream = new FrameBlanker(
		() => new Blanker(patternsOf([value])),
		cut => cuts.push(cut),
		bytes => {
			heard += Buffer.from(bytes).toString('latin1');
		},
	);
	return {stream, cuts, heard: () => heard};
}

test('a value is blanked wherever frames and the network cut it, and frames stay what they are', () => {
	for (let seed = 0; seed < 300; seed++) {
		const chance = new Chance(seed);
		const text = `before ${value} between ${value.toUpperCase()} after`;
		const mask = chance.once(0.5) ? [1, 2, 3, 4] : undefined;
		const sent: Buffer[] = [];
		for (let at = 0, opcode = 1; at < text.length;) {
			const end = chance.once(0.3) ? text.length : Math.min(text.length, at + chance.below(9));
			sent.push(frame(Buffer.from(text.slice(at, end)), {opcode, last: end === text.length, mask}));
			at = end;
			opcode = 0;
			if (chance.once(0.2) && at < text.length) {
				sent.push(frame(Buffer.from(chance.pick(['', 'ping', value])), {opcode: 9, mask}));
			}
		}

		const whole = Buffer.concat(sent);
		const {stream, cuts, heard} = blanking();
		const parts: Uint8Array[] = [];
		for (let at = 0; at < whole.length;) {
			const size = 1 + chance.below(chance.once(0.5) ? 3 : 100);
			parts.push(stream.push(whole.subarray(at, at + size)));
			at += size;
		}

		const out = Buffer.concat([...parts, stream.end()]);
		assert.deepEqual(
			read(out).map(({header}) => header),
			read(whole).map(({header}) => header),
			`seed ${seed}`,
		);
		const stars = '*'.repeat(value.length);
		assert.equal(
			read(out)
				.filter(({header}) => (Number(header.split(',')[0]) & 8) === 0)
				.map(({payload}) => payload)
				.join(''),
			`before ${stars} between ${stars} after`,
			`seed ${seed}`,
		);
		assert.ok(
			!out.toString('latin1').toLowerCase().includes(value.toLowerCase()) &&
				!read(out).some(({payload}) => payload.includes(value)),
		);
		assert.ok(!heard().includes(value) && cuts.every(cut => !cut));
	}
});

test('of a value that comes in messages of one byte no more goes on than its public beginning', () => {
	const {stream, cuts} = blanking();
	const parts = [...`${value}.`].map(character => stream.push(frame(Buffer.from(character))));
	const passed = read(Buffer.concat(parts))
		.map(({payload}) => payload)
		.join('');

	assert.equal(passed, `${value.slice(0, 7)}${'*'.repeat(value.length - 7)}.`);
	assert.deepEqual(cuts, [true]);
});

test('a message waits for nothing', () => {
	const {stream} = blanking();
	for (const text of ['yes', 's', 'sk', '{"a":"b"}', 'sk-re', '\\', '%', '']) {
		assert.equal(read(stream.push(frame(Buffer.from(text))))[0]?.payload, text);
	}

	assert.equal(
		Buffer.from(stream.push(frame(Buffer.from('ping'), {opcode: 9})))
			.toString('latin1')
			.slice(2),
		'ping',
	);
});

test('what is no frame breaks the stream', () => {
	for (const bytes of [
		[0xc1, 0],
		[0x83, 0],
		[0x8b, 0],
		[0x09, 0],
		[0x89, 126, 0, 200],
		[0x81, 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
	]) {
		const {stream} = blanking();
		stream.push(Uint8Array.from(bytes));
		assert.equal(stream.broken, true, bytes.join());
	}
});
