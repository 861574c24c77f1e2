import {spawn} from 'node:child_process';
import process from 'node:process';

/** Begins a verb as a process that nobody waits for, and whose words nobody reads: for what the next look does anew. */
export function beginVerb(argv: readonly string[]): void {
	try {
		const child = spawn(process.execPath, [process.argv[1]!, ...argv], {
			stdio: 'ignore',
			detached: true,
			cwd: '/',
			env: {...process.env, FLEET_ON_ITS_OWN: '1'},
		});
		child.once('error', () => {});
		child.unref();
	} catch {
		// No process more can be started now.
	}
}
