import {readdirSync, readlinkSync, statSync} from 'node:fs';
import {field, text} from './proc-text.ts';

/* What the descriptor tables of a run's processes hold. */

/**
 * The task of a process whose descriptor table can be read: a leader that ended has none, and
 * its threads still do. All threads share one: the system call filter leaves no way to a second.
 */
export function openTable(pid: number): {folder: string; names: string[]} | undefined {
	const folders = [`/proc/${pid}`];
	for (let tried = 0; tried < folders.length && tried < 20; tried++) {
		try {
			const names = readdirSync(`${folders[tried]}/fd`);
			if (names.length > 0) {
				return {folder: folders[tried]!, names};
			}
		} catch {
			// Another thread may still show it; where none does, the process has ended since.
		}

		if (tried === 0) {
			try {
				folders.push(
					...readdirSync(`/proc/${pid}/task`)
						.reverse()
						.map(task => `/proc/${pid}/task/${task}`),
				);
			} catch {
				// The process has ended since.
			}
		}
	}

	return undefined;
}

export type Files = {
	/** Memory files by device and inode: their bytes. */
	readonly memory: Map<string, number>;
	readonly disk: Map<string, number>;
	readonly pipes: Set<string>;
	readonly sockets: Array<{readonly id: string; readonly info: string}>;
	/** Files of /proc that tell what an event loop waits for. */
	readonly loops: string[];
	count: number;
};

export function lookIntoTable(folder: string, names: readonly string[], files: Files): void {
	files.count += names.length;
	for (const name of names) {
		let link: string;
		try {
			link = readlinkSync(`${folder}/fd/${name}`);
		} catch {
			// It was closed since.
			continue;
		}

		if (link.startsWith('pipe:')) {
			files.pipes.add(link);
		} else if (link.startsWith('socket:')) {
			files.sockets.push({id: link, info: `${folder}/fdinfo/${name}`});
		} else if (link === 'anon_inode:[eventpoll]') {
			files.loops.push(`${folder}/fdinfo/${name}`);
		} else if (link.startsWith('/memfd:') || link.startsWith('/dev/shm/') || link.endsWith(' (deleted)')) {
			try {
				const {dev, ino, blocks, nlink} = statSync(`${folder}/fd/${name}`);
				// What has a name in a scratch file system is counted there.
				if (nlink === 0) {
					// Memory files are on a device without a number of its own, or with one that no disk has.
					(link.startsWith('/memfd:') || (Math.floor(dev / 256) === 0 && !isDisk(dev)) ? files.memory : files.disk).set(
						`${dev}:${ino}`,
						blocks * 512,
					);
				}
			} catch {
				// It was closed since.
			}
		}
	}
}

let disks: Set<number> | undefined;

/** Whether a device that has no number of its own (major 0) is a file system on disk, such as btrfs or overlay. */
export function isDisk(device: number): boolean {
	// The mounts of the host: what is only in a sandbox is one of its scratch file systems.
	disks ??= new Set(
		text('/proc/self/mountinfo')
			.split('\n')
			.flatMap(line => {
				const [, major, minor, type] = /^\S+ \S+ (\d+):(\d+) .* - (\S+) /.exec(line) ?? [];
				return type === undefined || type === 'tmpfs' ? [] : [Number(major) * 256 + Number(minor)];
			}),
	);
	return disks.has(device);
}

/** Descriptors that wait in a socket to be received. */
export function inFlight(sockets: Files['sockets']): number {
	const seen = new Set<string>();
	let count = 0;
	for (const {id, info} of sockets) {
		if (!seen.has(id)) {
			seen.add(id);
			count += field(text(info), 'scm_fds');
		}
	}

	return count;
}
