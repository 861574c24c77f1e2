import {formatBytes} from '../text/bytes.ts';

/* What a file is that is not text, from its first bytes. Never a promise: who wrote the bytes can write others. */

/** A file that is not text: its size, and what it says it is. */
export type Content = {
	readonly bytes: number;
	/** Such as `PNG image 640×480`. */
	readonly what?: string | undefined;
};

/** What became of a file that is not text. Null where there was none, or is none any more. */
export type BinaryChange = {readonly path: string; readonly before: Content | null; readonly after: Content | null};

/** First bytes that are enough to tell. A JPEG has its size behind what a camera wrote. */
export const headBytes = 64 * 1024;

type Reader = (bytes: Uint8Array, view: DataView) => string;

/** Width and height, where they can be: nobody looks at an image of no size, or of one that is made up. */
function sized(name: string, width: number, height: number): string {
	return width > 0 && height > 0 && width < 1_000_000 && height < 1_000_000 ? `${name} ${width}×${height}` : name;
}

const png: Reader = (bytes, view) =>
	bytes.length >= 24 ? sized('PNG image', view.getUint32(16), view.getUint32(20)) : 'PNG image';

const gif: Reader = (bytes, view) =>
	bytes.length >= 10 ? sized('GIF image', view.getUint16(6, true), view.getUint16(8, true)) : 'GIF image';

/** The first frame's header is somewhere behind other segments, each with its length. */
const jpeg: Reader = (bytes, view) => {
	for (let at = 2; at + 9 <= bytes.length;) {
		if (bytes[at] !== 0xff) {
			break;
		}

		const marker = bytes[at + 1]!;
		const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
		if (isFrame) {
			return sized('JPEG image', view.getUint16(at + 7), view.getUint16(at + 5));
		}

		at += marker === 0xff ? 1 : 2 + view.getUint16(at + 2);
	}

	return 'JPEG image';
};

const webp: Reader = (bytes, view) => {
	if (bytes.length < 30) {
		return 'WebP image';
	}

	const low = (at: number) => bytes[at]! + bytes[at + 1]! * 256 + bytes[at + 2]! * 65_536;
	switch (String.fromCodePoint(...bytes.slice(12, 16))) {
		case 'VP8 ': {
			return sized('WebP image', view.getUint16(26, true) % 16_384, view.getUint16(28, true) % 16_384);
		}

		case 'VP8L': {
			const packed = view.getUint32(21, true);
			return sized('WebP image', 1 + (packed % 16_384), 1 + (Math.floor(packed / 16_384) % 16_384));
		}

		case 'VP8X': {
			return sized('WebP image', 1 + low(24), 1 + low(27));
		}

		default: {
			return 'WebP image';
		}
	}
};

/** Beginnings of files, as bytes; a `.` stands for any. */
const kinds: ReadonlyArray<readonly [string, string | Reader]> = [
	['\u0089PNG\r\n\u001A\n', png],
	['GIF8', gif],
	['\u00FF\u00D8\u00FF', jpeg],
	['RIFF....WEBP', webp],
	['RIFF....WAVE', 'WAV audio'],
	['BM', 'BMP image'],
	['\0\0\u0001\0', 'icon'],
	['....ftypavif', 'AVIF image'],
	['....ftyp', 'MP4 video'],
	['%PDF-', 'PDF document'],
	['\u007FELF', 'program (ELF)'],
	['MZ', 'program (Windows)'],
	['\u00CF\u00FA\u00ED\u00FE', 'program (macOS)'],
	['\u00CE\u00FA\u00ED\u00FE', 'program (macOS)'],
	['\0asm', 'WebAssembly module'],
	['\u00CA\u00FE\u00BA\u00BE', 'Java class, or program (macOS)'],
	['PK\u0003\u0004', 'ZIP archive'],
	['\u001F\u008B', 'gzip archive'],
	['BZh', 'bzip2 archive'],
	['\u00FD7zXZ\0', 'xz archive'],
	['(\u00B5/\u00FD', 'zstd archive'],
	['7z\u00BC\u00AF\u0027\u001C', '7z archive'],
	['SQLite format 3\0', 'SQLite database'],
	['wOFF', 'WOFF font'],
	['wOF2', 'WOFF2 font'],
	['\0\u0001\0\0', 'TrueType font'],
	['OTTO', 'OpenType font'],
	['OggS', 'Ogg audio'],
	['ID3', 'MP3 audio'],
];

/** What a file says it is by its first bytes; undefined where that is not known. */
export function kindOf(head: Uint8Array): string | undefined {
	const found = kinds.find(([start]) =>
		[...start].every((character, at) => character === '.' || head[at] === character.codePointAt(0)),
	)?.[1];
	return typeof found === 'function' ? found(head, new DataView(head.buffer, head.byteOffset, head.length)) : found;
}

/** What became of a file that is not text, in words: `PNG image 640×480, 12.0 KiB → 14.1 KiB`. */
export function binaryText({before, after}: Omit<BinaryChange, 'path'>): string {
	const what = (content: Content) => content.what ?? 'binary';
	if (before && after) {
		const [was, is] = [what(before), what(after)];
		const size =
			before.bytes === after.bytes
				? `${formatBytes(after.bytes)}, other bytes`
				: `${formatBytes(before.bytes)} → ${formatBytes(after.bytes)}`;
		return `${was === is ? is : `${was} → ${is}`}, ${size}`;
	}

	const only = after ?? before;
	return only ? `${what(only)}, ${formatBytes(only.bytes)}` : 'binary';
}
