import path from 'node:path';
import type {Facts} from '../core/decide.ts';
import {gateRefusal} from '../core/refusal.ts';
import type {Run} from '../core/run.ts';
import {Git} from '../host/git.ts';
import type {Context} from './context.ts';
import {readPolicy} from './policy.ts';

/**
 * What a decision is about, read from the repository at this moment: the target's tip, the run's branch, the tree
 * that a merge of the two would be, and the policy of the tip.
 * @throws Refusal where one of them is not there or the two conflict
 */
export async function readFacts(context: Context, run: Run, git: Git): Promise<Facts> {
	const base = await git.resolve(`${run.target}^{commit}`);
	if (!base) {
		throw gateRefusal(`${run.target.replace('refs/heads/', '')} is gone, so there is nothing to merge into`, 'bring the branch back');
	}

	const head = await git.resolve(`refs/heads/${run.branch}^{commit}`);
	if (!head) {
		throw gateRefusal(`the branch ${run.branch} is gone`, `git branch ${run.branch} refs/fleet/runs/${run.id}/head`);
	}

	const {blob} = await readPolicy(git, base);
	return {base, head, tree: await mergedTree(context, run, git, base, head), policy: blob};
}

/** The tree of a merge, made in memory with the configuration of fleet's own repository: no merge driver of anybody's runs. */
async function mergedTree(context: Context, run: Run, git: Git, base: string, head: string): Promise<string> {
	const quarantine = new Git({gitDir: context.paths.run(run.id).quarantine, own: true});
	const {code, stdout, stderr} = await quarantine.run(['merge-tree', '--write-tree', '-z', '--name-only', '--no-messages', base, head], {env: {GIT_OBJECT_DIRECTORY: path.join(git.repository.gitDir, 'objects')}});
	if (code === 0) {
		return stdout.split('\0')[0]!.trim();
	}

	if (code === 1) {
		const files = stdout.split('\0').slice(1).filter(name => name !== '');
		throw gateRefusal(`it conflicts with ${run.target.replace('refs/heads/', '')} in ${files.slice(0, 3).map(name => JSON.stringify(name)).join(', ')}${files.length > 3 ? ` and ${files.length - 3} more` : ''}`, `fleet resume ${run.id}, and have it rebased`);
	}

	throw new Error(`git merge-tree: ${stderr.trim().split('\n').at(-1) ?? code}`);
}
