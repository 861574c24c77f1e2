import xterm from '@xterm/headless';
import {guardEmulator} from '../../source/tui/log/emulator.ts';
import {charsets, escapes, restoreTerminal, sequences, TerminalFilter} from '../../source/core/text/terminal-filter.ts';

/* A terminal that tells what is done to it besides painting, and inputs that try it. */

/** A generator that gives the same numbers each time, so that a failure can be seen again. */
export function numbers(seed: number): (below: number) => number {
	let state = (seed + 1) >>> 0;
	return below => {
		// Xorshift: the low bits are as good as the high ones.
		state ^= state << 13;
		state >>>= 0;
		state ^= state >>> 17;
		state ^= state << 5;
		state >>>= 0;
		return state % below;
	};
}

const encoder = new TextEncoder();

/** A terminal with every door open: reports of its window, a clipboard, a title. */
export class WatchedTerminal {
	readonly #terminal: InstanceType<typeof xterm.Terminal>;
	readonly #core: Record<string, any>;
	/** What was done to it that is no painting. */
	readonly seen: string[] = [];

	constructor(columns = 24, rows = 8) {
		const terminal = new xterm.Terminal({
			cols: columns,
			rows,
			scrollback: 20,
			allowProposedApi: true,
			logLevel: 'off',
			windowOptions: Object.fromEntries(
				[
					'getWinPosition',
					'getWinSizePixels',
					'getWinTitle',
					'getIconTitle',
					'getWinState',
					'getScreenSizePixels',
					'getCellSizePixels',
					'getWinSizeChars',
					'getScreenSizeChars',
					'pushTitle',
					'popTitle',
					'setWinLines',
				].map(name => [name, true]),
			),
		});
		this.#terminal = terminal;
		this.#core = (terminal as unknown as {_core: Record<string, any>})._core;
		terminal.onData(data => this.seen.push(`it answered ${JSON.stringify(data)}`));
		terminal.onBinary(data => this.seen.push(`it answered ${JSON.stringify(data)}`));
		terminal.onTitleChange(title => this.seen.push(`its title became ${JSON.stringify(title)}`));
		const {_parser: parser} = this.#core['_inputHandler'];
		parser._oscParser._handlers = {};
		parser._dcsParser._handlers = {};
		parser.setOscHandlerFallback((ident: number, action: string) => this.seen.push(`OSC ${ident} ${action}`));
		parser.setDcsHandlerFallback((ident: number, action: string) =>
			this.seen.push(`DCS ${parser.identToString(ident)} ${action}`),
		);
		parser.setCsiHandlerFallback((ident: number) => this.seen.push(`CSI ${parser.identToString(ident)}`));
		parser.setEscHandlerFallback((ident: number) => this.seen.push(`ESC ${parser.identToString(ident)}`));
		parser.setExecuteHandlerFallback((code: number) => this.seen.push(`control ${code.toString(16)}`));
		guardEmulator(terminal);
		// What it would obey, and the list does not have.
		for (const prefix of ['', '<', '=', '>', '?']) {
			for (const intermediates of ['', ' ', '!', '"', '#', '$', "'", '*']) {
				for (let final = 0x40; final < 0x7f; final++) {
					const kind = `${intermediates}${String.fromCodePoint(final)}`;
					const mode = (prefix === '' || prefix === '?') && /^[hl]$/.test(kind);
					if (!mode && (prefix !== '' || !sequences.has(kind))) {
						terminal.parser.registerCsiHandler(
							{...(prefix === '' ? {} : {prefix}), intermediates, final: String.fromCodePoint(final)},
							() => {
								this.seen.push(`CSI ${prefix} ${kind}`);
								return false;
							},
						);
					}
				}
			}
		}

		for (const intermediates of ['', ' ', '#', '%', '(', ')', '*', '+', '-', '.', '/']) {
			for (let final = 0x30; final < 0x7f; final++) {
				const kind = `${intermediates}${String.fromCodePoint(final)}`;
				if (!(intermediates === '' ? escapes.has(kind) || /[[\]PX^_]/.test(kind) : charsets.has(kind))) {
					terminal.parser.registerEscHandler({intermediates, final: String.fromCodePoint(final)}, () => {
						this.seen.push(`ESC ${kind}`);
						return false;
					});
				}
			}
		}
	}

	/** As it was when it was new. */
	reset(): void {
		this.#terminal.reset();
		this.#core['_inputHandler']._parser.reset();
		this.#core['coreService'].isCursorHidden = false;
		this.#core['coreMouseService'].reset();
		this.#core['optionsService'].options.cursorBlink = false;
		this.#core['optionsService'].options.convertEol = false;
		this.seen.length = 0;
	}

	/** Synchronous, so that a hundred thousand inputs do not wait for a timer each. */
	write(bytes: Uint8Array | string): void {
		this.#core['writeSync'](typeof bytes === 'string' ? encoder.encode(bytes) : bytes);
	}

	/** Whether it is in the middle of a sequence. */
	get waits(): boolean {
		const {_parser: parser} = this.#core['_inputHandler'];
		return parser.currentState !== parser.initialState;
	}

	/** Every mode that it has, as text: what a person's shell would find. */
	modes(): string {
		const {
			_inputHandler: input,
			coreService,
			coreMouseService,
			_charsetService: charset,
			optionsService,
			_bufferService: {buffers},
		} = this.#core;
		const {fg, bg} = input._curAttrData;
		const {active, normal} = buffers as {active: Record<string, any>; normal: Record<string, any>};
		const saved = [normal['savedCurAttrData'].fg, normal['savedCurAttrData'].bg, normal['savedCharset'] ?? null];
		return JSON.stringify({
			private: {...coreService.decPrivateModes, cursorStyle: null, cursorBlink: null},
			modes: coreService.modes,
			hidden: coreService.isCursorHidden,
			mouse: [coreMouseService.activeProtocol, coreMouseService.activeEncoding],
			charsets: [0, 1, 2, 3].map(index => charset._charsets[index] ?? null),
			level: charset.glevel,
			style: [
				optionsService.options.cursorStyle,
				optionsService.options.cursorBlink,
				optionsService.options.convertEol,
				coreService.decPrivateModes.cursorStyle ?? null,
			],
			attributes: [fg & 0x7fffffff, bg & 0x7fffffff],
			saved,
			main: active === normal,
			margins: [normal['scrollTop'], normal['scrollBottom']],
			tabs: Object.keys(normal['tabs']).join(),
			waits: this.waits,
		});
	}

	/** Where the cursor is on the main screen. */
	get cursor(): readonly [number, number] {
		const {active} = this.#terminal.buffer;
		return [active.cursorX, active.cursorY];
	}

	get screen(): 'normal' | 'alternate' {
		return this.#terminal.buffer.active.type;
	}

	/** What is painted, with colours, and where the cursor is. */
	picture(): string {
		const {active} = this.#terminal.buffer;
		const rows: string[] = [];
		for (let row = 0; row < this.#terminal.rows; row++) {
			const line = active.getLine(active.baseY + row)!;
			const cells: string[] = [];
			for (let column = 0; column < this.#terminal.cols; column++) {
				const cell = line.getCell(column)!;
				const front = cell.getFgColorMode() + cell.getFgColor();
				const back = cell.getBgColorMode() + cell.getBgColor();
				const marks = [
					cell.isBold(),
					cell.isDim(),
					cell.isItalic(),
					cell.isUnderline(),
					cell.isInverse(),
					cell.isInvisible(),
					cell.isStrikethrough(),
					cell.isBlink(),
				];
				cells.push(`${cell.getChars()}${cell.getWidth()}/${front}/${back}/${marks.map(Number).join('')}`);
			}

			rows.push(cells.join(' '));
		}

		return `${active.type} ${this.cursor.join()}\n${rows.join('\n')}`;
	}

	/** What is painted, as lines of text. */
	text(): string {
		const {active} = this.#terminal.buffer;
		return Array.from({length: this.#terminal.rows}, (_, row) =>
			active.getLine(active.baseY + row)!.translateToString(true),
		).join('\n');
	}
}

const pick = <T>(random: (below: number) => number, list: readonly T[]): T => list[random(list.length)]!;
const number = (random: (below: number) => number) =>
	pick(random, ['', '0', '1', '2', '3', '5', '7', '12', '23', '99', '1000', '9999']);

/** Letters, wide and narrow marks of many alphabets, an emoji, combining marks. */
const texts = [
	'a',
	'text ',
	'Zürich',
	'日本語',
	'ě',
	'…',
	'─│┌',
	'🎉',
	'e\u0301',
	'x'.repeat(30),
	'~',
	'\u00A0',
	'𝒳',
	'ÿ',
	'ĝ',
	'\uFFFD',
];

// oxfmt-ignore
const renditions = [
	'0', '1', '2', '3', '4', '7', '9', '22', '31', '44', '91', '107', '38;5;200', '48;2;1;2;3', '4:3', '58:5:1',
];
// oxfmt-ignore
const modes = [
	'4', '?1', '?5', '?7', '?25', '?47', '?1047', '?1048', '?1049', '?1000', '?1002', '?1003', '?1006', '?2004',
	'?2026', '?1;25', '?1049;25',
];

/** An input of what is allowed, and nothing else. */
export function allowedInput(random: (below: number) => number): Uint8Array {
	const pieces: string[] = [];
	for (let count = 1 + random(30); count > 0; count--) {
		switch (random(8)) {
			case 0: {
				pieces.push(pick(random, ['\r', '\n', '\r\n', '\b', '\t', '\u0007', '\u000B', '\u000C', '\u000E', '\u000F']));
				break;
			}

			case 1: {
				pieces.push(`\u001B${pick(random, [...escapes, ...charsets])}`);
				break;
			}

			case 2: {
				pieces.push(`\u001B[${Array.from({length: random(4)}, () => pick(random, renditions)).join(';')}m`);
				break;
			}

			case 3: {
				pieces.push(`\u001B[${pick(random, modes)}${pick(random, ['h', 'l'])}`);
				break;
			}

			case 4: {
				const [kind, parameters] = pick(
					random,
					[...sequences].filter(([kind]) => kind !== 'm'),
				);
				// More repetitions than a screen has cells are fewer with the filter.
				const tried = [`${number(random)};${number(random)}`, number(random).replace('9999', '999'), ''].find(text =>
					parameters.test(text),
				)!;
				pieces.push(`\u001B[${tried}${kind}`);
				break;
			}

			default: {
				pieces.push(pick(random, texts));
			}
		}
	}

	return encoder.encode(pieces.join(''));
}

const openers = [
	'\u001B]',
	'\u001BP',
	'\u001B_',
	'\u001B^',
	'\u001BX',
	'\u001Bk',
	'\u009D',
	'\u0090',
	'\u009F',
	'\u009E',
	'\u0098',
	'\u009B',
	'\u001B[',
	'\u001B',
	'\u0084',
	'\u0085',
	'\u0088',
	'\u008D',
	'\u0096',
	'\u009A',
];
const closers = ['\u0007', '\u001B\\', '\u009C', '\u0018', '\u001A', '\u001B', '', '\n'];
const bodies = [
	'52;c;ZXZpbA==',
	'0;title',
	'2;title',
	'8;;http://evil.example/',
	'4;1;?',
	'10;?',
	'11;?',
	'12;?',
	'104',
	'1337;File=:aGk=',
	'9;text',
	'777;notify;a;b',
	'133;A',
	'P1234567',
	'q#0;2;0~~',
	'$qm',
	'+q544e',
	'tmux;\u001B\u001B]52;c;ZXZpbA==\u0007',
	'Gf=24;AAAA',
	'0c',
	'>c',
	'=c',
	'6n',
	'?6n',
	'5n',
	'?996n',
	'?1$p',
	'4$p',
	'>q',
	'?u',
	'>1u',
	'=5;1u',
	'<u',
	'>4;2m',
	'?4m',
	'>4;1f',
	'18t',
	'21t',
	'22;0t',
	'14t',
	'8;50;50t',
	'1;1;1;1;1;1*y',
	'x',
	'1x',
	'5i',
	'4i',
	'?5i',
	'2h',
	'12l',
	'20h',
	'?2h',
	'?2l',
	'?3h',
	'?6h',
	'?8l',
	'?9h',
	'?66h',
	'?67h',
	'?69h',
	'?1001h',
	'?1004h',
	'?1005h',
	'?1015h',
	'?1016h',
	'?1007h',
	'?2027h',
	'?2031h',
	'?2048h',
	'?9001h',
	'?1004;1h',
	'?1s',
	'?1r',
	'3J',
	'?2J',
	'?1K',
	'1"q',
	'0 t',
	'65;1"p',
	'3g',
	'0g',
	'?5W',
	'1;2s',
	'5 @',
	'2 A',
	'1$w',
	'1;2;3;4$x',
	"1'}",
	'2147483648b',
	'99999999999999999999C',
	'1;2;3;4;5T',
	'31m',
	'H',
	'?25h',
];

/**
 * An input of anything: parts of sequences, whole ones, bytes that are no text, and the same with a few bytes changed.
 */
export function anyInput(random: (below: number) => number): Uint8Array {
	const bytes: number[] = [];
	for (let count = 1 + random(16); count > 0; count--) {
		switch (random(7)) {
			case 0: {
				bytes.push(...Array.from({length: 1 + random(8)}, () => random(256)));
				break;
			}

			case 1: {
				// Raw 8-bit controls, overlong forms, surrogates, what is too large, halves.
				bytes.push(
					...pick(random, [
						[0x9d],
						[0x90],
						[0x9b],
						[0x9f],
						[0x9c],
						[0xc0, 0x9b],
						[0xc1, 0x9d],
						[0xe0, 0x80, 0x9b],
						[0xe0, 0x82, 0x9d],
						[0xf0, 0x80, 0x80, 0x9b],
						[0xed, 0xa0, 0x80],
						[0xf4, 0x90, 0x80, 0x80],
						[0xf8, 0x88, 0x80, 0x80, 0x80],
						[0xc2],
						[0xe2, 0x82],
						[0xf0, 0x9f, 0x98],
						[0xff],
						[0xc0, 0x8a],
						[0xc0, 0xaf],
					]),
				);
				break;
			}

			case 2: {
				bytes.push(random(0x20));
				break;
			}

			case 3: {
				bytes.push(...allowedInput(random));
				break;
			}

			default: {
				bytes.push(...encoder.encode(`${pick(random, openers)}${pick(random, bodies)}${pick(random, closers)}`));
			}
		}
	}

	for (let changes = random(4) === 0 ? 1 + random(4) : 0; changes > 0; changes--) {
		const at = random(bytes.length);
		bytes.splice(at, random(2), ...(random(2) === 0 ? [random(256)] : []));
	}

	return Uint8Array.from(bytes);
}

/** An input through a filter in pieces of any size. */
export function filtered(
	input: Uint8Array,
	random: (below: number) => number,
	filter = new TerminalFilter(),
): Uint8Array {
	const parts: Uint8Array[] = [];
	for (let at = 0; at < input.length;) {
		const size = 1 + random(6) ** 3;
		parts.push(filter.push(input.subarray(at, at + size)).slice());
		at += size;
	}

	return Buffer.concat(parts);
}

/** Tries one input of anything. @returns what is wrong; undefined for nothing */
export function tryAnyInput(
	terminal: WatchedTerminal,
	input: Uint8Array,
	random: (below: number) => number,
	filter = new TerminalFilter(),
): string | undefined {
	terminal.reset();
	const before = terminal.modes();
	const out = filtered(input, random, filter);
	terminal.write(out);
	if (terminal.seen.length > 0) {
		return terminal.seen.join(', ');
	}

	if (terminal.waits) {
		return 'half a sequence passed';
	}

	if (Buffer.compare(Buffer.from(new TextDecoder('utf8', {ignoreBOM: true}).decode(out)), out) !== 0) {
		return 'what passed is no UTF-8';
	}

	if (Buffer.compare(new TerminalFilter().push(out), out) !== 0) {
		return 'what passed once does not pass again';
	}

	terminal.write(restoreTerminal);
	const after = terminal.modes();
	return after === before ? undefined : `it stays changed: ${after}, before ${before}`;
}

/** Tries one input of what is allowed alone: the picture is the same with and without the filter. */
export function tryAllowedInput(
	plain: WatchedTerminal,
	terminal: WatchedTerminal,
	input: Uint8Array,
	random: (below: number) => number,
): string | undefined {
	plain.reset();
	terminal.reset();
	plain.write(input);
	terminal.write(filtered(input, random));
	return plain.picture() === terminal.picture()
		? undefined
		: `painted ${terminal.text()}, and without the filter ${plain.text()}`;
}
