import {createHash} from 'node:crypto';
import {
	accessSync,
	constants,
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	rmdirSync,
	statSync,
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
		return false;
	}
}

function isWritable(folder: string): boolean {
	try {
		accessSync(folder, constants.W_OK);
		accessSync(path.join(folder, 'cgroup.procs'), constants.W_OK);
		return true;
	} catch {
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

/**
 * Makes a group for one run, in every hierarchy that is writable.
 * @param name unique among runs; letters, digits and dashes
 * @returns undefined where none is writable: then nothing limits the run as a whole
 */
export function openCgroup(name: string, limits: GroupLimits): Cgroup | undefined {
	if (process.platform !== 'linux') {
		return undefined;
	}

	let places: Place[];
	try {
		places = findPlaces(readFileSync('/proc/self/cgroup', 'utf8'), readFileSync('/proc/self/mountinfo', 'utf8')).filter(
			place => isWritable(place.folder),
		);
	} catch {
		return undefined;
	}

	const folders: string[] = [];
	const done: string[] = [];
	let freezer: string | undefined;
	let usage: string | undefined;
	for (const {version, controllers, folder: parent} of places) {
		// All runs are below one group: fifty of them weigh as much as one.
		const together = path.join(parent, 'fleet');
		const folder = path.join(together, name);
		if (version === 1 && !controllers.some(controller => ['memory', 'pids', 'cpu'].includes(controller))) {
			continue;
		}

		try {
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

			const handed = version === 2 ? delegate(together) : controllers;
			folders.push(folder);
			const file = (name: string) => path.join(folder, name);
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
					path.join(together, version === 2 ? 'cpu.weight' : 'cpu.shares'),
					String(version === 2 ? limits.weight : Math.round(limits.weight * 10.24)),
				)
			) {
				done.push(`the processor, where it is short: all runs together ${limits.weight} against 100`);
			}

			// Version 1 has a freezer, too, but what it holds cannot even
			// be killed: a supervisor that died would leave it forever.
			if (existsSync(file('cgroup.freeze'))) {
				freezer = file('cgroup.freeze');
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
				return undefined;
			}
		},
		remove() {
			for (const folder of folders) {
				removeGroup(folder);
			}
		},
	};
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

/** Removes what a run's supervisor that was killed left: a group without processes. */
export function removeCgroup(name: string): void {
	try {
		for (const {folder} of findPlaces(
			readFileSync('/proc/self/cgroup', 'utf8'),
			readFileSync('/proc/self/mountinfo', 'utf8'),
		)) {
			// The supervisor may have sat one level above, or in a leaf beside.
			for (const parent of [folder, path.dirname(folder)]) {
				const together = path.join(parent, 'fleet');
				// Its own, and those of what looked at it; a group that holds a process stays.
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

/**
 * Every process below one, itself first, from /proc. Processes of a pid namespace never leave the tree of its monitor.
 */
export function processTree(pid: number): number[] {
	const found: number[] = [];
	const visit = (id: number) => {
		found.push(id);
		let tasks: string[] = [];
		try {
			tasks = readdirSync(`/proc/${id}/task`);
		} catch {
			// The process has ended since.
		}

		for (const task of tasks) {
			try {
				for (const child of readFileSync(`/proc/${id}/task/${task}/children`, 'utf8').split(' ')) {
					if (child !== '' && found.length < 100_000) {
						visit(Number(child));
					}
				}
			} catch {
				// The thread has ended since.
			}
		}
	};

	visit(pid);
	return found;
}

function isStopped(pid: number): boolean {
	try {
		return /^\d+ \(.*\) [Tt] /s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
	} catch {
		return true;
	}
}

/**
 * Stops a tree of processes where they stand, by a signal that none can refuse, until none is left that runs. Less sure
 * than a control group: what is born between two looks runs until the next.
 * @returns whom it stopped, for `continueProcesses`: who stood before is to stand after; and whether all stand
 */
export function stopTree(pid: number): {stopped: number[]; whole: boolean} {
	const seen = new Set<number>();
	const stopped: number[] = [];
	for (let round = 0; round < 50; round++) {
		const fresh = processTree(pid).filter(id => !seen.has(id));
		if (fresh.length === 0) {
			return {stopped, whole: true};
		}

		for (const id of fresh) {
			seen.add(id);
			if (!isStopped(id)) {
				try {
					process.kill(id, 'SIGSTOP');
					stopped.push(id);
				} catch {
					// The process has ended since.
				}
			}
		}
	}

	return {stopped, whole: false};
}

export function continueProcesses(pids: readonly number[]): void {
	for (const pid of pids) {
		try {
			process.kill(pid, 'SIGCONT');
		} catch {
			// The process has ended since.
		}
	}
}

/** The number of the read system call (syscall(2)). */
const readCall = process.arch === 'arm64' ? '63' : '0';

/** Whether a sleeping process is in a read of a terminal: then whoever sits there is waited for. */
function readsTerminal(pid: number): boolean {
	try {
		const [call, descriptor = ''] = readFileSync(`/proc/${pid}/syscall`, 'latin1').split(' ');
		// Majors 136 to 143 are the pseudo-terminals' (Documentation/admin-guide/devices.txt).
		const major = call === readCall ? Math.floor(statSync(`/proc/${pid}/fd/${Number(descriptor)}`).rdev / 256) : 0;
		return major >= 136 && major <= 143;
	} catch {
		return false;
	}
}

/**
 * What a tree of processes holds and has used: resident memory in bytes
 * (pages that they share are counted for each), processor in clock ticks.
 */
export function measureTree(pid: number): {memory: number; processor: number; reads: boolean} {
	let pages = 0;
	let processor = 0;
	let reads = false;
	for (const id of processTree(pid)) {
		try {
			const fields = readFileSync(`/proc/${id}/stat`, 'utf8')
				.replace(/^.*\) /s, '')
				.split(' ');
			// User and system time, of itself and of the children that it waited for; then the resident set (proc(5)).
			processor += Number(fields[11]) + Number(fields[12]) + Number(fields[13]) + Number(fields[14]);
			pages += Number(fields[21]);
			reads ||= fields[0] === 'S' && readsTerminal(id);
		} catch {
			// The process has ended since.
		}
	}

	return {memory: pages * 4096, processor, reads};
}

/**
 * Makes a session weigh less than others, where the kernel weighs sessions before processes (sched(7), autogroup):
 * there a priority means something within its session only. The kernel takes one such wish every tenth of a second.
 * @param pid the session's leader
 */
export async function lowerSession(pid: number): Promise<void> {
	for (let tries = 0; tries < 50; tries++) {
		try {
			writeFileSync(`/proc/${pid}/autogroup`, '19');
			return;
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') {
				return;
			}
		}

		await new Promise(resolve => {
			setTimeout(resolve, 100 + Math.random() * 200);
		});
	}
}
