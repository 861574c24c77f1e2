import assert from 'node:assert/strict';
import {test} from 'node:test';
import {Blanker, Patterns} from '../../source/core/secrets/patterns.ts';
import {holdsValue, redactText, Redactor} from '../../source/core/secrets/redact.ts';
import {patternsOf, encodings} from '../../source/core/secrets/encodings.ts';
import {disguises, undisguised} from '../support/disguises.ts';

const value = 'sk-test-Zq7/wF+3pLx9vB2nR8';
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (parts: Uint8Array[]) => Buffer.concat(parts).toString('utf8');

/** A generator that gives the same numbers each time, so that a failure can be seen again. */
function numbers(seed: number): (below: number) => number {
	let state = seed;
	return below => {
		state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
		return Math.floor((state / 2_147_483_648) * below);
	};
}

test('patterns are found where a plain search finds them', () => {
	const random = numbers(1);
	for (let round = 0; round < 400; round++) {
		const word = (length: number) => Array.from({length}, () => 'abc'[random(3)]!).join('');
		const patterns = Array.from({length: 1 + random(5)}, () => word(2 + random(6)));
		const hay = word(200);
		const search = new Patterns(patterns.map(pattern => bytes(pattern)));
		const first = Math.min(...patterns.map(pattern => hay.indexOf(pattern)).filter(at => at !== -1));
		const found = search.find(bytes(hay), 0, hay.length);
		const naive = Number.isFinite(first) ? first : undefined;
		// The window is as long as the shortest pattern, so a find may come
		// before a longer one that begins earlier: never is one missed.
		assert.equal(found?.at, naive, `${patterns.join()} in ${hay}`);
		const partial = Math.max(
			0,
			...patterns.flatMap(pattern =>
				Array.from({length: pattern.length - 1}, (_, index) => index + 1).filter(length =>
					hay.endsWith(pattern.slice(0, length)),
				),
			),
		);
		assert.equal(search.partial(bytes(hay), 0, hay.length), partial);
	}
});

test('a stream is blanked in every encoding, however it is cut, and keeps its length', () => {
	for (const encoding of encodings(value)) {
		for (const size of [1, 2, 3, 7, 1000]) {
			const blanker = new Blanker(new Patterns(encodings(value).map(bytes)));
			const whole = `{"a":"x${encoding}y"}\n`;
			const parts: Uint8Array[] = [];
			for (let at = 0; at < whole.length; at += size) {
				parts.push(blanker.push(bytes(whole.slice(at, at + size))));
			}

			const out = text([...parts, blanker.end()]);
			assert.equal(out.length, whole.length);
			assert.ok(!out.includes(encoding), `${encoding} in pieces of ${size}: ${out}`);
			assert.ok(out.startsWith('{"a":"x') && out.endsWith('y"}\n'), out);
		}
	}
});

test('base64 is found wherever the value begins in a longer text', () => {
	for (const before of ['', 'a', 'ab', 'abc', 'user:']) {
		const encoded = Buffer.from(`${before}${value}-and more`).toString('base64');
		const blanker = new Blanker(new Patterns(encodings(value).map(bytes)));
		const out = text([blanker.push(bytes(encoded)), blanker.end()]);
		assert.ok(out.includes('*'.repeat(20)), `${before}: ${out}`);
		assert.ok(!Buffer.from(out.replaceAll('*', 'A'), 'base64').toString('latin1').includes(value.slice(2, -2)));
	}
});

test('nothing waits in a stream but what could be the beginning of a value', () => {
	const blanker = new Blanker(new Patterns(encodings(value).map(bytes)));
	assert.equal(text([blanker.push(bytes('data: one\n\n'))]), 'data: one\n\n');
	assert.equal(text([blanker.push(bytes('data: sk-test-'))]), 'data: ');
	assert.equal(text([blanker.push(bytes('other\n\n'))]), 'sk-test-other\n\n');
	assert.equal(blanker.found, 0);
});

test('a value is blanked behind escapes, in any case and any mix of them, however it is cut', () => {
	const patterns = patternsOf([value, 'another-value-that-is-known']);
	const random = numbers(7);
	// Every encoding in UTF-16, too.
	const wide = encodings(value)
		.filter(text => !text.includes('%'))
		.map(text => [...text].map(character => `${character}\0`).join(''));
	const forms = [
		...wide,
		...disguises.map(disguise => [...value].map(disguise).join('')),
		...Array.from({length: 300}, () =>
			[...value]
				.map(character => (random(2) === 0 ? character : disguises[random(disguises.length)]!(character)))
				.join(''),
		),
	];
	for (const form of forms) {
		for (const size of [1, 3, 11, 4096]) {
			const blanker = new Blanker(patterns);
			const whole = bytes(`{"a": "x ${form} y", "b": "100 %"}\n`);
			const parts: Uint8Array[] = [];
			for (let at = 0; at < whole.length; at += size) {
				parts.push(blanker.push(whole.subarray(at, at + size)));
			}

			const out = text([...parts, blanker.end()]);
			assert.equal(out.length, whole.length);
			assert.match(
				out,
				/^\{"a": "x \0?\*+\0{0,3} y", "b": "100 %"\}\n$/,
				`${JSON.stringify(form)} in pieces of ${size}: ${JSON.stringify(out)}`,
			);
		}
	}
});

test('what the tests undo disguises with undoes every one of them', () => {
	for (const disguise of disguises) {
		assert.equal(undisguised([...value].map(disguise).join('')), value.toLowerCase());
	}
});

test('what is escaped and is no value passes as it came, and nothing waits at the end of an event', () => {
	const blanker = new Blanker(patternsOf([value]));
	for (const words of [
		'{"a":"line\\nnext \\"quoted\\" \\u003cb\\u003e 50%"}\n\n',
		'<a href="?a=1&amp;b=2">it&#39;s %20 &lt;</a>\n\n',
		`${value.slice(0, -1)}%2e\n`,
		'\0\0\0\0\n',
		`s\0k\0-\0t\0x\0\n`,
		'C:\\users\\test\n',
		'100 %\n',
		'a & b\n',
	]) {
		assert.equal(text([blanker.push(bytes(words))]), words);
	}

	assert.equal(blanker.found, 0);
	const random = numbers(3);
	const noise = Uint8Array.from({length: 200_000}, () => '%\\&\0#xu2573;amp sk-te'.charCodeAt(random(22)));
	const noisy = new Blanker(patternsOf([value]));
	assert.deepEqual(
		Buffer.concat([noisy.push(noise.subarray(0, 77_777)), noisy.push(noise.subarray(77_777)), noisy.end()]),
		Buffer.from(noise),
	);
});

test('output is blanked behind colours, spaces, line ends and separators, and keeps its shape', () => {
	const hidden: Array<[string, string]> = [
		['raw', value],
		['url', encodeURIComponent(value)],
		['json', JSON.stringify(value)],
		['hex', Buffer.from(value).toString('hex')],
		['HEX', Buffer.from(value).toString('hex').toUpperCase()],
		['hex dump', Buffer.from(value).toString('hex').replaceAll(/../g, '$& ')],
		[
			'colons',
			Buffer.from(value)
				.toString('hex')
				.replaceAll(/..(?!$)/g, '$&:'),
		],
		['base64', Buffer.from(value).toString('base64')],
		['base64url', Buffer.from(value).toString('base64url')],
		['base64 of a longer text', Buffer.from(`user:${value}`).toString('base64')],
		['base64 twice', Buffer.from(Buffer.from(value).toString('base64')).toString('base64')],
		['reversed', [...value].reverse().join('')],
		['spaced', [...value].join(' ')],
		['in lines', [...value].join('\r\n')],
		['coloured', [...value].map(character => `\u001B[3${value.length % 8}m${character}\u001B[0m`).join('')],
		['dashes', [...value].join('-')],
	];
	for (const [form, written] of hidden) {
		for (const size of [1, 5, 4096]) {
			const redactor = new Redactor([value]);
			const whole = `before ${written} after\r\n`;
			const parts: Uint8Array[] = [];
			for (let at = 0; at < whole.length; at += size) {
				parts.push(redactor.push(bytes(whole.slice(at, at + size))));
			}

			const out = text([...parts, redactor.end()]);
			assert.equal(out.length, whole.length, form);
			assert.match(out, /^before .*\*{2}|\*.*after\r\n$/s, `${form}: ${out}`);
			const left = out
				.replaceAll(/\u001B\[[\d;]*m|[^A-Za-z0-9]/g, '')
				.replace('before', '')
				.replace('after', '');
			// Of the base64 of a longer text, the characters before the value are not the value's.
			assert.ok(
				left.length <= (form === 'base64 of a longer text' ? 10 : 5),
				`${form}, pieces of ${size}: "${left}" is left of it in ${JSON.stringify(out)}`,
			);
			assert.ok(out.startsWith('before ') && out.endsWith(' after\r\n'), form);
		}
	}
});

test('what a person types is not held back, and of a value that comes slowly a quarter is shown, and never more than eight characters', () => {
	const redactor = new Redactor([value]);
	assert.equal(text([redactor.push(bytes('s'))]), '');
	assert.equal(redactor.waits, true);
	assert.equal(text([redactor.flush()]), 's');
	assert.equal(redactor.waits, false);
	assert.equal(text([redactor.push(bytes('o\r\n'))]), 'o\r\n');
	const long = `ghp${'q7Zk2'.repeat(10)}`;
	for (const [secret, most] of [
		[value, 5],
		['hunter22', 2],
		['abc123', 1],
		[long, 8],
		[Buffer.from(value).toString('hex'), 8],
	] as const) {
		for (const size of [1, 3]) {
			const slow = new Redactor([secret]);
			let out = '';
			for (let at = 0; at < secret.length; at += size) {
				out += text([slow.push(bytes(secret.slice(at, at + size))), slow.flush()]);
			}

			assert.equal(out.length, secret.length);
			const shown = out.replaceAll(/[^A-Za-z0-9]/g, '');
			assert.ok(
				shown.length <= most && secret.replaceAll(/[^A-Za-z0-9]/g, '').startsWith(shown),
				`${secret} in pieces of ${size}: ${out}`,
			);
			// Nor at the end of what a program that was ended wrote.
			const cut = new Redactor([secret]);
			const last = text([cut.push(bytes(secret.slice(0, -1))), cut.end()]).replaceAll(/[^A-Za-z0-9]/g, '');
			assert.ok(last.length <= most, `${secret}, cut off: ${last}`);
		}
	}
});

test('a value that begins within what could be the beginning of another shows no more of itself than by itself', () => {
	const redactor = new Redactor(['password', `xpas${'q'.repeat(60)}`]);
	const out = text([redactor.push(bytes('xpas')), redactor.flush(), redactor.push(bytes('sword!'))]);
	assert.ok(!/pas/.test(out) && out.startsWith('xpa') && out.length === 10, out);
});

test('what stands behind the beginning of a value is shown in its order, whatever it is', () => {
	const painted = '\r← for agents\u001B[39m\u001B[K\u001B[36;1H\u001B[34;3H';
	const redactor = new Redactor([value]);
	const first = text([redactor.push(bytes(painted))]);
	assert.equal(first + text([redactor.flush()]), painted);
	const waiting = redactor.waiting;
	assert.equal(text([redactor.push(bytes('\u001B[1m⠋ \u001B[0m'))]), '');
	assert.equal(redactor.waiting, waiting, 'it is not as if more of the value had come');
	assert.equal(text([redactor.flush()]), '\u001B[1m⠋ \u001B[0m');
	// The rest of the value is known by the part that was shown.
	assert.equal(
		text([redactor.push(bytes(`${value.slice(1)}.`))]),
		`${value.slice(1).replaceAll(/[A-Za-z0-9]/g, '*')}.`,
	);
	const key = new Redactor([value]);
	assert.equal(
		text([key.push(bytes('export sk-test-Z\u001B[K')), key.flush()]),
		'export sk-tes*-*\u001B[K',
		'a longer beginning is blanked where it is more than harmless, and holds nothing up',
	);
});

test('what is no value passes as it came', () => {
	const redactor = new Redactor([value]);
	const words = 'skill tests sk-test sk-test-Z \u001B[1mbold\u001B[0m sk\r\n';
	assert.equal(text([redactor.push(bytes(words)), redactor.end()]), words);
	assert.equal(redactText([], 'as it is'), 'as it is');
	assert.equal(holdsValue([value], `x ${value}`), true);
	assert.equal(holdsValue([value], 'x'), false);
	const long = new Redactor([value]);
	const out = long.push(bytes(`s${' '.repeat(200_000)}`));
	assert.equal(out.length, 200_001, 'a beginning with nothing behind it is not held for ever');
});

test('what is given is not changed, also where it is a Buffer, whose slices are views', () => {
	const chunk = Buffer.from(`x ${value} s`);
	for (const stream of [new Blanker(new Patterns([bytes(value)])), new Redactor([value])]) {
		assert.match(text([stream.push(chunk), stream.end()]), /^x .*\*{3}/);
		assert.equal(chunk.toString(), `x ${value} s`);
	}

	const blanker = new Blanker(new Patterns([bytes(value)]));
	const first = Buffer.from(value.slice(0, 10));
	blanker.push(first);
	first.fill(0);
	assert.equal(
		text([blanker.push(bytes(`${value.slice(10)}.`))]),
		`${'*'.repeat(value.length)}.`,
		'nor is what is held back',
	);
});

test('chunks of any size, with terminal sequences anywhere, give what one chunk gives', () => {
	const random = numbers(7);
	for (let round = 0; round < 300; round++) {
		const pieces = Array.from(
			{length: 30},
			() =>
				[
					'\u001B[1m',
					'\u001B[0;32m',
					'\u001Bc',
					' ',
					'\r\n',
					's',
					'sk',
					'sk-test',
					value,
					value.slice(0, 9),
					'word',
					'[',
					'm',
					'-',
				][random(14)]!,
		);
		const whole = pieces.join('');
		const once = new Redactor([value]);
		const expected = text([once.push(bytes(whole)), once.end()]);
		const cut = new Redactor([value]);
		const parts: Uint8Array[] = [];
		for (let at = 0; at < whole.length;) {
			const size = 1 + random(12);
			parts.push(cut.push(bytes(whole.slice(at, at + size))));
			at += size;
		}

		assert.equal(text([...parts, cut.end()]), expected, JSON.stringify(whole));
	}
});
