import {existsSync} from 'node:fs';
import type {Signed, Viewed} from '../../core/run/statement.ts';
import {decideApprove} from '../../core/run/rules.ts';
import type {Policy} from '../../core/policy.ts';
import {parseDiff, type DiffFile} from '../../core/review/diff.ts';
import {flagsOf} from '../../core/review/flags.ts';
import {decideUnviewed, flaggedUnviewed} from '../../core/review/unviewed.ts';
import type {Run} from '../../core/run/run.ts';
import {Refusal} from '../../core/refusal.ts';
import {countViewed} from '../../core/review/comments.ts';
import type {Git} from '../../host/git.ts';
import type {Journal} from '../../host/journal.ts';
import {confirmApproval, type Yes} from './signature.ts';
import {capture} from './capture.ts';
import {diffText, type Range} from './diff.ts';
import {importWork} from './import-work.ts';
import type {Context} from '../context.ts';
import {readFacts} from './facts.ts';
import {readPackages} from './packages-file.ts';
import {readPolicy} from '../project/policy.ts';
import {openRun} from '../project/projects.ts';
import {record} from '../record.ts';
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

/** A person's yes to exactly what was verified: base, head, tree, result and policy. */
export async function approve(context: Context, journal: Journal, yes: Yes): Promise<void> {
	await refuseSecretReason(context, journal.run.project, yes.because);
	const {git, checkout} = await openRun(context, journal.run);
	// Work that came after the verification must show as a moved head, not stay in the folder unseen.
	if (journal.run.verification && existsSync(context.paths.run(journal.run.id).worktree) && !journal.run.merge) {
		await refuseIfChanged(context, journal);
	}

	const facts = await factsOrNone(context, journal, git);
	const now = Date.now();
	const refusal = decideApprove(journal.run, facts, {actor: context.actor, now});
	if (refusal) {
		journal.append({type: 'gate.refused', gate: 'approve', because: refusal.because}, context.actor);
		throw refusal;
	}

	const {run} = journal;
	const {verify} = (await readPolicy(git, facts.base)).policy;
	const seen = await seenOf(context, run, {git, base: run.captured?.base ?? run.base, head: facts.head, verify});
	const viewed = seen?.viewed;
	let signed: Signed | undefined;
	try {
		const unviewed = decideUnviewed(run, seen?.flagged, yes.because);
		if (unviewed) {
			throw unviewed;
		}

		signed = await confirmApproval(journal.run, {git, checkout, facts}, {...yes, viewed});
	} catch (error) {
		journal.append(
			{
				type: 'gate.refused',
				gate: 'approve',
				because: error instanceof Refusal ? error.because : (error as Error).message,
			},
			context.actor,
		);
		throw error;
	}

	// To sign may take a person a while; what was true when that began is what is signed.
	record(journal, {type: 'approve', facts, because: yes.because, signed, viewed}, {actor: context.actor, now});
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

/** A person's no. It stands until the run is resumed. */
export function reject(context: Context, journal: Journal, because: string): void {
	record(journal, {type: 'reject', because}, {actor: context.actor});
}
