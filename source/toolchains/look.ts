import {accessSync, constants, readdirSync, readFileSync, realpathSync, statSync} from 'node:fs';
import path from 'node:path';
import type {Mount} from '../core/plan.ts';
import type {Shell} from '../core/toolchain.ts';

/* How kinds of toolchains look at the disk: each answer is undefined, empty or false where there is nothing. */

/** The longest file that may name versions, bytes. */
const maxVersionFileBytes = 64 * 1024;

export function isFolder(place: string): boolean {
	try {
		return statSync(place).isDirectory();
	} catch {
		// Not there, or in a folder that is closed to this user: no folder either way.
		return false;
	}
}

export function isProgram(place: string): boolean {
	try {
		accessSync(place, constants.X_OK);
		return statSync(place).isFile();
	} catch {
		// Not there, or not to be started: no program either way.
		return false;
	}
}

/** A small file's text. */
export function readText(file: string, maxBytes = maxVersionFileBytes): string | undefined {
	try {
		return statSync(file).size > maxBytes ? undefined : readFileSync(file, 'utf8');
	} catch {
		// Not there, or not readable: it names nothing.
		return undefined;
	}
}

export function namesIn(folder: string): string[] {
	try {
		return readdirSync(folder).sort();
	} catch {
		// Not there, or not readable: it holds nothing.
		return [];
	}
}

/** A place with every link resolved. */
export function realPlace(place: string): string | undefined {
	try {
		return realpathSync(place);
	} catch {
		// A link that leads nowhere.
		return undefined;
	}
}

/** A folder or file at the place where its links lead, read-only. */
export function readOnly(...places: readonly string[]): Mount[] {
	return places.flatMap(place => {
		const real = realPlace(place);
		return real === undefined ? [] : [{source: real, target: real, mode: 'read' as const}];
	});
}

/** Whether a place is a folder or lies below it. */
export function isWithin(place: string, folder: string): boolean {
	return place === folder || place.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}

/**
 * The nearest file of one of these names, from the project's folder up, as version managers look for it.
 * @returns its name and text
 */
export function nearest(
	shell: Shell,
	names: readonly string[],
): {readonly name: string; readonly text: string} | undefined {
	for (let folder = shell.project; folder !== undefined; folder = folder === '/' ? undefined : path.dirname(folder)) {
		for (const name of names) {
			const text = readText(path.join(folder, name));
			if (text !== undefined) {
				return {name, text};
			}
		}
	}

	return undefined;
}

/** Compares version numbers part by part, so that 3.9 comes before 3.10. */
export function compareVersions(one: string, other: string): number {
	return one.localeCompare(other, 'en', {numeric: true});
}

/** The newest of the installed versions that a name such as `20`, `v20.1` or `3.12` means. */
export function newestOf(installed: readonly string[], wanted: string): string | undefined {
	const plain = (name: string) => name.replace(/^v/, '');
	return installed
		.filter(name => plain(name) === plain(wanted) || plain(name).startsWith(`${plain(wanted)}.`))
		.sort(compareVersions)
		.at(-1);
}
