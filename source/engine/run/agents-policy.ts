import {branchName} from '../../core/git/refs.ts';
import {isRunBranch} from '../../core/names.ts';
import {gateRefusal} from '../../core/refusal.ts';
import type {Git} from '../../host/git.ts';
import type {Context} from '../context.ts';
import {listRuns} from '../runs.ts';

/**
 * Refuses a run that would begin on a branch whose agent changed who decides: a run obeys the policy of the commit that
 * it begins at, and no person has approved that one.
 * @param start.target the full ref that it begins at
 * @throws Refusal
 */
export async function refuseAgentsPolicy(
	context: Context,
	git: Git,
	{target, commit}: {readonly target: string; readonly commit: string},
): Promise<void> {
	const branch = branchName(target);
	if (!isRunBranch(branch)) {
		return;
	}

	const other = listRuns(context).find(run => run.branch === branch);
	const folder = (of: string) => git.resolve(`${of}:.fleet`);
	// Of a run that is not known here nothing can be told, and what it has there is taken for its own.
	if ((await folder(commit)) !== (other ? await folder(other.base) : undefined)) {
		throw gateRefusal(
			`${branch} is an agent's, which changed .fleet/: nobody has approved what it says of scopes and gates`,
			other ? `fleet merge ${other.id} first, or begin at ${branchName(other.target)}` : 'begin at a branch of yours',
		);
	}
}
