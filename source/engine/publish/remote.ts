import {branchRef} from '../../core/git/refs.ts';
import {forgePlace, type ForgePlace} from '../../core/publish/place.ts';
import type {PublishPolicy} from '../../core/publish/policy.ts';
import {gateRefusal, orThrow, Refusal} from '../../core/refusal.ts';
import {escapeLine} from '../../core/text/escape-controls.ts';
import type {Git, GitResult} from '../../host/git.ts';
import {runAsPerson} from '../../host/person-git.ts';

/* A remote of the project, as the person's own git reaches it. */

/** A project's remote. */
export type Remote = {
	readonly git: Git;
	readonly name: string;
	readonly place: ForgePlace;
	readonly interactive: boolean;
};

/** @throws Refusal where there is none of that name, or several places would be pushed to */
export async function findRemote(
	git: Git,
	{remote: name, forge}: Pick<PublishPolicy, 'remote' | 'forge'>,
	interactive: boolean,
): Promise<Remote> {
	const urls = async (...more: string[]) => {
		const {code, stdout} = await git.run(['remote', 'get-url', ...more, name]);
		return code === 0 ? stdout.split('\n').filter(line => line !== '') : [];
	};

	const [fetched, pushed] = [await urls('--all'), await urls('--push', '--all')];
	const [url] = fetched;
	if (url === undefined) {
		throw new Refusal(`the project has no remote called ${name}`, `git remote add ${name} URL`);
	}

	if (pushed.length !== 1) {
		throw new Refusal(
			`the remote ${name} is pushed to ${pushed.length} places, and one is published to`,
			'name a remote with one address: publish: {remote: NAME} in the policy',
		);
	}

	return {git, name, place: orThrow(forgePlace(url, forge)), interactive};
}

/** The last thing that git or ssh said, without an address that may hold a password. */
export function wordsOf({stderr, stdout}: GitResult): string {
	const lines = `${stdout}\n${stderr}`.split('\n').filter(line => line.trim() !== '');
	// What the server says of why, before git's own summary.
	const said =
		lines.findLast(line => line.startsWith('!	')) ??
		lines.findLast(line => /^(?:fatal|error): /.test(line)) ??
		lines.at(-1) ??
		'';
	return escapeLine(said.replaceAll(/\b([a-z]+:\/\/)[^@/\s']*@/gi, '$1').replaceAll('\t', ' ')).slice(0, 200);
}

/**
 * What refs are there now, by their names; a ref that is not there is not in it.
 * @throws Refusal where the remote cannot be asked
 */
export async function tipsThere(
	{git, name, interactive}: Remote,
	branches: readonly string[],
): Promise<ReadonlyMap<string, string>> {
	const refs = branches.map(branch => branchRef(branch));
	const result = await runAsPerson(git.repository, ['ls-remote', '--refs', '--', name, ...refs], {interactive});
	if (result.code !== 0) {
		throw new Refusal(
			`${name} cannot be asked: ${result.timedOut ? 'it did not answer' : wordsOf(result)}`,
			`git ls-remote ${name} says the same with your own credentials`,
		);
	}

	const found = new Map<string, string>();
	for (const line of result.stdout.split('\n')) {
		const [, hash, ref] = /^([\da-f]{40}|[\da-f]{64})\t(.+)$/.exec(line) ?? [];
		// Patterns of ls-remote match the ends of names, too.
		if (hash !== undefined && ref !== undefined && refs.includes(ref)) {
			found.set(ref.slice('refs/heads/'.length), hash);
		}
	}

	return found;
}

/**
 * Refuses where more than the run's own work would be published: commits of the target that are not there yet, or of a
 * branch of the person's that the agent merged into its own.
 * @param base where the run's own work begins
 * @param tip the target's there, where it is there
 */
export async function refuseUnpublished(
	{git, name}: Remote,
	{
		base,
		head,
		tip,
		target,
	}: {readonly base: string; readonly head: string; readonly tip: string | undefined; readonly target: string},
): Promise<void> {
	const known = tip === undefined ? undefined : await git.resolve(`${tip}^{commit}`);
	const there = [...(known === undefined ? [] : [known]), `--remotes=${name}`];
	const count = async (...without: string[]) =>
		Number((await git.must(['rev-list', '--count', head, '--not', ...there, ...without])).trim());
	const own = await count(base, '--exclude=fleet/*', '--exclude=fleet-runs*/*', '--branches');
	const others = (await count()) - own;
	if (others > 0) {
		throw gateRefusal(
			`${others} ${others === 1 ? 'commit' : 'commits'} of your branches ${others === 1 ? 'is' : 'are'} not at ${name}, ` +
				'and would be published along with the run',
			`git push ${name} ${target}, or git fetch ${name} where ${others === 1 ? 'it is' : 'they are'} there by now`,
		);
	}
}

/**
 * Pushes one commit to one branch, as the person's git does it, and only where that branch is as it is expected to be.
 * @param expected its tip there; null where it must not be there
 * @returns why it may not have been done; undefined where it was
 */
export async function push(
	{git, name, interactive}: Remote,
	{head, branch, expected}: {readonly head: string; readonly branch: string; readonly expected: string | null},
): Promise<string | undefined> {
	const ref = branchRef(branch);
	const result = await runAsPerson(
		git.repository,
		[
			'push',
			'--porcelain',
			'--no-verify',
			'--no-follow-tags',
			'--recurse-submodules=no',
			`--force-with-lease=${ref}:${expected ?? ''}`,
			'--',
			name,
			`${head}:${ref}`,
		],
		{interactive},
	);
	if (result.code === 0) {
		return undefined;
	}

	return result.timedOut ? 'it did not answer' : wordsOf(result);
}
