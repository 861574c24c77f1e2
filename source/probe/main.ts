import {execFileSync, spawnSync} from 'node:child_process';
import dgram from 'node:dgram';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import process from 'node:process';
import type {Attempt, ProbeRequest} from '../core/probe.ts';

/*
 * Runs inside a sandbox that has the run's own settings, tries what
 * an agent could try, and says what it saw. It judges nothing.
 */

const request = JSON.parse(fs.readFileSync(0, 'utf8')) as ProbeRequest;
let count = 0;

function report(id: string, blocked: boolean | undefined, seen: string, control = true): void {
	// Told at once, so that a person sees it happen; the host believes nothing before the last line says that it is whole.
	fs.writeSync(1, `${JSON.stringify({id, blocked, seen: seen.slice(0, 300), control} satisfies Attempt)}\n`);
	count++;
}

function words(error: unknown): string {
	const {code, message} = error as NodeJS.ErrnoException;
	return code ?? message;
}

/** An attempt that is blocked when it throws. */
function tries(id: string, attempt: () => string): void {
	try {
		report(id, false, attempt());
	} catch (error) {
		report(id, true, words(error));
	}
}

function run(argv: string[], options: {input?: string; cwd?: string} = {}): {code: number | null; text: string} {
	const result = spawnSync(argv[0]!, argv.slice(1), {encoding: 'utf8', timeout: 10_000, ...options});
	return {
		code: result.error ? null : result.status,
		text:
			`${result.stdout ?? ''}${result.stderr ?? ''}${result.error ? words(result.error) : ''}`
				.trim()
				.split('\n')
				.at(-1) ?? '',
	};
}

function connect(options: net.NetConnectOpts, send?: string): Promise<string> {
	return new Promise(resolve => {
		const socket = net.connect({...options, timeout: 2000} as net.NetConnectOpts);
		let answer = '';
		const end = (text: string) => {
			socket.destroy();
			resolve(text);
		};

		socket.once('connect', () => {
			if (send === undefined) {
				end('connected');
			} else {
				socket.write(send);
			}
		});
		socket.on('data', data => {
			answer += String(data);
			if (answer.includes('\r\n')) {
				end(answer.split('\r\n')[0]!);
			}
		});
		socket.once('timeout', () => end('timeout'));
		socket.once('error', error => end(words(error)));
		socket.once('close', () => resolve(answer || 'closed'));
	});
}

function repo(): void {
	for (const file of request.files) {
		tries(`repo.read.${file.id}`, () => `read ${fs.readFileSync(file.path, 'utf8').length} bytes`);
	}

	const link = path.join(request.worktree, `link-${request.mark}`);
	tries('repo.link', () => {
		fs.symlinkSync(request.files[0]!.path, link);
		return fs.readFileSync(link, 'utf8');
	});
	for (const folder of ['/usr/local', '/etc', '/']) {
		tries(`repo.write.${folder}`, () => {
			fs.writeFileSync(path.join(folder, request.mark), 'x');
			return 'written';
		});
	}

	// The private folder is the run's to write; what counts is that the real one does not change, which the host sees.
	try {
		fs.writeFileSync(path.join(request.commonDir, 'hooks', `post-checkout-${request.mark}`), '#!/bin/sh\n', {
			mode: 0o755,
		});
		fs.appendFileSync(path.join(request.commonDir, 'config'), `[fleetprobe]\n\tmark = ${request.mark}\n`);
		report('repo.hook', true, "written into the run's private git folder only");
	} catch (error) {
		report('repo.hook', true, words(error));
	}
}

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

async function secrets(): Promise<void> {
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

	report(
		'secrets.paths',
		readable.length === 0,
		readable.length === 0
			? `${names.length} known places, none readable`
			: `readable: ${readable.slice(0, 5).join(', ')}`,
	);

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

	report(
		'secrets.environment',
		found === '',
		found === '' ? `${scanned} files of /proc, none holds the canary` : `canary in ${found}`,
		scanned > 0,
	);

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
	report(
		'secrets.descriptors',
		inherited.length === 0,
		inherited.length === 0 ? 'stdin, stdout and stderr only' : inherited.join(', '),
	);

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
	report(
		'secrets.sockets',
		open.length === 0,
		open.length === 0 ? `${sockets.length} sockets, none there` : `connected: ${open.join(', ')}`,
	);

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
	report(
		'secrets.keyring',
		answer.code === 0 ? answer.text === 'errno 1' : undefined,
		answer.code === 0 ? answer.text : 'neither perl nor python3 is here to make the call',
		answer.code === 0,
	);
}

async function network(): Promise<void> {
	for (const {host, port} of request.tcp) {
		const seen = await connect({host, port});
		report(`network.tcp.${host}`, seen !== 'connected', seen);
	}

	const udp = dgram.createSocket('udp4');
	const sent = await new Promise<string>(resolve => {
		udp.once('error', error => resolve(words(error)));
		udp.send(request.mark, request.udpPort, '127.0.0.1', error =>
			resolve(error ? words(error) : "sent into the sandbox's own loopback"),
		);
	});
	udp.close();
	// A datagram into nothing is not an error; the host's counter tells.
	report('network.udp', true, sent);

	const interfaces = fs
		.readFileSync('/proc/net/dev', 'utf8')
		.split('\n')
		.slice(2)
		.map(line => line.split(':')[0]!.trim())
		.filter(name => name !== '');
	report(
		'network.interfaces',
		interfaces.every(name => name === 'lo'),
		`interfaces: ${interfaces.join(', ')}`,
		interfaces.length > 0,
	);

	const proxy = {host: '127.0.0.1', port: request.proxyPort};
	const alive = (await connect(proxy, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')).startsWith('HTTP/1.1 400');
	const port = request.tcp[0]!.port;
	const targets: Array<[string, string]> = [
		['ungranted', `${request.mark}.invalid:443`],
		['loopback', `127.0.0.1:${port}`],
		['short', `127.1:${port}`],
		['hex', `0x7f000001:${port}`],
		['decimal', `2130706433:${port}`],
		['zero', `0.0.0.0:${port}`],
		['mapped', `[::ffff:127.0.0.1]:${port}`],
		['v6', `[::1]:${port}`],
		['localhost', `localhost:${port}`],
		['dot', `localhost.:${port}`],
		['metadata', '169.254.169.254:80'],
	];
	for (const [id, target] of targets) {
		const seen = await connect(proxy, `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`);
		report(`network.proxy.${id}`, /^HTTP\/1\.1 4\d\d/.test(seen), `CONNECT ${target}: ${seen}`, alive);
	}
}

function isolation(): void {
	const status = fs.readFileSync('/proc/self/status', 'utf8');
	const value = (name: string) => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(status)?.[1] ?? '';
	const capabilities = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map(name => value(name));
	report(
		'isolation.privileges',
		capabilities.every(set => /^0+$/.test(set)) && value('NoNewPrivs') === '1' && value('Seccomp') === '2',
		`capabilities ${capabilities.every(set => /^0+$/.test(set)) ? 'none' : capabilities.join(' ')}, ` +
			`no_new_privs ${value('NoNewPrivs')}, seccomp ${value('Seccomp')}`,
	);

	const same = Object.entries(request.namespaces)
		.filter(([name, id]) => fs.readlinkSync(`/proc/self/ns/${name}`) === id)
		.map(([name]) => name);
	report(
		'isolation.namespaces',
		same.length === 0,
		same.length === 0
			? `${Object.keys(request.namespaces).join(', ')}: all its own`
			: `shared with the host: ${same.join(', ')}`,
	);

	tries('isolation.signal', () => {
		process.kill(request.sentinelPid, 'SIGTERM');
		return 'a signal was sent';
	});
	tries('isolation.ptrace', () => fs.readFileSync(`/proc/${request.sentinelPid}/environ`, 'utf8').slice(0, 20));

	const commands: Array<[string, string[], string[]]> = [
		['mount', ['mount', '-t', 'tmpfs', 'none', '/mnt'], ['mount', '--version']],
		['unshare', ['unshare', '--user', 'true'], ['unshare', '--version']],
	];
	for (const [id, argv, control] of commands) {
		const {code, text} = run(argv);
		report(
			`isolation.${id}`,
			code === null ? undefined : code !== 0,
			text || `exit code ${code}`,
			run(control).code === 0,
		);
	}

	// Opened for writing and closed: that alone would prove it.
	try {
		fs.closeSync(fs.openSync('/proc/sys/kernel/core_pattern', fs.constants.O_WRONLY));
		report('isolation.core_pattern', false, 'opened for writing');
	} catch (error) {
		report('isolation.core_pattern', true, words(error), fs.existsSync('/proc/sys/kernel/core_pattern'));
	}

	const inject = run(['perl', '-e', '$x = "x"; print ioctl(STDIN, 0x5412, $x) ? "typed" : "errno " . ($! + 0)'], {
		input: '',
	});
	report(
		'isolation.tiocsti',
		inject.code === 0 ? inject.text === 'errno 1' : undefined,
		inject.text,
		inject.code === 0,
	);

	const limits = fs.readFileSync('/proc/self/limits', 'utf8');
	const over = Object.entries(request.limits)
		.filter(([title, limit]) => {
			const [, soft = '', hard = ''] = new RegExp(`^${title}\\s+(\\S+)\\s+(\\S+)`, 'm').exec(limits) ?? [];
			return !(Number(soft) <= limit && Number(hard) <= limit);
		})
		.map(([title]) => title);
	report(
		'isolation.limits',
		over.length === 0,
		over.length === 0
			? 'processes, descriptors, file size, memory and core files are limited'
			: `over the limit: ${over.join(', ')}`,
	);
}

/** Only the gate's own word counts; an error of another kind proves nothing. */
function wasRefused(answer: string): boolean | undefined {
	if (answer === '403 agents-decide-nothing') {
		return true;
	}

	return answer.startsWith('2') ? false : undefined;
}

function ask(what: string): Promise<string> {
	return new Promise(resolve => {
		const call = http.request(
			{
				host: '127.0.0.1',
				port: request.proxyPort,
				path: `http://${request.internalHost}/${what}`,
				method: 'POST',
				timeout: 3000,
			},
			response => {
				response.resume();
				resolve(`${response.statusCode} ${String(response.headers['x-fleet-refusal'] ?? '')}`);
			},
		);
		call.once('error', error => resolve(words(error)));
		call.once('timeout', () => call.destroy(new Error('timeout')));
		call.end();
	});
}

async function decisions(): Promise<void> {
	for (const [item, what] of [
		['deploy', 'deploy'],
		['deploy', 'allow'],
		['review', 'merge'],
		['review', 'approve'],
	] as const) {
		const seen = await ask(`${what}/${request.mark}`);
		report(`${item}.ask.${what}`, wasRefused(seen), seen);
	}

	const control = await connect({path: request.controlSocket});
	report('deploy.socket', control !== 'connected', control);
	const held = Object.keys(process.env).filter(name => request.credentialNames.includes(name));
	report(
		'deploy.credentials',
		held.length === 0,
		held.length === 0
			? `${request.credentialNames.length} names of the policy's credentials, none is set`
			: `set: ${held.join(', ')}`,
	);

	const git = (...argv: string[]) => run(['git', ...argv], {cwd: request.worktree});
	const head = git('rev-parse', 'HEAD');
	const works = head.code === 0;
	const tree = git('write-tree').text;
	const commit = git(
		'-c',
		'user.name=x',
		'-c',
		'user.email=x@x.invalid',
		'commit-tree',
		tree,
		'-p',
		'HEAD',
		'-m',
		request.mark,
	).text;
	const outcome = (...argv: string[]) => {
		const {code, text} = git(...argv);
		return `${code === 0 ? 'done, in the private git folder only' : text}`;
	};

	report('review.ref', works ? true : undefined, outcome('update-ref', request.target, commit), works);
	report(
		'review.push',
		works ? true : undefined,
		outcome('push', '--force', request.commonDir, `${commit}:${request.target}`),
		works,
	);
	try {
		fs.writeFileSync(path.join(request.commonDir, 'packed-refs'), `${commit} ${request.target}\n`);
		report('review.packed', true, "written into the run's private git folder only");
	} catch (error) {
		report('review.packed', true, words(error));
	}
}

repo();
await secrets();
await network();
await decisions();
// Last: an attempt that succeeded here could hide what was to be seen before.
isolation();
// Says that it is whole.
fs.writeSync(1, `${JSON.stringify({attempts: count})}\n`);
