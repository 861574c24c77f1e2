import {spawn} from 'node:child_process';
import {existsSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import * as v from 'valibot';
import {groupName, removeCgroup} from '../../host/cgroup.ts';
import {Lock} from '../../host/lock.ts';
import type {Paths} from '../../host/paths.ts';
import {removeFolder} from '../../host/remove-folder.ts';
import {replaceFile} from '../../host/write.ts';
import {parseOwn} from '../own-file.ts';

/*
 * Where the results of setups lie: `layers/KEY/`, with the files that go over a checkout in `tree`, those of HOME in
 * `home`, and what is known of it in `layer.json`. A layer is whole or not there: it is made beside its place, and
 * renamed. What a crash of the machine could have left half written is not believed.
 */

const described = v.strictObject({
	project: v.string(),
	/** The user whose files they are, where root made it. */
	owner: v.optional(v.number()),
	/** Whether this machine can lay a checkout over it; else it is copied. */
	overlay: v.boolean(),
	hasTree: v.boolean(),
	hasHome: v.boolean(),
	bytes: v.number(),
	files: v.number(),
	/** Some of what setup made of the project's own files, such as `dist/a.js`: stale where these change. */
	builds: v.array(v.string()),
	/** How long the commands took, milliseconds. */
	ms: v.number(),
	/** ISO 8601. */
	madeAt: v.string(),
	commands: v.array(v.string()),
	/** Hosts that were fetched from. */
	hosts: v.array(v.string()),
	notes: v.array(v.string()),
	/** The start of the machine in which it was made. */
	boot: v.string(),
});

export type LayerFacts = v.InferOutput<typeof described>;

/** The result of a setup, which runs and verifications share. */
export type Layer = LayerFacts & {readonly key: string; readonly tree: string; readonly home: string};

export function layersFolder(paths: Pick<Paths, 'state'>): string {
	return path.join(paths.state, 'layers');
}

/** What tells two starts of a machine apart; empty where the system has no such number. */
export function bootId(): string {
	try {
		return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
	} catch {
		// Without it, a layer is believed once it is on disk.
		return '';
	}
}

/** The layer of this key; undefined where there is none that is whole. */
export function readLayer(paths: Pick<Paths, 'state'>, key: string): Layer | undefined {
	const folder = path.join(layersFolder(paths), key);
	let facts: LayerFacts | undefined;
	try {
		facts = parseOwn(described, readFileSync(path.join(folder, 'layer.json'), 'utf8'));
	} catch {
		// Not there: no layer.
	}

	if (!facts) {
		return undefined;
	}

	const isOnDisk = existsSync(path.join(folder, 'durable'));
	return isOnDisk || (facts.boot !== '' && facts.boot === bootId())
		? {...facts, key, tree: path.join(folder, 'tree'), home: path.join(folder, 'home')}
		: undefined;
}

/** Says that a layer is used now. */
export function touchLayer(paths: Pick<Paths, 'state'>, key: string): void {
	const now = Date.now() / 1000;
	try {
		utimesSync(path.join(layersFolder(paths), key, 'layer.json'), now, now);
	} catch {
		// On a disk that takes no writes it counts as unused, and is made again when it was taken away.
	}
}

/** Writes down what is known of a layer, in the folder that becomes it. */
export function describeLayer(folder: string, facts: LayerFacts): void {
	replaceFile(path.join(folder, 'layer.json'), JSON.stringify(facts, undefined, '\t'));
}

/** Has the disk take a layer, beside all else; from then on it is believed after a crash of the machine, too. */
export function makeDurable(paths: Pick<Paths, 'state'>, key: string): void {
	const child = spawn(
		'/bin/sh',
		['-c', 'sync -f "$1/layer.json" && : > "$1/durable"', 'sh', path.join(layersFolder(paths), key)],
		{cwd: '/', detached: true, stdio: 'ignore', env: {PATH: '/usr/bin:/bin'}},
	);
	child.on('error', () => {});
	child.unref();
}

/** A folder beside the layers, for making one. */
export function newLayerFolder(paths: Pick<Paths, 'state'>, key: string): string {
	const folder = path.join(layersFolder(paths), `${key}.${process.pid}.new`);
	mkdirSync(layersFolder(paths), {recursive: true, mode: 0o700});
	removeFolder(folder);
	mkdirSync(folder, {mode: 0o700});
	return folder;
}

/** Every whole layer, with when it was used last, milliseconds. */
export function listLayers(paths: Pick<Paths, 'state'>): Array<Layer & {readonly usedAt: number}> {
	const folder = layersFolder(paths);
	const names = existsSync(folder) ? readdirSync(folder) : [];
	return names
		.filter(name => /^[0-9a-f]{40}$/.test(name))
		.flatMap(key => {
			const layer = readLayer(paths, key);
			return layer ? [{...layer, usedAt: statSync(path.join(folder, key, 'layer.json')).mtimeMs}] : [];
		});
}

export function removeLayer(paths: Pick<Paths, 'state'>, key: string): void {
	removeFolder(path.join(layersFolder(paths), key));
}

/** Where whoever makes the layer of a key holds the lock. */
export function layerLock(paths: Pick<Paths, 'state'>, key: string): string {
	return path.join(layersFolder(paths), `${key}.lock`);
}

/** The control group of whoever makes the layer of a key. */
export function layerGroup(paths: Pick<Paths, 'runtime'>, key: string): string {
	return groupName({socket: path.join(paths.runtime, `setup-${key.slice(0, 12)}.sock`)});
}

/** Removes what makers that are gone left half done, and ends what is left of them. @param own the key whose lock the caller holds */
export function tidyLayers(paths: Pick<Paths, 'state' | 'runtime'>, own: string): void {
	const folder = layersFolder(paths);
	for (const name of existsSync(folder) ? readdirSync(folder) : []) {
		const key = /^([0-9a-f]{40})\.\d+\.new$/.exec(name)?.[1];
		if (key !== undefined && (key === own || !Lock.isHeld(layerLock(paths, key)))) {
			removeCgroup(layerGroup(paths, key));
			removeFolder(path.join(folder, name));
		}
	}
}
