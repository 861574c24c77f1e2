import {branchName} from '../../core/git/refs.ts';
import {isAmong, peopleAmong} from '../../core/people/people.ts';
import {gateRefusal, Refusal} from '../../core/refusal.ts';
import type {DiffFile} from '../../core/review/diff.ts';
import type {Facts} from '../../core/run/facts.ts';
import type {Run} from '../../core/run/run.ts';
import {
	accept,
	besideThat,
	type Accepted,
	type ApprovalRule,
	type Signed,
	type Subject,
} from '../../core/statement/accept.ts';
import type {Decision} from '../../core/statement/decision.ts';
import type {Git} from '../../host/git.ts';
import type {Journal} from '../../host/journal.ts';
import type {Context} from '../context.ts';
import {ownKey} from '../people/decisions.ts';
import {
	auditText,
	changedFiles,
	decidersOf,
	readStatement,
	ruleFor,
	signedOf,
	signStatement,
	subjectOf,
	whoSigns,
	type Deciders,
} from '../people/statements.ts';

/* A person's signature under a decision about a run, where a project says who decides. */

/** What is signed, and with what key: a file, or a public key; git's `user.signingKey` by default. */
export type SignOff = {
	readonly git: Git;
	readonly checkout: Git;
	readonly facts: Facts;
	readonly decision: Decision;
	readonly because: string;
	readonly key?: string | undefined;
	readonly viewed?: string | undefined;
	/** Files of the change, where they were read. */
	readonly files?: readonly DiffFile[] | undefined;
};

/** What came of a signature: who signed it, and whether that is enough by now. */
export type SignedOff = {readonly by: string; readonly result: Accepted | Refusal};

/** Why a person's decision would not count; undefined where it does. */
export function countsNot(
	{people, blob}: Deciders,
	{
		decision,
		by,
		rule,
		requester,
		run,
	}: {
		readonly decision: Decision;
		readonly by: string;
		readonly rule: ApprovalRule;
		readonly requester: string | undefined;
		readonly run: Pick<Run, 'id'>;
	},
): Refusal | undefined {
	const person = people.find(({name}) => name === by)!;
	const whom = (list: readonly string[]) => `${list.join(', ')} (${peopleAmong(people, list).join(', ') || 'nobody'})`;
	if (decision === 'break-glass') {
		return isAmong(person, rule.breakGlass)
			? undefined
			: gateRefusal(
					`${by} may not merge without the others`,
					rule.breakGlass.length === 0 ? 'the policy names nobody: approve: {breakGlass: […]}' : whom(rule.breakGlass),
				);
	}

	if (decision === 'request' || blob === 'none') {
		return undefined;
	}

	if (rule.from && !isAmong(person, rule.from)) {
		return gateRefusal(
			`${by} is not one of those whose ${decision === 'approve' ? 'yes' : 'no'} counts`,
			whom(rule.from),
		);
	}

	if (decision !== 'approve' || !rule.notRequester) {
		return undefined;
	}

	if (requester === undefined) {
		return gateRefusal(
			'nobody has asked for this to be approved, and who asks does not approve it',
			`whoever had the work done: fleet request ${run.id}`,
		);
	}

	return requester === by
		? gateRefusal(`${by} asked for this, so somebody else approves it`, `fleet request ${run.id} --to REMOTE`)
		: undefined;
}

/** Who had the work done, by what was signed about it as it is now. */
export function requesterOf(signed: readonly Signed[], subject: Subject): string | undefined {
	return signed
		.filter(one => one.statement.decision === 'request' && besideThat(one, subject, Date.now()) === undefined)
		.at(-1)?.signer;
}

/**
 * Signs a decision about a run, and writes it down.
 * @returns undefined where nothing has to be signed
 * @throws Refusal where it would not count: then nothing is signed
 */
export async function signOff(context: Context, journal: Journal, order: SignOff): Promise<SignedOff | undefined> {
	const {git, checkout, facts, decision, because, viewed} = order;
	const {run} = journal;
	const deciders = await decidersOf(git, facts.base);
	if (!deciders) {
		return undefined;
	}

	const key = await ownKey(checkout, order.key);
	const by = await whoSigns(deciders, key, run.target);
	const files =
		order.files ?? (deciders.policy.approve.protected ? await changedFiles(context, run, {git, ...facts}) : []);
	const rule = ruleFor(context, deciders, files);
	const subject = subjectOf(run, facts, {blob: deciders.blob, verify: run.verification!.digest});
	const before = await signedOf(run, deciders);
	const requester = requesterOf(before, subject);
	const refusal = countsNot(deciders, {decision, by, rule, requester, run});
	if (refusal) {
		throw refusal;
	}

	const word = await signStatement(
		{subject, deciders, by},
		{decision, because, audit: auditText(run), viewed, requester: decision === 'request' ? by : (requester ?? ''), key},
	);
	journal.append({type: 'statement.signed', decision, by, word, because}, context.actor);
	return {by, result: await acceptNow(journal.run, {deciders, subject, rule})};
}

/** Whether what was signed about a run by now is enough. */
async function acceptNow(
	run: Run,
	{deciders, subject, rule}: {readonly deciders: Deciders; readonly subject: Subject; readonly rule: ApprovalRule},
): Promise<Accepted | Refusal> {
	return accept(subject, {signed: await signedOf(run, deciders), rule, people: deciders.people, now: Date.now()});
}

/**
 * Writes down what others signed, where it is about this run and by people of the target's tip.
 * @returns who said what; what was there already is left out
 * @throws Refusal where nothing has to be signed
 */
export async function takeStatements(
	context: Context,
	journal: Journal,
	{git, facts, words}: {readonly git: Git; readonly facts: Facts; readonly words: readonly string[]},
): Promise<{readonly taken: Signed[]; readonly left: Refusal[]; readonly result: Accepted | Refusal}> {
	const {run} = journal;
	const deciders = await decidersOf(git, facts.base);
	if (!deciders) {
		throw new Refusal(`${branchName(run.target)} names no people who approve`, 'commit .fleet/people.yaml');
	}

	const known = new Set(run.statements.map(({word}) => word));
	const taken: Signed[] = [];
	const left: Refusal[] = [];
	for (const word of words.filter(word => !known.has(word))) {
		const read = await readStatement(word, deciders);
		if (read instanceof Refusal) {
			left.push(read);
			continue;
		}

		const {decision, by, because} = read.statement;
		if (read.statement.run !== run.id) {
			left.push(gateRefusal(`${by} signed it about another run`, `fleet show ${run.id}`));
			continue;
		}

		journal.append({type: 'statement.signed', decision, by, word, because}, context.actor);
		taken.push(read);
	}

	const files = deciders.policy.approve.protected ? await changedFiles(context, run, {git, ...facts}) : [];
	const rule = ruleFor(context, deciders, files);
	const subject = subjectOf(run, facts, {blob: deciders.blob, verify: run.verification!.digest});
	return {taken, left, result: await acceptNow(journal.run, {deciders, subject, rule})};
}
