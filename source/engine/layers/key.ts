import {createHash} from 'node:crypto';
import {branchName} from '../../core/git/refs.ts';
import {isRunBranch} from '../../core/names.ts';
import type {EgressRule} from '../../core/network/rules.ts';
import {parseTree, repositoryMode, textOf} from '../../core/git/tree.ts';
import type {Policy} from '../../core/policy.ts';
import {Refusal} from '../../core/refusal.ts';
import {isSetupInput} from '../../core/setup-inputs.ts';
import type {Git} from '../../host/git.ts';
import {identityOf, type ShellTools} from '../sandbox/tools.ts';
import {toolEnvironment} from './tool-environment.ts';

/** What the result of a setup depends on. */
export type KeyParts = {
	readonly git: Git;
	readonly project: string;
	/** The tree that setup runs over. */
	readonly tree: string;
	readonly setup: Policy['setup'];
	readonly rules: readonly EgressRule[];
	readonly tools: ShellTools;
	/**
	 * Whether a person took the tree in. What setup leaves over a tree of an agent's is for this very tree alone: its
	 * other files may have had a hand in it, and nothing of that may reach those who only share the lock file.
	 */
	readonly isTaken: boolean;
};

/**
 * The key of a layer: the same for all that the same commands make of the same inputs with the same tools and network.
 * @throws Refusal where the tree cannot be read
 */
export async function layerKey({git, project, tree, setup, rules, tools, isTaken}: KeyParts): Promise<string> {
	const {code, stdout} = await git.run(['ls-tree', '-r', '-z', '--full-tree', tree], {encoding: 'latin1'});
	if (code !== 0) {
		throw new Refusal(`the files of ${tree.slice(0, 10)} cannot be listed`, 'git fsck');
	}

	const inputs = [...parseTree(stdout)]
		.filter(
			([file, {mode}]) =>
				// What is in a submodule is not listed: any of it may be an input.
				mode === repositoryMode || isSetupInput(textOf(file), {besides: setup.inputs, commands: setup.commands}),
		)
		.map(([file, {mode, object}]) => `${mode} ${object} ${file}`);
	const environment = await toolEnvironment(git, tree);
	const parts = {
		form: 3,
		project,
		commands: setup.commands,
		secrets: setup.secrets,
		inputs,
		rules: rules.map(({source: _source, ...rule}) => JSON.stringify(rule)).sort(),
		tools: identityOf(tools),
		...(Object.keys(environment).length === 0 ? {} : {environment}),
		...(isTaken ? {} : {tree: await git.resolve(`${tree}^{tree}`)}),
	};
	return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 40);
}

/** Whether a person took a commit in: it is on a branch of theirs. */
export async function isTaken(git: Git, commit: string, target: string): Promise<boolean> {
	return (
		!isRunBranch(branchName(target)) && (await git.run(['merge-base', '--is-ancestor', commit, target])).code === 0
	);
}
