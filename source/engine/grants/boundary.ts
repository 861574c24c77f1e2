import {closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, type Stats} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {boundaryPath, boundaryVariable, parseBoundary, type Boundary} from '../../core/grants/boundary.ts';
import {orThrow, Refusal} from '../../core/refusal.ts';

/*
 * The machine's boundary, read anew for each decision. A boundary that somebody else could have written is none that can
 * be relied on, and one that cannot be read may forbid anything: then nothing is granted and nothing starts.
 */

const maxBytes = 1024 ** 2;

function statusOf(place: string): Stats | undefined {
	try {
		return lstatSync(place);
	} catch (error) {
		const {code} = error as NodeJS.ErrnoException;
		if (code === 'ENOENT' || code === 'ENOTDIR') {
			return undefined;
		}

		throw new Refusal(`${place} cannot be looked at: ${code}`, `sudo ls -ld ${path.dirname(place)}`);
	}
}

/** @throws Refusal for what somebody besides root could change */
function checkRoots(place: string, {uid, mode}: Stats, what: string): void {
	if (uid !== 0) {
		throw new Refusal(`${place} is not root's, and what others can write is no boundary`, `sudo chown root ${place}`);
	}

	if ((mode & 0o022) !== 0) {
		throw new Refusal(`${place} is ${what} that others can write`, `sudo chmod go-w ${place}`);
	}
}

function read(file: string, isRoots: boolean): Boundary {
	let descriptor: number;
	try {
		// Without a wait for the other end of a FIFO, and by no link.
		descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK | (isRoots ? constants.O_NOFOLLOW : 0));
	} catch (error) {
		throw new Refusal(
			`the boundary ${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`,
			isRoots ? `sudo chmod 0644 ${file}` : `unset ${boundaryVariable}, or have it name a file that is there`,
		);
	}

	try {
		const status = fstatSync(descriptor);
		if (!status.isFile() || status.size > maxBytes) {
			throw new Refusal(`the boundary ${file} is no file of text`, `look at it: ls -l ${file}`);
		}

		if (isRoots) {
			checkRoots(file, status, 'a file');
		}

		return orThrow(parseBoundary(readFileSync(descriptor, 'utf8'), file));
	} finally {
		closeSync(descriptor);
	}
}

/** The boundary of the machine; undefined where there is none. @throws Refusal where it is there and cannot be relied on */
export function machineBoundary(file: string): Boundary | undefined {
	const folder = path.dirname(file);
	const status = statusOf(folder) && statusOf(file);
	if (!status) {
		return undefined;
	}

	const above = lstatSync(folder);
	if (!above.isDirectory() || !status.isFile()) {
		const place = above.isDirectory() ? file : folder;
		throw new Refusal(
			`${place} is not a ${above.isDirectory() ? 'file' : 'folder'} of its own: the boundary is read by no link`,
			`sudo ls -ld ${place}`,
		);
	}

	checkRoots(folder, above, 'a folder');
	return read(file, true);
}

/**
 * All boundaries that count here: the machine's, and the one that the environment names, which only adds to it.
 * @throws Refusal where one is there and cannot be relied on
 */
export function readBoundaries(): readonly Boundary[] {
	const machine = machineBoundary(boundaryPath);
	const named = process.env[boundaryVariable] ?? '';
	if (named !== '' && !path.isAbsolute(named)) {
		throw new Refusal(
			`${boundaryVariable} is not an absolute path`,
			`unset ${boundaryVariable}, or write the whole path`,
		);
	}

	return [...(machine ? [machine] : []), ...(named === '' ? [] : [read(named, false)])];
}
