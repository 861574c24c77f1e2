import type {Run} from '../../core/run/run.ts';
import type {Git} from '../../host/git.ts';

/**
 * Files that a person had copied into the run, beside what its
 * base has: they are for the run to read, and in no commit.
 */
export async function broughtFiles(git: Git, run: Pick<Run, 'base' | 'included'>): Promise<string[]> {
	const {included = []} = run;
	if (included.length === 0) {
		return [];
	}

	const kept = new Set(
		(
			await git.must([
				'--literal-pathspecs',
				'ls-tree',
				'-z',
				'--name-only',
				'--full-tree',
				'-r',
				run.base,
				'--',
				...included,
			])
		).split('\0'),
	);
	return included.filter(name => !kept.has(name));
}
