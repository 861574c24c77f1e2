import {mkdirSync} from 'node:fs';
import path from 'node:path';
import type {Lower, Mount, SandboxPlan} from '../../core/plan.ts';
import {Refusal} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import type {Paths} from '../../host/paths.ts';
import {removeFolder} from '../../host/remove-folder.ts';
import {giveToRun} from '../../host/run-owner.ts';
import {insideHome} from '../../host/toolchain.ts';
import type {Context} from '../context.ts';
import {insideProject} from './setup-types.ts';
import {readLayer, type Layer} from './store.ts';

/* How a sandbox has a layer: its checkout and its HOME lie over it, and what it writes is in these two alone. */

/** What a copy may take, milliseconds. */
const copyTimeoutMs = 10 * 60_000;

/** Two empty folders for the kernel, on the file system of the checkout and of HOME. */
type Work = {readonly tree: string; readonly home: string};

/** Makes the kernel's folders anew: what a sandbox that is gone left in them is of no use. */
export function makeWork(folder: string, runId: string): Work {
	const work = {tree: path.join(folder, 'tree'), home: path.join(folder, 'home')};
	removeFolder(folder);
	for (const made of [folder, work.tree, work.home]) {
		mkdirSync(made, {recursive: true, mode: 0o700});
	}

	giveToRun(runId, folder);
	return work;
}

/** A plan whose checkout and HOME lie over a layer. Where they were copied, they are there already. */
export function overLayer(
	plan: SandboxPlan,
	layer: Layer,
	{inside, work}: {readonly inside: string; readonly work: Work},
): SandboxPlan {
	const lowers: ReadonlyArray<readonly [target: string, lower: Lower | undefined]> = [
		[inside, layer.hasTree ? {folder: layer.tree, work: work.tree, owner: layer.owner} : undefined],
		[insideHome, layer.hasHome ? {folder: layer.home, work: work.home, owner: layer.owner} : undefined],
	];
	const mounts = plan.mounts.map((mount): Mount => {
		const over = lowers.find(([target]) => target === mount.target)?.[1];
		return over && layer.overlay ? {...mount, over} : mount;
	});
	// Setup ran there: what it wrote names that place.
	return {...plan, mounts, links: [...plan.links, {target: insideProject, to: inside}]};
}

/** What lies under a run's worktree, for whoever looks at it; undefined where nothing does. */
export function lowerOf(paths: Pick<Paths, 'state'>, run: Pick<Run, 'layer'>): Lower | undefined {
	const layer = run.layer === undefined ? undefined : readLayer(paths, run.layer);
	return layer?.overlay && layer.hasTree ? {folder: layer.tree, owner: layer.owner} : undefined;
}

/**
 * Lays copies of what is below one folder into another, as an overlay would show it: what is there already stays, and
 * nothing is written through it. Names what is to be copied by folders that are the same in both, so that no part of a
 * path is a link.
 */
const copyScript = `
place=$1
list=$(mktemp) || exit 1
trap 'rm -f "$list"' EXIT
find . -mindepth 1 -xdev -type d -exec sh -c '[ -d "$0/$1" ] && [ ! -h "$0/$1" ]' "$place" {} \\; -o \\
	-exec sh -c '[ ! -e "$0/$1" ] && [ ! -h "$0/$1" ]' "$place" {} \\; -print0 -prune -o -type d -prune > "$list" &&
	xargs -0 -r cp -a --reflink=auto --remove-destination --parents -t "$place" -- < "$list"
`;

/**
 * Copies a layer where this machine cannot lay a folder over it, with reflinks where the disk has them. By the host,
 * while no program writes there; the files of the checkout may be an agent's, links among them.
 * @throws Refusal where not all of it could be copied
 */
export async function copyLayer(
	context: Pick<Context, 'executor'>,
	layer: Layer,
	to: {readonly runId: string; readonly tree: string | undefined; readonly home: string | undefined},
): Promise<void> {
	for (const [from, place] of [
		[layer.hasTree ? layer.tree : undefined, to.tree],
		[layer.hasHome ? layer.home : undefined, to.home],
	]) {
		if (from === undefined || place === undefined) {
			continue;
		}

		let words = '';
		const {code} = await context.executor.run(
			{
				argv: ['/bin/sh', '-c', copyScript, 'sh', place],
				cwd: from,
				env: {PATH: '/usr/bin:/bin', LC_ALL: 'C'},
			},
			{
				timeout: copyTimeoutMs,
				onOutput(bytes) {
					words = (words + Buffer.from(bytes).toString('utf8')).slice(-2000);
				},
			},
		);
		giveToRun(to.runId, place);
		if (code !== 0) {
			throw new Refusal(
				`what setup left could not be copied: ${words.trim().split('\n').at(-1) || 'it took too long'}`,
				`fleet show ${to.runId}`,
			);
		}
	}
}
