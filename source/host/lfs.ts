import {createHash} from 'node:crypto';
import {
	closeSync,
	constants,
	copyFileSync,
	existsSync,
	fstatSync,
	linkSync,
	mkdirSync,
	openSync,
	readdirSync,
	readlinkSync,
	readSync,
	rmSync,
	statSync,
	writeSync,
} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {placeOfContent, type Pointer} from '../core/git/filters.ts';
import type {Mount} from '../core/plan.ts';
import type {ProjectGit} from './git.ts';

/* Content that Git LFS keeps beside a repository, in files that are named after their SHA-256. */

/** Where a sandbox sees the person's store: LFS itself looks for it beside the object folders that are borrowed. */
export const lfsSeenAt = '/run/fleet/base/lfs/objects';

/** The person's own store, wherever their git has it. It may not be there. */
export async function lfsStore({git, commonDir}: ProjectGit): Promise<string> {
	const named = await git.setting('lfs.storage', 'path');
	return path.join(path.resolve(commonDir, named || 'lfs'), 'objects');
}

/** The store, for a sandbox to read. */
export async function lfsMounts(project: ProjectGit): Promise<Mount[]> {
	const source = await lfsStore(project);
	return existsSync(source) ? [{source, target: lfsSeenAt, mode: 'read'}] : [];
}

/** Whether a store has what a pointer names. */
export function hasContent(store: string, oid: string): boolean {
	return existsSync(path.join(store, placeOfContent(oid)));
}

/** Whether what a store has is as long as a pointer to it says. */
export function isOfSize(store: string, {oid, size}: Pointer): boolean {
	return statSync(path.join(store, placeOfContent(oid)), {throwIfNoEntry: false})?.size === size;
}

/**
 * Copies content out of a folder that an agent may write: by what was opened, through no link, and only if it is what
 * its name says. @returns its bytes' number; undefined where it is not there, or is not that
 */
export function takeContent(from: string, to: string, {oid, most}: {oid: string; most: number}): number | undefined {
	const file = path.join(from, placeOfContent(oid));
	let source: number;
	try {
		source = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
	} catch {
		// Not there, or a link.
		return undefined;
	}

	const target = path.join(to, placeOfContent(oid));
	const part = `${target}.${process.pid}.new`;
	try {
		const status = fstatSync(source);
		const opened = process.platform === 'linux' ? readlinkSync(`/proc/self/fd/${source}`) : file;
		if (!status.isFile() || opened !== file || status.size > most) {
			return undefined;
		}

		mkdirSync(path.dirname(target), {recursive: true, mode: 0o700});
		const [size, found] = copy(source, part, most);
		if (found !== oid) {
			return undefined;
		}

		linkNew(part, target);
		return size;
	} finally {
		closeSync(source);
		rmSync(part, {force: true});
	}
}

/** Copies what is behind a descriptor, as far as it goes. @returns its size and its SHA-256 */
function copy(source: number, to: string, most: number): [size: number, digest: string] {
	const target = openSync(to, 'w', 0o644);
	try {
		const hash = createHash('sha256');
		const buffer = Buffer.alloc(1024 ** 2);
		let size = 0;
		for (let got = 0; size <= most && (got = readSync(source, buffer)) > 0; size += got) {
			hash.update(buffer.subarray(0, got));
			for (let at = 0; at < got;) {
				at += writeSync(target, buffer, at, got - at);
			}
		}

		return [size, size > most ? '' : hash.digest('hex')];
	} finally {
		closeSync(target);
	}
}

function linkNew(part: string, target: string): void {
	try {
		linkSync(part, target);
	} catch (error) {
		// What has that name has that content.
		if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
			throw error;
		}
	}
}

/** Puts content that was checked into another store, where it is not yet. */
export function publishContent(from: string, to: string): void {
	if (!existsSync(from)) {
		return;
	}

	for (const name of readdirSync(from, {recursive: true, encoding: 'utf8'})) {
		const oid = path.basename(name);
		if (name !== placeOfContent(oid) || oid.length !== 64 || hasContent(to, oid)) {
			continue;
		}

		const target = path.join(to, name);
		const part = `${target}.${process.pid}.new`;
		mkdirSync(path.dirname(target), {recursive: true});
		copyFileSync(path.join(from, name), part, constants.COPYFILE_FICLONE);
		try {
			linkNew(part, target);
		} finally {
			rmSync(part, {force: true});
		}
	}
}
