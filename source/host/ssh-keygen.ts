import {existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {gateRefusal, personRefusal, Refusal} from '../core/refusal.ts';
import {homeFolder} from './person.ts';

/** A person has this long for a passphrase or a touch. */
const promptTimeoutMs = 120_000;

async function run(
	argv: readonly string[],
	input: string | Uint8Array,
): Promise<{code: number; stdout: string; stderr: string}> {
	const {execa} = await import('execa');
	const result = await execa('ssh-keygen', argv, {
		input,
		// A time is told to it in no zone.
		env: {TZ: 'UTC'},
		reject: false,
		timeout: promptTimeoutMs,
		stripFinalNewline: false,
	});
	if (result.exitCode === undefined) {
		throw new Refusal(
			`ssh-keygen did not run: ${(result.shortMessage ?? '').split('\n')[0]!}`,
			'install OpenSSH 8.1 or later (Debian: openssh-client)',
		);
	}

	return {code: result.exitCode, stdout: result.stdout, stderr: result.stderr};
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
	const folder = mkdtempSync(path.join(os.tmpdir(), 'fleet-signature-'));
	try {
		return await work(folder);
	} finally {
		rmSync(folder, {recursive: true, force: true});
	}
}

/** A public key that stands for itself, as git's `user.signingKey` may have it; undefined for a file's name. */
function literalKey(key: string): string | undefined {
	return /^(?:key::)?((?:ssh-|ecdsa-|sk-)\S+ \S+.*)$/.exec(key)?.[1];
}

const fileOf = (key: string) => key.replace(/^~(?=\/)/, () => homeFolder());

/**
 * The public part of a key, as `TYPE BASE64`: of a file from beside it, where it lies there, so that nobody is asked for a
 * passphrase.
 * @param key a file, or a public key
 * @throws Refusal where there is none
 */
export async function publicKeyOf(key: string): Promise<string> {
	const literal = literalKey(key);
	const file = fileOf(key);
	const beside = [file, `${file}.pub`].find(name => name.endsWith('.pub') && existsSync(name));
	let line = literal ?? (beside === undefined ? undefined : readFileSync(beside, 'utf8'));
	if (line === undefined) {
		const {code, stdout, stderr} = await run(['-y', '-f', file], '');
		if (code !== 0) {
			throw new Refusal(
				`the key ${file} could not sign: ${stderr.trim().split('\n').at(-1) ?? ''}`,
				'name another with --key FILE',
			);
		}

		line = stdout;
	}

	return line.trim().split(/\s+/).slice(0, 2).join(' ');
}

/**
 * Signs a text with a person's SSH key, by `ssh-keygen -Y sign`. The key is read by ssh-keygen or stays in the agent:
 * this program never sees it.
 *
 * @param key a file, or a public key whose private one the SSH agent has, as git's `user.signingKey`
 * @returns the armoured signature
 * @throws Refusal where the key cannot be used
 */
export function sign(text: string, key: string, namespace: string): Promise<string> {
	return inFolder(async folder => {
		const literal = literalKey(key);
		const file = literal === undefined ? fileOf(key) : path.join(folder, 'key.pub');
		if (literal !== undefined) {
			writeFileSync(file, `${literal}\n`);
		}

		const {code, stdout, stderr} = await run(['-Y', 'sign', '-n', namespace, '-f', file], text);
		if (code !== 0) {
			const because = stderr.trim().split('\n').at(-1) ?? '';
			const hint = 'ssh-add it, type its passphrase in a terminal, or name another with --key';
			throw /passphrase/.test(stderr)
				? personRefusal(`${file} is locked, and there is nobody to ask for its passphrase`, hint)
				: new Refusal(`the key ${file} could not sign: ${because}`, hint);
		}

		return stdout;
	});
}

/** A signature that is to be looked at. `signers`: lines as in an `allowed_signers` file. */
type Claim = {readonly signature: string; readonly signers: string; readonly namespace: string};

/** A time (milliseconds) as ssh-keygen takes it. */
const timeText = (at: number) => new Date(at).toISOString().replaceAll(/[-:T]/g, '').slice(0, 14);

/**
 * Whether it is that signer's signature of exactly that text.
 * @param claim.signer the principal, as `signers` has it
 * @param claim.at when it had to be good, where `signers` says until when keys are: milliseconds; now without it
 * @returns why it is not
 */
export function checkSignedBy(
	text: string | Uint8Array,
	claim: Claim & {readonly signer: string; readonly at?: number},
): Promise<Refusal | undefined> {
	const {signer, signature, signers, namespace, at} = claim;
	return inFolder(async folder => {
		const [allowed, own] = [path.join(folder, 'signers'), path.join(folder, 'signature')];
		writeFileSync(allowed, signers);
		writeFileSync(own, signature);
		const {code, stderr, stdout} = await run(
			[
				'-Y',
				'verify',
				...(at === undefined ? [] : [`-Overify-time=${timeText(at)}`]),
				'-n',
				namespace,
				'-I',
				signer,
				'-s',
				own,
				'-f',
				allowed,
			],
			text,
		);
		return code === 0
			? undefined
			: gateRefusal(`its signature is not good: ${(stderr + stdout).trim().split('\n').at(-1) ?? ''}`, 'sign it anew');
	});
}

/**
 * Whose signature of a text it is.
 * @param signed.signers lines as in an `allowed_signers` file
 * @returns the principal, or why it is nobody's
 */
export function verifySignature(
	text: string,
	{signature, signers, namespace}: Claim,
): Promise<{signer: string} | Refusal> {
	return inFolder(async folder => {
		const [allowed, own] = [path.join(folder, 'signers'), path.join(folder, 'signature')];
		writeFileSync(allowed, signers);
		writeFileSync(own, signature);
		const found = await run(['-Y', 'find-principals', '-s', own, '-f', allowed], '');
		const signer = found.stdout.split('\n')[0]!.trim();
		if (found.code !== 0 || signer === '') {
			return gateRefusal("the key that signed it is not one of the project's signers", 'sign with a key of theirs');
		}

		const fault = await checkSignedBy(text, {signer, signature, signers, namespace});
		return fault ?? {signer};
	});
}
