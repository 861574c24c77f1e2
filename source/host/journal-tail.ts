import {closeSync, fstatSync, openSync, readSync} from 'node:fs';
import type {Entry} from '../core/run/event.ts';
import {checkLines, firstPrev} from './journal.ts';

/*
 * The end of a journal, without reading all of it: journals are only ever added to. Within what was read the chain of
 * hashes is checked as ever; what stands before it is not, so nothing is decided by what is read here.
 */

/** How far a journal was read. */
export type TailPlace = {
	/** The bytes that were read: both are beginnings of lines. */ readonly from: number;
	readonly to: number;
	readonly inode: number;
	/** The last line: its number, and its SHA-256. */ readonly seq: number;
	readonly head: string;
};

export type TailReading = {
	readonly entries: readonly Entry[];
	readonly place: TailPlace;
	/** Why a line is not believed; nothing after it is. */ readonly fault: string | undefined;
};

/** A line is longer than this only if somebody made it so. */
const longestLine = 4 * 1024 ** 2;

function readRange(file: number, from: number, to: number): Buffer {
	const buffer = Buffer.allocUnsafe(Math.max(0, to - from));
	let length = 0;
	while (length < buffer.length) {
		const count = readSync(file, buffer, length, buffer.length - length, from + length);
		if (count === 0) {
			break;
		}

		length += count;
	}

	return buffer.subarray(0, length);
}

/** Where the first whole line begins in bytes that may begin within one. */
function firstLine(bytes: Buffer, isStart: boolean): number {
	return isStart ? 0 : bytes.indexOf(10) + 1;
}

/** A journal file that is open; undefined where there is none. */
function withFile<Result>(file: string, work: (descriptor: number) => Result): Result | undefined {
	let descriptor: number;
	try {
		descriptor = openSync(file, 'r');
	} catch {
		return undefined;
	}

	try {
		return work(descriptor);
	} finally {
		closeSync(descriptor);
	}
}

/** The project of a journal's run, by its first line; empty where that cannot be read. */
export function readProject(file: string): string {
	return (
		withFile(file, descriptor => {
			for (let size = 8192; size <= longestLine; size *= 4) {
				const bytes = readRange(descriptor, 0, size);
				const end = bytes.indexOf(10);
				if (end !== -1) {
					const {entries} = checkLines(bytes.subarray(0, end + 1).toString(), undefined);
					const [first] = entries;
					return first?.type === 'run.created' ? first.project.id : '';
				}

				if (bytes.length < size) {
					break;
				}
			}

			return '';
		}) ?? ''
	);
}

/** The last lines of a journal, of about so many bytes. Undefined where there is no journal. */
export function readTail(file: string, bytes: number): TailReading | undefined {
	return withFile(file, descriptor => {
		const {size, ino} = fstatSync(descriptor);
		const start = Math.max(0, size - bytes);
		const read = readRange(descriptor, start, size);
		const first = firstLine(read, start === 0);
		const from = start + first;
		return reading(read.subarray(first), {from, to: from, inode: ino, seq: 0, head: firstPrev});
	});
}

/** What was added after a place; undefined where the file is not there any more, or another one. */
export function readMore(file: string, place: TailPlace): TailReading | undefined {
	return withFile(file, descriptor => {
		const {size, ino} = fstatSync(descriptor);
		return ino !== place.inode || size < place.to ? undefined : reading(readRange(descriptor, place.to, size), place);
	});
}

function reading(bytes: Buffer, place: TailPlace): TailReading {
	const {seq, from} = place;
	// Of the first line that is read the number is not known, but where it is the journal's first.
	const before = seq > 0 || from === 0 ? {seq, head: place.head} : undefined;
	const {entries, fault, head, length} = checkLines(bytes.toString(), before);
	const last = entries.at(-1);
	return {
		entries,
		fault: fault?.because,
		place: last ? {...place, to: place.to + length, seq: last.seq, head} : place,
	};
}
