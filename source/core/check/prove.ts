import {signedTrailer} from '../git/commit-message.ts';
import {changeRule, type Deciders} from '../people/deciders.ts';
import {gateRefusal, Refusal} from '../refusal.ts';
import type {DiffFile} from '../review/diff.ts';
import {
	accept,
	besideThat,
	isYes,
	type Accepted,
	type ApprovalRule,
	type Signed,
	type Subject,
} from '../statement/accept.ts';
import {mergedBy, takesSignature} from '../statement/merge.ts';
import type {Commit} from './commit.ts';

/* Whether a commit is what people approved, by what they signed. */

/** Why it can neither be said that it holds, nor that it does not. */
export type Unproved = {readonly unproved: string; readonly hint: string; readonly chain?: string};

/**
 * A merge that holds. `chain`: what an approval of a train's next run may be about. `lacksMerger`: it was approved as one
 * that is signed by who merges it, and nobody signed that: a forge made it.
 */
export type Proved = {
	readonly accepted: Accepted;
	readonly run: string;
	readonly chain: string;
	readonly lacksMerger: boolean;
};

/** What only whoever reads the repository can tell. */
export type Asked = {
	/** What somebody signed, as one word, by a commit's people, at a time (milliseconds). */
	signed(word: string, deciders: Deciders, at: number): Promise<Signed | Refusal | Unproved>;
	/** The files of a change; undefined where it is too large to be read. */
	files(base: string, tree: string): Promise<readonly DiffFile[] | undefined | Unproved>;
	/** The name of the commit that stands for a merge that is not made: see `chainCommit`. */
	chain(link: {readonly tree: string; readonly base: string; readonly head: string}): string;
	/** `Agent.instructions` of every agent. */
	readonly instructions: readonly string[];
};

/** What may be a merge. */
export type Claim = {
	readonly target: string;
	/** One, or the commits of a rebase: all with the same parent line, the last one with the approval. */
	readonly commits: readonly Commit[];
	readonly notes: readonly string[];
	/** What the merge before it made possible as a base, besides its own parent. */
	readonly chain: string | undefined;
	readonly deciders: Deciders;
	/** The object name of the policy that decides. */
	readonly policy: string;
};

export const shownName = (id: string) => id.slice(0, 12);

/** Statements that are read of one commit: more of them are no approval. */
const mostStatements = 200;

const hintOf = ({id}: Commit) => `git show --format=raw --no-patch ${shownName(id)}`;

const isUnproved = (value: object): value is Unproved => 'unproved' in value;

/** Whether a commit says that another one of its train came before it. */
const isLater = ({trailers}: Commit) => / (?:[2-9]|[1-9]\d+)\/\d+$/.test(trailers.get('fleet-train')?.[0] ?? '');

/** What is known of a merge besides its statements. */
type Known = {
	readonly bases: readonly string[];
	readonly tree: string;
	readonly head: string | undefined;
	readonly run: string | undefined;
	readonly verify: string | undefined;
};

/** What statements that may be about this merge say that it is. */
function subjectsOf(
	signed: readonly Signed[],
	{bases, tree, head, run, verify}: Known,
	facts: Pick<Subject, 'target' | 'policy' | 'people'>,
): Subject[] {
	const subjects = signed
		.map(({statement}) => statement)
		.filter(
			statement =>
				isYes(statement) &&
				bases.includes(statement.base) &&
				statement.tree === tree &&
				(head === undefined || statement.head === head) &&
				(run === undefined || statement.run === run) &&
				(verify === undefined || statement.verify === verify),
		)
		.map(statement => ({
			...facts,
			run: statement.run,
			base: statement.base,
			head: statement.head,
			tree,
			verify: statement.verify,
		}));
	return [...new Map(subjects.map(subject => [JSON.stringify(subject), subject])).values()];
}

/** Why what fleet merged has nobody who did. @param faults of what else is beside it */
function noMerger(commit: Commit, [fault]: readonly Refusal[]): Refusal {
	const because = 'none of the people signed that they merge it, as those who approved it signed it has to be';
	return gateRefusal(fault ? `${fault.because} (${because})` : because, hintOf(commit));
}

/** Names beside statements that did not sign: what a person reads there must be true. */
function falseNames({trailers}: Commit, {by, requester}: Accepted, merger: string | undefined): string | undefined {
	const reviewers = trailers.get('reviewed-by')?.filter(name => /^[a-z0-9._-]+$/.test(name)) ?? [];
	const stranger = reviewers.find(name => !by.includes(name));
	if (stranger !== undefined) {
		return `it says that ${stranger} approved it, who did not sign that`;
	}

	const merged = trailers.get('fleet-merged-by')?.find(name => merger !== undefined && name !== merger);
	if (merged !== undefined) {
		return `it says that ${merged.slice(0, 60)} merged it, and ${merger} signed that`;
	}

	const asked = trailers.get('requested-by')?.[0];
	return asked === undefined || asked === requester
		? undefined
		: `it says that ${asked} asked for it, who did not sign that`;
}

/**
 * Whether commits are a merge that people approved.
 * @returns undefined where nothing says that they are one: no statement in the message, and none in a note about this
 */
export async function proveMerge(claim: Claim, ask: Asked): Promise<Proved | Unproved | Refusal | undefined> {
	const {commits, deciders, target, policy} = claim;
	const [first, last] = [commits[0]!, commits.at(-1)!];
	const own = last.trailers.get(signedTrailer.toLowerCase()) ?? [];
	const words = [...new Set([...own, ...claim.notes])];
	if (words.length === 0) {
		return undefined;
	}

	if (words.length > mostStatements) {
		return gateRefusal(`more than ${mostStatements} statements are beside it`, hintOf(last));
	}

	const read = [];
	for (const word of words) {
		read.push({word, is: await ask.signed(word, deciders, last.at)});
	}

	const signed = read.map(({is}) => is).filter(is => 'statement' in is);
	const faults = read.map(({is}) => is).filter(is => is instanceof Refusal);
	const open = read.map(({is}) => is).find(is => isUnproved(is));
	const base = first.parents[0]!;
	const head = last.parents.length === 2 ? last.parents[1]! : undefined;
	const runs = [...new Set(last.trailers.get('fleet-run'))];
	const known: Known = {
		// A train's later ones were approved as they would be after the one before, of which nothing was there yet.
		bases: [base, ...(claim.chain === undefined || !isLater(last) ? [] : [claim.chain])],
		tree: last.tree,
		head,
		run: runs[0],
		verify: last.trailers.get('fleet-verify')?.[0],
	};
	const facts = {target, policy, people: deciders.blob};
	const subjects = subjectsOf(signed, known, facts);
	if (own.length === 0 && subjects.length === 0) {
		// A note is on a tree, which may be there again: it is about this merge, or it is nothing.
		return undefined;
	}

	if (last.parents.length > 2 || runs.length > 1 || !Number.isFinite(last.at)) {
		const many = runs.length > 1 ? 'it names two runs' : 'it says no time';
		return gateRefusal(
			last.parents.length > 2 ? `it has ${last.parents.length} parents, and a run's merge has two` : many,
			hintOf(last),
		);
	}

	const files = deciders.policy.approve.protected ? await ask.files(base, last.tree) : [];
	if (files && 'unproved' in files) {
		return files;
	}

	const order = {signed, rule: changeRule(deciders, files, ask.instructions), people: deciders.people, now: last.at};
	for (const subject of subjects) {
		const accepted = accept(subject, order);
		if (!(accepted instanceof Refusal)) {
			// It is signed as it is made, on what is there: an approval may be about what was to come before it.
			const by = mergedBy({...subject, base}, order);
			const lacksMerger = by === undefined && takesSignature(subject, accepted, order);
			const fault = falseNames(last, accepted, by);
			if (fault !== undefined) {
				return gateRefusal(fault, hintOf(last));
			}

			if (lacksMerger && own.length > 0) {
				return open ?? noMerger(last, faults);
			}

			const chain = ask.chain({tree: subject.tree, base: subject.base, head: subject.head});
			return {accepted, run: subject.run, chain, lacksMerger};
		}
	}

	return (
		open ??
		carried(last, {signed, known, facts, deciders, order, ask}) ??
		reasonOf(last, {signed, known, facts, order, faults})
	);
}

type Order = {
	readonly signed: readonly Signed[];
	readonly rule: ApprovalRule;
	readonly people: Deciders['people'];
	readonly now: number;
};

/** An approval of the same change on another base, which only the two changes themselves could show. */
function carried(
	commit: Commit,
	{
		signed,
		known,
		facts,
		deciders,
		order,
		ask,
	}: {
		readonly signed: readonly Signed[];
		readonly known: Known;
		readonly facts: Pick<Subject, 'target' | 'policy' | 'people'>;
		readonly deciders: Deciders;
		readonly order: Order;
		readonly ask: Asked;
	},
): Unproved | undefined {
	if (!commit.trailers.has('fleet-approval-carried') || deciders.policy.approve.carry !== 'patch-id') {
		return undefined;
	}

	const good = signed
		.flatMap(({statement: {base, tree}}) =>
			subjectsOf(signed, {...known, bases: [base], tree, verify: undefined}, facts),
		)
		.find(subject => !(accept(subject, order) instanceof Refusal));
	if (!good) {
		return undefined;
	}

	// Of a train, whatever its approval was about, it is made on what came before it.
	const base = known.bases.at(-1)!;
	return {
		unproved: 'it was approved as the same change on an older target, and what that came to is not in this repository',
		hint: 'approve: {carry: never} has each change approved as it is merged',
		chain: ask.chain({tree: known.tree, base, head: good.head}),
	};
}

/** Why it is not what people approved. */
function reasonOf(
	commit: Commit,
	{
		signed,
		known,
		facts,
		order,
		faults,
	}: {
		readonly signed: readonly Signed[];
		readonly known: Known;
		readonly facts: Pick<Subject, 'target' | 'policy' | 'people'>;
		readonly order: Order;
		readonly faults: readonly Refusal[];
	},
): Refusal {
	const yes = signed.filter(({statement}) => isYes(statement));
	const [{statement}] = yes.length > 0 ? yes : [{statement: undefined}];
	const subject: Subject = {
		...facts,
		run: known.run ?? statement?.run ?? '',
		// The second of a train is about a commit that is not there.
		base: known.bases.find(base => base === statement?.base) ?? known.bases[0]!,
		tree: known.tree,
		head: known.head ?? statement?.head ?? '',
		verify: known.verify ?? statement?.verify ?? '',
	};
	const beside = yes.map(one => ({one, why: besideThat(one, subject, order.now)}));
	const hint = hintOf(commit);
	if (yes.length > 0 && beside.every(({why}) => why !== undefined)) {
		const [{one, why}] = beside as [(typeof beside)[number]];
		return gateRefusal(`what ${one.signer} signed ${why}`, hint);
	}

	const refused = accept(subject, order);
	const because = refused instanceof Refusal ? refused.because : 'what people signed is about something else';
	return gateRefusal(faults.length === 0 ? because : `${faults[0]!.because} (${because})`, hint);
}
