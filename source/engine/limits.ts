import {existsSync} from 'node:fs';
import path from 'node:path';
import type {SandboxPlan} from '../core/plan.ts';
import type {Cgroup} from '../host/cgroup.ts';
import type {RunPaths} from '../host/paths.ts';
import type {Context} from './context.ts';
import {jail} from './jail.ts';

/* What a run as a whole may use: said, looked at, and taken away again. */

/** What is limited, and by what; what is not is said, too. */
export function limitNotes({limits}: SandboxPlan, group: Cgroup | undefined): string[] {
	const gib = (bytes: number) => `${Math.round(bytes / 1024 ** 3 * 10) / 10} GiB`;
	return [
		`limits for each process: memory ${gib(limits.dataSize)}, file size ${gib(limits.fileSize)}, ${limits.openFiles} descriptors, no core file; ${limits.processes} processes`,
		group && group.limits.length > 0 ? `limits for the whole run, by control group: ${group.limits.join(', ')}` : `no control group is writable here: memory in all (${gib(limits.memory)}) is looked at every few seconds, the processor is shared by priority only`,
		`limits for the whole run, looked at every 30 s or more: ${gib(limits.growth)} more on disk; ends after ${Math.round(limits.wallClock / 3_600_000)} hours`,
	];
}

/** Removes a run's control group. */
export async function removeGroup(group: Cgroup | undefined): Promise<void> {
	// The kernel takes a moment to bury the last process.
	for (let tries = 0; group && tries < 20; tries++) {
		group.remove();
		if (!group.joins.some(file => existsSync(file))) {
			return;
		}

		await new Promise(resolve => {
			setTimeout(resolve, 25);
		});
	}
}

const diskScript = 'du --summarize --one-file-system --block-size=1 "$@" 2> /dev/null | cut -f1';

/** Bytes that a run's folders take on disk, counted in a jail; undefined where it took too long. */
export async function diskUse(context: Context, places: RunPaths, folders: string[]): Promise<number | undefined> {
	try {
		const {stdout, timedOut} = await jail(context, path.basename(places.folder), places, {script: diskScript, argv: folders, mounts: folders.map(folder => ({source: folder, target: folder, mode: 'read' as const})), timeout: 60_000});
		return timedOut ? undefined : stdout.trim().split('\n').reduce((sum, line) => sum + Number(line), 0);
	} catch {
		return undefined;
	}
}
