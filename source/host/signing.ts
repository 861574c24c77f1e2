import process from 'node:process';
import type {Git} from './git.ts';

/** What a signing program needs of the person's environment, to find its keys and to ask. */
const variables = [
	'GNUPGHOME',
	'GPG_TTY',
	'GPG_AGENT_INFO',
	'SSH_AUTH_SOCK',
	'SSH_ASKPASS',
	'SSH_ASKPASS_REQUIRE',
	'DISPLAY',
	'WAYLAND_DISPLAY',
	'XAUTHORITY',
	'XDG_RUNTIME_DIR',
	'DBUS_SESSION_BUS_ADDRESS',
	'TERM',
];

/** The variables for a call of git that signs. */
export function signingEnvironment(): Record<string, string> {
	return Object.fromEntries(
		variables.flatMap(name => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
	);
}

/** Whether the person's git signs each commit. */
export async function signsCommits(git: Git): Promise<boolean> {
	return (await git.setting('commit.gpgsign', 'bool')) === 'true';
}

/** What to try where a signature could not be made. */
export const signingHint = 'git commit -S must work in a terminal; a key with a passphrase has to be unlocked before';
