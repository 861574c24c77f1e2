import {readdirSync, readFileSync, statSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type {SandboxAttack} from './attack.ts';
import {pause} from './bait.ts';
import {heldAttacks} from './resources-held.ts';

const size = (file: string): number => statSync(file, {throwIfNoEntry: false})?.size ?? 0;

/** Processes of the host whose arguments are these. */
function findProcesses(...argv: string[]): number[] {
	return readdirSync('/proc')
		.filter(name => /^\d+$/.test(name))
		.filter(pid => {
			try {
				return readFileSync(`/proc/${pid}/cmdline`, 'utf8') === `${argv.join('\0')}\0`;
			} catch {
				// The process has ended since, or is another account's.
				return false;
			}
		})
		.map(Number);
}

/** Ends what an attack of these left, and says how many it were. */
function endAll(pids: number[]): number {
	for (const pid of pids) {
		try {
			process.kill(pid, 'SIGKILL');
		} catch {
			// The process has ended since.
		}
	}

	return pids.length;
}

const tmpfs = 'a size for every scratch file system';

export const resourceAttacks: readonly SandboxAttack[] = [
	{
		kind: 'sandbox',
		id: 'fork-bomb',
		title: 'start more and more processes',
		source: 'no neighbour limits processes by default',
		answer: 'a limit of processes for each sandbox, inside its user namespace',
		plan: plan => ({...plan, limits: {...plan.limits, processes: 40}}),
		script: () => '( n=0; while [ $n -lt 100 ]; do sleep 3 & n=$((n+1)); done; echo all of them ) 2> /dev/null',
		came: ({output}) => output.includes('all of them'),
	},
	{
		kind: 'sandbox',
		id: 'memory-hog',
		title: "take the machine's memory with one process",
		source: 'no neighbour limits memory by default',
		answer: 'a limit of memory for each process',
		plan: plan => ({...plan, limits: {...plan.limits, dataSize: 100 * 1024 ** 2}}),
		script: () => 'perl -e \'$x = "a" x (200 * 1024 * 1024); print length($x)\'',
		came: ({output}) => output.includes('209715200'),
	},
	{
		kind: 'sandbox',
		id: 'endless-file',
		title: 'fill the disk with one file',
		source: 'no neighbour limits disk by default',
		answer: 'a limit of file size',
		plan: plan => ({...plan, limits: {...plan.limits, fileSize: 4 * 1024 ** 2}}),
		script: () => 'head -c 8388608 /dev/zero > big',
		came: (_result, box) => size(path.join(box.work, 'big')) === 8 * 1024 ** 2,
	},
	{
		kind: 'sandbox',
		id: 'open-files',
		title: "take the machine's file descriptors",
		source: 'the table of open files is shared by all',
		answer: 'a limit of descriptors',
		plan: plan => ({...plan, limits: {...plan.limits, openFiles: 64}}),
		script: () =>
			'perl -e \'for (1 .. 200) { open(my $f, "<", "/dev/null") or last; push @f, $f } print scalar(@f), " open"\'',
		came: ({output}) => output.includes('200 open'),
	},
	{
		kind: 'sandbox',
		id: 'raise-limits',
		title: "raise one's own limits",
		source: 'soft limits are suggestions',
		answer: 'hard limits, and no capability to raise them',
		plan: plan => ({...plan, limits: {...plan.limits, openFiles: 64}}),
		script: () => 'ulimit -n 1024 && ulimit -n; ulimit -u unlimited && ulimit -u; ulimit -f unlimited && ulimit -f',
		came: ({output}) => /^(?:1024|unlimited)$/m.test(output),
	},
	{
		kind: 'sandbox',
		id: 'fill-root',
		title: "fill memory through the sandbox's own root folder",
		source: 'what bwrap makes to hang mounts on is a tmpfs without a size',
		answer: 'the root folder is read-only',
		script: () => 'for folder in / /dev /run /etc; do touch "$folder/big" && echo written; done',
		came: ({output}) => output.includes('written'),
	},
	{
		kind: 'sandbox',
		id: 'fill-shm',
		title: 'fill memory through /dev/shm',
		source: "tmpfs without a size is half of the machine's memory",
		answer: tmpfs,
		plan: plan => ({...plan, limits: {...plan.limits, shm: 4 * 1024 ** 2}}),
		script: () => 'head -c 8388608 /dev/zero > /dev/shm/big; stat -c %s /dev/shm/big',
		came: ({output}) => output.includes('8388608'),
	},
	...['/tmp', '/home/agent'].map((target, index): SandboxAttack => ({
		kind: 'sandbox',
		id: ['fill-tmp', 'fill-home'][index]!,
		title: `fill memory through ${target}`,
		source: "tmpfs without a size is half of the machine's memory",
		answer: tmpfs,
		plan: plan => ({
			...plan,
			scratch: plan.scratch.map(scratch => (scratch.target === target ? {...scratch, size: 4 * 1024 ** 2} : scratch)),
		}),
		script: () => `head -c 8388608 /dev/zero > ${target}/big; stat -c %s ${target}/big`,
		came: ({output}) => output.includes('8388608'),
	})),
	{
		kind: 'sandbox',
		id: 'last-choice',
		title: "be the kernel's last choice where memory is short",
		source: "oom_score_adj can be set back: then the person's own programs go first",
		answer: '/proc is read-only',
		script: () => '{ echo 0 > /proc/self/oom_score_adj; } 2> /dev/null; cat /proc/self/oom_score_adj',
		came: ({output}) => Number(/^-?\d+$/m.exec(output)?.[0] ?? 500) < 500,
	},
	{
		kind: 'sandbox',
		id: 'take-priority',
		title: "crowd out the person's own programs",
		source: 'fifty agents on two cores',
		answer: 'everything inside runs at a lower priority, which it cannot raise',
		script: () => 'nice -n -5 true; nice',
		came: ({output}) => Number(/^-?\d+$/m.exec(output)?.[0]) < 5,
	},
	{
		kind: 'sandbox',
		id: 'surviving-daemon',
		title: 'leave a process behind',
		source: 'daemons that survive the agent',
		answer: 'a pid namespace that ends with its first process',
		script: box => `setsid sleep ${seconds(box.folder)} > /dev/null 2>&1 < /dev/null & sleep 0.2`,
		async came(_result, box) {
			await pause(300);
			return endAll(findProcesses('sleep', seconds(box.folder))) > 0;
		},
	},
	{
		kind: 'sandbox',
		id: 'surviving-double-fork',
		title: 'leave a process behind that ignores signals and has no parent',
		source: 'nohup, setsid, double fork',
		answer: 'a pid namespace that ends with its first process',
		script: box =>
			`( trap "" HUP TERM INT; setsid sh -c 'trap "" HUP TERM INT; ` +
			`setsid sleep ${seconds(box.folder)} & ' > /dev/null 2>&1 < /dev/null & ); sleep 0.3`,
		async came(_result, box) {
			await pause(300);
			return endAll(findProcesses('sleep', seconds(box.folder))) > 0;
		},
	},
	{
		kind: 'sandbox',
		id: 'flood-proxy',
		title: 'hold more connections to the proxy than a process may have',
		source: 'the proxy is one process for one run',
		answer: 'a limit of connections for each run',
		script: () =>
			'perl -MIO::Socket::INET -e \'for (1 .. 1400) { my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1", ' +
			'PeerPort => 3128, Timeout => 5) or last; push @s, $s } select(undef, undef, undef, 0.5); my $n = 0; ' +
			'for (@s) { $_->blocking(0); my $r = sysread($_, my $b, 1); $n++ unless defined($r) } print "$n held"\'',
		came: ({output}) => Number(/(\d+) held/.exec(output)?.[1] ?? 0) > 1100,
	},
	...heldAttacks,
];

/** A length of sleep that nobody else sleeps: a name for a process. */
function seconds(folder: string): string {
	let sum = 0;
	for (const character of path.basename(folder)) {
		sum = (sum * 31 + character.codePointAt(0)!) % 900_000;
	}

	return String(100_000 + sum);
}
