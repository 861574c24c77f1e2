import path from 'node:path';
import {branchName, branchRef, runHead} from '../../core/git/refs.ts';
import type {Facts} from '../../core/run/facts.ts';
import {exitCodes, gateRefusal, Refusal} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import {shown, textOf} from '../../core/git/tree.ts';
import type {Git, ProjectGit} from '../../host/git.ts';
import type {Journal} from '../../host/journal.ts';
import {complete} from '../../host/partial.ts';
import {attributeFiles, readTree, withAttributes} from './attributes.ts';
import type {Context} from '../context.ts';
import type {Range} from './diff.ts';
import {readPolicy} from '../project/policy.ts';
import {findSuccessor} from './retarget.ts';

/**
 * What a decision is about, read from the repository at this moment: the target's tip, the run's branch, the tree
 * that a merge of the two would be, and the policy of the tip. A conflict is written down.
 * @param options.gate the decision that the facts are for
 * @throws Refusal where one of them is not there or the two conflict
 */
export async function readFacts(
	context: Context,
	journal: Journal,
	{git, gate}: {readonly git: Git; readonly gate: 'verify' | 'approve' | 'merge'},
): Promise<Facts> {
	const {run} = journal;
	const {base: tip, head} = await readTips(run, git);
	const base = gate === 'approve' ? await afterOthers(run, git, tip) : tip;
	try {
		await complete({git, root: run.project.root}, base);
		const tree = await mergedTree(run, {git, base, head});
		const {blob} = await readPolicy(git, base);
		await complete({git, root: run.project.root}, tree);
		return {base, head, tree, policy: blob};
	} catch (error) {
		if (error instanceof Conflict) {
			journal.append({type: 'gate.refused', gate, because: error.because, conflicts: [...error.files]}, context.actor);
		}

		throw error;
	}
}

/**
 * What a run goes in after: the target's tip, or, where it was verified in a train, that with the runs before it merged.
 * @throws Refusal where one of them is not as it was
 */
async function afterOthers(run: Run, git: Git, tip: string): Promise<string> {
	const {place = 1, runs = []} = run.verification?.train ?? {};
	let base = tip;
	for (const {run: other, branch, head} of runs.slice(0, place - 1)) {
		const merged =
			(await git.resolve(`${branchRef(branch)}^{commit}`)) === head
				? await mergeTrees({git, commonDir: git.repository.gitDir}, base, head)
				: undefined;
		if (!merged || !('tree' in merged)) {
			throw gateRefusal(
				`${run.id} was verified as it is after ${other}, which is not as it was`,
				`fleet verify ${run.id}, or fleet merge --all`,
			);
		}

		base = await chainCommit(git, {tree: merged.tree, base, head});
	}

	return base;
}

/**
 * A commit that stands for a merge that is not made: the same for the same merge, whoever asks and whenever. What is
 * said of it can be held against what is there later. No ref names it.
 */
export async function chainCommit(
	git: Git,
	{tree, base, head}: {readonly tree: string; readonly base: string; readonly head: string},
): Promise<string> {
	const env = {
		GIT_AUTHOR_NAME: chainName,
		GIT_AUTHOR_EMAIL: chainAddress,
		GIT_AUTHOR_DATE: '@0 +0000',
		GIT_COMMITTER_NAME: chainName,
		GIT_COMMITTER_EMAIL: chainAddress,
		GIT_COMMITTER_DATE: '@0 +0000',
	};
	return (await git.must(['commit-tree', tree, '-p', base, '-p', head, '-m', chainMessage], {env})).trim();
}

const [chainName, chainAddress, chainMessage] = ['fleet', 'fleet@fleet.invalid', 'A merge of a train'];

/** The text of such a commit, as git keeps it. */
export function chainText({
	tree,
	base,
	head,
}: {
	readonly tree: string;
	readonly base: string;
	readonly head: string;
}): string {
	const who = `${chainName} <${chainAddress}> 0 +0000`;
	return `tree ${tree}\nparent ${base}\nparent ${head}\nauthor ${who}\ncommitter ${who}\n\n${chainMessage}\n`;
}

/** A run that cannot be merged with its target as both are now. */
export class Conflict extends Refusal {
	readonly files: readonly string[];

	constructor(run: Run, because: string, files: readonly string[]) {
		super(because, `fleet resume ${run.id} --rebase`, exitCodes.gate);
		this.files = files;
	}
}

/** The target's tip and the run's. @throws Refusal where one of them is gone */
export async function readTips(run: Run, git: Git): Promise<{base: string; head: string}> {
	const base = await git.resolve(`${run.target}^{commit}`);
	if (!base) {
		const name = branchName(run.target);
		const other = await findSuccessor(git, run);
		throw gateRefusal(
			`${name} is gone, so there is nothing to merge into`,
			other === undefined
				? `git -C ${git.repository.gitDir} branch ${name} ${(run.verification?.base ?? run.base).slice(0, 12)}`
				: `fleet retarget ${run.id} ${other}`,
		);
	}

	const head = await git.resolve(`${branchRef(run.branch)}^{commit}`);
	if (!head) {
		const kept =
			(await git.resolve(`${runHead(run.id)}^{commit}`)) ??
			(run.captured && (await git.resolve(`${run.captured.head}^{commit}`)));
		throw gateRefusal(
			`the branch ${run.branch} is gone`,
			kept === undefined
				? `its work is not in this repository any more: fleet discard ${run.id}`
				: `git -C ${git.repository.gitDir} branch ${run.branch} ${kept.slice(0, 12)}`,
		);
	}

	return {base, head};
}

/** Settings of the person's that say how git merges, and run nothing. */
const habits = '^(merge\\.(renames|directoryrenames|renamelimit|renormalize)|diff\\.(renames|renamelimit|algorithm))$';

/**
 * The tree of a merge, made in memory by a git of fleet's own, with the attributes of the side that is merged into, as
 * git takes them. Its own merge drivers are obeyed. Those of the person's are programs, and are not run over an agent's
 * files: where one would have to decide, it is a conflict. `true` decides nothing, and keeps what the target has.
 * @returns the tree, or the files that conflict
 */
export async function mergeTrees(
	{git, commonDir}: ProjectGit,
	base: string,
	head: string,
): Promise<{tree: string} | {conflicts: string[]; drivers: string[]}> {
	const {stdout: configured} = await git.run(['config', '--null', '--get-regexp', `^merge\\..*\\.driver$|${habits}`]);
	const settings: Array<[string, string]> = [];
	const programs = new Set<string>();
	for (const record of configured.split('\0').filter(record => record !== '')) {
		const newline = record.indexOf('\n');
		const key = newline === -1 ? record : record.slice(0, newline);
		const value = newline === -1 ? '' : record.slice(newline + 1);
		const driver = /^merge\.(.*)\.driver$/s.exec(key)?.[1];
		if (driver !== undefined && value.trim() !== 'true') {
			programs.add(driver);
		}

		const harmless = value.trim() === 'true' ? 'true' : 'false';
		settings.push([key, driver === undefined ? value : harmless]);
	}

	const env: Record<string, string> = {
		GIT_OBJECT_DIRECTORY: path.join(git.repository.gitDir, 'objects'),
		GIT_CONFIG_COUNT: String(settings.length),
	};
	for (const [index, [key, value]] of settings.entries()) {
		env[`GIT_CONFIG_KEY_${index}`] = key;
		env[`GIT_CONFIG_VALUE_${index}`] = value;
	}

	return withAttributes({git, commonDir}, attributeFiles(await readTree(git, base)), async attributes => {
		const {code, stdout, stderr} = await attributes.git.run(
			['merge-tree', '--write-tree', '-z', '--name-only', '--no-messages', base, head],
			{env, cwd: attributes.folder, encoding: 'latin1'},
		);
		if (code === 0) {
			return {tree: stdout.split('\0')[0]!.trim()};
		}

		if (code !== 1) {
			throw new Error(`git merge-tree: ${stderr.trim().split('\n').at(-1) ?? code}`);
		}

		const conflicts = [
			...new Set(
				stdout
					.split('\0')
					.slice(1)
					.filter(name => name !== ''),
			),
		];
		const named = await attributes.of('merge', conflicts);
		return {conflicts, drivers: [...new Set([...named.values()].filter(name => programs.has(name)))]};
	});
}

/** The tree that a merge would be. @throws Conflict */
export async function mergedTree(run: Run, {git, base, head}: Range): Promise<string> {
	const result = await mergeTrees({git, commonDir: git.repository.gitDir}, base, head);
	if ('tree' in result) {
		return result.tree;
	}

	const {conflicts, drivers} = result;
	const programs =
		drivers.length === 0
			? ''
			: `; the merge ${drivers.length === 1 ? 'driver' : 'drivers'} ` +
				`${drivers.map(name => JSON.stringify(name)).join(', ')} would run a program of yours over its files, ` +
				`and ${drivers.length === 1 ? 'is' : 'are'} left out`;
	throw new Conflict(
		run,
		`it conflicts with ${branchName(run.target)} in ${conflicts
			.slice(0, 3)
			.map(name => shown(name))
			.join(', ')}${conflicts.length > 3 ? ` and ${conflicts.length - 3} more` : ''}${programs}`,
		conflicts.map(name => textOf(name)),
	);
}
