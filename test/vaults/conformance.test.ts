import assert from 'node:assert/strict';
import {execFileSync, spawnSync} from 'node:child_process';
import {mkdtempSync, readFileSync, realpathSync, rmSync, statSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {test, type TestContext} from 'node:test';
import {Refusal} from '../../source/core/refusal.ts';
import type {Vault} from '../../source/core/seams.ts';
import {passphraseVariable} from '../../source/core/names.ts';
import {age} from '../../source/vaults/age/index.ts';
import {keyring} from '../../source/vaults/keyring/index.ts';
import {Keyring} from '../support/keyring.ts';

function folder(t: TestContext): string {
	const made = mkdtempSync(path.join(realpathSync(os.tmpdir()), 'vault-'));
	t.after(() => rmSync(made, {recursive: true, force: true}));
	return made;
}

/** What every vault promises; see core/seams.ts. `again` is the same vault as another process has it. */
async function conforms(vault: Vault, again: () => Vault): Promise<void> {
	assert.equal(await vault.read('user/none'), undefined, 'what was never written is not there');
	assert.equal(await vault.remove('user/none'), false);
	const text = JSON.stringify({
		value: 'väl✓ue "quoted"\n\\',
		binding: {hosts: ['a.example']},
		long: 'x'.repeat(20_000),
	});
	await vault.write('user/one', text);
	await vault.write('project/p/one', 'another');
	assert.equal(await again().read('user/one'), text, 'byte for byte, from outside');
	assert.equal(await vault.read('project/p/one'), 'another', 'names do not meet');
	await vault.write('user/one', 'changed');
	assert.equal(await again().read('user/one'), 'changed');
	assert.equal(await vault.remove('user/one'), true);
	assert.equal(await vault.read('user/one'), undefined);
	assert.equal(await again().read('project/p/one'), 'another');
	assert.equal((await vault.probe()).state, 'unlocked');
	assert.equal(await vault.remove('project/p/one'), true);
}

/** Vaults that break the promise, so that the suite is known to notice. */
const careless: Record<string, (inner: Vault) => Vault> = {
	'forgets what it overwrites': inner => ({
		...inner,
		write: async (account, text) => inner.write(account, (await inner.read(account)) ?? text),
	}),
	'mixes names up': inner => ({
		...inner,
		read: account => inner.read(account.replace('project/p', 'user')),
		write: (account, text) => inner.write(account.replace('project/p', 'user'), text),
	}),
	'does not forget': inner => ({...inner, remove: async account => (await inner.read(account)) !== undefined}),
	'changes bytes': inner => ({...inner, write: (account, text) => inner.write(account, text.normalize('NFKD').trim())}),
};

test('age: a file that keeps the promise, closed and unreadable without its passphrase', async t => {
	const file = path.join(folder(t), 'vault.age');
	const asked: string[] = [];
	const open = (passphrase = 'correct horse') =>
		age(
			file,
			async question => {
				asked.push(question);
				return passphrase;
			},
			10,
		);
	assert.equal((await open().probe()).state, 'none');
	const vault = open();
	await vault.write('user/x', 'a-secret-value');
	assert.deepEqual(asked, ['a passphrase for the new vault file: ', 'once more: ']);
	assert.equal((await open().probe()).state, 'locked');
	assert.equal(statSync(file).mode & 0o777, 0o600);
	assert.ok(readFileSync(file, 'latin1').startsWith('age-encryption.org/v1'));
	assert.ok(!readFileSync(file, 'latin1').includes('a-secret-value'));
	await assert.rejects(
		open('wrong horse').read('user/x'),
		(error: Refusal) => error instanceof Refusal && /does not open/.test(error.because),
	);
	await assert.rejects(
		age(path.join(folder(t), 'new.age'), async () => 'short', 10).write('user/x', 'y'),
		/fewer than 8/,
	);
	let count = 0;
	await assert.rejects(
		age(path.join(folder(t), 'new.age'), async () => `passphrase ${count++}`, 10).write('user/x', 'y'),
		/differ/,
	);
	await vault.remove('user/x');
	await conforms(vault, open);
});

test('age: the variable opens it where nobody can be asked', async t => {
	const file = path.join(folder(t), 'vault.age');
	process.env[passphraseVariable] = 'from the environment';
	t.after(() => {
		delete process.env[passphraseVariable];
	});
	const vault = age(file, () => Promise.reject(new Error('nobody')));
	await vault.write('user/x', 'y');
	assert.equal(await age(file, () => Promise.reject(new Error('nobody'))).read('user/x'), 'y');
	assert.equal((await vault.probe()).state, 'unlocked');
});

test('the suite notices a careless vault', async t => {
	for (const [what, breaks] of Object.entries(careless)) {
		const entries = new Map<string, string>();
		const inner: Vault = {
			id: 'memory',
			title: 'memory',
			probe: async () => ({works: true, state: 'unlocked', version: '', because: '', hint: ''}),
			read: async account => entries.get(account),
			async write(account, text) {
				entries.set(account, text);
			},
			remove: async account => entries.delete(account),
		};
		await conforms(inner, () => inner);
		await assert.rejects(
			conforms(breaks(inner), () => breaks(inner)),
			what,
		);
		t.diagnostic(what);
	}
});

/** Runs a script with the vault in a process of its own, since a session's bus is the whole process's. */
function inSession(session: Keyring, script: string): string {
	const {stdout, stderr, status} = spawnSync(
		process.execPath,
		[
			'--disable-warning=ExperimentalWarning',
			'--import',
			'tsx',
			'--input-type=module',
			'-e',
			`
		import {keyring as vault} from ${JSON.stringify(path.resolve(import.meta.dirname, '../../source/vaults/keyring/index.ts'))};
		const say = value => console.log(JSON.stringify(value));
		const refused = async work => {
			try {
				return await work();
			} catch (error) {
				return {refused: error.name === 'Refusal', because: error.because, hint: error.hint};
			}
		};
		${script}
		process.exit(0);`,
		],
		{
			env: {PATH: process.env['PATH'] ?? '', HOME: session.folder, ...session.env},
			encoding: 'utf8',
			timeout: 60_000,
			cwd: path.resolve(import.meta.dirname, '../..'),
		},
	);
	assert.equal(status, 0, stderr);
	return stdout;
}

test('keyring: the real one, unlocked, keeps the promise', async t => {
	const session = await Keyring.open(t, 'unlocked');
	const before = {...process.env};
	Object.assign(process.env, session.env);
	t.after(() => {
		process.env = before;
	});
	// Another process reads what this one wrote.
	const again: Vault = {
		...keyring,
		read: async account =>
			JSON.parse(inSession(session, `say(await vault.read(${JSON.stringify(account)}) ?? null);`)) ?? undefined,
	};
	await conforms(keyring, () => again);
});

test('keyring: locked is said in words, and refused', async t => {
	const session = await Keyring.open(t, 'unlocked');
	inSession(session, 'await vault.write("user/x", "y");');
	session.lock();
	const [probe, read, write] = inSession(
		session,
		'say(await vault.probe()); say(await refused(() => vault.read("user/x"))); ' +
			'say(await refused(() => vault.write("user/z", "a-secret-value")));',
	)
		.trim()
		.split('\n')
		.map(line => JSON.parse(line) as Record<string, unknown>);
	assert.equal(probe?.['state'], 'locked');
	assert.match(String(probe?.['because']), /locked/);
	for (const answer of [read, write]) {
		assert.equal(answer?.['refused'], true, JSON.stringify(answer));
		assert.match(String(answer?.['because']), /locked/);
		assert.ok(!JSON.stringify(answer).includes('a-secret-value'));
	}
});

test('keyring: absent is said in words, and refused: with a bus and no keyring, and without a bus', async t => {
	const session = await Keyring.open(t, 'absent');
	for (const env of [session.env, {}]) {
		const [probe, read] = inSession(
			{folder: session.folder, env} as Keyring,
			'say(await vault.probe()); say(await refused(() => vault.read("user/x")));',
		)
			.trim()
			.split('\n')
			.map(line => JSON.parse(line) as Record<string, unknown>);
		assert.equal(probe?.['state'], 'none', JSON.stringify(probe));
		assert.match(String(probe?.['because']), /no OS vault/);
		assert.equal(read?.['refused'], true);
		assert.match(String(read?.['hint']), /gnome-keyring|another store/);
	}
});

test('age: the age program reads what this writes', t => {
	const file = path.join(folder(t), 'vault.age');
	const script =
		`import {age} from ${JSON.stringify(path.resolve(import.meta.dirname, '../../source/vaults/age/index.ts'))}; ` +
		"await age(process.argv[1], async () => 'correct horse').write('user/x', 'from fleet');";
	execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script, file], {
		cwd: path.resolve(import.meta.dirname, '../..'),
	});
	// It asks on a terminal alone; script(1) gives it one.
	const {stdout} = spawnSync('script', ['-qec', `age --decrypt ${file}`, '/dev/null'], {
		input: 'correct horse\n',
		encoding: 'utf8',
		timeout: 30_000,
	});
	assert.match(stdout, /from fleet/);
});
