import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {connect, report, request, run} from './attempts.ts';

/* Where credentials lie: files, environments, descriptors, sockets, the kernel's keyring. */

const knownPaths = [
	'.ssh/id_rsa',
	'.ssh/id_ed25519',
	'.ssh/config',
	'.ssh/known_hosts',
	'.ssh/authorized_keys',
	'.aws/credentials',
	'.aws/config',
	'.config/gcloud/credentials.db',
	'.config/gcloud/application_default_credentials.json',
	'.azure/accessTokens.json',
	'.kube/config',
	'.docker/config.json',
	'.npmrc',
	'.yarnrc.yml',
	'.pypirc',
	'.netrc',
	'.git-credentials',
	'.config/git/credentials',
	'.gitconfig',
	'.config/gh/hosts.yml',
	'.config/hub',
	'.gnupg/private-keys-v1.d',
	'.gnupg/pubring.kbx',
	'.password-store',
	'.local/share/keyrings',
	'.cargo/credentials.toml',
	'.gem/credentials',
	'.m2/settings.xml',
	'.gradle/gradle.properties',
	'.terraform.d/credentials.tfrc.json',
	'.vault-token',
	'.bash_history',
	'.zsh_history',
	'.pgpass',
	'.my.cnf',
	'.config/rclone/rclone.conf',
	'.mozilla',
	'.config/google-chrome',
];

function credentialFiles(): void {
	const readable: string[] = [];
	const names = [...knownPaths, ...request.loginPaths];
	for (const home of new Set([request.home, process.env['HOME'] ?? '/', '/root'])) {
		for (const name of names) {
			try {
				const file = path.join(home, name);
				fs.accessSync(file, fs.constants.R_OK);
				readable.push(file);
			} catch {
				// Not there, or not readable: as it should be.
			}
		}
	}

	report({
		id: 'secrets.paths',
		blocked: readable.length === 0,
		seen:
			readable.length === 0
				? `${names.length} known places, none readable`
				: `readable: ${readable.slice(0, 5).join(', ')}`,
	});
}

function environments(): void {
	let scanned = 0;
	let found = '';
	for (const pid of fs.readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
		for (const name of ['environ', 'cmdline']) {
			try {
				const text = fs.readFileSync(`/proc/${pid}/${name}`, 'utf8');
				scanned++;
				if (text.includes(request.canary)) {
					found = `/proc/${pid}/${name}`;
				}
			} catch {
				// The process has ended since, or may not be looked at.
			}
		}
	}

	report({
		id: 'secrets.environment',
		blocked: found === '',
		seen: found === '' ? `${scanned} files of /proc, none holds the canary` : `canary in ${found}`,
		control: scanned > 0,
	});
}

function openDescriptors(): void {
	// The shell opens the folder itself on a descriptor of its own.
	const descriptors = execFileSync(
		'/bin/sh',
		['-c', 'for d in /proc/self/fd/*; do printf "%s %s\\n" "${d##*/}" "$(readlink "$d")"; done'],
		{encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore']},
	)
		.trim()
		.split('\n');
	const inherited = descriptors.filter(
		line => Number(line.split(' ')[0]) > 2 && !/ \/proc\/| pipe:| $|^\d+$/.test(line),
	);
	report({
		id: 'secrets.descriptors',
		blocked: inherited.length === 0,
		seen: inherited.length === 0 ? 'stdin, stdout and stderr only' : inherited.join(', '),
	});
}

async function listeningSockets(): Promise<void> {
	const sockets = [
		request.unixSocket,
		process.env['SSH_AUTH_SOCK'],
		'/run/dbus/system_bus_socket',
		'/var/run/docker.sock',
		'/run/docker.sock',
		'/run/user/1000/bus',
		'/run/user/0/bus',
		'/run/user/1000/keyring/control',
		'/run/user/1000/gnupg/S.gpg-agent',
		'/tmp/tmux-0/default',
		'/tmp/tmux-1000/default',
	].filter(name => name !== undefined);
	const open = (await Promise.all(sockets.map(async name => [name, await connect({path: name})] as const)))
		.filter(([, answer]) => answer === 'connected')
		.map(([name]) => name);
	report({
		id: 'secrets.sockets',
		blocked: open.length === 0,
		seen: open.length === 0 ? `${sockets.length} sockets, none there` : `connected: ${open.join(', ')}`,
	});
}

function keyring(): void {
	// keyctl(KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0), by Perl or Python, since Node makes no raw calls.
	const number = process.arch === 'arm64' ? 219 : 250;
	const perl = run([
		'perl',
		'-e',
		`$r = syscall(${number}, 0, -3, 0); print $r == -1 ? "errno " . ($! + 0) : "keyring $r"`,
	]);
	const answer =
		perl.code === 0
			? perl
			: run([
					'python3',
					'-c',
					`import ctypes; l = ctypes.CDLL(None, use_errno=True); r = l.syscall(${number}, 0, -3, 0); ` +
						'print("errno %d" % ctypes.get_errno() if r == -1 else "keyring %d" % r)',
				]);
	report({
		id: 'secrets.keyring',
		blocked: answer.code === 0 ? answer.text === 'errno 1' : undefined,
		seen: answer.code === 0 ? answer.text : 'neither perl nor python3 is here to make the call',
		control: answer.code === 0,
	});
}

export async function secrets(): Promise<void> {
	credentialFiles();
	environments();
	openDescriptors();
	await listeningSockets();
	keyring();
}
