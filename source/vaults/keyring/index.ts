import {randomBytes} from 'node:crypto';
import process from 'node:process';
import type {Vault} from '../../core/seams.ts';

const service = 'command-fleet';

/** The OS vault, through keytar. Probed by writing, reading and deleting a canary: what is only present may still be locked. */
export const keyring: Vault = {
	id: 'keyring',
	async probe() {
		const hint = 'a keyring service such as gnome-keyring and the library libsecret; nothing in this version needs it';
		// libsecret waits for a bus that nobody answers on.
		if (process.platform === 'linux' && !process.env['DBUS_SESSION_BUS_ADDRESS']) {
			return {works: false, version: '', because: 'no session bus, so no OS vault here', hint};
		}

		try {
			const {default: keytar} = await import('keytar');
			const account = `canary-${randomBytes(8).toString('hex')}`;
			const value = randomBytes(16).toString('hex');
			await keytar.setPassword(service, account, value);
			const back = await keytar.getPassword(service, account);
			await keytar.deletePassword(service, account);
			return back === value ? {works: true, version: '', because: 'the OS vault keeps and forgets a canary', hint: ''} : {works: false, version: '', because: 'the OS vault did not give a canary back', hint: 'is it locked?'};
		} catch (error) {
			return {works: false, version: '', because: `no OS vault here: ${(error as Error).message.split('\n')[0]}`, hint};
		}
	},
};
