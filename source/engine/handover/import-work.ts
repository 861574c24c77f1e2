import {existsSync, rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {commandsOf, hasLfs} from '../../core/git/filters.ts';
import {isInPart} from '../../core/git/part.ts';
import {capturedHead} from '../../core/git/refs.ts';
import {printable} from '../../core/names.ts';
import {defaultLimits} from '../../core/plan.ts';
import {limitsOfPerson, limitsOfPolicy} from '../../core/limits.ts';
import {gateRefusal, Refusal} from '../../core/refusal.ts';
import {commitFlags, commitFormat, parseCommits} from '../../core/review/commits.ts';
import type {PackageSummary} from '../../core/packages/summary.ts';
import type {Changes} from '../../core/run/changes.ts';
import type {Run} from '../../core/run/run.ts';
import {Git} from '../../host/git.ts';
import {makeOwnGit} from '../../host/own-git.ts';
import {lfsMounts, lfsSeenAt} from '../../host/lfs.ts';
import {promisorOf} from '../../host/partial.ts';
import {adminName} from '../../host/worktree.ts';
import {giveToRun} from '../../host/run-owner.ts';
import type {Context} from '../context.ts';
import {lowerOf} from '../layers/use.ts';
import {readPolicy} from '../project/policy.ts';
import {openRun, rootOf} from '../project/projects.ts';
import {readSettings} from '../project/settings.ts';
import {lendIndex} from '../run/fill.ts';
import {submodulesOf} from '../run/submodules.ts';
import {alone} from '../sandbox/alone.ts';
import {makeScratch} from '../sandbox/jail.ts';
import {toolsOf} from '../sandbox/tools.ts';
import {broughtFiles} from './brought-files.ts';
import {diffFlags} from './diff-flags.ts';
import {chooseExtras, keepExtras} from './extra-refs.ts';
import {coAuthor, identityVariables, personOf} from './identity.ts';
import {checkConnected, importObjects} from './import-objects.ts';
import {folderIsKept, jailMounts, lookAtWork, type Look} from './look.ts';
import {lookAtPackages} from './packages.ts';
import {takeLfs} from './lfs-content.ts';
import {ownBase} from './own-base.ts';

/*
 * Taking a run's work into the quarantine: git runs over the agent's files
 * only in a jail; what comes out is text and a pack, and the host checks both.
 */

/** `base`: where its own work begins. */
export type Captured = {
	/** Such as a rebase that stopped at a conflict. */ readonly unfinished: string | undefined;
	readonly head: string;
	readonly base: string;
	readonly commits: number;
	readonly files: number;
	readonly wip: boolean;
	readonly extra: string[];
	readonly notes: string[];
	/** What in its commits' messages and names is to be looked at first. */ readonly commitFlags: string[];
	/** What became of packages; undefined where no lock file changed. */ readonly packages: PackageSummary | undefined;
	/** What is not in it, the first of it; undefined where it is whole. */ readonly incomplete: string | undefined;
};

/** A run's work in the quarantine, from where the project fetches it. */
export type Imported = {
	readonly captured: Captured;
	readonly changes: Omit<Changes, 'untracked'>;
	readonly quarantine: Git;
	/** The project's own. */ readonly git: Git;
	/** What was kept beside the branch, by its names in the quarantine. */ readonly extraRefs: readonly string[];
};

/**
 * Brings the run's commits and its uncommitted work into the quarantine, and names the result.
 * Works on a live run too (nothing inside is changed by it), for looking.
 * @throws Refusal where what the agent left cannot be taken over as it is
 */
export async function importWork(context: Context, run: Run): Promise<Imported> {
	return alone(context.paths.run(run.id), () => importAlone(context, run));
}

/** The same, for who has the run's folder to itself already. */
export async function importAlone(context: Context, run: Run): Promise<Imported> {
	const places = context.paths.run(run.id);
	const {git, commonDir} = await openRun(context, run);
	if (!existsSync(places.worktree) || !existsSync(places.privateGit)) {
		throw new Refusal(`the worktree of ${run.id} is gone`, `fleet restore ${run.id}, or look at ${run.branch} itself`);
	}

	await makeJailGit(context, run, {git, commonDir});
	makeScratch(run.id, places);
	const target = await git.resolve(`${run.target}^{commit}`);
	const quarantine = new Git({gitDir: places.quarantine, own: true});
	const submodules = await submodulesOf({git, commonDir, root: run.project.root}, run.base);
	const mounts = [
		...jailMounts(run, places, {commonDir, submodules, over: lowerOf(context.paths, run)}),
		...(hasLfs(run.filters) ? await lfsMounts({git, commonDir}) : []),
	];
	try {
		const look = await lookAtWork(context, run, {
			mounts,
			submodules,
			tools: commandsOf(run.filters).length > 0 ? await toolsOf(context, rootOf(context, run)) : undefined,
		});
		const extras = chooseExtras(look, run.branch);
		const tips = [...extras.named.values(), ...extras.together];
		const known = [run.base, ...(target === undefined ? [] : [target])];
		const maxBytes = await largestWork(context, git, run.base);
		await importObjects(context, run, {
			quarantine,
			mounts,
			wanted: [look.tip, look.tree, ...look.submodules.map(({tree}) => tree), ...tips],
			known,
			isPartial: (await promisorOf(git)) !== undefined,
			maxBytes,
		});
		await checkConnected(quarantine, [look.tip, ...tips], known);
		await checkConnected(quarantine, [look.tree], known);
		await checkOrigin(quarantine, run, look);
		const stamp = await stampOf(git, run);
		const wip = (await quarantine.line('rev-parse', `${look.tip}^{tree}`)) !== look.tree;
		const head = wip ? await commitLeftovers(context, run, {quarantine, look, stamp}) : look.tip;
		const {refs: extraRefs, titles} = await keepExtras(run, extras, {look, git, quarantine, stamp});
		await quarantine.must(['update-ref', capturedHead, head]);
		await takeLfs(context, run, {git, commonDir, quarantine, head, look, maxBytes});
		const base = await ownBase(quarantine, run, {target, head});
		const commits = Number(await quarantine.line('rev-list', '--count', head, `^${base}`));
		const changes = readNumbers(await quarantine.raw('diff-tree', '-r', '-z', '--numstat', ...diffFlags, base, head));
		return {
			changes,
			captured: {
				unfinished: look.unfinished,
				head,
				base,
				commits,
				files: changes.files,
				wip,
				extra: titles,
				notes: look.notes,
				commitFlags: [
					...(await flaggedCommits(quarantine, base, head)),
					...(await flaggedPlaces(quarantine, run, {base, head})),
				],
				packages: await lookAtPackages(context, run, {git: quarantine, base, head}),
				incomplete: look.incomplete,
			},
			quarantine,
			git,
			extraRefs,
		};
	} finally {
		rmSync(places.scratch, {recursive: true, force: true});
	}
}

/** The git folder that git has in the jail: its configuration is the host's, and the run may not write it. */
async function makeJailGit(
	context: Context,
	run: Run,
	{git, commonDir}: {readonly git: Git; readonly commonDir: string},
): Promise<void> {
	const places = context.paths.run(run.id);
	const folder = places.jailGit;
	await makeOwnGit(folder, {
		git,
		commonDir,
		seenAt: '/run/fleet/git',
		admin: adminName(places),
		passes: {
			filters: run.filters,
			write: '/run/fleet/scratch/lfs',
			read: [lfsSeenAt, '/run/fleet/private/lfs/objects'],
		},
	});
	lendIndex(places.firstIndex, folder);
	writeFileSync(path.join(folder, 'included'), (await broughtFiles(git, run)).map(name => `${name}\0`).join(''));
	giveToRun(run.id, folder);
}

/** @throws Refusal where the branch has no history in common with where the run started */
async function checkOrigin(quarantine: Git, run: Run, {tip}: Look): Promise<void> {
	if (
		(await quarantine.line('cat-file', '-t', tip)) !== 'commit' ||
		(await quarantine.run(['merge-base', run.base, tip])).code !== 0
	) {
		throw gateRefusal("the run's branch has nothing to do with the commit it started from", folderIsKept);
	}
}

/** What the agent left in its folder, as a commit on its branch's tip. */
async function commitLeftovers(
	context: Context,
	run: Run,
	{quarantine, look, stamp}: {readonly quarantine: Git; readonly look: Look; readonly stamp: Record<string, string>},
): Promise<string> {
	const paragraphs = [
		`Uncommitted work of run ${run.id}`,
		'Taken over by fleet: the agent left it in its folder.',
		`Co-authored-by: ${coAuthor(context, run)}`,
	];
	const commit = await quarantine.must(
		['commit-tree', look.tree, '-p', look.tip, ...paragraphs.flatMap(text => ['-m', text])],
		{env: stamp},
	);
	return commit.trim();
}

/**
 * Captures of the same content get the same commit, so that an
 * approval survives a second look: dates are the run's own.
 */
async function stampOf(git: Git, run: Run): Promise<Record<string, string>> {
	return identityVariables(await personOf(git), `@${Math.floor(Date.parse(run.createdAt) / 1000)} +0000`);
}

/** Characters of messages and names that are looked through. */
const maxChars = 64 * 1024 ** 2;

/** What in the messages and names of the run's commits is to be looked at first: a merge brings them to the target. */
async function flaggedCommits(git: Git, base: string, head: string): Promise<string[]> {
	const {code, stdout} = await git.run(
		['log', '-z', '--encoding=UTF-8', `--format=${commitFormat}`, head, `^${base}`],
		{limit: maxChars},
	);
	return [
		...commitFlags(parseCommits(stdout)),
		...(code === 0
			? []
			: [`its commits say more than ${maxChars / 1024 ** 2} MiB, of which the rest was not looked through`]),
	];
}

/** What a run that was to work in one folder changed elsewhere. */
async function flaggedPlaces(
	git: Git,
	{path: part}: Run,
	{base, head}: {readonly base: string; readonly head: string},
): Promise<string[]> {
	if (part === undefined) {
		return [];
	}

	const names = (await git.must(['diff-tree', '-r', '-z', '--name-only', '--no-renames', base, head]))
		.split('\0')
		.filter(name => name !== '' && !isInPart(name, part));
	return names.length === 0
		? []
		: [
				`changes outside of ${printable(part, 100)}: ${printable(names[0]!, 100)}` +
					(names.length > 1 ? ` and ${names.length - 1} more` : ''),
			];
}

/** Files and lines of a change, from what `git diff --numstat -z` writes: of a renamed file, both names follow. */
function readNumbers(text: string): Omit<Changes, 'untracked'> {
	let [files, added, removed] = [0, 0, 0];
	const parts = text.split('\0');
	for (let at = 0; at < parts.length - 1; at++) {
		const [plus, minus, name] = parts[at]!.split('\t');
		files++;
		added += Number(plus) || 0;
		removed += Number(minus) || 0;
		at += name === '' ? 2 : 0;
	}

	return {files, added, removed};
}

/** How many bytes a run may bring: what it may grow by. */
async function largestWork(context: Context, git: Git, base: string): Promise<number> {
	const {policy} = await readPolicy(git, base);
	const {limits} = await readSettings(context.paths);
	return limitsOfPolicy(policy.limits, limitsOfPerson(limits, defaultLimits)).growth;
}
