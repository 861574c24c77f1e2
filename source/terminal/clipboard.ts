import {spawn} from 'node:child_process';

/** A program that takes what is copied on its standard input, and what its good end amounts to. */
type Way = {readonly argv: readonly [string, ...string[]]; readonly done: string};

/**
 * What may be there to copy with, the surest first. Over SSH this
 * machine's own clipboard is not the one that a person looks at.
 */
export function waysToCopy(environment: NodeJS.ProcessEnv, platform: string): Way[] {
	const is = (name: string) => (environment[name] ?? '') !== '';
	const isRemote = is('SSH_CONNECTION') || is('SSH_TTY');
	return [
		// It goes to tmux itself, whatever its set-clipboard says; -w is not known to a tmux before 3.2.
		...(is('TMUX')
			? ([
					{argv: ['tmux', 'load-buffer', '-w', '-'], done: "in tmux's buffer, and sent on to the terminal around it"},
					{argv: ['tmux', 'load-buffer', '-'], done: "in tmux's buffer"},
				] as Way[])
			: []),
		...(is('WAYLAND_DISPLAY') && !isRemote ? ([{argv: ['wl-copy'], done: 'copied by wl-copy'}] as Way[]) : []),
		...(is('DISPLAY')
			? ([
					{argv: ['xclip', '-selection', 'clipboard'], done: 'copied by xclip'},
					{argv: ['xsel', '--clipboard', '--input'], done: 'copied by xsel'},
				] as Way[])
			: []),
		...(platform === 'darwin' && !isRemote ? ([{argv: ['pbcopy'], done: 'copied by pbcopy'}] as Way[]) : []),
	];
}

/** How long a program may take to take a text. */
const copyTimeoutMs = 3000;

/** Gives a text to a program. @returns whether it took it and ended well */
async function hand(
	[program, ...rest]: readonly [string, ...string[]],
	text: string,
	environment: NodeJS.ProcessEnv,
): Promise<boolean> {
	return new Promise(resolve => {
		// What stays behind to serve the selection must not hold a pipe of ours.
		const child = spawn(program, rest, {stdio: ['pipe', 'ignore', 'ignore'], env: environment, timeout: copyTimeoutMs});
		child.once('error', () => resolve(false));
		child.once('exit', code => resolve(code === 0));
		child.stdin.on('error', () => {});
		child.stdin.end(text);
	});
}

/**
 * Copies a text. No terminal says whether it took what it was sent, so that alone is said.
 * @returns what became of it, in words
 */
export async function copyText(
	text: string,
	stdout: {write(text: string): unknown},
	{environment, platform}: {readonly environment: NodeJS.ProcessEnv; readonly platform: string},
): Promise<string> {
	for (const {argv, done} of waysToCopy(environment, platform)) {
		if (await hand(argv, text, environment)) {
			return done;
		}
	}

	stdout.write(`\u001B]52;c;${Buffer.from(text).toString('base64')}\u0007`);
	return 'sent to the terminal (OSC 52), which takes it or not';
}
