import {holdsControl} from './diff.ts';
import {hiddenText} from '../text/hidden.ts';

/* What commits say besides their files. A merge that keeps them brings their messages and names to the target. */

/** A commit as its message and its names are shown. `names`: of the author and the committer, with their addresses. */
export type CommitWords = {readonly id: string; readonly names: string; readonly message: string};

/** Commits that are named one by one. */
const maxNamed = 5;

/** The format for `git log -z` that `parseCommits` reads. */
export const commitFormat = '%H%x00%an <%ae> %cn <%ce>%x00%B';

/** Reads what `git log -z` writes in `commitFormat`. Total: what is not understood is passed over. */
export function parseCommits(text: string): CommitWords[] {
	const parts = text.split('\0');
	return Array.from({length: Math.floor(parts.length / 3)}, (_, index) => ({
		id: parts[index * 3]!,
		names: parts[index * 3 + 1]!,
		message: parts[index * 3 + 2]!,
	}));
}

/** What is wrong with a text that a person reads, line by line; undefined where nothing is. */
function oddIn(text: string): string | undefined {
	return text.split('\n').some(line => holdsControl(line)) ? (hiddenText(text) ?? 'control characters') : undefined;
}

/** Why commits are to be looked at first: a line for each of the first, and one for the rest. Names no text of theirs. */
export function commitFlags(commits: readonly CommitWords[]): string[] {
	const found = commits.flatMap(({id, names, message}) => {
		const [inMessage, inNames] = [oddIn(message), oddIn(names)];
		return [
			...(inMessage === undefined ? [] : [`the message of commit ${id.slice(0, 10)} holds ${inMessage}`]),
			...(inNames === undefined ? [] : [`the names in commit ${id.slice(0, 10)} hold ${inNames}`]),
		];
	});
	return found.length > maxNamed
		? [...found.slice(0, maxNamed), `${found.length - maxNamed} more of its commits' messages and names do, too`]
		: found;
}
