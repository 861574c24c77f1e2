import {dashed, type Verb} from '../verb.ts';

/* The manual page, as the macros of man(7). */

/** A text as roff prints it: no line of it is a request, no hyphen is a dash. */
function roff(text: string): string {
	return text
		.replaceAll('\\', String.raw`\e`)
		.replaceAll('-', String.raw`\-`)
		.replaceAll(/^(?=[.'])/gm, String.raw`\&`);
}

function entry(title: string, text: string): string {
	return `.TP\n.B ${title}\n${text === '' ? '\\&' : text}\n`;
}

function verbPart(name: string, {usage, summary, arguments: positional, options}: Verb): string {
	const places = Object.values(positional)
		.filter(({help}) => help !== '')
		.map(({shown, help}) => entry(roff(shown.replaceAll('"', '')), roff(help)));
	const flags = Object.entries(options).flatMap(([key, {letter, takes, bare, help, negative}]) => {
		const value = takes === undefined ? '' : ` ${bare ? `[${takes}]` : takes}`;
		const title = `${letter === undefined ? '' : `-${letter}, `}--${dashed(key)}${value}`;
		return [
			entry(roff(title), roff(help)),
			...(negative === undefined ? [] : [entry(roff(`--no-${dashed(key)}`), roff(negative))]),
		];
	});
	return `.SS fleet ${name} ${roff(usage.replaceAll('"', ''))}\n${roff(summary)}\n${[...places, ...flags].join('')}`;
}

/** The page of all verbs. @param version the package's */
export function manPage(verbs: ReadonlyArray<readonly [string, Verb]>, version: string): string {
	return `.TH FLEET 1 "" "fleet ${version}" "User Commands"
.SH NAME
fleet \\- run AI coding agents under least privilege
.SH SYNOPSIS
.B fleet
[COMMAND] [ARGUMENTS]
.SH DESCRIPTION
Each run of an agent has a worktree and a sandbox of its own, and may use what was granted to it, nothing else.
Without a command: the screen.
RUN is a run's id, or the beginning of it. What stands after
.B \\-\\-
is the agent's command line.
.SH COMMANDS
${verbs.map(([name, verb]) => verbPart(name, verb)).join('')}.SH EXIT STATUS
${[
	['0', 'done'],
	['1', 'internal error'],
	['2', 'refused input'],
	['3', 'a check or gate said no'],
	['4', 'inconclusive'],
]
	.map(([code, means]) => entry(code!, means!))
	.join('')}.SH ENVIRONMENT
${entry('FLEET_HOME', 'a folder for all that fleet keeps, in place of the XDG folders; an absolute path')}${entry(
		'FLEET_DEBUG',
		'1: where an internal error happened',
	)}.SH FILES
${entry(roff('$XDG_STATE_HOME/fleet, $XDG_CONFIG_HOME/fleet'), 'runs and their worktrees; settings and the vault file')}${entry(
		roff('.fleet/policy.yaml'),
		'of a project, committed: what verifies a result, what runs may use',
	)}`;
}
