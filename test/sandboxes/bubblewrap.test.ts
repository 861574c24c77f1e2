import assert from 'node:assert/strict';
import {test} from 'node:test';
import {defaultLimits, dropUidOf, type SandboxPlan} from '../../source/core/plan.ts';
import {compileAlone, compileDial, compileEntered, compileHolder} from '../../source/sandboxes/bubblewrap/compile.ts';
import {sandboxArguments} from '../../source/sandboxes/bubblewrap/bwrap-arguments.ts';
import type {Host} from '../../source/sandboxes/bubblewrap/host.ts';
import {evaluateFilter, seccompFilter} from '../../source/sandboxes/bubblewrap/seccomp.ts';

const tools = {
	bwrap: '/usr/bin/bwrap',
	sh: '/bin/sh',
	unshare: '/usr/bin/unshare',
	setpriv: '/usr/bin/setpriv',
	nsenter: '/usr/bin/nsenter',
	prlimit: '/usr/bin/prlimit',
	nice: '/usr/bin/nice',
	env: '/usr/bin/env',
};
const host = (root: boolean): Host => ({
	tools,
	root,
	stage: '/run/stage',
	granted: root ? '/run/stage/granted' : '/r/granted',
	empty: '/r/empty',
	perl: undefined,
	node: '/node',
	maskedProc: ['/proc/keys'],
	ofAccount: {counts: {max_inotify_instances: 32}, limits: {sigpending: 1024}},
	files: {seccomp: '/r/seccomp', entered: '/r/entered', alone: '/r/alone'},
});
const plan: SandboxPlan = {
	runId: 'r',
	mounts: [
		{source: '/usr', target: '/usr', mode: 'read', system: true},
		{source: '/w', target: '/w', mode: 'write'},
		{source: '/w.git', target: '/w/.git', mode: 'read'},
	],
	links: [{target: '/bin', to: 'usr/bin'}],
	scratch: [{target: '/tmp', size: 10, mode: 0o1777}],
	env: {A: 'b'},
	cwd: '/w',
	limits: defaultLimits,
	dropUid: 7,
	architecture: 'x64',
};

test('the arguments of bubblewrap, whole', () => {
	assert.deepEqual(sandboxArguments(plan, host(false), 'entered'), [
		'--unshare-user',
		'--disable-userns',
		'--unshare-pid',
		'--unshare-ipc',
		'--unshare-uts',
		'--unshare-cgroup',
		'--uid',
		'1000',
		'--gid',
		'1000',
		'--hostname',
		'fleet',
		'--cap-drop',
		'ALL',
		'--cap-add',
		'CAP_SYS_RESOURCE',
		'--cap-add',
		'CAP_SETPCAP',
		'--die-with-parent',
		'--seccomp',
		'8',
		'--ro-bind',
		'/usr',
		'/usr',
		'--symlink',
		'usr/bin',
		'/bin',
		'--proc',
		'/proc',
		'--ro-bind',
		'/proc/sys',
		'/proc/sys',
		'--bind',
		'/proc/sys/user',
		'/proc/sys/user',
		'--ro-bind',
		'/dev/null',
		'/proc/keys',
		'--dev',
		'/dev',
		'--size',
		'1073741824',
		'--perms',
		'1777',
		'--tmpfs',
		'/dev/shm',
		'--size',
		'10',
		'--perms',
		'1777',
		'--tmpfs',
		'/tmp',
		'--bind',
		'/w',
		'/w',
		'--ro-bind',
		'/w.git',
		'/w/.git',
		'--remount-ro',
		'/dev',
		'--remount-ro',
		'/',
		'--remount-ro',
		'/proc',
		'--chdir',
		'/w',
	]);
	assert.ok(sandboxArguments(plan, host(false), 'alone').includes('--unshare-net'));
});

test('root leaves its uid behind before bubblewrap, and stages what others may not reach', () => {
	const entered = compileEntered(plan, host(true), {inner: {argv: ['x'], cwd: '/w', env: {}}, holderPid: 42});
	const drop = entered.argv.indexOf('/usr/bin/setpriv');
	assert.ok(drop > 0 && drop < entered.argv.indexOf('/usr/bin/bwrap'));
	assert.deepEqual(entered.argv.slice(drop + 1, drop + 5), ['--reuid', '7', '--regid', '7']);
	assert.deepEqual(sandboxArguments(plan, host(true), 'alone').slice(-13, -7), [
		'/run/stage/0',
		'/w',
		'--ro-bind',
		'/run/stage/1',
		'/w/.git',
		'--remount-ro',
	]);
	assert.ok(compileHolder(plan, host(true)).argv.includes('/w.git'));
	assert.ok(
		compileHolder(plan, host(true)).argv.includes('/run/stage/2'),
		'the Node of root may lie where the other uid cannot go',
	);
	assert.ok(!compileHolder(plan, {...host(true), perl: '/usr/bin/perl'}).argv.includes('/node'), 'Perl needs no Node');
	assert.ok(!compileAlone(plan, host(false), {argv: ['x'], cwd: '/w', env: {}}).argv.includes('--reuid'));
	assert.notEqual(dropUidOf('a'), dropUidOf('b'));
	assert.ok(dropUidOf('run') > 65_536);
});

test("what dials for the run counts as the run's, behind the person's programs", () => {
	const groups = ['/sys/fs/cgroup/fleet/r/cgroup.procs', '/sys/fs/cgroup/memory/fleet/r/cgroup.procs'];
	const {argv} = compileDial(
		{...plan, joins: groups},
		{...host(true), perl: '/usr/bin/perl'},
		{addresses: ['127.0.0.1'], port: 80, holderPid: 42},
	)!;
	assert.deepEqual(
		[argv.slice(0, 2), argv.slice(4, 10)],
		[
			['/bin/sh', '-c'],
			[...groups, '--', '/usr/bin/nice', '-n', '15'],
		],
	);
	assert.ok(argv.indexOf('/usr/bin/setpriv') > 9, 'groups are joined as who may');
	assert.equal(compileDial(plan, host(true), {addresses: ['127.0.0.1'], port: 80, holderPid: 42}), undefined);
});

test('nothing of the run is text in a script', () => {
	const nasty = '"; touch /tmp/x; "';
	const {argv} = compileEntered({...plan, cwd: nasty}, host(true), {
		inner: {argv: [nasty], cwd: nasty, env: {}},
		holderPid: 42,
	});
	for (const [index, argument] of argv.entries()) {
		if (argv[index - 1] === '-c') {
			assert.ok(!argument.includes('touch'));
		}
	}
});

test('the filter, call by call', () => {
	for (const architecture of ['x64', 'arm64'] as const) {
		const filter = seccompFilter(architecture);
		const number = (name: string) =>
			(
				{
					x64: {
						read: 0,
						fcntl: 72,
						vmsplice: 278,
						mmap: 9,
						shmget: 29,
						semget: 64,
						setsockopt: 54,
						io_setup: 206,
						memfd_create: 319,
						close_range: 436,
						memfd_secret: 447,
						ioctl: 16,
						socket: 41,
						clone: 56,
						mount: 165,
						keyctl: 250,
						add_key: 248,
						unshare: 272,
						setns: 308,
						bpf: 321,
						userfaultfd: 323,
						io_uring_setup: 425,
						clone3: 435,
						ptrace: 101,
						execve: 59,
					},
					arm64: {
						read: 63,
						fcntl: 25,
						vmsplice: 75,
						mmap: 222,
						shmget: 194,
						semget: 190,
						setsockopt: 208,
						io_setup: 0,
						memfd_create: 279,
						close_range: 436,
						memfd_secret: 447,
						ioctl: 29,
						socket: 198,
						clone: 220,
						mount: 40,
						keyctl: 219,
						add_key: 217,
						unshare: 97,
						setns: 268,
						bpf: 280,
						userfaultfd: 282,
						io_uring_setup: 425,
						clone3: 435,
						ptrace: 117,
						execve: 221,
					},
				} as Record<string, Record<string, number>>
			)[architecture]![name]!;
		const call = (name: string, ...args: number[]) =>
			evaluateFilter(filter, {architecture, number: number(name), arguments: args});
		assert.equal(call('read'), 'allow');
		assert.equal(call('execve'), 'allow');
		for (const name of ['mount', 'keyctl', 'add_key', 'setns', 'bpf', 'userfaultfd', 'io_uring_setup']) {
			assert.equal(call(name), 1, name);
		}

		assert.equal(call('clone3'), 38);
		assert.equal(call('clone', 0x01_20_00_11), 'allow', 'threads and forks');
		assert.equal(call('clone', 0x10_00_00_00), 1, 'a user namespace');
		assert.equal(call('unshare', 0x40_00_00_00), 1);
		assert.equal(call('unshare', 0x200), 'allow', 'CLONE_FS');
		assert.equal(call('unshare', 0x400), 1, 'a table of descriptors of its own');
		assert.equal(call('clone', 0x01_20_00_11 + 0x1_00_00), 1, 'a thread with a table of its own');
		assert.equal(call('clone', 0x3d_0f_00), 'allow', 'a thread as libraries make it');
		assert.equal(call('close_range', 3, 9, 2), 1);
		assert.equal(call('close_range', 3, 9, 4), 'allow');
		assert.equal(call('mmap', 0, 4096, 3, 0x22), 'allow');
		assert.equal(call('mmap', 0, 4096, 3, 0x4_00_22), 12, 'huge pages');
		assert.equal(call('memfd_create', 0, 1), 'allow');
		assert.equal(call('memfd_create', 0, 4), 22);
		assert.equal(call('shmget', 0, 4096, 0o1600), 'allow');
		assert.equal(call('shmget', 0, 4096, 0o5600), 12);
		assert.equal(call('setsockopt', 3, 1, 7), 0, 'a larger buffer');
		assert.equal(call('setsockopt', 3, 1, 60), 92, 'SO_ZEROCOPY');
		assert.equal(call('setsockopt', 3, 1, 8), 'allow');
		assert.equal(call('vmsplice'), 38);
		assert.equal(call('fcntl', 3, 1024, 1), 22, 'F_SETLEASE');
		assert.equal(call('fcntl', 3, 1040, 1), 22, 'F_SETDELEG');
		assert.equal(call('fcntl', 3, 1031, 65_536), 'allow', 'F_SETPIPE_SZ');
		assert.equal(call('fcntl', 3, 6, 0), 'allow', 'F_SETLK');
		assert.equal(call('setsockopt', 3, 6, 7), 'allow');
		assert.equal(call('semget', 0, 250, 0o1600), 'allow');
		assert.equal(call('semget', 0, 251, 0o1600), 22, 'a large set of semaphores');
		assert.equal(call('semget', 0, 0xff_ff_ff_ff, 0o1600), 22);
		assert.equal(call('io_setup'), 38);
		assert.equal(call('memfd_secret'), 38);
		assert.equal(call('ioctl', 0, 0x54_12), 1, 'TIOCSTI');
		assert.equal(call('ioctl', 0, 0x54_1c), 1, 'TIOCLINUX');
		assert.equal(call('ioctl', 0, 0x54_01), 'allow', 'TCGETS');
		for (const family of [1, 2, 10]) {
			assert.equal(call('socket', family, 1, 0), 'allow');
		}

		for (const family of [2, 10]) {
			assert.equal(call('socket', family, 1, 6), 'allow');
			assert.equal(call('socket', family, 2, 17), 'allow');
			for (const protocol of [33, 115, 132, 136, 256, 262]) {
				assert.equal(call('socket', family, 1, protocol), 93, `protocol ${protocol}`);
			}
		}

		assert.equal(call('socket', 16, 3, 0), 'allow', 'NETLINK_ROUTE');
		assert.equal(call('socket', 16, 3, 9), 97, 'NETLINK_AUDIT');
		for (const family of [17, 38, 40, 44]) {
			assert.equal(call('socket', family, 1, 0), 97, `family ${family}`);
		}

		assert.equal(
			evaluateFilter(filter, {architecture: architecture === 'x64' ? 'arm64' : 'x64', number: 0}),
			'kill',
			'another architecture',
		);
	}

	assert.equal(evaluateFilter(seccompFilter('x64'), {architecture: 'x64', number: 0x40_00_00_00 + 165}), 38, 'x32');
});
