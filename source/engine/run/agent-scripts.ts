import type {Invocation} from '../../core/plan.ts';
import {exitOfService, serviceArguments, startServices, type FoundService} from '../../core/services.ts';
import {insideConfig} from './injected-files.ts';

/* What runs inside before and after the agent, in a shell. */

/** Exit codes of the script before the agent: its configuration could not be copied; a command of the policy failed. */
const [exitOfCopy, exitOfSetup] = [96, 97];

/** After the agent ended by itself: the policy's commands, whatever its exit code, which stays the run's. */
const endScript = 't=$1; shift; trap : INT; "$@"; code=$?; sh -c "$t"; exit "$code"';

const quoted = (text: string) => `'${text.replaceAll("'", String.raw`'\''`)}'`;

/** Before the agent: what it was given before and is not now is taken out, its configuration goes to its HOME, from inside, the policy's commands run, its services start. */
const startScript =
	'm=$1; shift; while [ "$m" -gt 0 ]; do rm -f -- "$HOME/$1"; shift; m=$((m-1)); done; ' +
	`if [ -n "$(ls -A ${insideConfig} 2> /dev/null)" ]; then cp -rT ${insideConfig} "$HOME" || exit ${exitOfCopy}; fi; ` +
	'n=$1; shift; while [ "$n" -gt 0 ]; do printf "\\033[2m\\$ %s\\033[0m\\n" "$1"; ' +
	`sh -c "$1" || { printf "fleet: setup failed: %s\\n" "$1"; exit ${exitOfSetup}; }; shift; n=$((n-1)); done; ` +
	`${startServices}exec "$@"`;

/** The agent in a folder of its checkout, which it may have taken away since. */
const folderScript =
	'cd -- "$1" 2> /dev/null || printf "fleet: the folder %s is gone; this is the top\\n" "$1"; shift; exec "$@"';

/**
 * The agent between the policy's commands.
 * @param commands.folder where the agent works, from where the commands run
 * @param commands.setup those that run in the run itself
 * @param options.hasFiles whether the agent has a configuration, which is copied to its HOME first
 * @param options.stale paths below HOME that an earlier attempt was given and this one is not
 */
export function withScripts(
	invocation: Invocation,
	{
		setup,
		teardown,
		folder,
	}: {readonly setup: readonly string[]; readonly teardown: readonly string[]; readonly folder?: string | undefined},
	{
		hasFiles,
		stale = [],
		services,
	}: {readonly hasFiles: boolean; readonly stale?: readonly string[]; readonly services: readonly FoundService[]},
): Invocation {
	const end = teardown
		.map(command => `printf '\\033[2m$ %s\\033[0m\\n' ${quoted(command)}; sh -c ${quoted(command)}`)
		.join('\n');
	const agent =
		folder === undefined ? invocation.argv : ['/bin/sh', '-c', folderScript, 'sh', folder, ...invocation.argv];
	const argv = end === '' ? agent : ['/bin/sh', '-c', endScript, 'sh', end, ...agent];
	return setup.length > 0 || hasFiles || stale.length > 0 || services.length > 0
		? {
				...invocation,
				argv: [
					'/bin/sh',
					'-c',
					startScript,
					'sh',
					String(stale.length),
					...stale,
					String(setup.length),
					...setup,
					...serviceArguments(services),
					...argv,
				],
			}
		: {...invocation, argv};
}

/** How the agent ended, in words. @param has what the policy has that comes before it */
export function howItEnded(
	code: number,
	signal: string | undefined,
	{hasSetup, hasServices}: {readonly hasSetup: boolean; readonly hasServices: boolean},
): string {
	if (signal) {
		return `killed by ${signal}`;
	}

	if (hasSetup && code === exitOfSetup) {
		return 'a setup command failed';
	}

	if (hasServices && code === exitOfService) {
		return 'a service did not get ready';
	}

	if (code === 0) {
		return 'finished';
	}

	// A shell reports a program that a signal ended as 128 and the signal's number.
	return code > 128 && code <= 128 + 64 ? `killed (exit ${code})` : `exit ${code}`;
}
