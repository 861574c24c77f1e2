import {existsSync, mkdirSync, readFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {passphraseVariable} from '../../core/names.ts';
import {Refusal} from '../../core/refusal.ts';
import type {Vault} from '../../core/seams.ts';
import {replaceFile} from '../../host/write.ts';

/**
 * A file that is encrypted with a passphrase, in the age format: `age --decrypt` reads it, too.
 * @param file made with the first value
 * @param ask asks a person for the passphrase, without an echo; rejects where there is nobody
 * @param work the logarithm of scrypt's work factor: 18 takes a second or two, for whoever guesses, too
 */
export function age(file: string, ask: (question: string) => Promise<string>, work = 18): Vault {
	let opened: {passphrase: string; entries: Map<string, string>} | undefined;
	const open = async () => {
		const isNew = !existsSync(file);
		if (opened) {
			// Another process may have written since.
			return isNew ? opened : {passphrase: opened.passphrase, entries: await decrypt(file, opened.passphrase)};
		}

		const given = process.env[passphraseVariable];
		const passphrase =
			given ?? (await ask(isNew ? 'a passphrase for the new vault file: ' : "the vault file's passphrase: "));
		if (isNew) {
			if (passphrase.length < 8) {
				throw new Refusal('a passphrase of fewer than 8 characters protects nothing', 'choose a longer one');
			}

			if (given === undefined && (await ask('once more: ')) !== passphrase) {
				throw new Refusal('the two passphrases differ', 'nothing was written; try again');
			}
		}

		opened = {passphrase, entries: isNew ? new Map() : await decrypt(file, passphrase)};
		return opened;
	};

	const save = async (passphrase: string, entries: Map<string, string>) => {
		const {Encrypter} = await import('age-encryption');
		const encrypter = new Encrypter();
		encrypter.setScryptWorkFactor(work);
		encrypter.setPassphrase(passphrase);
		const bytes = await encrypter.encrypt(JSON.stringify(Object.fromEntries(entries)));
		mkdirSync(path.dirname(file), {recursive: true, mode: 0o700});
		replaceFile(file, bytes);
		opened = {passphrase, entries};
	};

	return {
		id: 'age',
		title: 'a file encrypted with a passphrase',
		async probe() {
			const isThere = existsSync(file);
			const canOpen = process.env[passphraseVariable] !== undefined;
			const unopened = isThere ? 'locked' : 'none';
			const how = canOpen
				? `${file} opens with ${passphraseVariable}`
				: `locked: ${file} asks for its passphrase at each use`;
			return {
				works: true,
				state: canOpen || opened ? 'unlocked' : unopened,
				version: '',
				because: isThere ? how : `not set up yet: made with the first secret, at ${file}`,
				hint: '',
			};
		},
		async read(account) {
			return existsSync(file) ? (await open()).entries.get(account) : undefined;
		},
		async write(account, text) {
			const {passphrase, entries} = await open();
			await save(passphrase, new Map([...entries, [account, text]]));
		},
		async remove(account) {
			if (!existsSync(file)) {
				return false;
			}

			const {passphrase, entries} = await open();
			if (!entries.has(account)) {
				return false;
			}

			await save(passphrase, new Map([...entries].filter(([name]) => name !== account)));
			return true;
		},
	};
}

async function decrypt(file: string, passphrase: string): Promise<Map<string, string>> {
	const {Decrypter} = await import('age-encryption');
	const decrypter = new Decrypter();
	decrypter.addPassphrase(passphrase);
	let text: string;
	try {
		text = await decrypter.decrypt(readFileSync(file), 'text');
	} catch {
		throw new Refusal('the vault file does not open with this passphrase', `${file}; try again`);
	}

	return new Map(Object.entries(JSON.parse(text) as Record<string, string>));
}
