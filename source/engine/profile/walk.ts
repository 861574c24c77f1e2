import {readdirSync, realpathSync} from 'node:fs';
import path from 'node:path';
import {isOdd, isWithin} from '../../core/places.ts';
import type {ProfilePlace} from '../../core/profile.ts';
import {loginFolders} from '../../scopes/files/power.ts';
import {ownStatusOf, statusOf} from '../../host/status.ts';

/*
 * Which files a profile's places hold. A link is followed where its own place says so: the place itself, what lies in it
 * directly, and below that a file of the same name in a folder of the same name, as programs that keep a home's files
 * elsewhere make them. Where it leads is a part of what a person says yes to. Any other link is left out.
 */

/** A file that is there. `real`: where it lies, with every link resolved; `linked`: whether a link led to it. */
export type FoundFile = {
	/** Below HOME, as it is inside. */ readonly path: string;
	readonly place: ProfilePlace;
	readonly real: string;
	readonly linked: boolean;
};

/** What is not taken, and why. */
export type LeftOut = {
	readonly path: string;
	readonly because: string;
	/** Nothing that a person would miss in a run: hooks, history, another kind of file. */ readonly expected?: boolean;
};

/** What programs leave in a folder and no agent reads. */
const passedOver: ReadonlySet<string> = new Set(['.git', '.DS_Store', 'node_modules', '__pycache__', '.venv']);

const maxDepth = 12;

/** Looked at in all, so that a folder with a million files costs no more than this. */
const maxLooked = 20_000;

const closed = ['/proc', '/sys', '/dev', '/run', '/etc', '/root/.ssh'];

/** Why a link is not followed to where it leads; undefined where it is. */
function whyNot(real: string, held: readonly string[]): string | undefined {
	if (
		real.split('/').some(part => loginFolders.has(part) || part === '.git') ||
		[...closed, ...held].some(place => isWithin(real, place) || isWithin(place, real))
	) {
		return `a link to ${real}, where logins or settings of the system lie`;
	}

	return undefined;
}

/** Looks through the places of a profile. */
export class ProfileWalk {
	readonly files: FoundFile[] = [];
	readonly left: LeftOut[] = [];
	readonly #held: readonly string[];
	readonly #seen = new Set<string>();
	#looked = 0;

	/** @param held places that no link may lead to: fleet's own, logins of agents; resolved */
	constructor(held: readonly string[]) {
		this.#held = held;
	}

	/** @param root a folder that the person named: HOME, or what a variable names; `below`: where the place is in it */
	look(place: ProfilePlace, root: string, below: string): void {
		const name = place.path.replace(/\/$/, '');
		const host = path.join(root, below);
		const real = realOf(host);
		const base = realOf(root);
		if (real === undefined || base === undefined) {
			if (ownStatusOf(host)) {
				this.left.push({path: name, because: 'a link that leads nowhere'});
			}

			return;
		}

		this.#take(place, {path: name, real, linked: real !== path.join(base, below), depth: 0});
	}

	#take(
		place: ProfilePlace,
		{path: name, real, linked, depth}: {path: string; real: string; linked: boolean; depth: number},
	): void {
		if (++this.#looked > maxLooked || depth > maxDepth) {
			throw new TooMany();
		}

		const because = linked ? whyNot(real, this.#held) : undefined;
		if (because !== undefined || isOdd(name) || isOdd(real)) {
			this.left.push({path: name, because: because ?? 'a name that cannot be read'});
			return;
		}

		const status = ownStatusOf(real);
		if (status?.isFile()) {
			if (place.path.endsWith('/') ? !(place.names?.test(name) ?? true) : depth > 0) {
				this.left.push({path: name, because: 'not the kind of file that is read there', expected: true});
			} else {
				this.files.push({path: name, place, real, linked});
			}
		} else if (status?.isDirectory() && place.path.endsWith('/')) {
			this.#folder(place, {path: name, real, linked, depth});
		} else if (status) {
			this.left.push({path: name, because: 'not a plain file'});
		}
	}

	#folder(
		place: ProfilePlace,
		{path: name, real, linked, depth}: {path: string; real: string; linked: boolean; depth: number},
	): void {
		// By where it is and what it is called: two links to one folder are two skills, a circle is none.
		const key = `${real}\0${name}`;
		if (this.#seen.has(key)) {
			return;
		}

		this.#seen.add(key);
		for (const one of readdirSync(real).sort()) {
			if (passedOver.has(one)) {
				continue;
			}

			const below = `${name}/${one}`;
			const at = path.join(real, one);
			if (!ownStatusOf(at)?.isSymbolicLink()) {
				this.#take(place, {path: below, real: at, linked, depth: depth + 1});
				continue;
			}

			const target = realOf(at);
			const tail = below.slice(path.dirname(place.path.replace(/\/$/, '')).length);
			if (target === undefined) {
				this.left.push({path: below, because: 'a link that leads nowhere'});
			} else if (depth > 0 && !(target.endsWith(tail) && statusOf(at)?.isFile())) {
				this.left.push({path: below, because: `a link to ${target}, inside of a folder`});
			} else {
				this.#take(place, {path: below, real: target, linked: true, depth: depth + 1});
			}
		}
	}
}

/** More than a profile is allowed to hold. */
export class TooMany extends Error {}

function realOf(place: string): string | undefined {
	try {
		return realpathSync(place);
	} catch {
		// Nothing there, or a link that leads nowhere.
		return undefined;
	}
}
