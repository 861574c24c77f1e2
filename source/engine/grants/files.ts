import {lstatSync, opendirSync, realpathSync, statSync} from 'node:fs';
import path from 'node:path';
import {printable} from '../../core/names.ts';
import {isOdd, isWithin} from '../../core/places.ts';
import type {Mount} from '../../core/plan.ts';
import {orThrow, Refusal} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import {formatScope, isInForce, type Grant} from '../../core/scope.ts';
import {aliasesOf, listMounts, mountOf} from '../../host/mounts.ts';
import {filesOf, parseScope} from '../../scopes/registry.ts';
import {powerOf, type Guarded} from '../../scopes/files/power.ts';
import type {Context} from '../context.ts';
import {listRuns} from '../runs.ts';
import {guardedPlaces, homes} from './guarded-places.ts';
import {ownStatusOf} from '../../host/status.ts';

/* What a `files:` scope names: looked at when it is granted, and again whenever it is mounted. */

/** A folder or file as it was looked at. `scope` names it by its own path, with every link resolved. */
export type FilesPlace = {
	readonly scope: string;
	readonly path: string;
	readonly mode: 'read' | 'write';
	readonly identity: string;
};

/** Entries of a folder that is given for changing: a socket among more than these could not be found in time. */
const maxEntries = 200_000;

/** File systems that are the kernel's own and no files, wherever they are mounted. */
const kernels: ReadonlySet<string> = new Set([
	'proc',
	'sysfs',
	'devtmpfs',
	'devpts',
	'mqueue',
	'cgroup',
	'cgroup2',
	'debugfs',
	'tracefs',
	'securityfs',
	'bpf',
	'fusectl',
	'configfs',
	'efivarfs',
	'pstore',
	'binfmt_misc',
	'nsfs',
	'autofs',
	'rpc_pipefs',
	'selinuxfs',
]);

function identityOf(place: string): string {
	const {dev, ino} = statSync(place, {bigint: true});
	return `${dev}:${ino}`;
}

/**
 * The first socket, FIFO or device below a folder, or a git folder; undefined where there is none. No
 * link is followed, and no mount crossed. @throws Refusal where there is more than can be looked at
 */
export function oddBelow(folder: string): {readonly place: string; readonly what: string} | undefined {
	const {dev} = lstatSync(folder);
	// As bytes: a name need not be UTF-8.
	const left = [Buffer.from(folder)];
	let seen = 0;
	for (let at = left.pop(); at !== undefined; at = left.pop()) {
		let entries;
		try {
			entries = opendirSync(at, {encoding: 'buffer' as BufferEncoding});
		} catch (error) {
			if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) {
				continue;
			}

			throw new Refusal(
				`${printable(at.toString(), 300)} cannot be looked into: ${(error as NodeJS.ErrnoException).code}`,
				'name a smaller folder',
			);
		}

		try {
			for (let entry = entries.readSync(); entry; entry = entries.readSync()) {
				const name = entry.name as unknown as Buffer;
				const place = Buffer.concat([at, Buffer.from('/'), name]);
				if (++seen > maxEntries) {
					throw new Refusal(
						`${folder} holds more than ${maxEntries} files: a socket among them could not be found`,
						'name a smaller folder, or give it to read alone',
					);
				}

				if (entry.isSocket() || entry.isFIFO()) {
					return {
						place: place.toString(),
						what: entry.isSocket()
							? 'a socket, behind which a program outside may listen'
							: 'a FIFO, behind which a program outside may be',
					};
				}

				if (name.equals(Buffer.from('.git'))) {
					return {place: place.toString(), what: "a repository's own: its hooks and settings run programs"};
				}

				if (entry.isDirectory() && ownStatusOf(place)?.dev === dev) {
					left.push(place);
				}
			}
		} finally {
			entries.closeSync();
		}
	}

	return undefined;
}

/** Whether a bare repository is here: a prompt that knows git would run what its settings say. */
function isRepository(folder: string): boolean {
	return ['HEAD', 'objects', 'refs'].every(name => ownStatusOf(path.join(folder, name)) !== undefined);
}

function refuse(because: string, hint: string): never {
	throw new Refusal(because, hint);
}

/**
 * Looks at what a `files:` scope names.
 * @param guarded from `guardedPlaces`
 * @returns what it is now
 * @throws Refusal where it is not there, or holds power over fleet, git or logins
 */
export function lookAt(
	written: {readonly path: string; readonly mode: 'read' | 'write'},
	guarded: readonly Guarded[],
): FilesPlace {
	const {mode} = written;
	let real: string;
	let identity: string;
	try {
		real = realpathSync(written.path);
		identity = identityOf(written.path);
	} catch (error) {
		const {code} = error as NodeJS.ErrnoException;
		return refuse(
			`${printable(written.path, 300)} ${code === 'ENOENT' ? 'is not there' : `cannot be looked at: ${code}`}`,
			'name a folder or a file that is there',
		);
	}

	// A path through /proc may lead where its own text does not.
	if (identityOf(real) !== identity) {
		refuse(`${written.path} leads out of this file system's names`, 'write the plain absolute path');
	}

	if (isOdd(real) || real.endsWith(':rw')) {
		refuse(`${printable(real, 300)} has a name that a scope cannot hold`, 'rename it');
	}

	const status = statSync(real);
	if (!status.isDirectory() && !status.isFile()) {
		refuse(`${real} is neither a folder nor a file`, 'sockets, FIFOs and devices are not given');
	}

	const mounts = listMounts();
	const type = mountOf(real, mounts)?.type ?? '';
	if (kernels.has(type)) {
		refuse(`${real} is the kernel's own (${type})`, 'name a folder of files');
	}

	const facts = {homes: homes(), guarded};
	for (const place of aliasesOf(real, mounts)) {
		const power = powerOf(place, mode, facts);
		if (power) {
			refuse(`${power.because}${place === real ? '' : ` (${real} is mounted from there)`}`, power.hint);
		}
	}

	const below = mounts.find(mount => mount.place !== real && isWithin(mount.place, real));
	if (below) {
		refuse(
			`another file system is mounted below ${real}, at ${printable(below.place, 300)}`,
			`name smaller folders, such as files:${below.place}${mode === 'write' ? ':rw' : ''}`,
		);
	}

	if (mode === 'write') {
		if (status.isFile() && status.nlink > 1) {
			refuse(
				`${real} has another name, too: what changes it changes that`,
				`make it a file of its own: cp ${real} ${real}.new && mv ${real}.new ${real}`,
			);
		}

		for (let folder = status.isDirectory() ? real : path.dirname(real); folder !== '/'; folder = path.dirname(folder)) {
			if (isRepository(folder)) {
				refuse(`${folder} is a git repository: its hooks and settings run programs`, 'name a folder outside of it');
			}
		}

		const odd = status.isDirectory() ? oddBelow(real) : undefined;
		if (odd) {
			refuse(
				`${real} holds ${printable(odd.place, 300)}: ${odd.what}`,
				`name a smaller folder without it; to read it alone: files:${real}`,
			);
		}
	}

	return {scope: `files:${real}${mode === 'write' ? ':rw' : ''}`, path: real, mode, identity};
}

/**
 * The place that a scope as it is typed names; undefined for a scope
 * that opens no files. @throws Refusal where it cannot be given
 */
export async function filesPlace(
	context: Pick<Context, 'paths' | 'agents' | 'supervisor'>,
	text: string,
): Promise<FilesPlace | undefined> {
	const written = filesOf(text);
	return written && lookAt(written, await guardedPlaces(context));
}

/**
 * A scope as it was typed for one that is granted: a link's name means what it leads to, if that is what was granted.
 */
export function grantedScope(text: string, grants: readonly Grant[]): string {
	const wanted = formatScope(orThrow(parseScope(text)));
	const written = filesOf(wanted);
	if (!written || grants.some(grant => grant.scope === wanted)) {
		return wanted;
	}

	try {
		return `files:${realpathSync(written.path)}${written.mode === 'write' ? ':rw' : ''}`;
	} catch {
		// What is gone can still be revoked, by the name that was granted.
		return wanted;
	}
}

/** Refuses what lies in, or holds, what the run has already: one of the two would decide about the other's place. */
export function checkOverlap(place: FilesPlace, grants: readonly Grant[], revoke: string): void {
	for (const grant of grants) {
		const held = filesOf(grant.scope);
		if (!held || !isInForce(grant, Date.now()) || grant.scope === place.scope) {
			continue;
		}

		if (held.path === place.path) {
			throw new Refusal(`${grant.scope} is granted already`, `${revoke} ${grant.scope} first`);
		}

		if (isWithin(held.path, place.path) || isWithin(place.path, held.path)) {
			throw new Refusal(
				`${place.path} ${isWithin(held.path, place.path) ? 'holds' : 'lies in'} ${held.path}, ` +
					'which is granted: one could be exchanged through the other',
				`grant folders beside each other, or first: ${revoke} ${grant.scope}`,
			);
		}
	}
}

/** Other runs that may change what lies here, or below, or above: what one of them writes the other reads. */
export function othersThatWrite(context: Pick<Context, 'paths'>, place: FilesPlace, own: string | undefined): string[] {
	const shares = (grant: Grant) => {
		const held = filesOf(grant.scope);
		return (
			held !== undefined &&
			isInForce(grant, Date.now()) &&
			(held.mode === 'write' || place.mode === 'write') &&
			(isWithin(held.path, place.path) || isWithin(place.path, held.path))
		);
	};

	return listRuns(context)
		.filter(run => run.id !== own && run.stage !== 'discarded' && run.grants.some(grant => shares(grant)))
		.map(run => run.id);
}

/**
 * What the grants of a run give at a start: only what is still
 * what was granted. `refused`: scopes that are not given, and why.
 */
export async function givenFiles(
	context: Pick<Context, 'paths' | 'agents' | 'supervisor'>,
	run: Pick<Run, 'id' | 'grants'>,
	now: number,
): Promise<{mounts: Mount[]; refused: Array<{scope: string; because: string}>}> {
	const mounts: Mount[] = [];
	const refused: Array<{scope: string; because: string}> = [];
	const grants = run.grants.filter(grant => isInForce(grant, now) && filesOf(grant.scope) !== undefined);
	const guarded = grants.length === 0 ? [] : await guardedPlaces(context);
	for (const grant of grants) {
		const because = notGiven(grant, guarded);
		if (because === undefined) {
			const {path: place, mode} = filesOf(grant.scope)!;
			mounts.push({source: place, target: place, mode, identity: grant.identity});
		} else {
			refused.push({
				scope: grant.scope,
				because:
					`${because}; it is not given. To give what is there now: fleet revoke ${run.id} ${grant.scope}, ` +
					'then fleet allow it again',
			});
		}
	}

	return {mounts, refused};
}

/** Why what was granted is not given any more; undefined where it is. */
function notGiven(grant: Grant, guarded: readonly Guarded[]): string | undefined {
	try {
		const look = lookAt(filesOf(grant.scope)!, guarded);
		if (look.scope !== grant.scope) {
			return `it is, or lies behind, a link to ${look.path} now`;
		}

		return look.identity === grant.identity
			? undefined
			: 'it is not what was granted any more, but something else of that name';
	} catch (error) {
		if (error instanceof Refusal) {
			return error.because;
		}

		throw error;
	}
}

/**
 * A socket or FIFO that came to be in a folder which a run may change: no mount of the kernel's keeps the run from it.
 */
export function cameBelow(grants: readonly Grant[], now: number): Array<{scope: string; because: string}> {
	return grants.flatMap(grant => {
		const held = filesOf(grant.scope);
		if (!held || held.mode === 'read' || !isInForce(grant, now)) {
			return [];
		}

		try {
			const odd = lstatSync(held.path).isDirectory() ? oddBelow(held.path) : undefined;
			return odd && !odd.place.endsWith('/.git')
				? [{scope: grant.scope, because: `${odd.place} is there now: ${odd.what}`}]
				: [];
		} catch (error) {
			return [{scope: grant.scope, because: (error as Error).message}];
		}
	});
}
