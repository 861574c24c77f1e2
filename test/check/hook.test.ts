import assert from 'node:assert/strict';
import {spawn, spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, writeFileSync} from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {test, type TestContext} from 'node:test';
import {program, until} from '../support/fleet.ts';
import {HandMade, type Content} from '../support/history.ts';
import {makeKey, publicKey} from '../support/people.ts';

/* A server's pre-receive hook, by a real push to a real bare repository. */

class Server extends HandMade {
	readonly server = path.join(this.folder, 'server.git');
	readonly content: Content;
	readonly base: string;

	constructor(t: TestContext, options = '', approve = 'from: [maintainers], direct: nobody') {
		super(t);
		this.content = {
			'.fleet/policy.yaml': `approve: {${approve}}\n`,
			'.fleet/people.yaml': this.people('ada', 'bo', 'cy'),
			'a.txt': 'a\n',
		};
		this.base = this.commit(this.content, []);
		this.git(['init', '--quiet', '--bare', '--initial-branch=main', this.server]);
		writeFileSync(
			path.join(this.server, 'hooks', 'pre-receive'),
			`#!/bin/sh\nexec '${process.execPath}' '${program}' check --hook ${options}\n`,
			{mode: 0o755},
		);
	}

	/** @returns what the push says, and its exit code */
	push(...refs: string[]): {code: number | null; words: string} {
		const {status, stderr} = spawnSync('git', ['-C', this.repository, 'push', this.server, ...refs], {
			env: this.env(),
			encoding: 'utf8',
		});
		return {code: status, words: stderr};
	}

	get tip(): string {
		return this.git(['rev-parse', 'refs/heads/main'], {folder: this.server});
	}

	/** A run's merge on a commit. @param parents in place of the base and the head */
	merged(base: string, file: string, {signs = true, swap = false, content = this.content} = {}): string {
		const merged = {...content, [file]: 'new\n'};
		const head = this.commit(merged, [base], {email: 'agent@fleet.invalid'});
		const about = {base, head, tree: this.tree(merged)};
		const words = signs ? [this.word('request', 'cy', about), this.word('approve', 'bo', about)] : [];
		return this.commit(merged, swap ? [head, base] : [base, head], {message: this.message(words)});
	}
}

const refused = ({code, words}: {code: number | null; words: string}, because: RegExp) => {
	assert.equal(code, 1, words);
	assert.match(words, because);
	assert.match(words, /remote: {3}hint: /);
	assert.match(words, /pre-receive hook declined/);
};

test('a push of what people approved goes through, and nothing else does', t => {
	const world = new Server(t, '--branch release');
	const {server, base} = world;
	const other = world.push(`${base}:refs/heads/topic`);
	assert.match(other.words, /remote: nothing of this push was checked: HEAD points to main, which is not here/);
	const first = world.push(`${base}:refs/heads/main`);
	assert.equal(first.code, 0, first.words);
	assert.match(
		first.words,
		/remote: main begins here: who decides about it is what [\da-f]{12} says, and is taken on trust/,
	);

	const evil = world.merged(base, 'b.txt', {signs: false});
	refused(world.push(`${evil}:refs/heads/main`), /remote: fleet: [\da-f]{12}: it is an agent's \(Fleet-Run: fix-1\)/);
	const good = world.merged(base, 'b.txt');
	assert.equal(world.push(`${good}:refs/heads/main`).code, 0);
	assert.equal(world.tip, good);

	// One that holds, and on it one that does not.
	const content = {...world.content, 'b.txt': 'new\n'};
	const two = world.merged(good, 'c.txt', {content});
	refused(world.push(`${world.commit({...content, 'x.sh': 'x'}, [two])}:refs/heads/main`), /nobody approved it/);
	const opened = world.commit({...content, '.fleet/policy.yaml': 'approve: {direct: anybody}\n'}, [good]);
	refused(
		world.push(`${world.commit(content, [opened])}:refs/heads/main`),
		/nobody approved it, and the policy lets nobody/,
	);
	refused(world.push(`${world.merged(good, 'd.txt', {swap: true, content})}:refs/heads/main`), /it is an agent's/);
	const side = world.merged(base, 'e.txt');
	const joined = world.commit({...content, 'e.txt': 'new\n'}, [side, good]);
	refused(
		world.push(`${joined}:refs/heads/main`),
		/is not on the branch's own line below [\da-f]{12}: it was rewritten/,
	);
	refused(world.push('--force', `${base}:refs/heads/main`), /is not on the branch's own line/);
	refused(
		world.push('--force', `${world.commit(world.content, [])}:refs/heads/main`),
		/is not on the branch's own line/,
	);
	world.git(['config', 'receive.denyDeletes', 'false'], {folder: server});
	world.git(['config', 'receive.denyDeleteCurrent', 'ignore'], {folder: server});
	refused(world.push(':refs/heads/main'), /main is not deleted by a push/);

	// Another name for the branch, another branch that is protected, and one that is not.
	world.git(['symbolic-ref', 'refs/heads/alias', 'refs/heads/main'], {folder: server});
	refused(world.push(`${world.commit(content, [good])}:refs/heads/alias`), /nobody approved it/);
	refused(world.push(`${evil}:refs/heads/release`), /it is an agent's/);
	assert.equal(world.push(`${evil}:refs/heads/topic`).code, 0);
	assert.equal(world.tip, good);
	assert.equal(world.push(`${two}:refs/heads/main`).code, 0);
});

test('what was signed may come as a note with the push, and what the repository says of itself counts for nothing', t => {
	const world = new Server(t);
	const {base, content} = world;
	assert.equal(world.push(`${base}:refs/heads/main`).code, 0);
	const merged = {...content, 'b.txt': 'new\n'};
	const head = world.commit(merged, [base], {email: 'agent@fleet.invalid'});
	const about = {base, head, tree: world.tree(merged)};
	const squash = world.commit(merged, [base], {message: 'Fix it (#1)'});
	refused(world.push(`${squash}:refs/heads/main`), /nobody approved it/);
	world.note(about.tree, [world.word('request', 'cy', about), world.word('approve', 'bo', about)]);
	const both = world.push(`${squash}:refs/heads/main`, 'refs/notes/fleet');
	assert.equal(both.code, 0, both.words);

	// Somebody who may write into the server's folder, but not into the hook.
	const slipped = world.commit({...merged, 'x.sh': 'x'}, [squash]);
	const evil = world.commit(merged, [slipped]);
	world.git(['fetch', '--quiet', world.repository, `${evil}:refs/heads/kept`], {folder: world.server});
	world.git(['replace', evil, squash], {folder: world.server});
	mkdirSync(path.join(world.server, 'info'), {recursive: true});
	writeFileSync(path.join(world.server, 'info', 'grafts'), `${slipped}\n`);
	refused(world.push(`${evil}:refs/heads/main`), /nobody approved it/);
	assert.equal(world.tip, squash);
});

test("a push of one's own commit to the policy takes one of its owners, by the policy before it", t => {
	const world = new Server(t, '', 'protected: {from: [owners]}, direct: people');
	const {base, content} = world;
	assert.equal(world.push(`${base}:refs/heads/main`).code, 0);
	const open = {...content, '.fleet/policy.yaml': 'approve: {direct: people}\n'};
	const by = (name: string, on: string, files: Content) => world.commit(files, [on], {key: world.key(name)});
	const evil = by('bo', by('bo', base, open), {...open, 'AGENTS.md': 'obey\n'});
	refused(
		world.push(`${evil}:refs/heads/main`),
		/it changes \.fleet\/policy\.yaml, and bo, who signed it, may not do that/,
	);
	const good = by('bo', by('ada', base, open), {...open, 'AGENTS.md': 'obey\n'});
	const {code, words} = world.push(`${good}:refs/heads/main`);
	assert.equal(code, 0, words);
});

const sshd = '/usr/sbin/sshd';

test('a push over ssh is judged alike', {skip: !existsSync(sshd)}, async t => {
	const world = new Server(t);
	const [host, own] = ['host', 'own'].map(name => makeKey(world.folder, name)) as [string, string];
	const allowed = path.join(world.folder, 'allowed');
	writeFileSync(allowed, `${publicKey(own)}\n`);
	const port = await new Promise<number>(resolve => {
		const probe = net.createServer().listen(0, '127.0.0.1', () => {
			const {port} = probe.address() as net.AddressInfo;
			probe.close(() => resolve(port));
		});
	});
	const config = path.join(world.folder, 'sshd_config');
	writeFileSync(
		config,
		`HostKey ${host}\nAuthorizedKeysFile ${allowed}\nStrictModes no\nUsePAM no\nPidFile none\nListenAddress 127.0.0.1:${port}\n`,
	);
	// It wants a folder that only a system on which it runs has.
	const isRoot = process.getuid?.() === 0;
	const flags = ['-D', '-e', '-f', config];
	const [command, ...argv] = isRoot
		? [
				'unshare',
				'--mount',
				'sh',
				'-c',
				'mount -t tmpfs tmpfs /run && mkdir -m 755 /run/sshd && exec "$0" "$@"',
				sshd,
				...flags,
			]
		: [sshd, ...flags];
	const server = spawn(command, argv, {stdio: 'ignore'});
	t.after(() => server.kill());
	const isUp = () =>
		new Promise<boolean>(resolve => {
			const socket = net.connect(port, '127.0.0.1', () => resolve(true));
			socket.once('error', () => resolve(false));
			socket.once('connect', () => socket.destroy());
		});
	const started = await until(async () => server.exitCode !== null || (await isUp()), 'sshd listens').then(
		() => server.exitCode === null,
	);
	if (!started) {
		t.skip('sshd does not start here');
		return;
	}

	const ssh = `ssh -F none -p ${port} -i ${own} -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR`;
	const push = (commit: string) => {
		const url = `ssh://${os.userInfo().username}@127.0.0.1${world.server}`;
		const {status, stderr} = spawnSync('git', ['-C', world.repository, 'push', url, `${commit}:refs/heads/main`], {
			env: world.env({GIT_SSH_COMMAND: ssh}),
			encoding: 'utf8',
		});
		return {code: status, words: stderr};
	};
	const first = push(world.base);
	assert.equal(first.code, 0, first.words);
	refused(push(world.commit(world.content, [world.base])), /nobody approved it/);
	assert.equal(push(world.merged(world.base, 'b.txt')).code, 0);
});
