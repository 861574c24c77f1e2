import {existsSync, readdirSync, statSync} from 'node:fs';
import path from 'node:path';
import type {Paths} from '../../host/paths.ts';
import {removeFolder} from '../../host/remove-folder.ts';
import type {Context} from '../context.ts';
import {readSettings} from '../project/settings.ts';
import {removeSpares, sparesFolder} from '../run/spare.ts';
import {listRuns} from '../runs.ts';
import {cachesFolder} from './caches.ts';
import {listLayers, removeLayer} from './store.ts';

/* Which results of setups go again: by when they were used last, and by what all of them take. */

/** For as long, what was used last is taken to be in use, milliseconds. */
const restMs = 3_600_000;

export type LayerUse = {
	readonly key: string;
	readonly project: string;
	readonly bytes: number;
	/** Milliseconds. */
	readonly usedAt: number;
	/** Runs whose work lies over it. */
	readonly runs: readonly string[];
};

/** Every layer, the one that was used last first. */
export function layersOf(context: Context): LayerUse[] {
	const runs = listRuns(context).filter(({stage}) => stage !== 'discarded');
	return listLayers(context.paths)
		.map(({key, project, bytes, usedAt}) => ({
			key,
			project,
			bytes,
			usedAt,
			runs: runs.filter(({layer}) => layer === key).map(({id}) => id),
		}))
		.sort((a, b) => b.usedAt - a.usedAt);
}

/**
 * Which layers go. Those that a run's work lies over stay, as do those that are, or may be, in use.
 * @param limits bytes in all, and for how long one is kept that nobody uses, milliseconds
 * @param now milliseconds
 */
export function chooseLayers(
	layers: readonly LayerUse[],
	limits: {readonly bytes: number; readonly keptMs: number},
	now: number,
): LayerUse[] {
	let left = layers.reduce((sum, {bytes}) => sum + bytes, 0);
	return layers
		.filter(({runs, usedAt}) => runs.length === 0 && now - usedAt > restMs)
		.sort((a, b) => a.usedAt - b.usedAt)
		.filter(({bytes, usedAt}) => {
			const goes = now - usedAt > limits.keptMs || left > limits.bytes;
			left -= goes ? bytes : 0;
			return goes;
		});
}

/** Removes what the person's settings say is too old or too much. @returns what went */
export async function cleanLayers(context: Context): Promise<LayerUse[]> {
	const {layers} = await readSettings(context.paths);
	const keptMs = layers.days * 24 * 3_600_000;
	const going = chooseLayers(layersOf(context), {bytes: layers.bytes, keptMs}, Date.now());
	for (const {key} of going) {
		removeLayer(context.paths, key);
	}

	for (const folder of cachesOf(context.paths).filter(({usedAt}) => Date.now() - usedAt > keptMs)) {
		removeFolder(folder.folder);
	}

	removeSpares(context.paths, Date.now() - keptMs);
	return going;
}

/** Removes every layer that no run needs, and what package managers downloaded. @returns what went */
export function removeUnused(context: Context): LayerUse[] {
	const going = chooseLayers(layersOf(context), {bytes: 0, keptMs: 0}, Date.now() + restMs);
	for (const {key} of going) {
		removeLayer(context.paths, key);
	}

	for (const {folder} of cachesOf(context.paths)) {
		removeFolder(folder);
	}

	removeSpares(context.paths, Date.now());
	return going;
}

/** Removes what is kept for the runs of a project that is not there any more. */
export function removeOfProject(context: Context, project: string): void {
	for (const {key} of listLayers(context.paths).filter(layer => layer.project === project)) {
		removeLayer(context.paths, key);
	}

	removeFolder(cachesFolder(context.paths, project));
	removeFolder(path.join(sparesFolder(context.paths), project));
}

/** The caches of each project, with when a setup used them last. */
function cachesOf(paths: Pick<Paths, 'state'>): Array<{readonly folder: string; readonly usedAt: number}> {
	const base = path.join(paths.state, 'caches');
	return (existsSync(base) ? readdirSync(base) : [])
		.map(name => path.join(base, name))
		.map(folder => ({folder, usedAt: statSync(folder).mtimeMs}));
}
