import {createHash} from 'node:crypto';
import {branchRef} from '../../core/git/refs.ts';
import type {Request} from '../../core/publish/forge.ts';
import type {PublishPolicy} from '../../core/publish/policy.ts';
import type {ForgeState, MergedHow, Published} from '../../core/publish/state.ts';
import {Refusal} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import type {Git} from '../../host/git.ts';
import {runAsPerson} from '../../host/person-git.ts';
import {ownBase} from '../handover/own-base.ts';
import {findRemote, tipsThere, type Remote} from './remote.ts';

/* Whether what was published is in the target there, and whether that is what was verified. */

/** Commits of the target that are compared, the newest first. */
const compared = 200;

type Asked = {
	readonly git: Git;
	readonly policy: PublishPolicy;
	readonly request: Request;
	readonly target: string;
	readonly interactive: boolean;
};

/** The target's tip there, with its history here; no ref is moved. Undefined where it cannot be had. */
async function bringTip(remote: Remote, target: string): Promise<string | undefined> {
	const {git, name, interactive} = remote;
	const tip = (await tipsThere(remote, [target])).get(target);
	if (tip === undefined || (await git.resolve(`${tip}^{commit}`)) !== undefined) {
		return tip;
	}

	const argv = [
		'fetch',
		'--quiet',
		'--no-tags',
		'--no-write-fetch-head',
		'--no-auto-maintenance',
		'--recurse-submodules=no',
		// Not even the remote-tracking branch.
		'--refmap=',
		'--',
		name,
		branchRef(target),
	];
	const {code} = await runAsPerson(git.repository, argv, {interactive});
	return code === 0 && (await git.resolve(`${tip}^{commit}`)) !== undefined ? tip : undefined;
}

const contains = async (git: Git, commit: string, tip: string) =>
	(await git.run(['merge-base', '--is-ancestor', commit, tip])).code === 0;

/**
 * The change between two commits by its content, with the lines around it and the blanks in it, wherever in a file it is.
 * Empty for none, and for one that is too large to be read.
 */
async function patchOf(git: Git, from: string, to: string): Promise<string> {
	const {code, stdout} = await git.run(
		['diff-tree', '-p', '--binary', '--no-ext-diff', '--no-textconv', '--no-renames', from, to],
		{limit: 64 * 1024 ** 2, encoding: 'latin1'},
	);
	const patch = stdout.replaceAll(/^index .*$/gm, '').replaceAll(/^@@ -[\d,]+ \+[\d,]+ @@.*$/gm, '@@');
	return code !== 0 || stdout === '' ? '' : createHash('sha256').update(patch, 'latin1').digest('hex');
}

/** How one commit of the target compares with what was verified. */
async function compare(
	git: Git,
	commit: string,
	{tree, patch, count}: {readonly tree: string | undefined; readonly patch: string; readonly count: number},
): Promise<MergedHow> {
	if (tree !== undefined && (await git.resolve(`${commit}^{tree}`)) === tree) {
		return 'tree';
	}

	// One commit of all, or each of them anew.
	for (const before of new Set([`${commit}^1`, `${commit}~${count}`])) {
		const from = patch === '' ? undefined : await git.resolve(`${before}^{commit}`);
		if (from !== undefined && (await patchOf(git, from, commit)) === patch) {
			return 'change';
		}
	}

	return 'other';
}

/**
 * What became of it in the target there: by what the forge says, and, since somebody may have merged it by hand, by what is
 * there. Undefined where it is not merged.
 */
export async function findMerged(run: Run, published: Published, asked: Asked): Promise<ForgeState['merged']> {
	const {git, request} = asked;
	const {commit: head} = published;
	let tip: string | undefined;
	try {
		tip = await bringTip(await findRemote(git, asked.policy, asked.interactive), asked.target);
	} catch (error) {
		if (!(error instanceof Refusal)) {
			throw error;
		}
		// The forge's word is left.
	}

	if (tip !== undefined && (await contains(git, head, tip)) && request.head === head) {
		const {stdout} = await git.run(['rev-list', '--first-parent', '--ancestry-path', '--reverse', `${head}..${tip}`]);
		return {commit: stdout.split('\n')[0] || head, how: 'commit'};
	}

	const isMerged = request.state === 'merged';
	if (tip === undefined) {
		return isMerged ? {commit: request.commit ?? request.head, how: 'unknown'} : undefined;
	}

	const base = await ownBase(git, run, {target: run.base, head});
	const verified = run.verification?.head === head ? run.verification : undefined;
	const what = {
		tree: verified?.tree,
		patch: await patchOf(git, base, head),
		count: Number((await git.must(['rev-list', '--count', `${base}..${head}`])).trim()),
	};
	const {commit} = request;
	if (isMerged && commit !== undefined) {
		return (await contains(git, commit, tip))
			? {commit, how: await compare(git, commit, what)}
			: {commit, how: 'unknown'};
	}

	const {stdout} = await git.run(['rev-list', '--first-parent', `--max-count=${compared}`, `${base}..${tip}`]);
	for (const candidate of stdout.split('\n').filter(line => line !== '')) {
		const how = await compare(git, candidate, what);
		if (how !== 'other') {
			return {commit: candidate, how};
		}
	}

	return isMerged ? {commit: request.head, how: 'unknown'} : undefined;
}
