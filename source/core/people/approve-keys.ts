import * as v from 'valibot';
import type {DiffFile} from '../review/diff.ts';
import {flagsOf, type Flag, type FlagFacts} from '../review/flags.ts';
import type {ApprovalRule} from '../statement/accept.ts';
import type {People} from './people.ts';

/* `approve:` of a policy: what an approval takes, and whose count. */

const names = v.pipe(
	v.array(v.string(), 'a list of people and groups'),
	v.minLength(1, 'a list of people and groups, of one at least'),
);
const howMany = v.pipe(v.number(), v.integer(), v.minValue(1, 'at least 1'), v.maxValue(20, 'at most 20'));

export const approveKeys = v.strictObject({
	word: v.optional(v.pipe(v.string(), v.regex(/^[\w-]{2,30}$/, 'a word of 2 to 30 letters, digits and dashes'))),
	sign: v.optional(v.boolean('true or false')),
	carry: v.optional(v.picklist(['never', 'patch-id'], 'never or patch-id')),
	people: v.optional(howMany),
	not: v.optional(v.array(v.picklist(['requester'], 'requester: whoever had the work done'))),
	from: v.optional(names),
	protected: v.optional(v.strictObject({people: v.optional(howMany), from: v.optional(names)})),
	breakGlass: v.optional(names),
	direct: v.optional(
		v.picklist(['anybody', 'people', 'nobody'], 'anybody, people (a commit signed by one of the people) or nobody'),
	),
});

export const approveUsage = 'word, sign, carry, people, not, from, protected (people, from), breakGlass, direct';

/** What a policy says of approvals. */
export type ApprovePolicy = v.InferOutput<typeof approveKeys>;

/** What decides about runs, about what verifies them, and what runs on people's machines and in CI. */
const guarded: ReadonlySet<Flag['id']> = new Set(['policy', 'verify', 'ci', 'hooks', 'agent']);

/** The files of a change that only a policy's `protected` people approve. */
export function protectedFiles(files: readonly DiffFile[], facts: FlagFacts): string[] {
	return files.filter(file => flagsOf(file, facts).some(({id}) => guarded.has(id))).map(({path}) => path);
}

/**
 * Whose approval a change takes. Where more than one person is named, whoever had the work done does not count, unless
 * the policy says otherwise.
 * @param isProtected whether a protected file is changed, or that cannot be told
 */
export function approvalRule(approve: ApprovePolicy, people: People, isProtected: boolean): ApprovalRule {
	const {people: many = 1, from, protected: more, breakGlass = []} = approve;
	return {
		people: Math.max(many, isProtected ? (more?.people ?? 1) : 1),
		notRequester: approve.not ? approve.not.includes('requester') : people.length > 1,
		from: isProtected ? (more?.from ?? from) : from,
		breakGlass,
	};
}
