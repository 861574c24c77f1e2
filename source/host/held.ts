import {statfsSync, statSync} from 'node:fs';
import process from 'node:process';
import {inFlight, isDisk, lookIntoTable, openTable, type Files} from './held-descriptors.ts';
import {allWatches} from './held-watches.ts';
import {field, text} from './proc-text.ts';
import {processTree} from './processes.ts';

/*
 * What a run holds that no kernel limit counts for it where there is no control group: memory
 * that is in no process, and what the kernel gives to an account in all, which every program
 * of the person's then misses. Read from /proc, by system calls that need no new descriptor
 * in an event loop: a run that took the account's last one is still seen and ended.
 */

/** What a tree of processes holds. Bytes, and counts. */
export type Held = {
	/** Memory of the processes themselves, and their page tables. */
	readonly processes: number;
	/**
	 * Memory behind descriptors and in scratch file systems: memfds, pipes, sockets,
	 * System V segments and messages, and what the kernel keeps for names and mappings.
	 */
	readonly elsewhere: number;
	readonly descriptors: number;
	/** Processes and their threads. */
	readonly tasks: number;
	/** Files and sockets that event loops wait for: the kernel counts them for the account, in all. */
	readonly watches: number;
	/** Descriptors on their way in a socket, which are in no table of any process. */
	readonly inFlight: number;
	/** Bytes that wait in its connections and datagrams. */
	readonly queued: number;
	/** Bytes on disk in files that have no name any more, so that nobody finds them in a folder. */
	readonly nameless: number;
};

/** Bytes that a pipe may hold: its usual size while the account has some left, then the least (pipe(7)). */
const [usualPipeBytes, leastPipeBytes, usualPipes] = [65_536, 8192, 1024];
/** Bytes that one socket may have sent and nobody read (net.core.wmem_default, doubled as the kernel counts it). */
const socketBufferBytes = 212_992;
/**
 * What the kernel itself keeps for a descriptor, for a file of a
 * scratch file system, for a message, and for a mapping, about.
 */
const [bytesPerDescriptor, bytesPerFile, bytesPerMessage, bytesPerMapping] = [1024, 1024, 64, 224];

/**
 * Bytes used in the scratch file systems of a sandbox, and by the kernel for
 * their files, the empty ones included. They hold files without a name, too.
 * @param first the host's id of its first process
 */
function scratchUse(first: number, targets: readonly string[]): {bytes: number; devices: Set<number>} {
	let bytes = 0;
	const devices = new Set<number>();
	for (const target of targets) {
		try {
			const place = `/proc/${first}/root${target}`;
			const {dev} = statSync(place);
			const {type, blocks, bfree, bsize, files, ffree} = statfsSync(place);
			// TMPFS_MAGIC (statfs(2)): what a grant laid over it is on disk.
			if (type === 0x01_02_19_94 && !devices.has(dev)) {
				bytes += (blocks - bfree) * bsize + (files - ffree) * bytesPerFile;
				devices.add(dev);
			}
		} catch {
			// Not mounted there, or the process has ended since.
		}
	}

	return {bytes, devices};
}

/**
 * Memory files that are only mapped, their descriptors closed: how much they may hold, since nobody can ask for
 * more. Of very many processes a part is asked, in no order that anybody could know; then `complete` is false.
 */
function mappedOnly(pids: readonly number[], known: ReadonlySet<string>): {bytes: number; complete: boolean} {
	const largest = new Map<string, number>();
	const left = [...pids];
	const began = Date.now();
	while (left.length > 0 && (pids.length - left.length < 5 || Date.now() - began < 1000)) {
		const [pid] = left.splice(Math.floor(Math.random() * left.length), 1);
		const own = new Map<string, number>();
		for (const [, from, to, device, inode, name] of text(`/proc/${pid}/maps`).matchAll(
			/^([0-9a-f]+)-([0-9a-f]+) .... [0-9a-f]+ ([0-9a-f]+:[0-9a-f]+) (\d+) +(\/memfd:.*|\/dev\/zero \(deleted\)|.* \(deleted\))$/gm,
		)) {
			const [major = 0, minor = 0] = device!.split(':').map(part => Number.parseInt(part, 16));
			const id = `${major * 256 + minor}:${inode}`;
			// System V segments are asked for by name.
			if (major === 0 && !known.has(id) && !name!.startsWith('/SYSV') && !isDisk(minor)) {
				own.set(id, (own.get(id) ?? 0) + Number.parseInt(to!, 16) - Number.parseInt(from!, 16));
			}
		}

		for (const [id, size] of own) {
			largest.set(id, Math.max(largest.get(id) ?? 0, size));
		}
	}

	return {bytes: [...largest.values()].reduce((sum, size) => sum + size, 0), complete: left.length === 0};
}

/**
 * What the kernel keeps for a connection, about, and the least that it takes of
 * what the machine has for all (tcp_mem) where a byte waits: a page.
 */
const [bytesPerConnection, leastQueueBytes] = [2560, 4096];

/**
 * Bytes that wait in the sockets of a network namespace, and how many local
 * sockets and connections there are, those included that no process has in its
 * table.
 */
function socketUse(first: number): {local: number; connections: number; queued: number} {
	const local = text(`/proc/${first}/net/unix`).split('\n').length - 2;
	let [connections, queued] = [0, 0];
	for (const name of ['tcp', 'tcp6', 'udp', 'udp6']) {
		for (const [, sent, received] of text(`/proc/${first}/net/${name}`).matchAll(/ ([0-9A-F]{8}):([0-9A-F]{8}) /g)) {
			const bytes = Number.parseInt(sent!, 16) + Number.parseInt(received!, 16);
			connections++;
			queued += bytes === 0 ? 0 : Math.max(bytes, leastQueueBytes);
		}
	}

	return {local: Math.max(0, local), connections, queued};
}

/** Bytes that so many pipes may hold. */
function pipeUse(count: number): number {
	return Math.min(count, usualPipes) * usualPipeBytes + Math.max(0, count - usualPipes) * leastPipeBytes;
}

/** Bytes of a process's own, and its page tables, by its /proc/PID/status. */
function residentOf(status: string): number {
	const names = ['RssAnon', 'VmPTE', 'VmSwap', 'HugetlbPages'];
	return 1024 * names.reduce((sum, name) => sum + field(status, name), 0);
}

/**
 * Looks at what a sandbox holds. Costs a few milliseconds for the usual run, and at most a few seconds.
 * @param pid the host's id of its monitor
 * @param options.scratch its scratch file systems, as it sees them
 * @param options.before `machineMemory` at its start
 * @param options.enough counts beyond these need not be exact
 * @param options.thorough whether mappings are counted although the machine's memory
 * does not say that there are many: what others give back hides what a run takes
 */
export async function measureHeld(
	pid: number,
	{
		scratch,
		before,
		enough,
		thorough,
	}: {
		readonly scratch: readonly string[];
		readonly before: MachineMemory;
		readonly enough: {readonly descriptors: number; readonly watches: number; readonly memory: number};
		readonly thorough: boolean;
	},
): Promise<Held> {
	const pids = processTree(pid);
	const files: Files = {memory: new Map(), disk: new Map(), pipes: new Set(), sockets: [], loops: [], count: 0};
	let [own, tasks] = [0, 0];
	for (const id of pids) {
		const status = text(`/proc/${id}/status`);
		tasks += field(status, 'Threads');
		own += residentOf(status);
		const table = files.count > enough.descriptors ? undefined : openTable(id);
		if (table) {
			lookIntoTable(table.folder, table.names, files);
		}
	}

	if (own > enough.memory) {
		own = Math.min(own, exactMemory(pids, enough.memory));
	}

	const [, first = pid] = pids;
	const use = scratchUse(first, ['/dev/shm', ...scratch]);
	const {local, connections, queued} = socketUse(first);
	let memory = use.bytes;
	for (const [id, bytes] of files.memory) {
		// Without a name, but still in a file system that was counted whole.
		memory += use.devices.has(Number(id.split(':')[0])) ? 0 : bytes;
	}

	const waiting = inFlight(files.sockets.slice(0, 5000));
	// What nothing explains of the machine's shared memory may be this run's: only then is it worth a closer look.
	const {shared, kernel} = machineMemory();
	const unexplained = shared - memory;
	const grown = kernel - before.kernel;
	const isClose = unexplained > enough.memory / 4 || grown > enough.memory / 4;
	const {segments, messages} = isClose ? systemV(first) : {segments: 0, messages: 0};
	if (unexplained > enough.memory / 4) {
		const mapped = mappedOnly(pids, new Set(files.memory.keys()));
		// A file that is on its way in a socket is in no table, and one that was not
		// asked for may be anywhere: what came since the run began is taken for it.
		memory += Math.min(
			unexplained,
			mapped.bytes + segments + (waiting > 0 || !mapped.complete ? Math.max(0, shared - before.shared - memory) : 0),
		);
	}

	// The same for what the kernel keeps: it says who has it nowhere.
	memory += Math.min(Math.max(0, grown), messages);
	if (thorough || grown > enough.memory / 4) {
		memory += mappings(pids) * bytesPerMapping;
	}

	return {
		processes: own,
		elsewhere:
			memory +
			pipeUse(files.pipes.size) +
			local * socketBufferBytes +
			connections * bytesPerConnection +
			queued +
			files.count * bytesPerDescriptor,
		descriptors: files.count,
		tasks,
		watches: await allWatches(files.loops, enough.watches),
		inFlight: waiting,
		queued,
		nameless: [...files.disk.values()].reduce((sum, bytes) => sum + bytes, 0),
	};
}

/**
 * Memory of processes with what they share counted once. It walks all of it, so only where the plain sum is too much.
 */
function exactMemory(pids: readonly number[], enough: number): number {
	let sum = 0;
	for (const pid of pids) {
		const rollup = text(`/proc/${pid}/smaps_rollup`);
		const status = text(`/proc/${pid}/status`);
		sum +=
			1024 * (rollup === '' ? field(status, 'RssAnon') : field(rollup, 'Pss_Anon') + field(rollup, 'SwapPss')) +
			1024 * (field(status, 'VmPTE') + field(status, 'HugetlbPages'));
		if (sum > enough) {
			break;
		}
	}

	return sum;
}

/**
 * Mappings of processes. Of very many processes a part is asked,
 * in no order that anybody could know, and taken for the others.
 */
function mappings(pids: readonly number[]): number {
	const left = [...pids];
	const began = Date.now();
	let asked = 0;
	let count = 0;
	while (left.length > 0 && (asked < 5 || Date.now() - began < 500)) {
		const [pid] = left.splice(Math.floor(Math.random() * left.length), 1);
		count += text(`/proc/${pid}/maps`).split('\n').length;
		asked++;
	}

	return asked === 0 ? 0 : (count * pids.length) / asked;
}

/**
 * Its own /proc would tell of the namespace of whoever asks. Whoever enters one needs the power over the user namespace
 * that owns it, which is not the one that a process inside is in: NS_GET_OWNER_USERNS (ioctl_ns(2)) leads to it.
 */
const readSystemV =
	'my ($pid, $setns) = @ARGV; open(my $ipc, "<", "/proc/$pid/ns/ipc") or exit 1; ' +
	'my $owner = ioctl($ipc, 0xB701, 0); $setns += 0; syscall($setns, $owner + 0, 0) if $owner; ' +
	'syscall($setns, fileno($ipc), 0) == 0 or exit 1; ' +
	'for (qw(shm msg)) { open(my $f, "<", "/proc/sysvipc/$_") or exit 1; print <$f> }';

/** Bytes in System V segments and messages of a sandbox: they can be held by no process at all. */
function systemV(first: number): {segments: number; messages: number} {
	const {spawnSync} = process.getBuiltinModule('node:child_process');
	const {stdout} = spawnSync('perl', ['-e', readSystemV, String(first), process.arch === 'arm64' ? '268' : '308'], {
		encoding: 'latin1',
		timeout: 2000,
		maxBuffer: 16 * 1024 ** 2,
		stdio: ['ignore', 'pipe', 'ignore'],
		env: {PATH: '/usr/sbin:/usr/bin:/sbin:/bin'},
	});
	let segments = 0;
	let messages = 0;
	for (const columns of (stdout ?? '').split('\n').map(line => line.trim().split(/\s+/).map(Number))) {
		// A queue has 14 columns, of which two are its bytes and its
		// messages; a segment ends with what it holds, in memory and swapped.
		if (columns.length === 14 && !Number.isNaN(columns[0])) {
			messages += columns[3]! + columns[4]! * bytesPerMessage;
		} else if (columns.length === 16 && !Number.isNaN(columns[0])) {
			segments += columns[14]! + columns[15]!;
		}
	}

	return {segments, messages};
}

/**
 * Bytes of the machine's memory that are shared, or in files without
 * a disk; and that the kernel has for itself and cannot give back.
 */
export type MachineMemory = {readonly shared: number; readonly kernel: number};

export function machineMemory(): MachineMemory {
	const info = text('/proc/meminfo');
	return {shared: field(info, 'Shmem') * 1024, kernel: (field(info, 'SUnreclaim') + field(info, 'VmallocUsed')) * 1024};
}

/**
 * Bytes that may wait in connections of the whole machine before
 * the kernel saves on all of them; undefined where it does not say.
 */
export function machineQueues(): number | undefined {
	const pages = Number.parseInt(text('/proc/sys/net/ipv4/tcp_mem'), 10);
	return Number.isNaN(pages) ? undefined : pages * 4096;
}

/** What is left of the machine's memory, swap included: a share of 1. */
export function memoryLeft(): number {
	const info = text('/proc/meminfo');
	const total = field(info, 'MemTotal') + field(info, 'SwapTotal');
	return total === 0 ? 1 : (field(info, 'MemAvailable') + field(info, 'SwapFree')) / total;
}
