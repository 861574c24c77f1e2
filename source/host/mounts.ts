import {readFileSync} from 'node:fs';
import {isWithin} from '../core/places.ts';

/** One mount of this process's name space. */
export type MountPoint = {
	readonly device: string;
	readonly root: string;
	readonly place: string;
	readonly type: string;
};

const unescape = (text: string) =>
	text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCodePoint(Number.parseInt(digits, 8)));

/** Reads the text of /proc/self/mountinfo. */
export function parseMounts(text: string): MountPoint[] {
	return text.split('\n').flatMap(line => {
		const [own = '', source = ''] = line.split(' - ');
		const [, , device, root, place] = own.split(' ');
		return device === undefined || root === undefined || place === undefined
			? []
			: [{device, root: unescape(root), place: unescape(place), type: source.split(' ')[0] ?? ''}];
	});
}

export function listMounts(): MountPoint[] {
	return parseMounts(readFileSync('/proc/self/mountinfo', 'utf8'));
}

/** The mount that a resolved path lies in: of those on one place, the last one made. */
export function mountOf(place: string, mounts: readonly MountPoint[]): MountPoint | undefined {
	return mounts.reduce<MountPoint | undefined>(
		(best, mount) =>
			isWithin(place, mount.place) && (!best || mount.place.length >= best.place.length) ? mount : best,
		undefined,
	);
}

/**
 * Every path under which the same file or folder is reached, since a
 * folder may be mounted at several places. The path itself is the first.
 */
export function aliasesOf(place: string, mounts: readonly MountPoint[]): string[] {
	const own = mountOf(place, mounts);
	if (!own) {
		return [place];
	}

	const join = (folder: string, rest: string) => (folder === '/' ? '' : folder) + rest || '/';
	/** What of a path is below a folder: empty, or with a slash at its beginning. */
	const below = (inside: string, folder: string) => {
		if (folder !== '/') {
			return inside.slice(folder.length);
		}

		return inside.slice(inside === '/' ? 1 : 0);
	};
	const inFileSystem = join(own.root, below(place, own.place));
	const others = mounts
		.filter(mount => mount.device === own.device && isWithin(inFileSystem, mount.root))
		.map(mount => join(mount.place, below(inFileSystem, mount.root)));
	return [...new Set([place, ...others])];
}
