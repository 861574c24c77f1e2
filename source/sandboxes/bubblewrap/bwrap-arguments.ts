import {isPlaced, type Mount, type SandboxPlan} from '../../core/plan.ts';
import type {Host} from './host.ts';
import {filterDescriptor} from './launch-programs.ts';

/* The sandbox itself, as arguments of bubblewrap. Pure. */

/** Sources that root must stage: all that is not the system's own. */
export function staged(plan: SandboxPlan): string[] {
	return [
		...new Set(
			plan.mounts.filter(mount => !mount.system && !isPlaced(mount)).map(mount => mount.within ?? mount.source),
		),
	];
}

/** The mounts of a plan: the system's own, and the others. */
function mountArguments(plan: SandboxPlan, host: Host): {system: string[]; own: string[]} {
	const sources = staged(plan);
	const placed = plan.mounts.filter(mount => isPlaced(mount));
	const sourceOf = (mount: Mount) => {
		if (isPlaced(mount)) {
			return `${host.granted}/${placed.indexOf(mount)}`;
		}

		if (!host.root || mount.system) {
			return mount.source;
		}

		const below = mount.within === undefined ? '' : mount.source.slice(mount.within.length);
		return `${host.stage}/${sources.indexOf(mount.within ?? mount.source)}${below}`;
	};
	const mounts = plan.mounts.map(mount => [
		mount.mode === 'write' ? '--bind' : '--ro-bind',
		sourceOf(mount),
		mount.target,
	]);
	const system = plan.mounts.map((mount, index) => (mount.system ? mounts[index]! : [])).flat();
	// Parents before children, so that no mount hides one that was made before it.
	const own = plan.mounts
		.map((mount, index) => ({mount, argv: mounts[index]!}))
		.filter(({mount}) => !mount.system)
		.sort((a, b) => a.mount.target.split('/').length - b.mount.target.split('/').length)
		.flatMap(({argv}) => argv);
	return {system, own};
}

/**
 * Everything between `bwrap` and the command. Order matters: later mounts lie over earlier ones.
 * @param network `entered`: the namespace is the holder's, which was joined before; `alone`: an empty one
 */
export function sandboxArguments(plan: SandboxPlan, host: Host, network: 'entered' | 'alone'): string[] {
	const {system, own} = mountArguments(plan, host);
	return [
		'--unshare-user',
		'--disable-userns',
		'--unshare-pid',
		'--unshare-ipc',
		'--unshare-uts',
		'--unshare-cgroup',
		...(network === 'alone' ? ['--unshare-net'] : []),
		'--uid',
		'1000',
		'--gid',
		'1000',
		'--hostname',
		'fleet',
		// What is left goes before anything of the plan runs: see narrowScript.
		'--cap-drop',
		'ALL',
		'--cap-add',
		'CAP_SYS_RESOURCE',
		'--cap-add',
		'CAP_SETPCAP',
		...(plan.readsAll ? ['--cap-add', 'CAP_DAC_READ_SEARCH'] : []),
		'--die-with-parent',
		'--seccomp',
		filterDescriptor,
		...system,
		...plan.links.flatMap(({target, to}) => ['--symlink', to, target]),
		'--proc',
		'/proc',
		// A sandbox started by root could otherwise write core_pattern, which runs a program on the host.
		'--ro-bind',
		'/proc/sys',
		'/proc/sys',
		// Writable for who has CAP_SYS_RESOURCE, whoever owns it.
		'--bind',
		'/proc/sys/user',
		'/proc/sys/user',
		...host.maskedProc.flatMap(path => ['--ro-bind', '/dev/null', path]),
		'--dev',
		'/dev',
		'--size',
		String(plan.limits.shm),
		'--perms',
		'1777',
		'--tmpfs',
		'/dev/shm',
		...plan.scratch.flatMap(({target, size, mode}) => [
			'--size',
			String(size),
			'--perms',
			(mode ?? 0o700).toString(8).padStart(4, '0'),
			'--tmpfs',
			target,
		]),
		...own,
		// What bwrap made to hang mounts on is not size-capped, and nothing of the agent's belongs there.
		'--remount-ro',
		'/dev',
		'--remount-ro',
		'/',
		// A process could make itself the kernel's last choice where memory is short, or its session weigh more.
		'--remount-ro',
		'/proc',
		'--chdir',
		plan.cwd,
	];
}
