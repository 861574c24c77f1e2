import type {Run} from '../../core/run/run.ts';
import type {Git} from '../../host/git.ts';

/**
 * Where a run's own work begins: at the commit it started from, or, where it was brought onto its target since, at what
 * of the target it holds. What lies before that is the target's, and no work of the run's.
 * @param git knows all of these commits
 * @param target the target's tip; undefined where the target is gone
 */
export async function ownBase(
	git: Git,
	run: Pick<Run, 'base' | 'captured'>,
	target: string | undefined,
	head: string,
): Promise<string> {
	const found = target === undefined ? '' : (await git.run(['merge-base', target, head])).stdout.trim();
	if (
		found === '' ||
		found === run.base ||
		(await git.run(['merge-base', '--is-ancestor', run.base, found])).code !== 0
	) {
		return run.base;
	}

	// The target holds all of it: somebody merged it by hand.
	return found === head && run.captured?.head === head ? run.captured.base : found;
}
