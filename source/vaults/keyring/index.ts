import {randomBytes} from 'node:crypto';
import process from 'node:process';
import {exitCodes, Refusal} from '../../core/refusal.ts';
import type {Vault, VaultState} from '../../core/seams.ts';

const service = 'command-fleet';
const hint =
	'install a keyring service (gnome-keyring, KWallet) and libsecret, or choose another store: fleet secret stores';

/** How long a vault may take to answer while nobody is asked anything, milliseconds. */
const patience = 4000;

/** How long a person may take to unlock it, milliseconds. */
const unlocking = 120_000;

type Keytar = typeof import('keytar');

async function load(): Promise<Keytar> {
	// libsecret waits for a bus that nobody answers on.
	if (process.platform === 'linux' && !process.env['DBUS_SESSION_BUS_ADDRESS']) {
		throw new Refusal('there is no OS vault here: no session bus', hint);
	}

	try {
		const {default: keytar} = (await import('keytar')) as unknown as {default: Keytar};
		return keytar;
	} catch (error) {
		throw new Refusal(`there is no OS vault here: ${(error as Error).message.split('\n')[0]}`, hint);
	}
}

/** Its words for "locked", for "not there", and for everything else. */
function refusalOf(error: Error): Refusal {
	if (error instanceof Refusal) {
		return error;
	}

	const words = error.message.split('\n')[0]!;
	if (/locked|dismissed|prompt/i.test(words)) {
		return new Refusal(
			'the OS vault is locked, and was not unlocked',
			'unlock it in your desktop, or: gnome-keyring-daemon --unlock',
			exitCodes.refused,
			'locked',
		);
	}

	return new Refusal(`there is no OS vault here: ${words}`, hint);
}

async function within<Result>(work: Promise<Result>, limit: number): Promise<Result> {
	let timer: NodeJS.Timeout | undefined;
	try {
		return await Promise.race([
			work,
			new Promise<never>((_, reject) => {
				timer = setTimeout(
					() =>
						reject(
							new Refusal(
								'the OS vault is locked, and asks to be unlocked',
								'answer its window, then try again',
								exitCodes.refused,
								'locked',
							),
						),
					limit,
				);
			}),
		]);
	} catch (error) {
		throw refusalOf(error as Error);
	} finally {
		clearTimeout(timer);
	}
}

/** The OS vault, through keytar: the Secret Service on Linux, the Keychain on macOS. */
export const keyring: Vault = {
	id: 'keyring',
	title: 'the OS vault',
	async probe() {
		// What is only present may still be locked: written, read and deleted.
		const account = `canary-${randomBytes(8).toString('hex')}`;
		const value = randomBytes(16).toString('hex');
		try {
			const keytar = await load();
			const back = await within(
				(async () => {
					await keytar.setPassword(service, account, value);
					const back = await keytar.getPassword(service, account);
					await keytar.deletePassword(service, account);
					return back;
				})(),
				patience,
			);
			if (back !== value) {
				throw new Refusal('there is no OS vault here: it did not give a canary back', hint);
			}

			return {
				works: true,
				state: 'unlocked',
				version: '',
				because: 'unlocked: it keeps and forgets a canary',
				hint: '',
			};
		} catch (error) {
			const refusal = refusalOf(error as Error);
			const state: VaultState = refusal.code === 'locked' ? 'locked' : 'none';
			return {works: false, state, version: '', because: refusal.because, hint: refusal.hint};
		}
	},
	async read(account) {
		const keytar = await load();
		const text = await within(keytar.getPassword(service, account), unlocking);
		if (text === null) {
			// "Not written" and "nowhere to look" are one answer of libsecret's.
			const {state, because, hint} = await this.probe();
			if (state !== 'unlocked') {
				throw new Refusal(because, hint);
			}
		}

		return text ?? undefined;
	},
	async write(account, text) {
		const keytar = await load();
		await within(keytar.setPassword(service, account, text), unlocking);
	},
	async remove(account) {
		const keytar = await load();
		return within(keytar.deletePassword(service, account), unlocking);
	},
};
