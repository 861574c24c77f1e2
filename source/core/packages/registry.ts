import {bun} from './bun.ts';
import {bundler} from './bundler.ts';
import {cargo} from './cargo.ts';
import {composer} from './composer.ts';
import {goMod, goSum} from './go.ts';
import {gradle, maven} from './java.ts';
import {npm} from './npm.ts';
import {maxPackages, Unreadable, type LockFormat, type PackageList} from './package.ts';
import {pnpm} from './pnpm.ts';
import {python} from './python.ts';
import {yarn} from './yarn.ts';

/** Every format of lock files that is read. */
export const formats: readonly LockFormat[] = [
	npm,
	pnpm,
	yarn,
	bun,
	...python,
	cargo,
	goMod,
	goSum,
	maven,
	gradle,
	bundler,
	composer,
];

/** Characters of a lock file that are read; what is longer is said to be. */
export const maxChars = 8 * 1024 ** 2;

/** Names and versions are shown and compared: no package manager takes longer ones. */
const maxName = 1000;

/** The format of a lock file by its path; undefined for every other file. */
export function formatOf(path: string): LockFormat | undefined {
	const name = path.slice(path.lastIndexOf('/') + 1);
	return formats.find(format => format.name.test(name) || format.path?.test(path));
}

export type Reading = PackageList | {readonly unread: string};

/** Reads a lock file. Total: whatever is in it, what is not understood is said to be, and no other file's concern. */
export function readLock(format: LockFormat, text: string): Reading {
	if (text.length > maxChars) {
		return {unread: `it is longer than ${maxChars / 1024 ** 2} MiB`};
	}

	try {
		const list = format.read(text);
		if (list.packages.length > maxPackages) {
			return {unread: `it has more than ${maxPackages} packages`};
		}

		const odd = list.packages.some(({name, version}) => name === '' || name.length + version.length > maxName);
		return odd ? {unread: 'a package has no name, or one that is too long'} : list;
	} catch (error) {
		return {unread: error instanceof Unreadable ? error.message : `it is not as ${format.id} writes it`};
	}
}
