import {neutralise, neutraliseLine} from '../core/neutralise.ts';
import {TerminalFilter} from '../core/terminal-filter.ts';
import type {HostAttack, SandboxAttack} from './attack.ts';

/** What reaches a person's terminal while attached to an agent that wrote this. */
export function attached(text: string): string {
	const filter = new TerminalFilter();
	return Buffer.from(filter.push(Buffer.from(text))).toString();
}

/** Sequences that must not pass, and the part by which one is known to have passed. */
export const sequences = [
	{id: 'clipboard', title: 'write the person\'s clipboard with OSC 52', source: 'what is pasted next runs', text: '\u001B]52;c;ZXZpbA==\u0007', sign: '52;c'},
	{id: 'title-report', title: 'have the terminal type its title back', source: 'CVE-2003-0063 and later ones', text: '\u001B]0;evil\u0007\u001B[21t', sign: '[21t'},
	{id: 'mode-report', title: 'have the terminal answer a question, as if the person had typed', source: 'DECRQM, DA, DSR answers are input', text: '\u001B[?1$p\u001B[c\u001B[6n', sign: '$p'},
	{id: 'hyperlink', title: 'hide an address under other words with OSC 8', source: 'links that look like something else', text: '\u001B]8;;http://evil.example/\u001B\\docs\u001B]8;;\u001B\\', sign: '8;;http'},
	{id: 'device-string', title: 'send device control strings', source: 'DECUDK, Sixel and ReGIS parsers had holes', text: '\u001BPq#0;2;0;0;0#0~~@@vv\u001B\\', sign: 'Pq#0'},
] as const;

export const terminalAttacks: ReadonlyArray<SandboxAttack | HostAttack> = [
	{
		kind: 'sandbox', id: 'type-into-terminal', title: 'type into the terminal with TIOCSTI', source: 'CVE-2017-5226', answer: 'a terminal of its own, and the system call filter', terminal: true,
		// Where the kernel has the call switched off it answers EIO (5); that is the kernel's guard, not ours.
		script: () => 'perl -e \'$x = "x"; print ioctl(STDIN, 0x5412, $x) ? "typed" : "errno " . ($! + 0)\'',
		came: ({output}) => /typed|errno 5\b/.test(output),
	},
	{
		kind: 'sandbox', id: 'paste-into-console', title: 'paste into a console with TIOCLINUX', source: 'CVE-2023-1523, snapd', answer: 'a terminal of its own, and the system call filter', terminal: true,
		script: () => 'perl -e \'$x = "\\x02" . ("\\0" x 15); print ioctl(STDIN, 0x541C, $x) ? "pasted" : "errno " . ($! + 0)\'',
		came: ({output}) => /pasted|errno (?:25|22|5)\b/.test(output),
	},
	...sequences.map(({id, title, source, text, sign}): HostAttack => ({
		kind: 'host', id, title, source, answer: 'only what paints passes while attached; nothing but text is printed elsewhere',
		attempt: async () => attached(`before ${text} after`).includes(sign) || neutralise(`before ${text} after`).includes('\u001B') || neutraliseLine(`before ${text} after`).includes('\u001B'),
	})),
	{
		kind: 'host', id: 'reversed-name', title: 'turn a name round with bidirectional marks', source: 'CVE-2021-42574, Trojan Source', answer: 'marks are shown as what they are',
		attempt: async () => /[\u202A-\u202E\u2066-\u2069]/.test(neutraliseLine('safe\u202Eexe.txt')),
	},
];
