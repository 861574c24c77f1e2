import type Conf from 'conf';

/*
 * What was used before, to be offered again. Never the state of a
 * run: conf does not support several processes that write one store.
 */

type Preferences = {commands: string[]; prompts: string[]};

async function open(folder: string): Promise<Conf<Preferences>> {
	const {default: Conf} = await import('conf');
	return new Conf<Preferences>({
		cwd: folder,
		configName: 'preferences',
		defaults: {commands: [], prompts: []},
		clearInvalidConfig: true,
	});
}

/** The command lines and prompts that were used last, newest first. */
export async function recentUses(
	folder: string,
): Promise<{readonly commands: readonly string[]; readonly prompts: readonly string[]}> {
	const store = await open(folder);
	return {commands: store.get('commands'), prompts: store.get('prompts')};
}

/**
 * Offers a command line and a prompt the next time a run is made by hand. What cannot be written is no reason to fail.
 */
export async function rememberUse(
	folder: string,
	{argv, prompt}: {argv?: readonly string[] | undefined; prompt?: string | undefined},
): Promise<void> {
	try {
		const store = await open(folder);
		const first = (entry: string, all: readonly string[]) =>
			[entry, ...all.filter(other => other !== entry)].slice(0, 20);
		if (argv) {
			store.set(
				'commands',
				first(
					argv
						.map(argument => (/^[\w./:={}@%+-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`))
						.join(' '),
					store.get('commands'),
				),
			);
		}

		if (prompt !== undefined && prompt.length < 20_000) {
			store.set('prompts', first(prompt, store.get('prompts')));
		}
	} catch {
		// A folder that cannot be written: there is less to offer the next time, and the run goes on.
	}
}
