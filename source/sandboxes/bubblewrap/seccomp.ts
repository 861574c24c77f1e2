/* The system call filter: a classic BPF program, assembled here so that its every rule can be read and tested. */

type Architecture = 'x64' | 'arm64';

const errno = {EPERM: 1, ENOMEM: 12, EINVAL: 22, ENOSYS: 38, ENOPROTOOPT: 92, EPROTONOSUPPORT: 93, EAFNOSUPPORT: 97};
const auditArchitecture: Record<Architecture, number> = {x64: 0xc0_00_00_3e, arm64: 0xc0_00_00_b7};

// oxfmt-ignore
const numbers: Record<Architecture, Record<string, number>> = {
	x64: {
		mmap: 9, ioctl: 16, shmget: 29, semget: 64, setsockopt: 54, socket: 41, io_setup: 206, memfd_create: 319,
		fcntl: 72, vmsplice: 278,
		clone: 56, syslog: 103, uselib: 134, vhangup: 153, modify_ldt: 154, pivot_root: 155, adjtimex: 159, acct: 163,
		settimeofday: 164, mount: 165, umount2: 166,
		swapon: 167, swapoff: 168, reboot: 169, iopl: 172, ioperm: 173, init_module: 175, delete_module: 176,
		quotactl: 179, nfsservctl: 180, lookup_dcookie: 212, clock_settime: 227,
		kexec_load: 246, add_key: 248, request_key: 249, keyctl: 250, migrate_pages: 256, unshare: 272,
		move_pages: 279, perf_event_open: 298, fanotify_init: 300, name_to_handle_at: 303,
		open_by_handle_at: 304, clock_adjtime: 305, setns: 308, kcmp: 312, finit_module: 313, kexec_file_load: 320,
		bpf: 321, userfaultfd: 323,
	},
	arm64: {
		fcntl: 25, vmsplice: 75, io_setup: 0, mmap: 222, shmget: 194, semget: 190, setsockopt: 208, memfd_create: 279,
		ioctl: 29,
		lookup_dcookie: 18, umount2: 39, mount: 40, pivot_root: 41, nfsservctl: 42, vhangup: 58, quotactl: 60,
		acct: 89, unshare: 97, kexec_load: 104, init_module: 105, delete_module: 106,
		clock_settime: 112, syslog: 116, reboot: 142, settimeofday: 170, adjtimex: 171, socket: 198, add_key: 217,
		request_key: 218, keyctl: 219, clone: 220, swapon: 224, swapoff: 225,
		migrate_pages: 238, move_pages: 239, perf_event_open: 241, fanotify_init: 262, name_to_handle_at: 264,
		open_by_handle_at: 265, clock_adjtime: 266, setns: 268, kcmp: 272, finit_module: 273,
		bpf: 280, userfaultfd: 282, kexec_file_load: 294,
	},
};

/** Newer calls have one number on every architecture. */
// oxfmt-ignore
const shared: Record<string, number> = {
	io_uring_setup: 425, io_uring_enter: 426, io_uring_register: 427, open_tree: 428, move_mount: 429, fsopen: 430,
	fsconfig: 431, fsmount: 432, fspick: 433,
	clone3: 435, close_range: 436, memfd_secret: 447, pidfd_getfd: 438, process_madvise: 440, mount_setattr: 442,
	open_tree_attr: 467,
};

/**
 * Refused with EPERM whatever their arguments. Keyrings are not namespaced;
 * the others are the kernel's rarely used and often broken doors.
 */
const refused = [
	'keyctl',
	'add_key',
	'request_key',
	'bpf',
	'perf_event_open',
	'userfaultfd',
	'io_uring_setup',
	'io_uring_enter',
	'io_uring_register',
	'mount',
	'umount2',
	'pivot_root',
	'open_tree',
	'open_tree_attr',
	'move_mount',
	'fsopen',
	'fsconfig',
	'fsmount',
	'fspick',
	'mount_setattr',
	'setns',
	'kexec_load',
	'kexec_file_load',
	'init_module',
	'finit_module',
	'delete_module',
	'reboot',
	'swapon',
	'swapoff',
	'acct',
	'syslog',
	'settimeofday',
	'clock_settime',
	'clock_adjtime',
	'adjtimex',
	'iopl',
	'ioperm',
	'lookup_dcookie',
	'name_to_handle_at',
	'open_by_handle_at',
	'vhangup',
	'quotactl',
	'nfsservctl',
	'fanotify_init',
	'kcmp',
	'pidfd_getfd',
	'process_madvise',
	'migrate_pages',
	'move_pages',
	'uselib',
	'modify_ldt',
];

/** AF_UNIX; AF_NETLINK only for NETLINK_ROUTE, with which programs list interfaces. */
const local = 1;
/** AF_INET, AF_INET6, with ICMP, TCP, UDP and ICMPv6. Others load modules of the kernel that hardly anybody uses, or, as MPTCP and UDP-Lite, keep what waits in them where nobody counts it. */
const internet = {families: [2, 10], protocols: [0, 1, 6, 17, 58]};
const netlink = 16;

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. */
const newNamespaces = 0x7e_02_00_00;
const newTime = 0x80;
/**
 * A thread, and a table of descriptors that it shares: one with
 * a table of its own hides what it holds from whoever counts.
 */
const [thread, sharedTable, ownTable] = [0x1_00_00, 0x4_00, 2];
/** Huge pages are the machine's, in all: MAP_HUGETLB, MFD_HUGETLB, SHM_HUGETLB. */
const huge = {mmap: 0x4_00_00, memfd: 4, segment: 0o4000};
/**
 * Semaphores of a set, as many as a kernel has by default elsewhere: memory
 * that belongs to no process, 2 MB in a set of Linux, and 32,000 sets.
 */
const maxSemaphores = 250;
/** SOL_SOCKET, and of its options SO_SNDBUF and SO_ZEROCOPY. */
const ofSocket = {level: 1, sendBuffer: 7, zeroCopy: 60};
/**
 * F_SETLEASE and F_SETDELEG: a file's owner has whoever else
 * opens it wait until the lease is given back, 45 seconds long.
 */
const leases = [1024, 1040];
/** TIOCSTI types into a terminal, TIOCLINUX pastes into a console. */
const terminalInjection = [0x54_12, 0x54_1c];

type Instruction = {code: number; yes: number; no: number; value: number};

const returnValue = (value: number): Instruction => ({code: 0x06, yes: 0, no: 0, value});
const allow = returnValue(0x7f_ff_00_00);
const kill = returnValue(0x80_00_00_00);
const fail = (number: number) => returnValue(0x00_05_00_00 + number);
const load = (offset: number): Instruction => ({code: 0x20, yes: 0, no: 0, value: offset});
const ifEqual = (value: number, yes: number, no: number): Instruction => ({code: 0x15, yes, no, value});
const ifAtLeast = (value: number, yes: number, no: number): Instruction => ({code: 0x35, yes, no, value});
const ifAnyBit = (value: number, yes: number, no: number): Instruction => ({code: 0x45, yes, no, value});
/** The low half of an argument; both architectures are little-endian, and every argument looked at here is an int. */
const argument = (index: number) => load(16 + 8 * index);

/** The rules for one call: the block is skipped whole for every other call. */
function forCall(number: number, block: Instruction[]): Instruction[] {
	return [ifEqual(number, 0, block.length), ...block];
}

/**
 * One list, longer than a function may be otherwise: the kernel reads it from top to bottom, and so should a person.
 * @returns the filter as `bwrap --seccomp` reads it: an array of `struct sock_filter`
 */
// oxlint-disable-next-line max-lines-per-function -- the reason is above
export function seccompFilter(architecture: Architecture): Uint8Array {
	const call = (name: string) => numbers[architecture][name] ?? shared[name];
	const program: Instruction[] = [
		load(4),
		ifEqual(auditArchitecture[architecture], 1, 0),
		kill,
		load(0),
		// The x32 calls have other numbers for the same doors.
		...(architecture === 'x64' ? [ifAtLeast(0x40_00_00_00, 0, 1), fail(errno.ENOSYS)] : []),
		// clone3's flags lie in memory, where a filter cannot look; libraries fall back to clone.
		...forCall(call('clone3')!, [fail(errno.ENOSYS)]),
		...forCall(call('clone')!, [
			argument(0),
			ifAnyBit(newNamespaces, 0, 1),
			fail(errno.EPERM),
			ifAnyBit(thread, 0, 2),
			ifAnyBit(sharedTable, 1, 0),
			fail(errno.EPERM),
			allow,
		]),
		...forCall(call('unshare')!, [
			argument(0),
			ifAnyBit(newNamespaces + newTime + sharedTable, 0, 1),
			fail(errno.EPERM),
			allow,
		]),
		...forCall(call('close_range')!, [argument(2), ifAnyBit(ownTable, 0, 1), fail(errno.EPERM), allow]),
		...forCall(call('mmap')!, [argument(3), ifAnyBit(huge.mmap, 0, 1), fail(errno.ENOMEM), allow]),
		// As the kernel answers flags that it does not know: Chromium asks with all of them, and ends at any other answer.
		...forCall(call('memfd_create')!, [argument(1), ifAnyBit(huge.memfd, 0, 1), fail(errno.EINVAL), allow]),
		...forCall(call('shmget')!, [argument(2), ifAnyBit(huge.segment, 0, 1), fail(errno.ENOMEM), allow]),
		...forCall(call('semget')!, [argument(1), ifAtLeast(maxSemaphores + 1, 0, 1), fail(errno.EINVAL), allow]),
		// What is read-only inside is still the person's own file, and belongs to the same user.
		...forCall(call('fcntl')!, [
			argument(1),
			...leases.flatMap(command => [ifEqual(command, 0, 1), fail(errno.EINVAL)]),
			allow,
		]),
		// A larger buffer: it does nothing, and says that it did, as the kernel does
		// with what is over its most: who looks counts buffers of the usual size.
		// No memory that stays where it is while it waits: a byte of
		// it keeps the whole of a large page, which is in no process.
		...forCall(call('setsockopt')!, [
			argument(1),
			ifEqual(ofSocket.level, 0, 5),
			argument(2),
			ifEqual(ofSocket.sendBuffer, 0, 1),
			fail(0),
			ifEqual(ofSocket.zeroCopy, 0, 1),
			fail(errno.ENOPROTOOPT),
			allow,
		]),
		...forCall(call('vmsplice')!, [fail(errno.ENOSYS)]),
		// The machine has one number of these for everybody (fs.aio-max-nr);
		// and memory that nothing counts. Programs go on without.
		...forCall(call('io_setup')!, [fail(errno.ENOSYS)]),
		...forCall(call('memfd_secret')!, [fail(errno.ENOSYS)]),
		...forCall(call('ioctl')!, [
			argument(1),
			...terminalInjection.flatMap(request => [ifEqual(request, 0, 1), fail(errno.EPERM)]),
			allow,
		]),
		...forCall(call('socket')!, [
			argument(0),
			ifEqual(local, 0, 1),
			allow,
			...internet.families.flatMap(family => [
				ifEqual(family, 0, 2 + 2 * internet.protocols.length),
				argument(2),
				...internet.protocols.flatMap(protocol => [ifEqual(protocol, 0, 1), allow]),
				fail(errno.EPROTONOSUPPORT),
			]),
			ifEqual(netlink, 0, 3),
			argument(2),
			ifEqual(0, 0, 1),
			allow,
			fail(errno.EAFNOSUPPORT),
		]),
	];
	for (const name of refused) {
		const number = call(name);
		if (number !== undefined) {
			program.push(...forCall(number, [fail(errno.EPERM)]));
		}
	}

	program.push(allow);
	const bytes = new DataView(new ArrayBuffer(program.length * 8));
	for (const [index, {code, yes, no, value}] of program.entries()) {
		bytes.setUint16(index * 8, code, true);
		bytes.setUint8(index * 8 + 2, yes);
		bytes.setUint8(index * 8 + 3, no);
		bytes.setUint32(index * 8 + 4, value, true);
	}

	return new Uint8Array(bytes.buffer);
}

function answerOf(value: number): 'allow' | 'kill' | number {
	if (value === allow.value) {
		return 'allow';
	}

	return value === kill.value ? 'kill' : value - 0x00_05_00_00;
}

/** What the filter does with one call, by running the program: for tests, and for reading. */
export function evaluateFilter(
	filter: Uint8Array,
	data: {architecture: Architecture; number: number; arguments?: number[]},
): 'allow' | 'kill' | number {
	const view = new DataView(filter.buffer, filter.byteOffset, filter.byteLength);
	const load = (offset: number) => {
		if (offset === 0) {
			return data.number;
		}

		return offset === 4 ? auditArchitecture[data.architecture] : (data.arguments?.[(offset - 16) / 8] ?? 0);
	};

	let accumulator = 0;
	for (let pc = 0; pc * 8 < filter.byteLength; pc++) {
		const code = view.getUint16(pc * 8, true);
		const value = view.getUint32(pc * 8 + 4, true);
		const jump = (condition: boolean) => {
			pc += condition ? view.getUint8(pc * 8 + 2) : view.getUint8(pc * 8 + 3);
		};

		if (code === 0x20) {
			accumulator = load(value);
		} else if (code === 0x15) {
			jump(accumulator === value);
		} else if (code === 0x35) {
			jump(accumulator >= value);
		} else if (code === 0x45) {
			jump((accumulator & value) >>> 0 !== 0);
		} else if (code === 0x06) {
			return answerOf(value);
		}
	}

	throw new Error('the filter does not end');
}
