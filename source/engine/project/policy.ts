import {emptyPolicy, parsePolicy, policyPath, type Policy} from '../../core/policy.ts';
import {orThrow} from '../../core/refusal.ts';
import type {Git} from '../../host/git.ts';

/**
 * The policy of a commit, never of a folder: what an agent writes is not what it is judged by.
 * @returns the policy, its text, and the object name of its file (`none` where the commit has no policy)
 * @throws Refusal for a file with an error in it
 */
export async function readPolicy(git: Git, commit: string): Promise<{policy: Policy; blob: string; text: string}> {
	const blob = await git.resolve(`${commit}:${policyPath}`);
	if (!blob) {
		return {policy: emptyPolicy, blob: 'none', text: ''};
	}

	const {stdout} = await git.run(['cat-file', 'blob', blob], {limit: 1024 ** 2});
	return {policy: orThrow(parsePolicy(stdout)), blob, text: stdout};
}
