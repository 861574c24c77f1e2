import process from 'node:process';
import type {Sandbox} from '../../core/seams.ts';

/**
 * macOS. Its profile is compiled and tested as text (compile.ts); it has not run on a Mac, and what has not been
 * attacked is not offered: the probe says no, and nothing starts.
 */
export const seatbelt: Sandbox = {
	id: 'seatbelt',
	async probe() {
		return process.platform === 'darwin'
			? {
					works: false,
					version: '',
					because: 'the profile for macOS has not been tested on a Mac, so it is not used',
					hint: 'run fleet on Linux, or in a Linux virtual machine',
				}
			: {works: false, version: '', because: 'Seatbelt is for macOS (untested there)', hint: ''};
	},
	prepare() {
		throw new Error('this sandbox is not offered yet');
	},
};
