import {createHash} from 'node:crypto';
import {
	accessSync,
	constants,
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	rmdirSync,
	writeFileSync,
} from 'node:fs';
import path from 'node:path';
import process from 'node:process';

/*
 * Control groups, where one is writable: the only thing that limits
 * a run as a whole. Version 2 with delegation, version 1, or a mix.
 */

/**
 * What a run may use in all. Memory in bytes; `weight` is the share of the
 * processor that all runs have together, against 100 for everybody else.
 */
type GroupLimits = {readonly memory: number; readonly processes: number; readonly weight: number};

export type Cgroup = {
	/** The files that a process writes its id into to be in the group. */
	readonly joins: readonly string[];
	/** What it limits, in words. */
	readonly limits: readonly string[];
	/** Stops every process where it stands, or lets them go on. False where the kernel has no freezer here. */
	freeze(on: boolean): boolean;
	/** Bytes in use, undefined where it is not told. */
	memory(): number | undefined;
	/** How often the kernel ended a process of it for memory, and how often it could start none for their number. */
	events(): {readonly memory: number; readonly processes: number};
	/** Removes the group, once it is empty. */
	remove(): void;
};

/** The name of a run's control group: one machine may have several fleets. `socket` is the run's. */
export function groupName({socket}: {readonly socket: string}): string {
	const fleet = createHash('sha256').update(path.dirname(socket)).digest('hex').slice(0, 8);
	return `${fleet}-${path.basename(socket, '.sock')}`;
}

type Place = {readonly version: 1 | 2; readonly controllers: readonly string[]; readonly folder: string};

/** The groups that this process is in, from the texts of /proc/self/cgroup and /proc/self/mountinfo. */
export function findPlaces(cgroups: string, mounts: string): Place[] {
	const mounted = mounts.split('\n').flatMap(line => {
		const match = /^\S+ \S+ \S+ (\S+) (\S+) .* - (cgroup2?) \S+ (\S+)$/.exec(line);
		return match
			? [{root: match[1]!, at: match[2]!, version: match[3] === 'cgroup2' ? 2 : 1, options: match[4]!.split(',')}]
			: [];
	});
	return cgroups.split('\n').flatMap((line): Place[] => {
		const match = /^\d+:([^:]*):(\/.*)$/.exec(line);
		if (!match) {
			return [];
		}

		const controllers = match[1] === '' ? [] : match[1]!.split(',');
		const version = match[1] === '' ? 2 : 1;
		const mount = mounted.find(
			mount => mount.version === version && controllers.every(controller => mount.options.includes(controller)),
		);
		// A container sees only its own part of the tree.
		return mount && !controllers.some(name => name.startsWith('name='))
			? [
					{
						version,
						controllers,
						folder: path.join(
							mount.at,
							path.relative(mount.root, match[2]!).startsWith('..') ? '/' : path.relative(mount.root, match[2]!),
						),
					},
				]
			: [];
	});
}

function write(file: string, text: string): boolean {
	try {
		writeFileSync(file, text);
		return true;
	} catch {
		// The caller does without what this kernel, or this hierarchy, does not take.
		return false;
	}
}

function isWritable(folder: string): boolean {
	try {
		accessSync(folder, constants.W_OK);
		accessSync(path.join(folder, 'cgroup.procs'), constants.W_OK);
		return true;
	} catch {
		// access(2) answers no by an error.
		return false;
	}
}

/** Version 2 hands controllers down only from a group that holds no process: this one moves into a leaf of its own. */
function delegate(folder: string): string[] {
	const wanted = ['memory', 'pids', 'cpu'];
	const enabled = () =>
		existsSync(path.join(folder, 'cgroup.subtree_control'))
			? readFileSync(path.join(folder, 'cgroup.subtree_control'), 'utf8').trim().split(' ')
			: [];
	if (!existsSync(path.join(folder, 'cgroup.controllers'))) {
		return [];
	}

	const available = readFileSync(path.join(folder, 'cgroup.controllers'), 'utf8')
		.trim()
		.split(' ')
		.filter(name => wanted.includes(name));
	const missing = available.filter(name => !enabled().includes(name));
	if (
		missing.length > 0 &&
		!write(path.join(folder, 'cgroup.subtree_control'), missing.map(name => `+${name}`).join(' '))
	) {
		const leaf = path.join(folder, 'fleet-supervisors');
		mkdirSync(leaf, {recursive: true});
		write(path.join(leaf, 'cgroup.procs'), String(process.pid));
		write(path.join(folder, 'cgroup.subtree_control'), missing.map(name => `+${name}`).join(' '));
	}

	return enabled().filter(name => wanted.includes(name));
}

/** Version 2 hands down what it is asked for; version 1 has a hierarchy for each. */
function makeGroup({version, controllers, folder: parent}: Place, folder: string): readonly string[] {
	if (version === 2) {
		delegate(parent);
	}

	// The last run of another fleet may take the group away between the two steps of one call.
	for (let tries = 0; tries < 3 && !existsSync(folder); tries++) {
		try {
			mkdirSync(folder, {recursive: true});
		} catch {
			// Tried again, three times in all.
		}
	}

	return version === 2 ? delegate(path.dirname(folder)) : controllers;
}

/** Writes the limits that a group's controllers take. @returns what it limits, in words, and where its use is told */
function limitGroup(
	folder: string,
	{version, handed}: {version: 1 | 2; handed: readonly string[]},
	limits: GroupLimits,
): {done: string[]; usage: string | undefined} {
	const file = (name: string) => path.join(folder, name);
	const done: string[] = [];
	let usage: string | undefined;
	if (
		handed.includes('memory') &&
		write(file(version === 2 ? 'memory.max' : 'memory.limit_in_bytes'), String(limits.memory))
	) {
		done.push(`memory ${Math.round(limits.memory / 1024 ** 2)} MiB in all`);
		usage = file(version === 2 ? 'memory.current' : 'memory.usage_in_bytes');
		write(file('memory.swap.max'), '0');
	}

	if (handed.includes('pids') && write(file('pids.max'), String(limits.processes))) {
		done.push(`${limits.processes} processes in all`);
	}

	if (
		handed.includes('cpu') &&
		write(
			path.join(path.dirname(folder), version === 2 ? 'cpu.weight' : 'cpu.shares'),
			String(version === 2 ? limits.weight : Math.round(limits.weight * 10.24)),
		)
	) {
		done.push(`the processor, where it is short: all runs together ${limits.weight} against 100`);
	}

	return {done, usage};
}

/** The groups of this process in which a run's own can be made. */
function writablePlaces(): Place[] {
	try {
		return findPlaces(readFileSync('/proc/self/cgroup', 'utf8'), readFileSync('/proc/self/mountinfo', 'utf8')).filter(
			place => isWritable(place.folder),
		);
	} catch {
		// A kernel without control groups has neither file.
		return [];
	}
}

/**
 * Makes a group for one run, in every hierarchy that is writable.
 * @param name unique among runs; letters, digits and dashes
 * @returns undefined where none is writable: then nothing limits the run as a whole
 */
export function openCgroup(name: string, limits: GroupLimits): Cgroup | undefined {
	if (process.platform !== 'linux') {
		return undefined;
	}

	const folders: string[] = [];
	const done: string[] = [];
	let freezer: string | undefined;
	let usage: string | undefined;
	for (const place of writablePlaces()) {
		const {version, controllers} = place;
		if (version === 1 && !controllers.some(controller => ['memory', 'pids', 'cpu'].includes(controller))) {
			continue;
		}

		// All runs are below one group: fifty of them weigh as much as one.
		const folder = path.join(place.folder, 'fleet', name);
		try {
			const handed = makeGroup(place, folder);
			folders.push(folder);
			const limited = limitGroup(folder, {version, handed}, limits);
			done.push(...limited.done);
			usage = limited.usage ?? usage;
			// Version 1 has a freezer, too, but what it holds cannot even
			// be killed: a supervisor that died would leave it forever.
			if (existsSync(path.join(folder, 'cgroup.freeze'))) {
				freezer = path.join(folder, 'cgroup.freeze');
			}
		} catch {
			// One hierarchy that refuses takes nothing from the others.
		}
	}

	if (folders.length === 0) {
		return undefined;
	}

	return {
		joins: folders.map(folder => path.join(folder, 'cgroup.procs')),
		limits: done,
		freeze: on => freezer !== undefined && write(freezer, on ? '1' : '0'),
		memory() {
			try {
				return usage === undefined ? undefined : Number(readFileSync(usage, 'utf8'));
			} catch {
				// The group is gone, as at the end of its run.
				return undefined;
			}
		},
		events() {
			const count = (name: string, key: string) =>
				folders.reduce((sum, folder) => sum + readCount(path.join(folder, name), key), 0);
			return {
				memory: count('memory.events', 'oom_kill') + count('memory.oom_control', 'oom_kill'),
				processes: count('pids.events', 'max'),
			};
		},
		remove() {
			for (const folder of folders) {
				removeGroup(folder);
			}
		},
	};
}

/** A count of a file of lines such as `oom_kill 2`; 0 where there is none. */
function readCount(file: string, key: string): number {
	try {
		return Number(new RegExp(`^${key} (\\d+)$`, 'm').exec(readFileSync(file, 'utf8'))?.[1] ?? 0);
	} catch {
		// Another controller's folder, or another version's file.
		return 0;
	}
}

/** Removes a run's group, and the one above it where no other run is in it. */
function removeGroup(folder: string): void {
	for (const group of [folder, path.dirname(folder)]) {
		try {
			rmdirSync(group);
		} catch {
			// A group that holds a process, or another run's group, stays.
		}
	}
}

/**
 * Ends what is left in a group. A sandbox dies with its supervisor by a signal of the kernel, which it asks for once it
 * runs: a supervisor that was killed in the moment before leaves one behind.
 */
function endAll(folder: string): void {
	const processes = () =>
		readFileSync(path.join(folder, 'cgroup.procs'), 'utf8')
			.split('\n')
			.filter(line => line !== '');
	try {
		// What dies takes a moment to leave its group.
		for (let tries = 0; tries < 50 && processes().length > 0; tries++) {
			processes().forEach(pid => process.kill(Number(pid), 'SIGKILL'));
			Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
		}
	} catch {
		// No such group, none of ours, or gone between being listed and being ended.
	}
}

/** Ends and removes what a run's supervisor that was killed left. */
export function removeCgroup(name: string): void {
	try {
		for (const {folder} of findPlaces(
			readFileSync('/proc/self/cgroup', 'utf8'),
			readFileSync('/proc/self/mountinfo', 'utf8'),
		)) {
			// The supervisor may have sat one level above, or in a leaf beside.
			for (const parent of [folder, path.dirname(folder)]) {
				const together = path.join(parent, 'fleet');
				endAll(path.join(together, name));
				// Its own, and those of what looked at it, of which one that holds a process stays.
				for (const group of existsSync(together)
					? readdirSync(together).filter(other => other === name || other.startsWith(`${name}.`))
					: []) {
					removeGroup(path.join(together, group));
				}
			}
		}
	} catch {
		// Where nothing is known of groups, or none may be listed, none of a run's is there.
	}
}
