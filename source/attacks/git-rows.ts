import {appendFileSync} from 'node:fs';
import path from 'node:path';
import type {GitAttack, GitScene} from './attack.ts';
import {ran} from './try.ts';

/* What rows of git attacks have in common. A row names what is tried, and what of the person's shows that it worked. */

export const privateGit = "the run commits into a git folder of its own; the person's is not there";
export const removedMark = "in the live tree there is no repository for a person's git to find";

/** `c`: the common git folder, as a script says it. */
export const common = 'c=$(git rev-parse --git-common-dir)';

/** What a person does next. */
export const status = (git: (...argv: string[]) => void) => git('status', '--short');
export const commit = (git: (...argv: string[]) => void) => git('commit', '--quiet', '--allow-empty', '--message=mine');

/** A commit in a repository that knows nobody. */
export function commitEmpty(git: (...argv: string[]) => string, folder: string): void {
	const author = ['-c', 'user.name=x', '-c', 'user.email=x@x.invalid'];
	git('-C', folder, ...author, 'commit', '--quiet', '--allow-empty', '--message=x');
}

type Row = Pick<GitAttack, 'id' | 'batch' | 'title' | 'source' | 'prepare'>;

/** Configuration in the shared folder that one of the person's commands runs. */
export function configuration(row: Row & Pick<GitAttack, 'script' | 'person'>): GitAttack {
	return {kind: 'git', answer: privateGit, came: ran, ...row};
}

/** Something of the person's repository that must be as it was. */
export function unchanged({script, ...row}: Row & Pick<GitAttack, 'came'> & {readonly script: string}): GitAttack {
	return {kind: 'git', answer: privateGit, script: () => script, ...row};
}

export function fails(work: () => unknown): boolean {
	try {
		work();
		return false;
	} catch {
		// Why does not matter: git says no in many ways.
		return true;
	}
}

/** Whether the person's repository is damaged. */
export const broken = ({git}: GitScene): boolean =>
	fails(() => git('fsck', '--full', '--strict')) || fails(() => git('cat-file', '-p', 'main^{tree}'));

/** A change in the person's checkout, for commands that look at it. */
export const changed: NonNullable<GitAttack['prepare']> = (_git, project) =>
	appendFileSync(path.join(project, 'a.txt'), 'unfinished\n');
