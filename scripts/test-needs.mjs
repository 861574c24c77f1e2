// What the tests drive for real and a fresh machine may lack:
// installed with the machine's package manager, as root or with sudo.
import {spawnSync} from 'node:child_process';
import {accessSync, constants, existsSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';

/** Programs, and the Debian packages that hold them. */
const needs = {
	curl: 'curl',
	'gnome-keyring-daemon': 'gnome-keyring',
	'dbus-daemon': 'dbus-daemon',
	'dbus-send': 'dbus-bin',
	age: 'age',
	script: 'bsdutils',
	'ssh-keygen': 'openssh-client',
	tmux: 'tmux',
	less: 'less',
	vi: 'vim-tiny',
	top: 'procps',
	htop: 'htop',
	python3: 'python3',
	'git-lfs': 'git-lfs',
	zsh: 'zsh',
	fish: 'fish',
};
const library = {file: 'libsecret-1.so.0', package: 'libsecret-1-0'};

function isThere(program) {
	return (process.env.PATH ?? '')
		.split(':')
		.concat('/usr/bin', '/usr/sbin')
		.some(folder => {
			try {
				accessSync(path.join(folder, program), constants.X_OK);
				return true;
			} catch {
				return false;
			}
		});
}

function missing() {
	const packages = Object.entries(needs)
		.filter(([program]) => !isThere(program))
		.map(([, name]) => name);
	const found = spawnSync('/sbin/ldconfig', ['-p'], {encoding: 'utf8'});
	return found.status === 0 && !found.stdout.includes(library.file) ? [...packages, library.package] : packages;
}

/** @returns what is still missing: then the tests that need it fail, and say so */
export function installNeeds() {
	let packages = missing();
	if (process.platform !== 'linux' || packages.length === 0) {
		return [];
	}

	const sudo = process.getuid() === 0 ? [] : ['sudo', '-n'];
	if (existsSync('/usr/bin/apt-get')) {
		process.stderr.write(`fleet: installing what the tests drive: ${packages.join(', ')}…\n`);
		const env = {...process.env, DEBIAN_FRONTEND: 'noninteractive'};
		const run = argv =>
			spawnSync([...sudo, ...argv][0], [...sudo, ...argv].slice(1), {
				env,
				stdio: ['ignore', 'ignore', 'pipe'],
				encoding: 'utf8',
			});
		// A package list that is partly out of reach may still know the packages; a mirror may fail once.
		for (let tries = 0; tries < 2 && packages.length > 0; tries++) {
			run(['apt-get', 'update', '-q']);
			const {status, stderr} = run(['apt-get', 'install', '-y', '-q', '--no-install-recommends', ...packages]);
			if (status !== 0) {
				process.stderr.write(stderr ?? '');
			}

			packages = missing();
		}
	}

	if (packages.length > 0) {
		process.stderr.write(
			`fleet: the tests need ${packages.join(', ')}, which could not be installed here\n  hint: install them by hand\n`,
		);
	}

	return packages;
}
