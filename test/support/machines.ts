import {execFileSync, spawn, spawnSync, type ChildProcess} from 'node:child_process';
import {chmodSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import type {TestContext} from 'node:test';
import {program, until, type Result} from './fleet.ts';
import {sshdConfig} from './sshd.ts';
import {Teammate} from './teammate.ts';

/*
 * Machines that have nothing in common but a git server: each has a network namespace of its own, from which it reaches the
 * server and no other machine. Only root can make these.
 */

/** A network namespace, held open by a process that sleeps. */
class Namespace {
	readonly #holder: ChildProcess;

	constructor(t: Pick<TestContext, 'after'>) {
		this.#holder = spawn('unshare', ['--net', 'sleep', 'infinity'], {stdio: 'ignore'});
		t.after(() => this.#holder.kill('SIGKILL'));
	}

	get pid(): number {
		return this.#holder.pid!;
	}

	/** Waits until it is another than this process's own. */
	async open(): Promise<void> {
		const own = execFileSync('readlink', ['/proc/self/ns/net'], {encoding: 'utf8'});
		await until(
			() => spawnSync('readlink', [`/proc/${this.pid}/ns/net`], {encoding: 'utf8'}).stdout !== own,
			'a network namespace',
		);
		this.run('ip', 'link', 'set', 'lo', 'up');
	}

	/** What has a command run in it. */
	command(...argv: string[]): string[] {
		return ['nsenter', '--target', String(this.pid), '--net', ...argv];
	}

	run(...argv: string[]): void {
		const [file, ...rest] = this.command(...argv);
		execFileSync(file!, rest, {stdio: 'pipe'});
	}
}

/** A person at a machine in a network namespace. */
export class Machine extends Teammate {
	readonly place: Namespace;

	constructor(t: Pick<TestContext, 'after'>, name: string, place: Namespace) {
		super(t, name);
		this.place = place;
	}

	override git(...argv: string[]): string {
		const place = this.place as Namespace | undefined;
		// While the folder is made, there is no namespace yet, and nothing goes over a network.
		const [file, ...rest] = place ? place.command('git') : ['git'];
		return execFileSync(file!, [...rest, '-C', this.project, ...argv], {
			env: this.env,
			encoding: 'utf8',
			stdio: ['ignore', 'pipe', 'pipe'],
		}).trim();
	}

	/** git, where it may fail. */
	tryGit(...argv: string[]): Result {
		const [file, ...rest] = this.place.command('git', '-C', this.project, ...argv);
		const {status, stdout, stderr} = spawnSync(file!, rest, {env: this.env, encoding: 'utf8'});
		return {code: status, stdout, stderr};
	}

	override run(
		argv: readonly string[],
		options: {input?: string; cwd?: string; env?: Record<string, string>} = {},
	): Result {
		const [file, ...rest] = this.place.command(process.execPath, program, ...argv);
		const {status, stdout, stderr} = spawnSync(file!, rest, {
			cwd: options.cwd ?? this.project,
			env: {...this.env, ...options.env},
			encoding: 'utf8',
			input: options.input ?? '',
			timeout: 300_000,
		});
		return {code: status, stdout, stderr};
	}
}

/** Machines, and a git server that all of them reach over ssh. */
export type Yard = {
	readonly machines: readonly Machine[];
	/** The bare repository's folder. */
	readonly repository: string;
	/** Its address. @param machine which of them asks */
	address(machine: Machine): string;
};

/** Starts the server and a machine for each name. @param hook what the repository runs before it takes a push */
export async function yardOf(t: TestContext, names: readonly string[], hook: string): Promise<Yard> {
	const server = new Namespace(t);
	await server.open();
	const places = names.map(() => new Namespace(t));
	const machines: Machine[] = [];
	for (const [index, place] of places.entries()) {
		await place.open();
		const [here, there] = [`10.99.${index + 1}.2/30`, `10.99.${index + 1}.1/30`];
		server.run('ip', 'link', 'add', `m${index}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(place.pid));
		server.run('ip', 'addr', 'add', there, 'dev', `m${index}`);
		server.run('ip', 'link', 'set', `m${index}`, 'up');
		place.run('ip', 'addr', 'add', here, 'dev', 'eth0');
		place.run('ip', 'link', 'set', 'eth0', 'up');
		machines.push(new Machine(t, names[index]!, place));
	}

	const [first] = machines;
	const folder = path.join(first!.folder, 'server');
	const repository = path.join(folder, 'project.git');
	mkdirSync(folder, {mode: 0o700});
	execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', repository]);
	writeFileSync(path.join(repository, 'hooks', 'pre-receive'), hook);
	chmodSync(path.join(repository, 'hooks', 'pre-receive'), 0o755);
	const file = (name: string) => path.join(folder, name);
	execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file('host')]);
	writeFileSync(file('authorized'), machines.map(machine => `restrict ${machine.publicKey}\n`).join(''));
	writeFileSync(
		file('config'),
		sshdConfig(folder, [
			'Port 22',
			'ListenAddress 0.0.0.0',
			`SetEnv PATH=${path.dirname(process.execPath)}:/usr/bin:/bin HOME=${folder}`,
		]),
	);
	// sshd needs a folder that the machine's own service makes: in a mount namespace it touches nothing of the machine.
	const [start, ...argv] = server.command(
		'unshare',
		'--mount',
		'sh',
		'-c',
		'mount -t tmpfs none /run && mkdir -m 755 /run/sshd && exec /usr/sbin/sshd -D -e -f "$1"',
		'sh',
		file('config'),
	);
	const sshd = spawn(start!, argv, {stdio: 'ignore'});
	t.after(() => sshd.kill('SIGKILL'));
	const own = readFileSync(file('host.pub'), 'utf8');
	for (const [index, machine] of machines.entries()) {
		const known = path.join(machine.home, 'known_hosts');
		writeFileSync(known, `10.99.${index + 1}.1 ${own}`);
		machine.git(
			'config',
			'--global',
			'core.sshCommand',
			`ssh -F /dev/null -i ${machine.key} -o IdentitiesOnly=yes -o UserKnownHostsFile=${known}`,
		);
	}

	const address = (machine: Machine) =>
		`ssh://${os.userInfo().username}@10.99.${machines.indexOf(machine) + 1}.1${repository}`;
	await until(
		() => machines.every(machine => machine.tryGit('ls-remote', address(machine)).code === 0),
		'the git server',
	);
	return {machines, repository, address};
}
