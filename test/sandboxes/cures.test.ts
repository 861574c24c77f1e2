import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import {test} from 'node:test';
import {
	cureFor,
	settingNames,
	unfitBecause,
	type Looked,
	type Machine,
} from '../../source/sandboxes/bubblewrap/cures.ts';
import {findMachine} from '../../source/sandboxes/bubblewrap/machine.ts';
import {Fleet, program} from '../support/fleet.ts';
import {asOneLine, installSteps, packageManagers} from '../../source/core/packages.ts';

const machine = (there: readonly Looked[] = [], settings: Record<string, string> = {}, more = {}): Machine => ({
	settings,
	kernel: '6.8.0-45-generic',
	there: new Set(there),
	isChroot: false,
	hasMergedUsr: true,
	...more,
});
const restricted = {[settingNames.apparmor]: '1', [settingNames.debian]: '1', [settingNames.most]: '60000'};

test('where AppArmor restricts user namespaces, bubblewrap alone gets a profile, and nothing is switched off', () => {
	const commands = (there: readonly Looked[]) => asOneLine(cureFor(machine(there, restricted))?.steps ?? []);
	const own =
		`sh -c 'echo "abi <abi/4.0>, profile bwrap /usr/bin/bwrap flags=(unconfined) { userns, }" > /etc/apparmor.d/fleet-bwrap' && ` +
		'apparmor_parser -r /etc/apparmor.d/fleet-bwrap';
	assert.equal(commands([]), own);
	// Under the distribution's, bubblewrap starts and no run does: it makes way.
	assert.equal(
		commands(['strict']),
		'ln -sf /etc/apparmor.d/bwrap-userns-restrict /etc/apparmor.d/disable/ && ' +
			`apparmor_parser -R /etc/apparmor.d/bwrap-userns-restrict && ${own}`,
	);
});

test('no cure of any machine switches off what has an exception for one program', () => {
	const all = [[], ['strict'], ['docker'], ['podman']] as Looked[][];
	for (const there of all) {
		const cure = cureFor(machine(there, restricted));
		assert.doesNotMatch(
			`${asOneLine(cure?.steps ?? [])} ${cure?.hint}`,
			/restrict_unprivileged_userns|aa-teardown|sysctl/,
		);
	}
});

test('settings, chroots, containers and systems that cannot have the sandbox are told apart', () => {
	const off = cureFor(machine([], {[settingNames.most]: '0'}));
	assert.equal(
		asOneLine(off!.steps!),
		"sh -c 'echo user.max_user_namespaces=10000 >> /etc/sysctl.d/60-fleet.conf' && sysctl -p /etc/sysctl.d/60-fleet.conf",
	);
	assert.match(
		asOneLine(cureFor(machine([], {[settingNames.debian]: '0'}))!.steps!),
		/kernel\.unprivileged_userns_clone=1/,
	);
	assert.match(cureFor(machine([], {}, {isChroot: true}))!.because, /chroot/);
	assert.match(cureFor(machine(['docker']))!.hint, /^run fleet outside of it; or, .*systempaths=unconfined$/);
	assert.match(cureFor(machine(['podman']))!.hint, /unmask=ALL$/);
	assert.equal(cureFor(machine()), undefined);
	assert.match(unfitBecause(machine([], {}, {kernel: '4.4.0-19041-Microsoft'}))!.because, /WSL 1/);
	assert.equal(unfitBecause(machine([], {}, {kernel: '5.15.153.1-microsoft-standard-WSL2'})), undefined);
	assert.match(unfitBecause(machine(['nixos']))!.because, /NixOS/);
	assert.match(unfitBecause(machine([], {}, {hasMergedUsr: false}))!.because, /\/lib/);
});

test('this machine is fit, as the other tests show', () => {
	assert.equal(unfitBecause(findMachine()), undefined);
	assert.equal(findMachine().isChroot, false);
});

test('each package manager installs without asking, by the names that its packages have', () => {
	const lines = packageManagers.map(manager => asOneLine(installSteps(manager, ['bubblewrap', 'util-linux'], [])));
	assert.deepEqual(lines, [
		'apt-get update -q && apt-get install -y -q --no-install-recommends bubblewrap util-linux',
		'dnf install -y bubblewrap util-linux',
		'rpm-ostree install -y --apply-live bubblewrap util-linux',
		'microdnf install -y bubblewrap util-linux',
		'zypper --non-interactive install bubblewrap util-linux',
		'pacman -S --noconfirm --needed bubblewrap util-linux',
		'apk add bubblewrap util-linux setpriv',
		'xbps-install -Sy bubblewrap util-linux',
	]);
});

test('a chroot is told, in a real one', {skip: process.getuid?.() === 0 ? false : 'chroot needs root'}, t => {
	const fleet = new Fleet(t, {add: false});
	const inside = path.join(fleet.folder, 'root');
	// The machine's own folders, below another root.
	const script =
		`mkdir ${inside} && cd ${inside} && ln -s usr/bin usr/sbin usr/lib usr/lib64 . && mkdir usr etc proc dev tmp program node && ` +
		`mount --rbind /usr usr && mount --rbind /etc etc && mount --rbind /dev dev && mount -t proc proc proc && ` +
		`mount --bind ${path.dirname(program)} program && mount --bind ${path.dirname(process.execPath)} node && ` +
		`exec chroot ${inside} /node/node /program/fleet.cjs doctor --json`;
	const {stdout, stderr} = spawnSync('/usr/bin/unshare', ['--mount', '/bin/sh', '-c', script], {
		env: {PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/tmp', LANG: 'C.UTF-8'},
		encoding: 'utf8',
	});
	const {checks} = JSON.parse(stdout || '{}') as {checks?: Array<{id: string; works: boolean; because: string}>};
	const sandbox = checks?.find(({id}) => id === 'sandbox bubblewrap');
	assert.equal(sandbox?.works, false, stdout + stderr);
	assert.match(sandbox.because, /^this is a chroot, in which the kernel allows no user namespaces: bwrap: /);
});
