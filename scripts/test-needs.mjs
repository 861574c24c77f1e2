// What the tests drive for real and a fresh machine may lack:
// installed with the machine's package manager, as root or with sudo.
import {spawnSync} from 'node:child_process';
import {accessSync, constants, existsSync, readdirSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';

/** Programs, and the Debian packages that hold them. */
const everyTest = {
	curl: 'curl',
	'gnome-keyring-daemon': 'gnome-keyring',
	'dbus-daemon': 'dbus-daemon',
	'dbus-send': 'dbus-bin',
	age: 'age',
	script: 'bsdutils',
	'ssh-keygen': 'openssh-client',
	sshd: 'openssh-server',
	gh: 'gh',
	tmux: 'tmux',
	crontab: 'cron',
	less: 'less',
	vi: 'vim-tiny',
	top: 'procps',
	htop: 'htop',
	ip: 'iproute2',
	python3: 'python3',
	'git-lfs': 'git-lfs',
	zsh: 'zsh',
	fish: 'fish',
	psql: 'postgresql-client',
	postgres: 'postgresql',
	'redis-server': 'redis-server',
};
/** Packages that would start a server of the machine's. */
const servers = new Set(['postgresql', 'redis-server', 'cron', 'openssh-server']);
const library = {file: 'libsecret-1.so.0', package: 'libsecret-1-0'};

/** Folders of programs below one, a version each. */
function versions(folder) {
	return existsSync(folder) ? readdirSync(folder).map(version => path.join(folder, version, 'bin')) : [];
}

function isThere(program) {
	return (process.env.PATH ?? '')
		.split(':')
		.concat('/usr/bin', '/usr/sbin', ...versions('/usr/lib/postgresql'))
		.some(folder => {
			try {
				accessSync(path.join(folder, program), constants.X_OK);
				return true;
			} catch {
				return false;
			}
		});
}

function missing(needs) {
	const packages = Object.entries(needs)
		.filter(([program]) => !isThere(program))
		.map(([, name]) => name);
	const found = spawnSync('/sbin/ldconfig', ['-p'], {encoding: 'utf8'});
	return found.status === 0 && !found.stdout.includes(library.file) ? [...packages, library.package] : packages;
}

/**
 * Debian asks this program before a package starts a server: while it is there, none is started.
 * @returns what takes it away again
 */
function holdServers(packages, run) {
	const file = '/usr/sbin/policy-rc.d';
	if (!packages.some(name => servers.has(name)) || existsSync(file)) {
		return () => {};
	}

	run(['sh', '-c', `printf '#!/bin/sh\nexit 101\n' > ${file} && chmod 755 ${file}`]);
	return () => run(['rm', '-f', file]);
}

/** @returns what is still missing: then the tests that need it fail, and say so */
export function installNeeds(needs = everyTest) {
	let packages = missing(needs);
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
			const release = holdServers(packages, run);
			const {status, stderr} = run(['apt-get', 'install', '-y', '-q', '--no-install-recommends', ...packages]);
			release();
			if (status !== 0) {
				process.stderr.write(stderr ?? '');
			}

			packages = missing(needs);
		}
	}

	if (packages.length > 0) {
		process.stderr.write(
			`fleet: the tests need ${packages.join(', ')}, which could not be installed here\n  hint: install them by hand\n`,
		);
	}

	return packages;
}
