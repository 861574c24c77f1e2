import {branchName} from '../../core/git/refs.ts';
import {shown, textOf} from '../../core/git/tree.ts';
import type {Policy} from '../../core/policy.ts';
import {gateRefusal, Refusal} from '../../core/refusal.ts';
import type {Facts} from '../../core/run/facts.ts';
import type {Run} from '../../core/run/run.ts';
import {complete} from '../../host/partial.ts';
import type {ProjectCheckout} from '../../host/git.ts';
import type {Context} from '../context.ts';
import {openFindings} from '../handover/suspects.ts';
import {checkCleaned} from '../handover/cleaned.ts';
import {chainCommit, mergeTrees, readTips} from '../handover/facts.ts';
import {refuseCrossing} from '../handover/own-base.ts';
import {vet} from '../handover/vet.ts';
import {readPolicy} from '../project/policy.ts';

/* Runs merged one after another in memory: each on what the ones before it make of the target. */

/** One run of a chain. `facts`: what a decision about it there is about. `commit`: stands for all up to it, merged. */
export type Link = {readonly run: Run; readonly facts: Facts; readonly commit: string};

/** Why a run is not in a chain; `conflicts`: the files, where that is why. */
export type Left = {readonly run: Run; readonly refusal: Refusal; readonly conflicts?: readonly string[]};

/** A chain on a target's tip, and what is not in it. */
export type Chain = {
	readonly tip: string;
	readonly policy: Policy;
	readonly links: readonly Link[];
	readonly left: readonly Left[];
	/** Runs that one before them keeps out of this chain, and not of the next. */ readonly later: readonly Left[];
};

/** The target's tip, with its policy. */
export type Tip = {readonly commit: string; readonly policy: Policy; readonly blob: string};

/** @throws Refusal where the target is gone, or its policy has an error */
export async function readTip({git}: ProjectCheckout, run: Run): Promise<Tip> {
	const {base} = await readTips(run, git);
	await complete({git, root: run.project.root}, base);
	return {commit: base, ...(await readPolicy(git, base))};
}

/**
 * Merges runs in memory, in their order. Nothing is written down.
 * @param options.without runs that were taken out before: one that waited for such a run is left out, too
 * @param options.admit asked of each run that fits: a refusal keeps it for later
 */
export async function buildChain(
	context: Context,
	project: ProjectCheckout,
	{
		tip,
		runs,
		without,
		admit,
	}: {
		readonly tip: Tip;
		readonly runs: readonly Run[];
		readonly without: ReadonlySet<string>;
		admit?(run: Run, facts: Facts): Promise<Refusal | undefined>;
	},
): Promise<Chain> {
	const links: Link[] = [];
	const left: Left[] = [];
	const later: Left[] = [];
	const out = new Set(without);
	let base = tip.commit;
	let changer: string | undefined;
	for (const run of runs) {
		if (changer !== undefined) {
			const because = `${changer}, which goes in before it, changes the policy that verifies it`;
			later.push({run, refusal: gateRefusal(because, 'fleet merge --all')});
			out.add(run.id);
			continue;
		}

		if (run.after !== undefined && out.has(run.after)) {
			left.push({run, refusal: gateRefusal(`it comes after ${run.after}, which is not merged`, 'fleet merge --all')});
			out.add(run.id);
			continue;
		}

		const made = await makeLink(context, project, {run, base, tip, before: links}).catch((error: unknown) => {
			if (error instanceof Refusal) {
				return {run, refusal: error};
			}

			throw error;
		});
		if ('refusal' in made) {
			left.push(made);
			out.add(run.id);
			continue;
		}

		const refusal = await admit?.(run, made.facts);
		if (refusal) {
			later.push({run, refusal});
			out.add(run.id);
			continue;
		}

		links.push(made);
		base = made.commit;
		changer = (await readBlob(project, made.commit)) === tip.blob ? undefined : run.id;
	}

	return {tip: tip.commit, policy: tip.policy, links, left, later};
}

/** The policy's file, whatever is in it: what has an error in it is another one, too. */
async function readBlob({git}: ProjectCheckout, commit: string): Promise<string> {
	return readPolicy(git, commit).then(
		({blob}) => blob,
		() => 'error',
	);
}

/** @throws Refusal where the run cannot be merged there */
async function makeLink(
	context: Context,
	project: ProjectCheckout,
	{
		run,
		base,
		tip,
		before,
	}: {readonly run: Run; readonly base: string; readonly tip: Tip; readonly before: readonly Link[]},
): Promise<Link | Left> {
	const {git, root} = project;
	const {head} = await readTips(run, git);
	if (head !== run.verification?.head) {
		return {run, refusal: gateRefusal('its branch moved since it was verified', `fleet verify ${run.id}`)};
	}

	await refuseCrossing(git, run, {target: base, head});
	const merged = await mergeTrees(project, base, head);
	if (!('tree' in merged)) {
		const files = merged.conflicts.map(name => shown(name));
		const others = before.map(link => link.run.id);
		const because =
			`it conflicts with ${branchName(run.target)}${others.length === 0 ? '' : ` after ${others.join(', ')}`} in ` +
			`${files.slice(0, 3).join(', ')}${files.length > 3 ? ` and ${files.length - 3} more` : ''}`;
		return {
			run,
			refusal: gateRefusal(because, `fleet resume ${run.id} --rebase`),
			conflicts: merged.conflicts.map(name => textOf(name)),
		};
	}

	const {tree} = merged;
	await complete({git, root: run.project.root}, tree);
	const facts: Facts = {base, head, tree, policy: before.length === 0 ? tip.blob : (await readPolicy(git, base)).blob};
	const forbidden = await vet({...project, root}, run, facts);
	if (forbidden) {
		return {run, refusal: forbidden};
	}

	await checkCleaned(context, run, facts);
	const open = await openFindings(
		context,
		{run, journal: undefined},
		{git, tip: tip.commit, head, tree, policy: tip.blob},
	);
	if (open) {
		return {run, refusal: open};
	}

	return {run, facts, commit: await chainCommit(git, {tree, base, head})};
}
