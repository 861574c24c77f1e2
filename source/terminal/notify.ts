import {spawn} from 'node:child_process';

/*
 * A notification of the desktop. A terminal that shows them is asked by a sequence, and passes over it where it does not;
 * where it is known that none would arrive, the desktop's own program is asked. Never tmux's display-message: it takes
 * what an agent said for a format, in which commands can be run.
 */

/** Terminals whose sequence is OSC 9, by what they say of themselves. */
const knownPrograms = new Set(['iTerm.app', 'WezTerm', 'ghostty', 'WarpTerminal']);

const is = (environment: NodeJS.ProcessEnv, name: string) => (environment[name] ?? '') !== '';

/** How this terminal is asked for a notification; undefined for one of which that is not known. */
export function sequenceFor(environment: NodeJS.ProcessEnv, text: string): string | undefined {
	const {TERM = '', TERM_PROGRAM = ''} = environment;
	if (is(environment, 'VTE_VERSION') || TERM.startsWith('foot') || TERM.startsWith('rxvt')) {
		return `\u001B]777;notify;fleet;${text}\u0007`;
	}

	return knownPrograms.has(TERM_PROGRAM) || is(environment, 'WT_SESSION') || /kitty|ghostty/.test(TERM)
		? `\u001B]9;${text}\u0007`
		: undefined;
}

/** Whether there is a desktop here, and its person in front of it. */
function hasDesktop(environment: NodeJS.ProcessEnv): boolean {
	const isRemote = is(environment, 'SSH_CONNECTION') || is(environment, 'SSH_TTY');
	return !isRemote && (is(environment, 'DISPLAY') || is(environment, 'WAYLAND_DISPLAY'));
}

/** A sequence that tmux is to hand on to the terminal around it. */
function throughTmux(sequence: string): string {
	return `\u001BPtmux;${sequence.replaceAll('\u001B', '\u001B\u001B')}\u001B\\`;
}

const timeoutMs = 3000;

/** What a program prints; undefined where it does not end well. */
async function said(argv: readonly [string, ...string[]], environment: NodeJS.ProcessEnv): Promise<string | undefined> {
	return new Promise(resolve => {
		const child = spawn(argv[0], argv.slice(1), {
			stdio: ['ignore', 'pipe', 'ignore'],
			env: environment,
			timeout: timeoutMs,
		});
		let text = '';
		child.stdout.setEncoding('utf8').on('data', (more: string) => (text += more));
		child.once('error', () => resolve(undefined));
		child.once('close', code => resolve(code === 0 ? text.trim() : undefined));
	});
}

/**
 * Whether tmux hands sequences on: where it is allowed, for a window that somebody has in view, and with `all` for every
 * one. A tmux before 3.3 has no such option.
 */
async function passes(environment: NodeJS.ProcessEnv): Promise<boolean> {
	const {TMUX_PANE: pane} = environment;
	const where = pane ? ['-t', pane] : [];
	const text = await said(
		['tmux', 'display-message', ...where, '-p', '#{allow-passthrough},#{window_active_clients}'],
		environment,
	);
	const [value = '', views = ''] = text?.split(',') ?? [];
	return value === '' || value === 'all' || ((value === 'on' || value === '1') && views !== '0');
}

/** @param text escaped, of one line */
export async function notifyDesktop(
	text: string,
	stdout: {write(text: string): unknown},
	environment: NodeJS.ProcessEnv,
): Promise<void> {
	const short = text.slice(0, 200);
	const isTmux = is(environment, 'TMUX');
	// In tmux it is not known which terminal is around it.
	const isAsked = isTmux ? await passes(environment) : sequenceFor(environment, short) !== undefined;
	const isShown =
		!isAsked &&
		hasDesktop(environment) &&
		(await said(['notify-send', '--app-name=fleet', '--', 'fleet', short], environment)) !== undefined;
	if (!isShown) {
		const sequence = (isTmux ? undefined : sequenceFor(environment, short)) ?? `\u001B]9;${short}\u0007`;
		stdout.write(isTmux ? throughTmux(sequence) : sequence);
	}
}
