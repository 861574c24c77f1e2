import {accessSync, constants, lstatSync, statSync, type Stats} from 'node:fs';

/** No such file, a file where a folder would have to be, links in a circle, a name that no file can have. */
const absent: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG']);

function orAbsent(look: () => Stats): Stats | undefined {
	try {
		return look();
	} catch (error) {
		if (absent.has((error as NodeJS.ErrnoException).code)) {
			return undefined;
		}

		throw error;
	}
}

/**
 * What a path leads to, links followed; undefined where nothing is there. `throwIfNoEntry` alone still throws where a
 * part of the way is a file.
 * @throws the system's error where it may not be looked at
 */
export function statusOf(file: string | Buffer): Stats | undefined {
	return orAbsent(() => statSync(file));
}

/** The same of what is at the path itself, a link included. */
export function ownStatusOf(file: string | Buffer): Stats | undefined {
	return orAbsent(() => lstatSync(file));
}

/** Whether a folder is there that this user can look into. */
export function isOpenFolder(place: string): boolean {
	try {
		accessSync(place, constants.R_OK | constants.X_OK);
		return statSync(place).isDirectory();
	} catch {
		// Nothing there, a file, or closed to this user: for them there is no such folder.
		return false;
	}
}
