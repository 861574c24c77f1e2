import * as v from 'valibot';
import {Refusal} from '../refusal.ts';
import {decisions, type Decision} from './decision.ts';
import type {Facts} from '../run/facts.ts';
import {markHidden} from '../text/hidden.ts';

/*
 * What a person signs: an in-toto Statement (https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md) about
 * the tree that a merge would make, with a predicate of fleet's own.
 */

const statementType = 'https://in-toto.io/Statement/v1';
const predicateType = 'urn:fleet:decision:v1';

/** A statement counts for so long, milliseconds. */
export const statementLife = 24 * 3_600_000;

/** A person's decision about a run's work, exactly as it was then. */
export type Statement = Facts & {
	readonly decision: Decision;
	readonly run: string;
	/** The full ref that it goes to. */
	readonly target: string;
	/** The object name of the people file of the target's tip; `none` where there is none. */
	readonly people: string;
	/** Digest of the verification. */
	readonly verify: string;
	/** The items of the audit with their results, or that there is none. */
	readonly audit: string;
	readonly because: string;
	/** How much of the change was marked as viewed, in words; empty where it is not known. */
	readonly viewed: string;
	/** What a verification on the signer's own machine came to, in words; not there where none was made. */
	readonly verifiedHere?: string | undefined;
	/** Who had the work done, by name; empty where nobody said so. */
	readonly requester: string;
	/** Who decides, by name. */
	readonly by: string;
	/** When, and until when it counts: ISO 8601. */
	readonly at: string;
	readonly until: string;
	/** Makes two of them two. */
	readonly nonce: string;
	/** Of a yes: to a merge that whoever makes it signs, too. What was signed before there was that says nothing of it. */
	readonly merge?: 'signed' | undefined;
	/** Of a finding that is dismissed: what it is, see `findingText`. */
	readonly findings?: readonly string[] | undefined;
};

/** A character that is not seen, as JSON escapes it, so that who reads a statement reads all of it. */
export function escaped(codePoint: number): string {
	const units = String.fromCodePoint(codePoint);
	return Array.from(
		{length: units.length},
		(_, index) => `\\u${units.charCodeAt(index).toString(16).padStart(4, '0')}`,
	).join('');
}

/** A statement as the text that is signed: JSON, its keys always in the same order. */
export function statementText(statement: Statement): string {
	const {target, tree, decision, run, base, head, policy, people, verify, audit, because, viewed} = statement;
	const {verifiedHere, requester, by, at, until, nonce, merge, findings} = statement;
	const here = verifiedHere === undefined ? {} : {verifiedHere};
	const signed = {decision, run, base, head, policy, people, verify, audit, because, viewed, ...here};
	const json = JSON.stringify({
		_type: statementType,
		subject: [{name: target, digest: {gitTree: tree}}],
		predicateType,
		predicate: {...signed, requester, by, at, until, nonce, merge, findings},
	});
	return markHidden(json, escaped);
}

const objectName = v.pipe(v.string(), v.regex(/^(?:[\da-f]{40}|[\da-f]{64})$/));
const words = v.pipe(v.string(), v.maxLength(4000));
const time = v.pipe(
	v.string(),
	v.check(text => Number.isFinite(Date.parse(text))),
);

const schema = v.strictObject({
	_type: v.literal(statementType),
	subject: v.strictTuple([v.strictObject({name: words, digest: v.strictObject({gitTree: objectName})})]),
	predicateType: v.literal(predicateType),
	predicate: v.strictObject({
		decision: v.picklist(decisions),
		run: words,
		base: objectName,
		head: objectName,
		policy: words,
		people: words,
		verify: words,
		audit: words,
		because: words,
		viewed: words,
		verifiedHere: v.optional(words),
		requester: words,
		by: words,
		at: time,
		until: time,
		nonce: words,
		merge: v.optional(v.literal('signed')),
		findings: v.optional(v.pipe(v.array(v.pipe(v.string(), v.maxLength(8000))), v.maxLength(10_000))),
	}),
});

/** Reads what was signed. The schema is closed: what is not known was not agreed on. */
export function parseStatement(text: string): Statement | Refusal {
	const hint = 'it is an in-toto Statement of fleet, one JSON object';
	let json: unknown;
	try {
		json = JSON.parse(text);
	} catch {
		return new Refusal('a statement is not JSON', hint);
	}

	const read = v.safeParse(schema, json);
	if (!read.success) {
		const [issue] = read.issues;
		return new Refusal(`a statement is not as it should be: ${v.getDotPath(issue) ?? 'the whole'}`, hint);
	}

	const {subject, predicate} = read.output;
	return {...predicate, target: subject[0].name, tree: subject[0].digest.gitTree};
}
