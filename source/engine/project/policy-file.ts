import {existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {branchName} from '../../core/git/refs.ts';
import {policyPath, withNetwork, withVerify} from '../../core/policy.ts';
import type {Project} from '../../core/project.ts';
import {orThrow, Refusal} from '../../core/refusal.ts';
import type {Git} from '../../host/git.ts';
import {signingEnvironment, signingHint, signsCommits} from '../../host/signing.ts';
import {replaceFile} from '../../host/write.ts';
import {readPolicy} from './policy.ts';
import {openRepository} from './projects.ts';
import {ownStatusOf} from '../../host/status.ts';

/**
 * The policy file, or another one beside it, in a project's checkout; undefined where there is
 * none. @throws Refusal for what is no file of the checkout's own
 */
export function readOwn(root: string, name = policyPath): string | undefined {
	const file = path.join(root, name);
	const folder = ownStatusOf(path.dirname(file));
	const status = ownStatusOf(file);
	if (folder?.isFile()) {
		throw new Refusal(
			'.fleet is a file here, and the policy is kept in a folder of that name',
			'git mv .fleet fleet.old',
		);
	}

	if ((folder && !folder.isDirectory()) || (status && !status.isFile())) {
		throw new Refusal(
			`${name} is not a file of the checkout's own`,
			'a link is not followed: what is written there could be anything',
		);
	}

	return status && readFileSync(file, 'utf8');
}

function writeOwn(root: string, text: string): void {
	const file = path.join(root, policyPath);
	mkdirSync(path.dirname(file), {recursive: true});
	replaceFile(file, text, {mode: ownStatusOf(file)?.mode ?? 0o644});
}

/**
 * Writes hosts into the policy file of a project's checkout, where a person reviews and commits them: until then no
 * run reads them.
 *
 * @param root the project's folder
 * @returns the hosts that were not there yet
 * @throws Refusal where the file cannot be read, or is no file of the checkout's own
 */
export function proposeNetwork(root: string, hosts: readonly string[]): readonly string[] {
	const {text, added} = orThrow(withNetwork(readOwn(root) ?? '', hosts));
	if (added.length > 0) {
		writeOwn(root, text);
	}

	return added;
}

/** Where a policy would be committed: the branch that is checked out. @throws Refusal where there is none */
async function branchOf(root: string) {
	const {checkout} = await openRepository(root);
	const ref = (await checkout.run(['symbolic-ref', '--quiet', 'HEAD'])).stdout.trim();
	const head = await checkout.resolve('HEAD');
	if (ref === '' || !head || !existsSync(path.join(root, '.git'))) {
		throw new Refusal(
			`${root} has no branch with a commit checked out`,
			`commit a ${policyPath} with: verify: ["npm test"]`,
		);
	}

	return {root, checkout, ref, head};
}

/** The message of the commit with a first policy. */
export const policyMessage = 'Add what sets up and verifies this project';

/** The tree of a commit with a policy in it, among the objects of the repository; no branch and no index has it. */
export async function treeWithPolicy(
	checkout: Git,
	head: string,
	text: string,
): Promise<{readonly blob: string; readonly tree: string}> {
	const folder = mkdtempSync(path.join(os.tmpdir(), 'fleet-policy-'));
	try {
		const env = {GIT_INDEX_FILE: path.join(folder, 'index')};
		const blob = (await checkout.must(['hash-object', '-w', '--stdin'], {input: text})).trim();
		await checkout.must(['read-tree', head], {env});
		await checkout.must(['update-index', '--add', '--cacheinfo', `100644,${blob},${policyPath}`], {env});
		return {blob, tree: (await checkout.must(['write-tree'], {env})).trim()};
	} finally {
		rmSync(folder, {recursive: true, force: true});
	}
}

/** A policy file, committed and in the checkout. Nothing else that is changed or staged there comes along. */
async function commitText(
	{root, checkout, ref, head}: Awaited<ReturnType<typeof branchOf>>,
	text: string,
	message: string,
): Promise<{branch: string; commit: string}> {
	const {blob, tree} = await treeWithPolicy(checkout, head, text);
	// As the person's own commits are: a server may take no other.
	const sign = await signsCommits(checkout);
	const made = await checkout.run(['commit-tree', tree, '-p', head, ...(sign ? ['-S'] : []), '-m', message], {
		env: sign ? signingEnvironment() : {},
	});
	if (made.code !== 0) {
		throw new Refusal(
			`git could not ${sign ? 'sign the commit' : 'commit'}: ${made.stderr.trim().split('\n').at(-1) ?? ''}`,
			sign ? signingHint : 'git config user.name and user.email must be set',
		);
	}

	const commit = made.stdout.trim();
	await checkout.must(['update-index', '--add', '--cacheinfo', `100644,${blob},${policyPath}`]);
	await checkout.must(['update-ref', '-m', 'fleet: what verifies this project', ref, commit, head]);
	writeOwn(root, text);
	return {branch: branchName(ref), commit};
}

/**
 * Commits the commands that verify a project, as a person's own commit on the branch that is checked out. Nothing else
 * that is changed or staged there comes along. Only where there
 * are none yet: to change them is a change like any other.
 *
 * @returns the branch, and the commit
 * @throws Refusal where that would lose or mix up something
 */
export async function commitVerify(
	{root}: Project,
	commands: readonly string[],
): Promise<{branch: string; commit: string}> {
	const place = await branchOf(root);
	const {checkout, head} = place;
	const {policy} = await readPolicy(checkout, head);
	const committed = await checkout.run(['cat-file', 'blob', `${head}:${policyPath}`]);
	if (policy.verify.commands.length > 0) {
		throw new Refusal(
			`${policyPath} has verify commands: ${policy.verify.commands.join(' && ')}`,
			'change them in your editor, and commit that',
		);
	}

	const own = readOwn(root);
	if (own !== (committed.code === 0 ? committed.stdout : undefined)) {
		throw new Refusal(
			`${policyPath} has changes of yours that are not committed`,
			'commit them, with verify: ["npm test"] among them',
		);
	}

	return commitText(place, orThrow(withVerify(own ?? '', commands)), 'Add what verifies this project');
}

/** Whether a first policy can be committed: there is none, committed or not. @throws Refusal where it cannot */
export async function checkNoPolicy({root}: Project): Promise<void> {
	const {checkout, head} = await branchOf(root);
	if ((await checkout.resolve(`${head}:${policyPath}`)) !== undefined) {
		throw new Refusal(`${policyPath} is there`, 'change it in your editor, and commit that');
	}

	if (readOwn(root) !== undefined) {
		throw new Refusal(
			`${policyPath} is there, and not committed`,
			`git add ${policyPath} && git commit -m "Add a policy" ${policyPath}`,
		);
	}
}

/**
 * Commits a project's first policy, as a person's own commit on the branch that is checked out. Nothing else that is
 * changed or staged there comes along, and no hook runs.
 *
 * @returns the branch, and the commit
 * @throws Refusal where there is one already
 */
export async function commitPolicy(project: Project, text: string): Promise<{branch: string; commit: string}> {
	await checkNoPolicy(project);
	return commitText(await branchOf(project.root), text, policyMessage);
}
