import {existsSync} from 'node:fs';
import {viewedText, type Viewed} from '../../core/run/viewed.ts';
import {branchName} from '../../core/git/refs.ts';
import {peoplePath} from '../../core/people/people.ts';
import {decideApprove, decideWord} from '../../core/run/rules.ts';
import type {Policy} from '../../core/policy.ts';
import {parseDiff, type DiffFile} from '../../core/review/diff.ts';
import {flagsOf} from '../../core/review/flags.ts';
import {decideUnviewed, flaggedUnviewed} from '../../core/review/unviewed.ts';
import type {Run} from '../../core/run/run.ts';
import {Refusal} from '../../core/refusal.ts';
import {countViewed} from '../../core/review/comments.ts';
import type {Git} from '../../host/git.ts';
import type {Journal} from '../../host/journal.ts';
import type {Facts} from '../../core/run/facts.ts';
import {signOff, takeStatements, type SignedOff} from './sign-off.ts';
import {capture} from './capture.ts';
import {diffText, type Range} from './diff.ts';
import {importWork} from './import-work.ts';
import type {Context} from '../context.ts';
import {readFacts} from './facts.ts';
import {readPackages} from './packages-file.ts';
import {noteStatements} from '../people/notes.ts';
import {readPolicy} from '../project/policy.ts';
import {openRun} from '../project/projects.ts';
import {decideOn, record} from '../record.ts';
import {readReview} from './review-file.ts';
import {refuseSecretReason} from '../grants/secret-text.ts';

/** How much of what is approved was marked as viewed, exactly as it is now, and what was not although it has a flag. */
type Seen = {readonly viewed: Viewed; readonly flagged: readonly DiffFile[]};

/** @param verify the commands that verified it: what they run has a flag */
async function seenOf(context: Context, run: Run, {verify, ...range}: Range & Pick<Policy, 'verify'>) {
	const places = context.paths.run(run.id);
	const facts = {
		verify: verify.commands,
		instructions: context.agents.flatMap(agent => agent.instructions),
		packages: readPackages(places)?.locks,
	};
	try {
		const files = parseDiff(await diffText(context, run, range));
		const review = readReview(places);
		return {
			viewed: countViewed(review, files),
			flagged: flaggedUnviewed(review, files, file => flagsOf(file, facts)),
		} satisfies Seen;
	} catch {
		// More than can be read at once. That it is not known is written down as such.
		return undefined;
	}
}

/** How a person says yes. */
export type Yes = {
	readonly because: string;
	/** The word that the policy asks for, as it was typed. */
	readonly confirmed?: string | undefined;
	/** The SSH key to sign with: a file, or a public key; git's `user.signingKey` by default. */
	readonly key?: string | undefined;
	/** Without the others, where the policy lets one person do so. */
	readonly breakGlass?: boolean | undefined;
};

/** What the policy of the target's tip wants of an approval. */
export async function wantedOf(context: Context, run: Run): Promise<Policy['approve']> {
	const {git} = await openRun(context, run);
	const {policy} = await readPolicy(git, run.target);
	return policy.approve;
}

/** What a decision is about, once nothing is in its way but signatures; a refusal is written down. */
async function factsFor(
	context: Context,
	journal: Journal,
	{git, now}: {readonly git: Git; readonly now: number},
): Promise<Facts> {
	// Work that came after the verification must show as a moved head, not stay in the folder unseen.
	if (journal.run.verification && existsSync(context.paths.run(journal.run.id).worktree) && !journal.run.merge) {
		await refuseIfChanged(context, journal);
	}

	const facts = await factsOrNone(context, journal, git);
	const refusal = decideApprove(journal.run, facts, {actor: context.actor, now});
	if (refusal) {
		journal.append({type: 'gate.refused', gate: 'approve', because: refusal.because}, context.actor);
		throw refusal;
	}

	return facts;
}

/** Does what may be refused; a refusal is written down. */
async function writingDown<Result>(context: Context, journal: Journal, work: () => Promise<Result>): Promise<Result> {
	try {
		return await work();
	} catch (error) {
		const because = error instanceof Refusal ? error.because : (error as Error).message;
		journal.append({type: 'gate.refused', gate: 'approve', because}, context.actor);
		throw error;
	}
}

/**
 * A person's yes to exactly what was verified: base, head, tree, result and policy.
 * @returns who signed it and whether that is enough by now, where a project says who approves; else undefined
 */
export async function approve(context: Context, journal: Journal, yes: Yes): Promise<SignedOff | undefined> {
	await refuseSecretReason(context, journal.run.project, yes.because);
	const {git, checkout} = await openRun(context, journal.run);
	const now = Date.now();
	const facts = await factsFor(context, journal, {git, now});
	const {run} = journal;
	const {policy} = await readPolicy(git, facts.base);
	const {verify} = policy;
	const seen = await seenOf(context, run, {git, base: run.captured?.base ?? run.base, head: facts.head, verify});
	const viewed = seen?.viewed;
	const signed = await writingDown(context, journal, async () => {
		const refusal =
			decideUnviewed(run, seen?.flagged, yes.because) ??
			decideWord(policy.approve.word, yes.confirmed) ??
			(yes.breakGlass === true && yes.because.trim() === ''
				? new Refusal('to merge without the others needs a reason', 'say why with --because "…"')
				: undefined);
		if (refusal) {
			throw refusal;
		}

		return signOff(context, journal, {
			git,
			checkout,
			facts,
			decision: yes.breakGlass === true ? 'break-glass' : 'approve',
			because: yes.because,
			key: yes.key,
			viewed: viewedText(viewed),
		});
	});
	if (yes.breakGlass === true && !signed) {
		throw new Refusal('there are no others: the project names no people', `fleet approve ${run.id}`);
	}

	if (signed?.result instanceof Refusal) {
		return signed;
	}

	// To sign may take a person a while; what was true when that began is what is signed.
	record(
		journal,
		{type: 'approve', facts, because: yes.because, accepted: signed?.result, viewed},
		{actor: context.actor, now},
	);
	await noteStatements(git, journal.run, facts);
	return signed;
}

/**
 * Says whose work it is, and asks others to approve exactly what was verified.
 * @throws Refusal where nobody approves by a signature, or what was verified is not what is there now
 */
export async function request(
	context: Context,
	journal: Journal,
	{because, key}: Pick<Yes, 'because' | 'key'>,
): Promise<{readonly signed: SignedOff; readonly facts: Facts}> {
	await refuseSecretReason(context, journal.run.project, because);
	const {git, checkout} = await openRun(context, journal.run);
	const facts = await factsFor(context, journal, {git, now: Date.now()});
	const signed = await writingDown(context, journal, () =>
		signOff(context, journal, {git, checkout, facts, decision: 'request', because, key, files: []}),
	);
	if (!signed) {
		throw new Refusal(
			`${branchName(journal.run.target)} names no people who approve, so there is nobody to ask`,
			`commit ${peoplePath}, or: fleet approve ${journal.run.id}`,
		);
	}

	return {signed, facts};
}

/** Approves by what others signed, where that is enough. @returns whether it is approved by now, or why not */
export async function approveBySigned(
	context: Context,
	journal: Journal,
	words: readonly string[],
): Promise<Awaited<ReturnType<typeof takeStatements>>> {
	const {git} = await openRun(context, journal.run);
	const now = Date.now();
	const facts = await factsFor(context, journal, {git, now});
	const answer = await takeStatements(context, journal, {git, facts, words});
	if (!(answer.result instanceof Refusal) && (!journal.run.approval || answer.taken.length > 0)) {
		record(journal, {type: 'approve', facts, because: '', accepted: answer.result}, {actor: context.actor, now});
		await noteStatements(git, journal.run, facts);
	}

	return answer;
}

async function refuseIfChanged(context: Context, journal: Journal): Promise<void> {
	const {captured} = await importWork(context, journal.run);
	if (captured.head !== journal.run.verification!.head) {
		await capture(context, journal);
	}
}

/** Facts for a decision that will be refused anyway where there are none. */
async function factsOrNone(context: Context, journal: Journal, git: Git) {
	return journal.run.verification
		? readFacts(context, journal, {git, gate: 'approve'})
		: {base: '', head: '', tree: '', policy: ''};
}

/**
 * A person's no. It stands until the run is resumed; signed, where a project says who decides, until who said it says yes.
 * @param options.key see `Yes`
 */
export async function reject(
	context: Context,
	journal: Journal,
	{because, key}: Pick<Yes, 'because' | 'key'>,
): Promise<void> {
	await refuseSecretReason(context, journal.run.project, because);
	const {run} = journal;
	const [event] = decideOn(journal, {type: 'reject', because}, {actor: context.actor});
	if (run.verification && event?.type === 'review.rejected') {
		const {git, checkout} = await openRun(context, run);
		const {base, head, tree, policy} = run.verification;
		const order = {git, checkout, facts: {base, head, tree, policy}, because: event.because, key};
		// Whoever has no key, or no say, ends the work of their own agent all the same; that binds nobody else.
		await signOff(context, journal, {...order, decision: 'reject'}).catch((error: unknown) => {
			if (key !== undefined || !(error instanceof Refusal)) {
				throw error;
			}
		});
	}

	record(journal, {type: 'reject', because}, {actor: context.actor});
}
