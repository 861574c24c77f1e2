import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {mkdtempSync, realpathSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {test} from 'node:test';
import xterm from '@xterm/headless';
import {LeaveKeys} from '../../source/core/text/leave-keys.ts';
import {
	ansiModes,
	charsets,
	privateModes,
	restoreTerminal,
	sequences,
	TerminalFilter,
} from '../../source/core/text/terminal-filter.ts';
import {openTerminal} from '../../source/host/pty.ts';
import {
	allowedInput,
	anyInput,
	numbers,
	tryAllowedInput,
	tryAnyInput,
	WatchedTerminal,
} from '../support/watched-terminal.ts';

const latin = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

function through(input: string | Uint8Array, size = 1000): string {
	const filter = new TerminalFilter();
	const bytes = Buffer.from(input as string);
	const parts: Buffer[] = [];
	for (let at = 0; at < bytes.length; at += size) {
		parts.push(Buffer.from(filter.push(bytes.subarray(at, at + size))));
	}

	return Buffer.concat(parts).toString();
}

test('an attached terminal is painted on and nothing else', () => {
	const dropped = [
		// Strings, in every introduction and with every end.
		...['\u001B]', '\u009D'].flatMap(begin =>
			['\u0007', '\u001B\\', '\u009C', '\u0018', '\u001A'].map(end => `${begin}52;c;aGk=${end}`),
		),
		...['\u001BP', '\u0090', '\u001B_', '\u009F', '\u001B^', '\u009E', '\u001BX', '\u0098', '\u001Bk'].flatMap(begin =>
			['\u001B\\', '\u009C', '\u0018'].map(end => `${begin}q#0\u0007;title${end}`),
		),
		// What is answered.
		'\u0005',
		'\u001BZ',
		'\u001B[c',
		'\u001B[>c',
		'\u001B[=c',
		'\u001B[0c',
		'\u001B[5n',
		'\u001B[6n',
		'\u001B[?6n',
		'\u001B[?996n',
		'\u001B[x',
		'\u001B[1x',
		'\u001B[?1$p',
		'\u001B[4$p',
		'\u001B[>q',
		'\u001B[>0q',
		'\u001B[18t',
		'\u001B[21t',
		'\u001B[14t',
		'\u001B[?u',
		'\u001B[?4m',
		'\u001B[1;1;1;1;1;1*y',
		'\u001B[1$w',
		'\u001B[?1;3;256S',
		'\u009B6n',
		'\u009Bc',
		// What would stay, or is done to more than the picture: the keyboard, focus,
		// windows, printers, what can be scrolled back to, tab stops, columns.
		'\u001B[>1u',
		'\u001B[=5;1u',
		'\u001B[<u',
		'\u001B[<5u',
		'\u001B[>4;2m',
		'\u001B[>4m',
		'\u001B[>4;1f',
		'\u001B[>4n',
		'\u001B[2h',
		'\u001B[2l',
		'\u001B[12h',
		'\u001B[20h',
		'\u001B[?1004h',
		'\u001B[?1004l',
		'\u001B[?8l',
		'\u001B[?2l',
		'\u001B[?3h',
		'\u001B[?6h',
		'\u001B[?9h',
		'\u001B[?66h',
		'\u001B[?67h',
		'\u001B[?69h',
		'\u001B[?1001h',
		'\u001B[?1005h',
		'\u001B[?1007h',
		'\u001B[?1015h',
		'\u001B[?1016h',
		'\u001B[?1035l',
		'\u001B[?2027h',
		'\u001B[?2031h',
		'\u001B[?2048h',
		'\u001B[?9001h',
		'\u001B[?12h',
		'\u001B[?1s',
		'\u001B[?1r',
		'\u001B[5i',
		'\u001B[4i',
		'\u001B[?5i',
		'\u001B[3J',
		'\u001B[?J',
		'\u001B[?2J',
		'\u001B[?K',
		'\u001B[1"q',
		'\u001B[65;1"p',
		'\u001B[8;50;50t',
		'\u001B[22;0;0t',
		'\u001B[1;2;3;4;5T',
		'\u001B[3g',
		'\u001B[?5W',
		'\u001B[2;5s',
		'\u001B[1u',
		'\u001B[1;2;3;4$x',
		'\u001B[4 t',
		'\u001B[1q',
		'\u001B[>1p',
		'\u001B[#{',
		'\u001BH',
		'\u001B%@',
		'\u001B%G',
		'\u001B G',
		'\u001B F',
		'\u001B#8',
		'\u001B#3',
		'\u001Bn',
		'\u001Bo',
		'\u001B|',
		'\u001B}',
		'\u001B~',
		'\u001BN',
		'\u001BO',
		'\u001BV',
		'\u001BW',
		'\u001Bl',
		'\u001Bm',
		'\u001B<',
		'\u001B(K',
		'\u001B*0',
		'\u001B-A',
		'\u001B\\',
		'\u001B(\u001B[6n',
		// 8-bit controls in UTF-8, and the rest of the 7-bit ones.
		...Array.from({length: 32}, (_, index) => String.fromCodePoint(0x80 + index)).filter(
			text => !'\u0090\u0098\u009B\u009D\u009E\u009F'.includes(text),
		),
		'\u009B31m',
		'\u009B?1004h',
		'\u009B>1u',
		'\u0000',
		'\u0001',
		'\u0011',
		'\u0013',
		'\u007F',
		`\u001B[${'1;'.repeat(200)}m`,
	];
	const passed = [
		'text',
		'日本語',
		'Zürich ě ĝ ÿ \u00A0',
		'🎉👍🏽',
		'\r\n\t\b\u0007\u000B\u000C\u000E\u000F',
		'\u001B[31mred\u001B[0m',
		'\u001B[38;2;1;2;3;48;5;9m',
		'\u001B[4:3m\u001B[58:2::1:2:3m',
		'\u001B[m',
		'\u001B[2J\u001B[H',
		'\u001B[J\u001B[0K\u001B[1J',
		'\u001B[?1049h',
		'\u001B[?25l',
		'\u001B[?2026h',
		'\u001B[?2004h',
		'\u001B[?1000h\u001B[?1006h',
		'\u001B7\u001B8\u001BD\u001BE\u001BM\u001B=\u001B>',
		'\u001B(B\u001B)0',
		'\u001B[10;20r',
		'\u001B[r',
		'\u001B[3 q',
		'\u001B[4h\u001B[4l',
		'\u001B[s\u001B[u',
		'\u001B[!p',
		'\u001B[5A\u001B[5B\u001B[5C\u001B[5D\u001B[5E\u001B[5F\u001B[5G\u001B[5d\u001B[5`\u001B[5a\u001B[5e',
		'\u001B[2@\u001B[2P\u001B[2X\u001B[2L\u001B[2M\u001B[2S\u001B[2T\u001B[2b\u001B[2I\u001B[2Z',
		'\u001B[3;4f',
	];
	for (const size of [1, 2, 3, 1000]) {
		for (const text of dropped) {
			assert.equal(through(`a${text}b`, size), 'ab', JSON.stringify(text));
		}

		for (const text of passed) {
			assert.equal(through(`a${text}b`, size), `a${text}b`, JSON.stringify(text));
		}

		// Of several modes, those that are on the list; with what stands in the
		// middle of a sequence done at once; numbers that are only work made smaller.
		assert.equal(through('\u001B[?1004;25;1049;2031l', size), '\u001B[?25l\u001B[?1049l');
		assert.equal(through('\u001B[?1048h\u001B[?1048l', size), '\u001B7\u001B8');
		assert.equal(through('\u001B[3\n1m', size), '\n\u001B[31m');
		assert.equal(through('\u001B[3\u00031m\u001B[1\u001B[2mx', size), '\u001B[31m\u001B[2mx');
		assert.equal(through('\u001B[2147483648b\u001B[007C', size), '\u001B[1000b\u001B[007C');
		assert.equal(
			through('\u001B]0;title\u001B[31mx', size),
			'\u001B[31mx',
			'a string ends where the next sequence begins',
		);
		assert.equal(
			through('\u001Bcx', size),
			`${restoreTerminal}\u001B[H\u001B[2Jx`,
			"a full reset takes back what the agent set and nothing of the person's",
		);
	}
});

test('what is no UTF-8 becomes U+FFFD, as the standard wants it', () => {
	for (const bytes of [
		[0x9d, 0x35],
		[0x90],
		[0x9b, 0x36, 0x6e],
		[0xc0, 0x9b],
		[0xc1, 0x9d],
		[0xe0, 0x80, 0x9b],
		[0xe0, 0x82, 0x9d],
		[0xf0, 0x80, 0x80, 0x9b],
		[0xed, 0xa0, 0x80],
		[0xf4, 0x90, 0x80, 0x80],
		[0xf8, 0x88, 0x80, 0x80, 0x80],
		[0xe2, 0x82, 0x61],
		[0xf0, 0x9f, 0x98, 0xe2, 0x82, 0xac],
		[0xff, 0xfe],
		[0xf1, 0x80, 0x41],
	]) {
		for (const size of [1, 2, 100]) {
			assert.equal(
				through(Uint8Array.from([0x61, ...bytes, 0x62]), size),
				new TextDecoder().decode(Uint8Array.from([0x61, ...bytes, 0x62])),
				latin(Uint8Array.from(bytes)),
			);
		}
	}

	assert.equal(through(Uint8Array.from([0xe2, 0x82, 0x1b, 0x5b, 0x31, 0x6d])), '\uFFFD\u001B[1m');
	const random = numbers(5);
	for (let round = 0; round < 500; round++) {
		const bytes = Uint8Array.from(
			{length: random(20)},
			() =>
				[0x41, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80, 0xed, 0xa0, 0xc0, 0xf4, 0xff, 0xbf][random(16)]!,
		);
		const text = new TextDecoder().decode(Uint8Array.from([...bytes, 0x2e]));
		assert.equal(
			through(Uint8Array.from([...bytes, 0x2e]), 1 + random(4)),
			text.replaceAll(/[\u0080-\u009F]/g, ''),
			latin(bytes),
		);
	}
});

test('a thousand inputs of any kind: a terminal answers nothing, obeys nothing, and is as before after the restore', () => {
	const terminal = new WatchedTerminal();
	const plain = new WatchedTerminal();
	let steered = 0;
	for (let seed = 0; seed < 700; seed++) {
		const random = numbers(seed);
		const input = anyInput(random);
		assert.equal(tryAnyInput(terminal, input, random), undefined, `seed ${seed}: ${JSON.stringify(latin(input))}`);
		plain.reset();
		// Numbers that would keep it at work for minutes.
		plain.write(Buffer.from(latin(input).replaceAll(/\d{6,}/g, '9'), 'latin1'));
		steered += plain.seen.length > 0 ? 1 : 0;
	}

	assert.ok(steered > 400, `without the filter, ${steered} of them do`);
	// What the unfiltered one was done to is not undone by a reset.
	const fresh = new WatchedTerminal();
	for (let seed = 0; seed < 300; seed++) {
		const random = numbers(seed);
		const input = allowedInput(random);
		assert.equal(
			tryAllowedInput(fresh, terminal, input, random),
			undefined,
			`seed ${seed}: ${JSON.stringify(Buffer.from(input).toString())}`,
		);
	}
});

test('every mode that passes is put back, and the cursor stays where it is', () => {
	const terminal = new WatchedTerminal();
	for (const [modes, sign] of [
		[privateModes, '?'],
		[ansiModes, ''],
	] as const) {
		for (const [mode, value] of modes) {
			assert.ok(restoreTerminal.includes(`\u001B[${sign}${mode}${value}`), `${sign}${mode}`);
		}
	}

	for (const set of new Set([...charsets].map(([slot]) => slot!))) {
		assert.ok(restoreTerminal.includes(`\u001B${set}B`), set);
	}

	// Whatever the agent leaves behind, each by itself and all of it together.
	const opposite = {h: 'l', l: 'h'} as const;
	const left = [
		...[...privateModes].map(([mode, value]) => `\u001B[?${mode}${opposite[value]}`),
		'\u001B[4h',
		'\u001B=',
		'\u001B(0',
		'\u001B)0\u000E',
		'\u001B[2;4r',
		'\u001B[1;4;31;44m',
		'\u001B[5 q',
		'\u001B[31m\u001B(0\u001B7',
		'\u001B[?1049h\u001B[2;3r\u001B[7m\u001B7\u001B[?47h',
	];
	for (const text of [...left, left.join(''), left.toReversed().join('')]) {
		terminal.reset();
		const before = terminal.modes();
		terminal.write('one\r\ntwo\r\nth');
		const through = new TerminalFilter().push(Buffer.from(text));
		assert.equal(latin(through), text, 'it passes');
		terminal.write(through);
		// This emulator does not know reverse video, and cannot tell whether it is put back; the list above can.
		assert.ok(text === '\u001B[?5h' || terminal.modes() !== before, `${JSON.stringify(text)} changes something`);
		terminal.write(restoreTerminal);
		assert.equal(terminal.modes(), before, JSON.stringify(text));
		assert.equal(terminal.screen, 'normal');
		terminal.write('\u001B8');
		assert.equal(terminal.modes(), before, 'nor does a saved cursor bring it back');
	}

	terminal.reset();
	terminal.write(`one\r\ntwo\r\nth${restoreTerminal}`);
	assert.deepEqual(terminal.cursor, [2, 2], 'on the main screen');
	terminal.write(`\u001B[?1049h\u001B[2J\u001B[H\u001B[2;4r${restoreTerminal}`);
	assert.deepEqual(terminal.cursor, [2, 2], 'and behind the other one');
	assert.ok(sequences.has('r'));
});

/** Runs a program on a terminal that answers, with keys pressed one after the other. @returns what it wrote */
async function record(
	argv: readonly string[],
	keys: readonly string[],
	env: Record<string, string>,
): Promise<Uint8Array> {
	const emulator = new xterm.Terminal({cols: 80, rows: 24, allowProposedApi: true});
	const parts: Buffer[] = [];
	const pause = (span: number) =>
		new Promise(resolve => {
			setTimeout(resolve, span);
		});
	await new Promise<void>(resolve => {
		const terminal = openTerminal(
			{argv: [...argv], cwd: '/', env: {PATH: process.env['PATH']!, TERM: 'xterm-256color', LANG: 'C.UTF-8', ...env}},
			{columns: 80, rows: 24},
			{
				onData(bytes) {
					parts.push(Buffer.from(bytes));
					emulator.write(Buffer.from(bytes));
				},
				onExit: () => resolve(),
			},
		);
		emulator.onData(data => terminal.write(data));
		void (async () => {
			for (const key of keys) {
				for (let before = -1; before !== parts.length;) {
					before = parts.length;
					await pause(150);
				}

				terminal.write(key);
			}

			await pause(400);
			terminal.kill('SIGKILL');
		})();
	});
	emulator.dispose();
	return Buffer.concat(parts);
}

/** What is on a screen after each so many bytes. */
async function pictures(bytes: Uint8Array, filter: TerminalFilter | undefined): Promise<string[]> {
	const emulator = new xterm.Terminal({cols: 80, rows: 24, allowProposedApi: true});
	const seen: string[] = [];
	for (let at = 0; at < bytes.length; at += 512) {
		const piece = bytes.subarray(at, at + 512);
		await new Promise<void>(resolve => {
			emulator.write(filter ? Buffer.from(filter.push(piece)) : piece, resolve);
		});
		const {active} = emulator.buffer;
		seen.push(
			[
				active.type,
				active.cursorX,
				active.cursorY,
				...Array.from({length: 24}, (_, row) => {
					const line = active.getLine(active.baseY + row)!;
					return Array.from({length: 80}, (_, column) => {
						const cell = line.getCell(column)!;
						return `${cell.getChars() || ' '}${cell.getFgColor()}${cell.getBgColor()}${cell.isBold()}${cell.isInverse()}`;
					}).join('');
				}),
			].join('\n'),
		);
	}

	emulator.dispose();
	return seen;
}

test('programs that draw whole screens look the same with and without the filter', async t => {
	const folder = mkdtempSync(path.join(realpathSync(os.tmpdir()), 'fleet-draw-'));
	t.after(() => {
		spawnSync('tmux', ['-S', path.join(folder, 'tmux'), 'kill-server']);
		rmSync(folder, {recursive: true, force: true});
	});
	const file = path.join(folder, 'text.ts');
	writeFileSync(
		file,
		Array.from(
			{length: 200},
			(_, index) => `const line${index} = 'Zürich 日本語 ${'x'.repeat(index % 90)}'; // ${index}`,
		).join('\n'),
	);
	// Nothing that a program keeps for its next start.
	const env = {HOME: '/nonexistent'};
	const programs: Record<string, [string[], string[]]> = {
		less: [
			['less', file],
			['j', 'j', ' ', 'G', '/line77\r', 'b', 'g', '-N\r', 'q'],
		],
		vi: [
			['vi', '-n', '-i', 'NONE', '-u', 'NONE', '-c', 'set nu', file],
			['10j', 'ihello\u001B', 'dd', 'O日本\u001B', ':split\r', 'G', '\u0006', ':q!\r', ':q!\r'],
		],
		top: [
			['top', '-d', '0.3'],
			['c', 'q'],
		],
		htop: [
			['htop', '-d', '3'],
			['t', '\u001B[B', 'q'],
		],
		tmux: [
			['tmux', '-S', path.join(folder, 'tmux'), '-f', '/dev/null', 'new-session', `less ${file}`],
			[
				'j',
				'\u0002%',
				'seq 100\r',
				'\u0002"',
				'printf "\\033[31mred\\033[0m\\n"\r',
				'\u0002o',
				'\u0002[',
				'q',
				'\u0002d',
			],
		],
	};
	for (const [name, [argv, keys]] of Object.entries(programs)) {
		const bytes = await record(argv, keys, env);
		assert.ok(bytes.length > 1000, `${name} wrote ${bytes.length} bytes: ${latin(bytes)}`);
		const plain = await pictures(bytes, undefined);
		const own = await pictures(bytes, new TerminalFilter());
		const differs = plain.findIndex((picture, index) => picture !== own[index]);
		// A piece may end within a character or a sequence, of which a terminal has drawn nothing yet either way.
		assert.equal(differs, -1, `${name}, after ${512 * (differs + 1)} bytes`);
	}
});

test('ctrl-q leaves, and ctrl-] three times, in every encoding', () => {
	const leaving = (text: string, size = text.length) => {
		const keys = new LeaveKeys();
		let forward = '';
		for (let at = 0; at < text.length; at += size) {
			const typed = keys.push(text.slice(at, at + size), at);
			forward += typed.forward;
			if (typed.leave) {
				return {forward, leave: true};
			}
		}

		return {forward: forward + keys.flush(), leave: false};
	};

	const encodings = (code: number, control: string) => [
		control,
		`\u001B[${code};5u`,
		`\u001B[${code};5:1u`,
		`\u001B[${code};5:2u`,
		`\u001B[${code}:${code - 32};5u`,
		`\u001B[${code}::${code};5:1u`,
		`\u001B[${code};69u`,
		`\u001B[${code};133u`,
		`\u001B[${code};197:1u`,
		`\u001B[${code};6u`,
		`\u001B[${code};5;17u`,
		`\u001B[1081::${code};5u`,
		`\u001B[27;5;${code}~`,
		`\u001B[27;6;${code}~`,
	];
	const ways = [
		...encodings(113, '\u0011'),
		'\u001B[81;6u',
		'\u001B[27;5;81~',
		...encodings(93, '\u001D').map(key => key.repeat(3)),
		'\u001D\u001B[93;5u\u001B[27;5;93~',
		'\u001B[57442;5u\u001B[93;5u\u001B[93;5:3u\u001B[93;5u\u001B[93;5:3u\u001B[93;5u',
	];
	for (const way of ways) {
		for (const size of [1, 2, 5, 1000]) {
			assert.equal(leaving(`ab${way}cd`, size).leave, true, JSON.stringify(way));
			assert.ok(
				leaving(`ab${way}cd`, size).forward.startsWith('ab') && !leaving(`ab${way}cd`, size).forward.includes('cd'),
				JSON.stringify(way),
			);
		}
	}

	assert.deepEqual(leaving('ab\u0011cd'), {forward: 'ab', leave: true});
	assert.deepEqual(leaving('ab\u001B[113;5ucd'), {forward: 'ab', leave: true});
	const others = [
		'hello',
		'\u001B',
		'\u001B[A',
		'\u001B[',
		'\u001BOP',
		'\u001B[113u',
		'\u001B[113;5:3u',
		'\u001B[113;3u',
		'\u001B[113;7u',
		'\u001B[113;13u',
		'\u001B[97::113;5u',
		'\u001B[27;3;113~',
		'\u001B[27;5;113u',
		'\u001B[112;5u',
		'\u001D\u001D',
		'\u001D\u001Dx\u001D',
		'\u001B[<0;113;5M',
		'\u001B[M !!',
		'日本 ě ÿ',
		'\u001B[113;5',
		'\u001B[1;5Q',
		'\u001B[200~a\u0011b\u001D\u001D\u001D\u001B[113;5u\u001B[27;5;113~\u001B[201~',
		'\u001B[200~\u001B[20\u0011\u001B[201~x',
		'\u001B[200~\u001B[200~\u0011\u001B[201~',
	];
	for (const text of others) {
		const typed = Buffer.from(text).toString('latin1');
		for (const size of [1, 2, 5, 1000]) {
			assert.deepEqual(leaving(typed, size), {forward: typed, leave: false}, JSON.stringify(text));
		}
	}

	assert.equal(leaving('\u001B[200~a\u0011b\u001B[201~\u0011').leave, true, 'after the paste');
	const keys = new LeaveKeys();
	assert.equal(keys.push('\u001B[200~cut off', 0).leave, false);
	assert.equal(keys.push('\u0011', 5000).leave, true, 'a paste whose end never came holds nobody');
	const escape = new LeaveKeys();
	assert.deepEqual([escape.push('\u001B', 0).forward, escape.waits], ['\u001B', false], 'the escape key does not wait');
	assert.deepEqual([escape.push('[113;', 1).forward, escape.waits], ['', true]);
	assert.deepEqual(escape.push('5u', 2), {forward: '', leave: true});
});
