import path from 'node:path';
import type {SandboxPlan} from '../../core/plan.ts';
import type {Cgroup} from '../../host/cgroup.ts';
import type {RunPaths} from '../../host/paths.ts';
import type {Context} from '../context.ts';
import type {DiskUse} from './guard.ts';
import {jail} from './jail.ts';

/* What a run as a whole may use: said, looked at, and taken away again. */

/** What is limited, and by what; what is not is said, too. */
export function limitNotes({limits}: SandboxPlan, group: Cgroup | undefined): string[] {
	const gib = (bytes: number) => `${Math.round((bytes / 1024 ** 3) * 10) / 10} GiB`;
	return [
		`limits for each process: ${Number.isFinite(limits.dataSize) ? `memory ${gib(limits.dataSize)}, ` : ''}` +
			`file size ${gib(limits.fileSize)}, ${limits.openFiles} descriptors, no core file; ` +
			`${limits.processes} processes; /tmp ${gib(limits.tmp)}, /dev/shm ${gib(limits.shm)}`,
		group && group.limits.length > 0
			? `limits for the whole run, by control group: ${group.limits.join(', ')}`
			: `no control group is writable here: memory in all (${gib(limits.memory)}), what is in no process included, ` +
				'is looked at every second or two, the processor is shared by priority only',
		`limits for the whole run, looked at every second or two while it works: ${limits.descriptors} descriptors, ` +
			`${Math.round(limits.watches)} waited for by event loops, ${gib(limits.queued)} waiting in connections; ` +
			`every 30 s, or sooner where the disk fills: ${gib(limits.growth)} and ${limits.files} files more on disk; ` +
			`ends after ${Math.round(limits.wallClock / 3_600_000)} hours`,
	];
}

/** A file with several names is a part of each. */
const diskScript =
	'find "$@" -xdev -printf "%b %n\\n" 2> /dev/null | ' +
	'awk \'{ files++; blocks += $1 / $2 } END { printf "%d %d", blocks, files }\'';

/** What folders of a run take on disk, counted in a jail; undefined where it took too long. */
export async function diskUse(
	context: Context,
	places: RunPaths,
	{folders, signal}: {readonly folders: readonly string[]; readonly signal: AbortSignal},
): Promise<DiskUse | undefined> {
	try {
		const {stdout, timedOut, over} = await jail(context, {
			runId: path.basename(places.folder),
			places,
			script: diskScript,
			argv: folders,
			readsAll: true,
			mounts: folders.map(folder => ({source: folder, target: folder, mode: 'read' as const})),
			timeout: 60_000,
			signal,
		});
		const numbers = /^(\d+) (\d+)$/.exec(stdout.trim());
		return timedOut || over !== undefined || !numbers
			? undefined
			: {bytes: Number(numbers[1]) * 512, files: Number(numbers[2])};
	} catch {
		// Without a sandbox nothing can be counted; what is written is limited all the same.
		return undefined;
	}
}
