import {execFileSync, spawn} from 'node:child_process';
import {appendFileSync, chmodSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import net, {type AddressInfo} from 'node:net';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import type {TestContext} from 'node:test';

/** A real OpenSSH server on the loopback that serves git repositories to one key, and nothing else. */
export type Sshd = {
	readonly port: number;
	/** `ssh`, as a person's `core.sshCommand`, with the key and who the server is. */
	readonly command: string;
	/** The same, by which the server is not known yet. */
	readonly stranger: string;
	/** What was asked for, in its order. */
	asked(): string[];
};

const freePort = () =>
	new Promise<number>(resolve => {
		const probe = net.createServer().listen(0, '127.0.0.1', () => {
			const {port} = probe.address() as AddressInfo;
			probe.close(() => resolve(port));
		});
	});

/** What a server is told whose host key and list of keys lie in a folder, as `host` and `authorized`. @param more its own lines */
export function sshdConfig(folder: string, more: readonly string[]): string {
	return [
		...more,
		`HostKey ${path.join(folder, 'host')}`,
		`AuthorizedKeysFile ${path.join(folder, 'authorized')}`,
		'PasswordAuthentication no',
		'KbdInteractiveAuthentication no',
		'StrictModes no',
		'UsePAM no',
		'PidFile none',
		'PermitRootLogin yes',
		'',
	].join('\n');
}

/** Starts it. @param repositories the folder that paths of addresses are below */
export async function serveSsh(t: Pick<TestContext, 'after'>, folder: string, repositories: string): Promise<Sshd> {
	const own = path.join(folder, 'sshd');
	mkdirSync(own, {mode: 0o700});
	const file = (name: string) => path.join(own, name);
	for (const name of ['host', 'key']) {
		execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file(name)]);
	}

	const log = file('asked');
	writeFileSync(log, '');
	// What is asked for is one word and a quoted path.
	writeFileSync(
		file('serve.sh'),
		`#!/bin/sh\nprintf '%s\\n' "$SSH_ORIGINAL_COMMAND" >> ${log}\nset -- $SSH_ORIGINAL_COMMAND\n` +
			`where=$(printf '%s' "$2" | tr -d "'")\nexec "$1" "${repositories}$where"\n`,
	);
	chmodSync(file('serve.sh'), 0o755);
	writeFileSync(file('authorized'), `restrict,command="${file('serve.sh')}" ${readFileSync(file('key.pub'), 'utf8')}`);
	const port = await freePort();
	writeFileSync(file('config'), sshdConfig(own, [`Port ${port}`, 'ListenAddress 127.0.0.1']));
	const argv = ['/usr/sbin/sshd', '-D', '-e', '-f', file('config')];
	// Root's needs a folder that the machine's own service makes: in a mount namespace it touches nothing of the machine.
	const child =
		process.getuid?.() === 0
			? spawn(
					'unshare',
					['--mount', 'sh', '-c', 'mount -t tmpfs none /run && mkdir -m 755 /run/sshd && exec "$@"', 'sh', ...argv],
					{stdio: ['ignore', 'ignore', 'pipe']},
				)
			: spawn(argv[0]!, argv.slice(1), {stdio: ['ignore', 'ignore', 'pipe']});
	child.stderr.on('data', (piece: Buffer) => appendFileSync(file('log'), piece));
	t.after(() => child.kill('SIGKILL'));
	for (let tries = 0; tries < 200; tries++) {
		const isUp = await new Promise<boolean>(resolve => {
			const probe = net.connect(port, '127.0.0.1', () => {
				probe.destroy();
				resolve(true);
			});
			probe.once('error', () => resolve(false));
		});
		if (isUp) {
			break;
		}

		await new Promise(resolve => {
			setTimeout(resolve, 50);
		});
	}

	writeFileSync(file('known'), `[127.0.0.1]:${port} ${readFileSync(file('host.pub'), 'utf8')}`);
	const ssh = (known: string) =>
		`ssh -F /dev/null -i ${file('key')} -o IdentitiesOnly=yes -o UserKnownHostsFile=${known}`;
	return {
		port,
		command: ssh(file('known')),
		stranger: ssh(file('nobody')),
		asked: () => readFileSync(log, 'utf8').trim().split('\n'),
	};
}

/** Whom a server on this machine takes the key for. */
export const ownName = os.userInfo().username;
