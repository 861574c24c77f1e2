/*
 * Why a machine refuses bubblewrap its namespaces, and the smallest cure: one program's exception before a setting of
 * the whole machine, and never a protection switched off that has such an exception.
 */

/** What was found on the machine. */
export type Machine = {
	/** Settings of the kernel by their names, as they read; without those that it does not have. */
	readonly settings: Readonly<Record<string, string>>;
	/** The kernel's own name, as of `uname -r`. */
	readonly kernel: string;
	/** Which of these are there: see `looked`. */
	readonly there: ReadonlySet<Looked>;
	/** Whether this process's root is another than the first process's. */
	readonly isChroot: boolean;
	/** Whether /lib is a link into /usr. */
	readonly hasMergedUsr: boolean;
};

/** Files that tell a machine, and what by. */
export const looked = {
	nixos: '/etc/NIXOS',
	docker: '/.dockerenv',
	podman: '/run/.containerenv',
	/** The distribution's own, which takes every capability from what bubblewrap starts: in force in Ubuntu 25.04. */
	strict: '/etc/apparmor.d/bwrap-userns-restrict',
} as const;

export type Looked = keyof typeof looked;

/** @property steps what root runs, where commands do it */
export type Cure = {readonly because: string; readonly hint: string; readonly steps?: ReadonlyArray<readonly string[]>};

/** The settings that are read, below /proc/sys. */
export const settingNames = {
	most: 'user/max_user_namespaces',
	debian: 'kernel/unprivileged_userns_clone',
	apparmor: 'kernel/apparmor_restrict_unprivileged_userns',
} as const;

const keptIn = '/etc/sysctl.d/60-fleet.conf';

/** Sets a value now and at every start. */
function setting(name: string, value: string): ReadonlyArray<readonly string[]> {
	return [
		['sh', '-c', `echo ${name.replaceAll('/', '.')}=${value} >> ${keptIn}`],
		['sysctl', '-p', keptIn],
	];
}

/** Systems that cannot have this sandbox, whatever is installed. */
export function unfitBecause({there, kernel, hasMergedUsr}: Machine): Cure | undefined {
	if (/^4\.4\..*Microsoft/.test(kernel)) {
		return {
			because: 'WSL 1 has no namespaces',
			hint: 'in Windows: wsl --set-version DISTRIBUTION 2',
		};
	}

	if (there.has('nixos')) {
		return {
			because: 'NixOS has its programs in /nix/store, and this sandbox gives those of /usr',
			hint: 'run fleet in a virtual machine or a container of another distribution',
		};
	}

	return hasMergedUsr
		? undefined
		: {
				because: '/lib is a folder of its own here, and this sandbox gives the libraries of /usr alone',
				hint: 'a release of the distribution that has /lib in /usr (Alpine 3.23, or its package merge-usr)',
			};
}

/** Why namespaces are refused, where it can be told. */
export function cureFor(machine: Machine): Cure | undefined {
	const {settings, there, isChroot} = machine;
	if (settings[settingNames.most] === '0') {
		return {
			because: 'this machine allows no user namespaces at all (user.max_user_namespaces is 0)',
			hint: 'fleet doctor --fix',
			steps: setting(settingNames.most, '10000'),
		};
	}

	if (settings[settingNames.apparmor] === '1' || there.has('strict')) {
		return forAppArmor(there);
	}

	if (settings[settingNames.debian] === '0') {
		return {
			because: 'only root may make user namespaces here (kernel.unprivileged_userns_clone is 0)',
			hint: 'fleet doctor --fix',
			steps: setting(settingNames.debian, '1'),
		};
	}

	if (isChroot) {
		return {
			because: 'this is a chroot, in which the kernel allows no user namespaces',
			hint: 'enter it with systemd-nspawn, or by pivot_root, in place of chroot',
		};
	}

	if (there.has('docker') || there.has('podman')) {
		const options = there.has('docker')
			? 'docker run --security-opt seccomp=unconfined --security-opt systempaths=unconfined'
			: 'podman run --security-opt seccomp=unconfined --security-opt unmask=ALL';
		return {
			because: 'this container may make no namespaces, or may not mount /proc in them',
			hint: `run fleet outside of it; or, which takes two of this one container's walls away: ${options}`,
		};
	}

	return undefined;
}

/**
 * AppArmor keeps user namespaces to programs that have a profile for it. One for bubblewrap alone. The distribution's
 * own takes the capabilities away by which a run's limits and identity are set inside, so that no run starts under it.
 */
function forAppArmor(there: ReadonlySet<Looked>): Cure {
	const profile = '/etc/apparmor.d/fleet-bwrap';
	const strict = there.has('strict')
		? [
				['ln', '-sf', looked.strict, '/etc/apparmor.d/disable/'],
				['apparmor_parser', '-R', looked.strict],
			]
		: [];
	return {
		because:
			'AppArmor keeps user namespaces to programs with a profile for them, and bubblewrap has none under which runs start',
		hint: 'fleet doctor --fix, which gives that to bubblewrap alone',
		steps: [
			...strict,
			['sh', '-c', `echo "abi <abi/4.0>, profile bwrap /usr/bin/bwrap flags=(unconfined) { userns, }" > ${profile}`],
			['apparmor_parser', '-r', profile],
		],
	};
}
