import {Refusal} from '../core/refusal.ts';
import {quoteWord} from '../core/text/shell-words.ts';
import type {Git, ProjectGit} from './git.ts';

/* Partial clones: repositories that leave objects with the server until somebody needs them. */

/** The remote that has what a partial clone left there; undefined where the repository is a whole one. */
export async function promisorOf(git: Git): Promise<string | undefined> {
	const {code, stdout} = await git.run(['config', '--null', '--get-regexp', '^remote\\..*\\.promisor$']);
	const [key = ''] = code === 0 ? stdout.split('\n') : [];
	return /^remote\.(.+)\.promisor$/s.exec(key)?.[1];
}

/** What of a commit's or a tree's files, and its folders as far as they are there, the repository does not have. */
async function absent(git: Git, tree: string): Promise<string[]> {
	const top = (await git.resolve(`${tree}^{tree}`)) ?? (await git.line('log', '-1', '--format=%T', tree));
	if ((await git.run(['cat-file', '-e', top])).code !== 0) {
		return [top];
	}

	const list = await git.must(['rev-list', '--objects', '--missing=print', '--no-object-names', top]);
	return list.split('\n').flatMap(line => (line.startsWith('?') ? [line.slice(1)] : []));
}

/** How often is asked: a clone may lack folders, and only then can tell of what is in them. */
const maxRounds = 100;

/**
 * Fetches what a partial clone does not have of a commit's or a tree's files, as the person's own git would for a
 * checkout. Nothing where the repository is a whole one.
 * @throws Refusal where the server could not be asked, or does not have them
 */
export async function complete(
	{git, root}: Pick<ProjectGit, 'git'> & {readonly root: string},
	tree: string,
): Promise<void> {
	const remote = await promisorOf(git);
	if (remote === undefined) {
		return;
	}

	for (let round = 0; round < maxRounds; round++) {
		const missing = await absent(git, tree);
		if (missing.length === 0) {
			return;
		}

		const {code, stderr} = await git.fetchPromised(remote, missing);
		if (code !== 0) {
			throw new Refusal(
				`the repository is a partial clone, and what it lacks of ${tree.slice(0, 10)} could not be fetched: ` +
					(stderr.trim().split('\n').at(-1) ?? '').replace('fatal: ', '').slice(0, 200),
				`git -C ${quoteWord(root)} archive ${tree.slice(0, 10)} > /dev/null fetches it; then again`,
			);
		}
	}
}
