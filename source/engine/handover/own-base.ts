import {branchName} from '../../core/git/refs.ts';
import {gateRefusal} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import type {Git} from '../../host/git.ts';

/**
 * Where a run's own work begins: at the commit it started from, or, where it was brought onto its target since,
 * at what of the target it holds. What lies before that is the target's, and no work of the run's; all behind it
 * a merge brings.
 * @param git knows all of these commits
 * @param options.target the target's tip; undefined where the target is gone
 */
export async function ownBase(
	git: Git,
	run: Pick<Run, 'base' | 'captured'>,
	{target, head}: {readonly target: string | undefined; readonly head: string},
): Promise<string> {
	const found = target === undefined ? '' : (await git.run(['merge-base', target, head])).stdout.trim();
	if (found === '' || found === run.base) {
		return run.base;
	}

	if ((await git.run(['merge-base', '--is-ancestor', run.base, found])).code !== 0) {
		// The target does not hold the commit that it started from, or the agent went back behind that: a merge compares
		// with what both hold, and brings all that lies between.
		return found;
	}

	// The target holds all of it: somebody merged it by hand.
	return found === head && run.captured?.head === head ? run.captured.base : found;
}

/**
 * What a merge changes is told by the commit that both sides hold. Where histories cross there are several, and none of
 * them by itself shows all of it.
 * @throws Refusal where the merge could change more than the run's diff shows
 */
export async function refuseCrossing(
	git: Git,
	run: Run,
	{target, head}: {readonly target: string; readonly head: string},
): Promise<void> {
	const common = (await git.run(['merge-base', '--all', target, head])).stdout.split('\n').filter(name => name !== '');
	if (common.length > 1) {
		throw gateRefusal(
			`its history crosses that of ${branchName(run.target)} in ${common.length} commits, ` +
				'so a merge could change what its diff does not show',
			`fleet resume ${run.id} --rebase`,
		);
	}
}
