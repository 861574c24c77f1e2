import {readFileSync, realpathSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {Refusal} from '../../core/refusal.ts';
import {discover, Git} from '../../host/git.ts';
import {homeFolder} from '../../host/person.ts';
import {findOnPath} from '../../host/program.ts';
import {objectFolders} from '../../host/borrowed.ts';
import type {Guarded} from '../../scopes/files/power.ts';
import type {Context} from '../context.ts';
import {listProjects} from '../project/list-projects.ts';

/* What on this machine holds power over fleet, git or logins, so that no `files:` scope may name it. */

/** The homes of all people of the machine. */
export function homes(): string[] {
	const found = [homeFolder()];
	try {
		for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
			const [, , uid, , , home = ''] = line.split(':');
			if (
				(Number(uid) === 0 || (Number(uid) >= 1000 && Number(uid) < 60_000)) &&
				home.split('/').length > 1 &&
				home.startsWith('/') &&
				home !== '/'
			) {
				found.push(home);
			}
		}
	} catch {
		// Without a list of accounts that may be read, the person's own home is the only one that is known.
	}

	return withReal(found);
}

/** Places as they are written and as they are, with their links resolved. */
function withReal(places: readonly string[]): string[] {
	return [
		...new Set(
			places.flatMap(place => {
				const plain = place === '/' ? place : path.resolve(place);
				try {
					return [plain, realpathSync(plain)];
				} catch {
					// What is not there has its own name alone.
					return [plain];
				}
			}),
		),
	];
}

/** The settings of git that name a file or a program: the person's, and those of projects. */
async function gitPlaces(projects: readonly string[]): Promise<string[]> {
	const keys = String.raw`^(core\.(hookspath|attributesfile|excludesfile|fsmonitor|sshcommand|editor|pager|askpass)|include\.path|includeif\..*\.path|init\.templatedir|commit\.template|gpg\..*|user\.signingkey|credential\..*)$`;
	const repositories = projects.map(gitDir => new Git({gitDir}));
	if (repositories.length === 0) {
		repositories.push(new Git({gitDir: '/nonexistent'}));
	}

	const found = await Promise.all(
		repositories.map(async git =>
			(await git.run(['config', '--null', '--show-origin', '--get-regexp', keys])).stdout.split('\0'),
		),
	);
	return found.flat().flatMap(record => {
		const text = record.startsWith('file:') ? record.slice(5) : record.slice(record.indexOf('\n') + 1);
		const plain = text.replace(/^~(?=\/)/, () => homeFolder());
		return path.isAbsolute(plain) && !/\s/.test(plain) ? [plain] : [];
	});
}

/**
 * Places of this machine that hold power over fleet, git or logins, besides those that every machine has.
 * Most of its length is the table of them.
 */
// oxlint-disable-next-line max-lines-per-function -- the reason is above
export async function guardedPlaces(context: Pick<Context, 'paths' | 'agents' | 'supervisor'>): Promise<Guarded[]> {
	const {paths} = context;
	const env = (name: string) => (path.isAbsolute(process.env[name] ?? '') ? [process.env[name]!] : []);
	const socketOf = (name: string) =>
		(process.env[name] ?? '')
			.split(',')
			.flatMap(address => /^(?:unix:(?:path=|\/\/)?)?(\/[^,;]+)/.exec(address)?.[1] ?? []);
	const repositories: string[] = [];
	const projectPlaces: string[] = [];
	const projects = listProjects(context);
	const discovered = await Promise.all(projects.map(({root}) => discover(root)));
	for (const [index, {root}] of projects.entries()) {
		const found = discovered[index]!;
		projectPlaces.push(path.join(root, '.git'));
		if (!(found instanceof Refusal)) {
			repositories.push(found.commonDir);
			projectPlaces.push(found.commonDir, found.gitDir, ...objectFolders(found.commonDir));
		}
	}

	const programs = context.agents.flatMap(agent =>
		agent.program === undefined ? [] : (findOnPath(agent.program)?.mounts.map(mount => mount.source) ?? []),
	);
	const guard = (against: Guarded['against'], what: string, places: readonly string[]): Guarded[] =>
		withReal(places.filter(place => path.isAbsolute(place))).map(place => ({place, against, what}));
	return [
		...guard('any', "fleet's own, which decides about runs", [
			paths.state,
			paths.worktrees,
			paths.config,
			paths.runtime,
			...env('FLEET_HOME'),
		]),
		...guard('any', 'sockets of this login', [
			...env('XDG_RUNTIME_DIR'),
			`/run/user/${process.getuid?.() ?? 0}`,
			...['SSH_AUTH_SOCK', 'DOCKER_HOST', 'DBUS_SESSION_BUS_ADDRESS', 'GPG_AGENT_INFO', 'TMUX'].flatMap(name =>
				socketOf(name),
			),
		]),
		...guard(
			'any',
			'a login',
			[
				'GNUPGHOME',
				'AWS_SHARED_CREDENTIALS_FILE',
				'AWS_CONFIG_FILE',
				'AZURE_CONFIG_DIR',
				'CLOUDSDK_CONFIG',
				'GOOGLE_APPLICATION_CREDENTIALS',
				'KUBECONFIG',
				'DOCKER_CONFIG',
				'NETRC',
				'NPM_CONFIG_USERCONFIG',
				'PASSWORD_STORE_DIR',
				'GH_CONFIG_DIR',
				'XDG_CONFIG_HOME',
				'XAUTHORITY',
				'VAULT_TOKEN_FILE',
			].flatMap(name => env(name)),
		),
		...guard(
			'any',
			"an agent's login",
			context.agents.flatMap(({logins}) => [
				...(logins?.paths ?? []).map(name => path.join(homeFolder(), name)),
				...(logins?.variables ?? []).flatMap(name => env(name)),
			]),
		),
		...guard(
			'any',
			'a keyring',
			env('XDG_DATA_HOME').map(folder => path.join(folder, 'keyrings')),
		),
		...guard('inside', "a project's git folder, whose hooks and settings run programs", projectPlaces),
		...guard('write', 'what git reads its settings from', await gitPlaces(repositories)),
		...guard('write', 'a folder of programs, on the search path', (process.env['PATH'] ?? '').split(path.delimiter)),
		...guard('write', 'a program that runs are given', programs),
		...guard('write', "fleet's own program", [
			process.execPath,
			...context.supervisor
				.filter(argument => argument.endsWith('.js') && path.isAbsolute(argument))
				.map(file => path.dirname(path.dirname(file))),
		]),
	];
}
