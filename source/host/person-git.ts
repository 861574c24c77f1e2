import process from 'node:process';
import {execa} from 'execa';
import {nowhere, scope, settings, type GitResult, type Repository} from './git.ts';

/*
 * git as the person's own, for what goes over the network: with their configuration, transport and credentials, in which no
 * agent had a hand. Hooks, and what else of a repository would run or send something besides, stays off.
 */

/** What of the person's environment reaches git and its transport: how they sign in, and whom they trust. */
const passed: ReadonlySet<string> = new Set([
	'GIT_ASKPASS',
	'GIT_SSH',
	'GIT_SSH_COMMAND',
	'GIT_SSH_VARIANT',
	'GIT_SSL_CAINFO',
	'GIT_SSL_CAPATH',
	'GIT_SSL_CERT',
	'GIT_SSL_KEY',
	'GIT_CONFIG_GLOBAL',
	'GIT_CONFIG_SYSTEM',
	'GIT_CONFIG_NOSYSTEM',
	'GIT_PROXY_SSL_CAINFO',
]);

/** Beside fleet's own: nothing goes along with what is named, and only over what keeps a password to itself. */
const forNetwork = [
	...settings.filter(setting => !/^(?:protocol|credential)\./.test(setting)),
	'protocol.allow=never',
	'protocol.https.allow=always',
	'protocol.ssh.allow=always',
	'protocol.file.allow=always',
	'push.followTags=false',
	'push.recurseSubmodules=no',
	// An option of a server, such as the ones that make merge requests or leave checks out: the empty one takes all away.
	'push.pushOption=',
];

/** Nobody can be asked: neither for a password nor whether a host is the right one. */
const unasked = {GIT_TERMINAL_PROMPT: '0', SSH_ASKPASS_REQUIRE: 'force'};

/**
 * Runs git over the network. Never throws for an exit code.
 * @param options.interactive whether the person sits there and can be asked, by git or ssh themselves
 */
export async function runAsPerson(
	repository: Repository,
	argv: readonly string[],
	{interactive = false, signal}: {readonly interactive?: boolean; readonly signal?: AbortSignal} = {},
): Promise<GitResult & {readonly timedOut: boolean}> {
	const own = Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_') || passed.has(name));
	const result = await execa(
		'git',
		[...forNetwork.flatMap(setting => ['-c', setting]), ...scope(repository), ...argv],
		{
			env: {
				...Object.fromEntries(own),
				...(interactive ? {} : {SSH_ASKPASS: 'false', ...unasked, ...askpassOf(process.env)}),
				LC_ALL: 'C',
				GIT_OPTIONAL_LOCKS: '0',
				GIT_NO_LAZY_FETCH: '1',
				GIT_NO_REPLACE_OBJECTS: '1',
			},
			extendEnv: false,
			cwd: nowhere,
			reject: false,
			stdin: 'ignore',
			maxBuffer: 16 * 1024 ** 2,
			timeout: 300_000,
			...(signal ? {cancelSignal: signal} : {}),
		},
	);
	return {code: result.exitCode ?? 1, stdout: result.stdout, stderr: result.stderr, timedOut: result.timedOut};
}

/** The person's own program that asks, such as a desktop's: it needs no terminal. */
function askpassOf(env: NodeJS.ProcessEnv): Record<string, string> {
	const {SSH_ASKPASS} = env;
	return SSH_ASKPASS === undefined || SSH_ASKPASS === '' ? {} : {SSH_ASKPASS};
}
