import {randomBytes} from 'node:crypto';
import {branchName} from '../../core/git/refs.ts';
import {peoplePath, whoseKey} from '../../core/people/people.ts';
import {changeRule, decidersFrom, needsSigners, signersPath, type Deciders} from '../../core/people/deciders.ts';
import {gateRefusal, orThrow, Refusal} from '../../core/refusal.ts';
import {parseDiff, type DiffFile} from '../../core/review/diff.ts';
import type {Facts} from '../../core/run/facts.ts';
import type {Run} from '../../core/run/run.ts';
import {
	accept,
	isYes,
	type Accepted,
	type ApprovalRule,
	type Signed,
	type Subject,
} from '../../core/statement/accept.ts';
import {envelopeWord, parseEnvelopeWord, signedText, statementNamespace} from '../../core/statement/envelope.ts';
import {type Decision} from '../../core/statement/decision.ts';
import {parseStatement, statementLife, statementText} from '../../core/statement/statement.ts';
import type {Git} from '../../host/git.ts';
import {checkSignedBy, publicKeyOf, sign} from '../../host/ssh-keygen.ts';
import type {Context} from '../context.ts';
import {diffText} from '../handover/diff.ts';
import {readPolicy} from '../project/policy.ts';
import {readPeople} from './decisions.ts';

/*
 * What people sign about a run's work, and whether that is enough. Who counts is read from the commit that is merged
 * onto, never from what is to be merged.
 */

export {signersPath, type Deciders} from '../../core/people/deciders.ts';

/**
 * Who decides about what is merged onto a commit: the people of its people file, or, where its policy wants approvals
 * signed, those of its list of signers.
 * @returns undefined where nothing has to be signed
 * @throws Refusal where the policy wants that and names nobody
 */
export async function decidersOf(git: Git, base: string): Promise<Deciders | undefined> {
	const {policy} = await readPolicy(git, base);
	const {people, blob} = await readPeople(git, base);
	const read = needsSigners(policy, people)
		? await git.run(['cat-file', 'blob', `${base}:${signersPath}`], {limit: 1024 ** 2})
		: undefined;
	return orThrow(decidersFrom({policy, people, blob, signers: read?.code === 0 ? read.stdout : undefined}));
}

/** Whose key it is. @throws Refusal where it is nobody's */
export async function whoSigns({people, blob}: Deciders, key: string, target: string): Promise<string> {
	const person = whoseKey(people, await publicKeyOf(key));
	if (!person) {
		throw gateRefusal(
			"the key that signs is not one of the project's signers",
			`${blob === 'none' ? signersPath : peoplePath} on ${branchName(target)} says who they are`,
		);
	}

	return person.name;
}

/** What a run's statements are about, as it is now. */
export function subjectOf(
	run: Run,
	facts: Facts,
	{blob, verify}: {readonly blob: string; readonly verify: string},
): Subject {
	const {base, head, tree, policy} = facts;
	return {run: run.id, target: run.target, base, head, tree, policy, people: blob, verify};
}

/** The items of a run's audit with their results, in words. */
export function auditText({audit}: Pick<Run, 'audit'>): string {
	return audit
		? `${audit.items.map(item => `${item.id}=${item.status}`).join(' ')}${audit.stale ? ' (before the last change)' : ''}`
		: 'none';
}

/** A decision that is to be signed. `viewed`: see `Statement`. */
export type ToSign = {
	readonly decision: Decision;
	readonly because: string;
	/** See `auditText`. */
	readonly audit: string;
	readonly viewed?: string | undefined;
	/** See `Statement`. */
	readonly verifiedHere?: string | undefined;
	readonly requester?: string | undefined;
	/** See `Statement`. */
	readonly findings?: readonly string[] | undefined;
	/** The key, as `sign` takes it. */
	readonly key: string;
};

/**
 * Signs a decision, and looks at the signature as whoever merges will.
 * @param by who signs, see `whoSigns`
 * @returns the signed statement as one word
 * @throws Refusal where the key cannot be used, or is another's
 */
export async function signStatement(
	{subject, deciders, by}: {readonly subject: Subject; readonly deciders: Deciders; readonly by: string},
	{decision, because, audit, viewed = '', verifiedHere, requester = '', findings, key}: ToSign,
): Promise<string> {
	const now = Date.now();
	const payload = statementText({
		...subject,
		decision,
		audit,
		because,
		viewed,
		verifiedHere,
		requester,
		by,
		at: new Date(now).toISOString(),
		until: new Date(now + statementLife).toISOString(),
		nonce: randomBytes(8).toString('hex'),
		findings,
		...(deciders.blob !== 'none' && isYes({decision}) ? {merge: 'signed'} : {}),
	});
	const signature = await sign(signedText(payload), key, statementNamespace);
	const word = envelopeWord({payload, signature});
	const read = await readStatement(word, deciders);
	if (read instanceof Refusal) {
		throw read;
	}

	return word;
}

/** What somebody signed, as one word. @returns why it counts for nothing */
export async function readStatement(word: string, {signers}: Pick<Deciders, 'signers'>): Promise<Signed | Refusal> {
	const envelope = parseEnvelopeWord(word);
	if (envelope instanceof Refusal) {
		return envelope;
	}

	const statement = parseStatement(envelope.payload);
	if (statement instanceof Refusal) {
		return statement;
	}

	const fault = await checkSignedBy(signedText(envelope.payload), {
		signer: statement.by,
		signature: envelope.signature,
		signers,
		namespace: statementNamespace,
	});
	return fault ?? {statement, signer: statement.by};
}

/** The run's statements whose signatures are good. */
export async function signedOf(run: Pick<Run, 'statements'>, deciders: Deciders): Promise<Signed[]> {
	const read = await Promise.all(run.statements.map(({word}) => readStatement(word, deciders)));
	return read.filter(one => !(one instanceof Refusal)) as Signed[];
}

/** The rule for a change. @param files its files; undefined where it is too large to be read: then it is protected */
export function ruleFor(context: Context, deciders: Deciders, files: readonly DiffFile[] | undefined): ApprovalRule {
	return changeRule(
		deciders,
		files,
		context.agents.flatMap(agent => agent.instructions),
	);
}

/** The files of a change; undefined where it is too large to be read. */
export async function changedFiles(
	context: Context,
	run: Run,
	{git, base, tree}: {readonly git: Git} & Pick<Facts, 'base' | 'tree'>,
) {
	return diffText(context, run, {git, base, head: tree}).then(
		text => parseDiff(text),
		() => undefined,
	);
}

/**
 * Whether what people signed about a run is enough for a merge onto a commit.
 * @param order.at the commit that is merged onto, whose people and policy count: never one that the journal names
 * @param order.facts what was approved, which a carried approval has on another base
 * @returns undefined where nothing has to be signed; a refusal where it is not enough
 */
export async function acceptRun(
	context: Context,
	run: Run,
	{git, at, facts, verify}: {readonly git: Git; readonly at: string; readonly facts: Facts; readonly verify: string},
): Promise<Accepted | Refusal | undefined> {
	// Of several runs that are merged together, one that nobody can approve is left out, and ends nothing else.
	const deciders = await decidersOf(git, at).catch((error: unknown) => {
		if (error instanceof Refusal) {
			return error;
		}

		throw error;
	});
	if (deciders === undefined || deciders instanceof Refusal) {
		return deciders;
	}

	const files = deciders.policy.approve.protected ? await changedFiles(context, run, {git, ...facts}) : [];
	const signed = await signedOf(run, deciders);
	return signed.length === 0
		? gateRefusal('the policy wants approvals signed, and this one is not', `fleet approve ${run.id}`)
		: accept(subjectOf(run, facts, {blob: deciders.blob, verify}), {
				signed,
				rule: ruleFor(context, deciders, files),
				people: deciders.people,
				now: Date.now(),
			});
}
