import {closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {exitCodes, Refusal} from '../core/refusal.ts';

/* Writes that are there as a whole, or not at all. */

/**
 * Writes all of it: a write that the system cuts short, as on a disk that
 * is nearly full, is gone on with, and fails where nothing more goes.
 */
export function writeAll(file: number, bytes: Uint8Array): void {
	for (let written = 0; written < bytes.length;) {
		written += writeSync(file, bytes, written, bytes.length - written);
	}
}

/**
 * Replaces a file by one with this content: whoever reads it, and
 * whatever fails on the way, finds the old one or the new one.
 * @param options.durable whether it waits until the disk has it; not for what can be made again
 */
export function replaceFile(
	file: string,
	content: string | Uint8Array,
	{mode = 0o600, durable = true}: {mode?: number; durable?: boolean} = {},
): void {
	const fresh = `${file}.${process.pid}.new`;
	try {
		const descriptor = openSync(fresh, 'w', mode);
		try {
			writeAll(descriptor, typeof content === 'string' ? Buffer.from(content) : content);
			if (durable) {
				fsyncSync(descriptor);
			}
		} finally {
			closeSync(descriptor);
		}

		renameSync(fresh, file);
	} catch (error) {
		rmSync(fresh, {force: true});
		throw error;
	}

	if (durable) {
		syncFolder(path.dirname(file));
	}
}

/** The new name is on the disk once its folder is; a file system that cannot say so keeps the promise that it can. */
function syncFolder(folder: string): void {
	try {
		const descriptor = openSync(folder, 'r');
		try {
			fsyncSync(descriptor);
		} finally {
			closeSync(descriptor);
		}
	} catch {
		// The content is whole either way.
	}
}

const words: Readonly<Record<string, string>> = {
	ENOSPC: 'no space is left on the disk',
	EDQUOT: 'your quota of the disk is used up',
	EIO: 'the disk failed',
	EROFS: 'the disk can only be read',
	EFBIG: 'the file is larger than the limit for files',
	ENOMEM: 'no memory is left',
	EMFILE: 'this process has too many files open',
	EAGAIN: 'no more processes can be started',
	E2BIG: 'what was typed is longer than the system takes on a command line',
	ENFILE: 'the machine has too many files open',
};

const cures: Readonly<Record<string, string>> = {
	ENOSPC: 'free some space (fleet clean shows what runs take), then do it again',
	EDQUOT: 'free some space (fleet clean shows what runs take), then do it again',
	EMFILE: 'ulimit -n shows the limit; raise it, then do it again',
	EAGAIN: 'ulimit -u shows the limit; end what is not needed, then do it again',
	E2BIG: 'put what is long into a file, and name it',
};

/** Puts a folder that was made beside its place into it, whole. What lies there has to be gone. */
export function placeFolder(made: string, place: string): void {
	renameSync(made, place);
	syncFolder(path.dirname(place));
}

/** Moves a file or folder to where nothing is, and waits for no disk: for what is made again after a crash. */
export function movePlace(from: string, to: string): void {
	renameSync(from, to);
}

/** What a lock's database says of the same, by SQLite's primary result codes. */
const databaseCodes: Readonly<Record<number, string>> = {8: 'EROFS', 10: 'EIO', 13: 'ENOSPC'};

/**
 * What an error of the system says about the machine, as a refusal; undefined
 * for any other error. Exit code 1: nothing was wrong with what was asked.
 */
export function machineRefusal(error: unknown): Refusal | undefined {
	const {code: own = '', path: file, errcode, syscall = ''} = error as NodeJS.ErrnoException & {errcode?: number};
	const code = own === 'ERR_SQLITE_ERROR' ? (databaseCodes[(errcode ?? 0) & 0xff] ?? own) : own;
	const because = words[code];
	return because === undefined
		? undefined
		: new Refusal(
				syscall.startsWith('spawn')
					? `${because}: a program was not started`
					: `${because}${file === undefined ? '' : `, at ${file}`}; what could not be written did not happen`,
				cures[code] ?? "look at the machine's own log (dmesg), then do it again",
				exitCodes.internal,
			);
}
