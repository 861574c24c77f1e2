import assert from 'node:assert/strict';
import {execFileSync, spawnSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {test, type TestContext} from 'node:test';
import {isGoodSshSignature, readSshSignature} from '../../source/host/ssh-signature.ts';
import {checkSignedBy} from '../../source/host/ssh-keygen.ts';
import {Chance} from '../support/chance.ts';
import {armour, ed25519Signer, hardwareSigner} from '../support/ssh-sign.ts';

/* What this process says of a signature is what ssh-keygen says, over whole signatures and broken ones. */

const namespace = 'fleet-approval';

function folderOf(t: TestContext): string {
	const folder = mkdtempSync(path.join(os.tmpdir(), 'fleet-ssh-'));
	t.after(() => rmSync(folder, {recursive: true}));
	return folder;
}

/** Whether ssh-keygen takes it as some key's signature of that text. */
function sshKeygen(folder: string, text: string, armoured: string, own = namespace): boolean {
	writeFileSync(path.join(folder, 'signature'), armoured);
	const argv = ['-Y', 'check-novalidate', '-n', own, '-s', path.join(folder, 'signature')];
	return spawnSync('ssh-keygen', argv, {input: text}).status === 0;
}

function ours(text: string, armoured: string, own = namespace): boolean {
	const read = readSshSignature(armoured);
	return read !== undefined && isGoodSshSignature(read, text, own);
}

const kinds = [
	['ed25519', ['-t', 'ed25519']],
	['ecdsa, P-256', ['-t', 'ecdsa', '-b', '256']],
	['ecdsa, P-384', ['-t', 'ecdsa', '-b', '384']],
	['ecdsa, P-521', ['-t', 'ecdsa', '-b', '521']],
	['rsa', ['-t', 'rsa', '-b', '2048']],
] as const;

for (const [name, options] of kinds) {
	test(`a signature by ${name} is good where ssh-keygen says so, and only there`, t => {
		const folder = folderOf(t);
		const key = path.join(folder, 'key');
		execFileSync('ssh-keygen', ['-q', ...options, '-N', '', '-f', key]);
		const chance = new Chance(name.length);
		const text = 'a text\n';
		for (const hash of ['sha512', 'sha256']) {
			const sign = ['-q', '-Y', 'sign', '-n', namespace, '-O', `hashalg=${hash}`, '-f', key];
			const armoured = execFileSync('ssh-keygen', sign, {
				input: text,
				encoding: 'utf8',
				stdio: ['pipe', 'pipe', 'ignore'],
			});
			assert.ok(ours(text, armoured) && sshKeygen(folder, text, armoured));
			assert.equal(
				readSshSignature(armoured)!.key,
				readFileSync(`${key}.pub`, 'utf8').split(' ').slice(0, 2).join(' '),
			);
			assert.ok(!ours('another text\n', armoured) && !ours(text, armoured, 'git'));
			assert.ok(!sshKeygen(folder, text, armoured, 'git'));
			const bytes = Buffer.from(armoured.split('\n').slice(1, -2).join(''), 'base64').subarray(10);
			let refused = 0;
			for (let round = 0; round < 60; round++) {
				const broken = breakBytes(bytes, round, chance);
				const [own, theirs] = [ours(text, armour(broken)), sshKeygen(folder, text, armour(broken))];
				assert.equal(own, theirs, `round ${round}: ${broken.toString('hex')}`);
				refused += own ? 0 : 1;
			}

			assert.ok(refused > 50);
		}
	});
}

/** Bytes with a part changed, taken away or added; in the last rounds the lengths, where formats are read wrongly. */
function breakBytes(bytes: Buffer, round: number, chance: Chance): Buffer {
	const at = chance.below(bytes.length);
	const copy = Buffer.from(bytes);
	if (round < 35) {
		copy[at]! ^= 1 << chance.below(8);
		return copy;
	}

	if (round < 42) {
		return copy.subarray(0, at);
	}

	if (round < 45) {
		return Buffer.concat([copy, Buffer.from([0, 0, 0, 0])]);
	}

	if (round < 50) {
		return Buffer.concat([copy.subarray(0, at), Buffer.from([chance.below(256)]), copy.subarray(at)]);
	}

	const lengths = [...copy.keys()].filter(index => copy[index] === 0 && copy[index + 1] === 0).map(index => index + 3);
	const place = chance.pick(lengths);
	copy[place] = (copy[place]! + (chance.once(0.5) ? 1 : 255)) % 256;
	return copy;
}

test('what is no armour, and what another program of the same kind makes', t => {
	const folder = folderOf(t);
	const own = ed25519Signer();
	const armoured = own.sign('x', namespace);
	assert.ok(ours('x', armoured) && sshKeygen(folder, 'x', armoured));
	for (const broken of [
		'',
		armoured.replace('BEGIN', 'BEGUN'),
		armoured.replace(/^-.*\n/, ''),
		armoured.replaceAll(/[a-z]/g, '_'),
	]) {
		assert.equal(readSshSignature(broken), undefined);
	}
});

test("a hardware key's signature is ssh-keygen's to judge", async t => {
	const folder = folderOf(t);
	const own = hardwareSigner();
	const armoured = own.sign('x', namespace);
	assert.ok(sshKeygen(folder, 'x', armoured));
	assert.ok(!ours('x', armoured), 'it is not surely good, which says nothing');
	const claim = {signer: 'ada', signature: armoured, signers: `ada ${own.line}\n`, namespace};
	assert.equal(await checkSignedBy('x', claim), undefined);
	assert.match((await checkSignedBy('y', claim))!.because, /^its signature is not good/);
});
