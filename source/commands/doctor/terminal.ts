import {spawnSync} from 'node:child_process';
import process from 'node:process';
import type {Availability} from '../../core/seams.ts';
import {coloursOf} from '../../terminal/colours.ts';

/* What the terminal, and tmux where it stands between, does with what the screen sends. */

type Found = Availability & {readonly id: string};

/** Options of tmux that decide what gets through, as they are for this window; '' for one that this tmux does not have. */
const options = ['set-clipboard', 'allow-passthrough', 'monitor-bell', 'bell-action', 'focus-events'] as const;
type Options = Readonly<Record<(typeof options)[number], string>>;

function readOptions(): Options | undefined {
	const {status, stdout} = spawnSync('tmux', ['display-message', '-p', options.map(name => `#{${name}}`).join('\t')], {
		encoding: 'utf8',
		timeout: 3000,
		stdio: ['ignore', 'pipe', 'ignore'],
	});
	const values = stdout?.trimEnd().split('\t') ?? [];
	return status === 0
		? (Object.fromEntries(options.map((name, index) => [name, values[index] ?? ''])) as Options)
		: undefined;
}

/** What one option has to be, and what it is for. */
type Need = {
	readonly id: string;
	readonly line: string;
	readonly isMet: (options: Options) => boolean;
	readonly met: string;
	readonly unmet: string;
};

const isOn = (value: string) => value === '1' || value === 'on' || value === 'all';

const needs: readonly Need[] = [
	{
		id: 'tmux clipboard',
		line: 'set -s set-clipboard external',
		isMet: found => found['set-clipboard'] !== 'off' && found['set-clipboard'] !== '0',
		met: "what is copied is in tmux's buffer, and sent on to the terminal around it",
		unmet: "what is copied is in tmux's buffer alone: set-clipboard is off",
	},
	{
		id: 'tmux notices',
		line: 'set -gw allow-passthrough on',
		// Before 3.3 there was no such option, and all of it passed.
		isMet: found => found['allow-passthrough'] === '' || isOn(found['allow-passthrough']),
		met: 'desktop notifications are handed on while the window is in view',
		unmet: 'desktop notifications stay in tmux; the bell, the title and what is copied pass',
	},
	{
		id: 'tmux bell',
		line: 'set -gw monitor-bell on',
		isMet: found => isOn(found['monitor-bell']),
		met: "the bell marks the screen's window",
		unmet: "the bell does not mark the screen's window",
	},
	{
		id: 'tmux bell action',
		line: 'set -g bell-action any',
		isMet: found => found['bell-action'] !== 'none' && found['bell-action'] !== '0',
		met: 'the bell of a window gets to the terminal',
		unmet: 'no bell gets to the terminal: bell-action is none',
	},
	{
		id: 'tmux focus',
		line: 'set -s focus-events on',
		isMet: found => isOn(found['focus-events']),
		met: 'the screen is told whether it is looked at, and notifies only where it is not',
		unmet: 'the screen is not told whether it is looked at: it notifies all the same',
	},
];

/** The terminal itself: whether a screen can be drawn, and with how many colours. */
function checkColours(): Found {
	const term = process.env['TERM'] ?? '';
	const colours = coloursOf();
	if (term === 'dumb') {
		return {
			id: 'terminal',
			works: false,
			version: '',
			because: 'TERM=dumb: no screen can be drawn; every verb works, and fleet list shows the runs',
			hint: 'export TERM=xterm-256color, where the terminal can draw',
		};
	}

	const words = {
		0: 'no colours, since NO_COLOR is set: signs and words say all',
		16: '16 colours: signs and words say all',
		256: '256 colours',
	};
	return {
		id: 'terminal',
		works: colours !== 16,
		version: '',
		because: `${term === '' ? 'TERM is not set' : term}, ${words[colours]}`,
		hint: colours === 16 ? 'export COLORTERM=truecolor, where the terminal has more colours' : '',
	};
}

/** What is lacking between the screen and a person's eyes; nothing where verbs are read by a program. */
export function checkTerminal(): Found[] {
	const isTmux = (process.env['TMUX'] ?? '') !== '';
	const found = isTmux ? readOptions() : undefined;
	return [
		...(process.stdout.isTTY ? [checkColours()] : []),
		...(found
			? needs.map(({id, line, isMet, met, unmet}): Found => {
					const works = isMet(found);
					return {
						id,
						works,
						version: '',
						because: works ? met : unmet,
						hint: works ? '' : `echo '${line}' >> ~/.tmux.conf; tmux source-file ~/.tmux.conf`,
					};
				})
			: []),
	];
}
