import {realpathSync} from 'node:fs';
import path from 'node:path';
import {hasLfs, pointerBytes, readPointer, type Pointer} from '../../core/git/filters.ts';
import {gateRefusal} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import type {Git, ProjectGit} from '../../host/git.ts';
import {hasContent, isOfSize, lfsStore, takeContent} from '../../host/lfs.ts';
import type {RunPaths} from '../../host/paths.ts';
import type {Context} from '../context.ts';
import {readBlobs} from './attributes.ts';
import {folderIsKept, noteMissing, type Look} from './look.ts';

/* What the pointers of a run's commits stand for: from the run into the quarantine, and from there to the person's store. */

/** Where content lies that was taken over and checked. */
export function lfsTaken(places: RunPaths): string {
	return path.join(places.quarantine, 'lfs', 'objects');
}

/** The pointers among the objects that commits brought. */
async function newPointers(git: Git, head: string, base: string): Promise<Pointer[]> {
	const list = await git.run(['rev-list', '--objects', '--no-object-names', head, `^${base}`]);
	const sizes = await git.run(['cat-file', '--buffer', '--batch-check=%(objectname) %(objecttype) %(objectsize)'], {
		input: list.stdout,
	});
	const small = sizes.stdout
		.split('\n')
		.map(line => line.split(' '))
		.filter(
			([, type, size]) => type === 'blob' && Number(size) >= pointerBytes.least && Number(size) <= pointerBytes.most,
		)
		.map(([object]) => object!);
	return [...(await readBlobs(git, small)).values()]
		.map(content => readPointer(content))
		.filter(pointer => pointer !== undefined);
}

/**
 * Takes over the content that new pointers stand for: what the look made of uncommitted files, and what the run's own
 * git kept. Read as plain bytes, and kept only where it has the SHA-256 that it is named after.
 * @throws Refusal where it is more than a run may bring
 */
export async function takeLfs(
	context: Context,
	run: Run,
	{
		git,
		commonDir,
		quarantine,
		head,
		look,
		maxBytes,
	}: ProjectGit & {
		readonly quarantine: Git;
		readonly head: string;
		readonly look: Pick<Look, 'notes' | 'incomplete'>;
		readonly maxBytes: number;
	},
): Promise<void> {
	if (!hasLfs(run.filters)) {
		return;
	}

	const places = context.paths.run(run.id);
	const store = await lfsStore({git, commonDir});
	const [taken, sources] = [
		lfsTaken(places),
		[path.join(realpathSync(places.scratch), 'lfs'), path.join(realpathSync(places.privateGit), 'lfs', 'objects')],
	];
	let left = maxBytes;
	for (const pointer of await newPointers(quarantine, head, run.base)) {
		const {oid} = pointer;
		const known = [store, taken].find(place => hasContent(place, oid));
		// One that tells another size has LFS take the content away that is there.
		if (known !== undefined && !isOfSize(known, pointer)) {
			noteMissing(look, `what Git LFS keeps as ${oid.slice(0, 10)}, which has another size than its pointer says`);
		}

		if (known !== undefined) {
			continue;
		}

		const size = sources.map(from => takeContent(from, taken, {oid, most: left})).find(size => size !== undefined);
		if (size === undefined) {
			noteMissing(look, `the content of Git LFS that ${oid.slice(0, 10)} stands for`);
			continue;
		}

		if (size !== pointer.size) {
			noteMissing(look, `what Git LFS keeps as ${oid.slice(0, 10)}, which has another size than its pointer says`);
		}

		left -= size;
		if (left < 0) {
			throw gateRefusal('its content of Git LFS takes more than a run may bring', folderIsKept);
		}
	}
}
