import {maxRequestBytes} from '../../core/people/request-file.ts';
import {gateRefusal, Refusal} from '../../core/refusal.ts';
import {escapeLine} from '../../core/text/escape-controls.ts';
import type {Git} from '../../host/git.ts';
import {runAsPerson} from '../../host/person-git.ts';

/* Requests and answers over a remote, by the person's own git and with their own credentials. */

/** A remote of the project's repository. `interactive`: see `runAsPerson`. */
export type Carrier = {readonly git: Git; readonly remote: string; readonly interactive: boolean};

/** @throws Refusal where the repository has no such remote */
export async function carrierOf(git: Git, remote: string, interactive: boolean): Promise<Carrier> {
	if (!/^[\w][\w./-]*$/.test(remote) || (await git.run(['remote', 'get-url', remote])).code !== 0) {
		throw new Refusal(
			`the project has no remote called ${escapeLine(remote).slice(0, 60)}`,
			`git remote add ${'origin'} URL`,
		);
	}

	return {git, remote, interactive};
}

/** The last thing that git said, without an address that may hold a password. */
function lastWords(stderr: string): string {
	const lines = stderr.split('\n').filter(line => line.trim() !== '');
	const said = lines.findLast(line => /^(?:fatal|error|ERROR)|^remote: /.test(line)) ?? lines.at(-1) ?? 'no answer';
	return escapeLine(said.replaceAll(/\b([a-z]+:\/\/)[^@/\s']*@/gi, '$1')).slice(0, 200);
}

async function over({git, remote, interactive}: Carrier, argv: readonly string[]): Promise<void> {
	const {code, stderr, timedOut} = await runAsPerson(git.repository, argv, {interactive});
	if (code !== 0) {
		throw new Refusal(
			`${remote} did not take part: ${timedOut ? 'it did not answer' : lastWords(stderr)}`,
			`git ls-remote ${remote} has to work with your own credentials`,
		);
	}
}

/** Pushes one commit to one branch there; what was on it before is replaced. */
export async function pushTo(carrier: Carrier, commit: string, ref: string): Promise<void> {
	await over(carrier, ['push', '--no-verify', '--no-follow-tags', '--', carrier.remote, `+${commit}:${ref}`]);
}

/**
 * Fetches branches from there, below a folder of refs of ours; what is gone there goes here, too. Objects are checked as
 * they come in.
 * @param specs from which refs there to which here, each with a `*`, or one ref
 */
export async function fetchFrom(
	carrier: Carrier,
	specs: ReadonlyArray<readonly [from: string, to: string]>,
): Promise<void> {
	await over(carrier, [
		'-c',
		'fetch.fsckObjects=true',
		'fetch',
		'--quiet',
		'--no-tags',
		'--prune',
		// Only what is named: git would bring the branches of its configuration up to date along with it.
		'--refmap=',
		'--no-write-fetch-head',
		'--no-recurse-submodules',
		'--no-auto-maintenance',
		'--',
		carrier.remote,
		...specs.map(([from, to]) => `+${from}:${to}`),
	]);
}

/** Fetches one branch from there to a ref of ours, if it is there; what is kept of it stays otherwise. */
export async function fetchIfThere(carrier: Carrier, from: string, to: string): Promise<void> {
	const {git, remote, interactive} = carrier;
	const found = await runAsPerson(git.repository, ['ls-remote', '--refs', '--', remote, from], {interactive});
	if (found.code !== 0 || found.stdout.includes(`\t${from}`)) {
		await fetchFrom(carrier, [[from, to]]);
	}
}

/**
 * Pushes one commit to one branch there, which may only grow.
 * @returns a refusal where it was not taken
 */
export async function addTo(
	carrier: Carrier,
	{commit, ref}: {readonly commit: string; readonly ref: string},
): Promise<Refusal | undefined> {
	try {
		await over(carrier, ['push', '--no-verify', '--no-follow-tags', '--', carrier.remote, `${commit}:${ref}`]);
		return undefined;
	} catch (error) {
		if (error instanceof Refusal) {
			return error;
		}

		throw error;
	}
}

/** Takes branches away there, where they are. */
export async function deleteAt(carrier: Carrier, refs: readonly string[]): Promise<void> {
	if (refs.length > 0) {
		await over(carrier, ['push', '--no-verify', '--', carrier.remote, ...refs.map(ref => `:${ref}`)]);
	}
}

/** Refs of ours below a folder, with their commits. */
export async function refsBelow(git: Git, folder: string): Promise<ReadonlyMap<string, string>> {
	const lines = (await git.must(['for-each-ref', '--format=%(objectname) %(refname)', folder])).split('\n');
	return new Map(
		lines
			.filter(line => line !== '')
			.map(line => [line.slice(line.indexOf(' ') + 1), line.slice(0, line.indexOf(' '))]),
	);
}

/** The text of a file at the top of a commit. @throws Refusal where it is not there, or too long */
export async function fileOf(git: Git, commit: string, name: string): Promise<string> {
	const {code, stdout} = await git.run(['cat-file', 'blob', `${commit}:${name}`], {limit: maxRequestBytes});
	if (code !== 0) {
		throw gateRefusal(
			`what came from the remote has no ${name} that can be read`,
			'ask for it anew: fleet request RUN',
		);
	}

	return stdout;
}

/** A commit with one file on another, in fleet's own name; no ref names it. */
export async function commitFile(
	git: Git,
	{
		parent,
		name,
		text,
		message,
	}: {
		readonly parent: string;
		readonly name: string;
		readonly text: string;
		readonly message: string;
	},
): Promise<string> {
	const blob = (await git.must(['hash-object', '-w', '--stdin'], {input: text})).trim();
	const tree = (await git.must(['mktree'], {input: `100644 blob ${blob}\t${name}\n`})).trim();
	const env = {
		GIT_AUTHOR_NAME: 'fleet',
		GIT_AUTHOR_EMAIL: 'fleet@fleet.invalid',
		GIT_COMMITTER_NAME: 'fleet',
		GIT_COMMITTER_EMAIL: 'fleet@fleet.invalid',
	};
	return (await git.must(['commit-tree', tree, '-p', parent, '-m', message], {env})).trim();
}
