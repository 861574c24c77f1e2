import {createHash} from 'node:crypto';
import {lstatSync, readFileSync} from 'node:fs';
import path from 'node:path';
import {replaceFile} from './write.ts';

/*
 * git's index, as far as fleet itself reads it: format 2 and 3, as in git's documentation (gitformat-index).
 * Only of files that a git of fleet's own wrote before any agent was near them.
 */

/** Bytes of an entry before the object's name: times, device, inode, mode, owner, size. */
const statBytes = 40;

/** How many files an index names; undefined where it is none. */
export function countEntries(file: string): number | undefined {
	try {
		const header = readFileSync(file).subarray(0, 12);
		return header.length === 12 && header.toString('latin1', 0, 4) === 'DIRC' ? header.readUInt32BE(8) : undefined;
	} catch {
		// There is none: nothing was checked out.
		return undefined;
	}
}

/**
 * Writes down anew what the files of an index look like, for files that changed their owner and nothing else: git would
 * read each of them again to find that it is the same.
 * @param folder where the files are
 * @param hashBytes of an object's name: 20 for SHA-1, 32 for SHA-256
 * @returns false where the index has a form that is not known; it is left as it is
 */
export function refreshStats(file: string, folder: string, hashBytes: number): boolean {
	const bytes = readFileSync(file);
	const version = bytes.readUInt32BE(4);
	const count = countEntries(file);
	const hash = hashBytes === 20 ? 'sha1' : 'sha256';
	const end = bytes.length - hashBytes;
	const sum = () => createHash(hash).update(bytes.subarray(0, end)).digest();
	if (count === undefined || (version !== 2 && version !== 3) || !sum().equals(bytes.subarray(end))) {
		return false;
	}

	let at = 12;
	for (let index = 0; index < count; index++) {
		const flagsAt = at + statBytes + hashBytes;
		const nameAt = flagsAt + ((bytes.readUInt16BE(flagsAt) & 0x40_00) === 0 ? 2 : 4);
		const nameEnd = bytes.indexOf(0, nameAt);
		const place = Buffer.concat([Buffer.from(path.join(folder, '/')), bytes.subarray(nameAt, nameEnd)]);
		writeTime(bytes, at, place);
		// Entries are padded to a multiple of 8 with at least one NUL.
		at += (nameEnd - at + 8) & ~7;
	}

	sum().copy(bytes, end);
	replaceFile(file, bytes);
	return true;
}

/**
 * What a change of owner changes: the time of that. The owner's number stays: the git that wrote it saw a number that is
 * the same for every run. A file that is gone, or another one, stays as it was noted.
 */
function writeTime(bytes: Buffer, at: number, place: Buffer): void {
	const status = lstatSync(place, {bigint: true, throwIfNoEntry: false});
	if (status && Number(status.ino & 0xff_ff_ff_ffn) === bytes.readUInt32BE(at + 20)) {
		bytes.writeUInt32BE(Number((status.ctimeNs / 1_000_000_000n) & 0xff_ff_ff_ffn), at);
		bytes.writeUInt32BE(Number(status.ctimeNs % 1_000_000_000n), at + 4);
	}
}
