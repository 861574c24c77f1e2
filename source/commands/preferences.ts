import type Conf from 'conf';

/* Preferences only, never the state of a run: conf does not support several processes that write one store. */

type Preferences = {commands: string[]};

async function open(folder: string): Promise<Conf<Preferences>> {
	const {default: Conf} = await import('conf');
	return new Conf<Preferences>({cwd: folder, configName: 'preferences', defaults: {commands: []}, clearInvalidConfig: true});
}

/** The command lines that were run last, newest first. */
export async function recentCommands(folder: string): Promise<readonly string[]> {
	return (await open(folder)).get('commands');
}

/** Offers a command line the next time a run is made by hand. A preference that cannot be written is no reason to fail. */
export async function rememberCommand(folder: string, argv: readonly string[]): Promise<void> {
	try {
		const store = await open(folder);
		const line = argv.map(argument => /^[\w./:={}@%+-]+$/.test(argument) ? argument : `'${argument.replaceAll('\'', '\'\\\'\'')}'`).join(' ');
		store.set('commands', [line, ...store.get('commands').filter(other => other !== line)].slice(0, 20));
	} catch {}
}
