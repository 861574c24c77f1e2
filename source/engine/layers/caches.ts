import {existsSync, mkdirSync, utimesSync} from 'node:fs';
import path from 'node:path';
import type {Mount} from '../../core/plan.ts';
import type {Paths} from '../../host/paths.ts';
import {giveToRun} from '../../host/run-owner.ts';
import {insideHome} from '../../host/toolchain.ts';

/*
 * What package managers downloaded before, for each project, so that another setup need not fetch it again. Read and
 * written by setups alone, never by an agent. A setup over a tree that no person took in has none: what it leaves there
 * would be read by the others.
 */

/** Where package managers keep downloads, below HOME: copies of what a registry has, and no login. */
const places = [
	'.npm/_cacache',
	'.cache/pip',
	'.cache/uv',
	'.cache/yarn',
	'.yarn/berry/cache',
	'.local/share/pnpm/store',
	'.bun/install/cache',
	'.cache/pypoetry/cache',
	'.cache/pypoetry/artifacts',
	'.cache/node-gyp',
] as const;

export function cachesFolder(paths: Pick<Paths, 'state'>, project: string): string {
	return path.join(paths.state, 'caches', project);
}

/** The caches of a project, as mounts for a setup. @param setupId whose files they are where root made them */
export function cacheMounts(paths: Pick<Paths, 'state'>, project: string, setupId: string): Mount[] {
	const now = Date.now() / 1000;
	mkdirSync(cachesFolder(paths, project), {recursive: true, mode: 0o700});
	utimesSync(cachesFolder(paths, project), now, now);
	return places.map(place => {
		const source = path.join(cachesFolder(paths, project), place.replaceAll('/', '-'));
		if (!existsSync(source)) {
			mkdirSync(source, {recursive: true, mode: 0o700});
			giveToRun(setupId, source);
		}

		return {source, target: path.join(insideHome, place), mode: 'write'};
	});
}

/** Where caches are mounted, below HOME. */
export function cachePlaces(): readonly string[] {
	return places;
}
