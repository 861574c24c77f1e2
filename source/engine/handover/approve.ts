import {existsSync} from 'node:fs';
import {runHead, trashHead} from '../../core/git/refs.ts';
import type {Signed, Viewed} from '../../core/run/statement.ts';
import {decideApprove, decideReject} from '../../core/run/decide.ts';
import {parseDiff} from '../../core/review/diff.ts';
import {redactText} from '../../core/secrets/redact.ts';
import type {Run} from '../../core/run/run.ts';
import {gateRefusal, Refusal} from '../../core/refusal.ts';
import {countViewed} from '../../core/review/review.ts';
import type {Git} from '../../host/git.ts';
import type {Journal} from '../../host/journal.ts';
import {confirmApproval, type Yes} from './signature.ts';
import {capture} from './capture.ts';
import {diffFlags} from './diff-flags.ts';
import {importWork} from './import-work.ts';
import type {Context} from '../context.ts';
import {readFacts} from './facts.ts';
import {openRun} from '../project/projects.ts';
import {readReview} from './review-file.ts';
import {refuseSecretReason} from '../grants/secret-text.ts';
import {knownValues} from '../grants/secrets.ts';

/** Characters of a diff that are read at once. */
const longest = 64 * 1024 ** 2;

/**
 * What the run itself changed, from where its own work begins, from captured objects, never from its folder. A run that
 * is at work, or was not captured, is looked at in the jail first; nothing of that is published.
 * @returns unified diff, or with `stat` a summary
 */
export async function diff(context: Context, run: Run, stat: boolean): Promise<string> {
	const places = context.paths.run(run.id);
	let git: Git;
	let head: string | undefined;
	let base = run.captured?.base ?? run.base;
	if (existsSync(places.worktree) && !run.merge) {
		const imported = await importWork(context, run);
		git = imported.quarantine;
		({head, base} = imported.captured);
	} else {
		({git} = await openRun(context, run));
		head = (await git.resolve(runHead(run.id))) ?? (await git.resolve(trashHead(run.id)));
	}

	if (!head) {
		throw gateRefusal(`nothing of ${run.id} was ever captured`, 'its worktree is gone');
	}

	return diffText(context, run, git, base, head, stat);
}

async function diffText(
	context: Context,
	run: Run,
	git: Git,
	base: string,
	head: string,
	stat: boolean,
): Promise<string> {
	const {code, stdout} = await git.run(
		['diff', ...diffFlags, '--full-index', ...(stat ? ['--stat=100', '--summary'] : []), base, head],
		{limit: longest},
	);
	if (code !== 0) {
		// A part would be taken for all of it.
		throw gateRefusal(
			`what ${run.id} changed is more than ${longest / 1024 ** 2} MiB of text, ` +
				'and a part of it is not shown as if it were all',
			`fleet diff ${run.id} --stat; after fleet verify ${run.id}, in the project: ` +
				`git diff ${base.slice(0, 10)} ${head.slice(0, 10)} -- FILE`,
		);
	}

	// What is shown may be copied, and sent to another agent.
	return redactText(await knownValues(context, run.project.id), stdout);
}

/** How much of what is approved was marked as viewed, exactly as it is now. */
async function viewedOf(context: Context, run: Run, git: Git, head: string): Promise<Viewed | undefined> {
	try {
		return countViewed(
			readReview(context.paths.run(run.id)),
			parseDiff(await diffText(context, run, git, run.captured?.base ?? run.base, head, false)),
		);
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
	const refusal = decideApprove(journal.run, context.actor, facts, Date.now());
	if (refusal) {
		journal.append({type: 'gate.refused', gate: 'approve', because: refusal.because}, context.actor);
		throw refusal;
	}

	const viewed = await viewedOf(context, journal.run, git, facts.head);
	let signed: Signed | undefined;
	try {
		signed = await confirmApproval(git, checkout, journal.run, facts, {...yes, viewed});
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

	journal.append(
		{
			type: 'review.approved',
			...facts,
			verify: journal.run.verification!.digest,
			because: yes.because,
			...(signed ? {signed} : {}),
			...(viewed ? {viewed} : {}),
		},
		context.actor,
	);
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
		? readFacts(context, journal, git, 'approve')
		: {base: '', head: '', tree: '', policy: ''};
}

/** A person's no. It stands until the run is resumed. */
export function reject(context: Context, journal: Journal, because: string): void {
	const refusal = decideReject(journal.run, context.actor);
	if (refusal) {
		throw refusal;
	}

	journal.append({type: 'review.rejected', because: because === '' ? 'no reason was given' : because}, context.actor);
}
