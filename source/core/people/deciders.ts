import {printable} from '../names.ts';
import type {Policy} from '../policy.ts';
import {gateRefusal, type Refusal} from '../refusal.ts';
import type {DiffFile} from '../review/diff.ts';
import type {ApprovalRule} from '../statement/accept.ts';
import {statementNamespace} from '../statement/envelope.ts';
import {approvalRule, protectedFiles, type ApprovePolicy} from './approve-keys.ts';
import {isAmong, peopleAmong, peoplePath, signersText, type People, type Person} from './people.ts';

/* Who decides about what is merged onto a commit, by what that commit's own files say. */

/** Where a project that has no people file keeps who may sign, as `ssh-keygen` reads it. */
export const signersPath = '.fleet/signers';

/** Who decides about what is merged onto a commit. `signers`: the same people for `ssh-keygen`. */
export type Deciders = {
	readonly people: People;
	/** The object name of the people file, or `none`. */
	readonly blob: string;
	readonly signers: string;
	readonly policy: Policy;
};

/** Lines of an `allowed_signers` file as people: the principals, as they are written, are the name. */
function peopleOfSigners(text: string): People {
	return text.split('\n').flatMap(line => {
		const [, name, key] = /^([^\s#]\S*)\s(?:.*\s)?((?:ssh-|ecdsa-|sk-)\S+\s+[\w+/]+=*)/.exec(line) ?? [];
		return name === undefined || key === undefined ? [] : [{name, keys: [key.split(/\s+/).join(' ')], groups: []}];
	});
}

/** Whether a policy says who approves, or who commits without that, which only people can meet. */
function wantsPeople({people, not, from, protected: more, direct = 'anybody'}: ApprovePolicy): boolean {
	return people !== undefined || not !== undefined || from !== undefined || more !== undefined || direct !== 'anybody';
}

/** Whether it is told by a list of signers alone who may sign. */
export function needsSigners(policy: Policy, people: People): boolean {
	return people.length === 0 && policy.approve.sign === true && !wantsPeople(policy.approve);
}

/**
 * Who decides: the people of the people file, or, where the policy wants approvals signed, those of the list of signers.
 * @param files.signers the text of that list; undefined where there is none
 * @returns undefined where nothing has to be signed; a refusal where the policy wants that and names nobody
 */
export function decidersFrom(files: {
	readonly policy: Policy;
	readonly people: People;
	readonly blob: string;
	readonly signers: string | undefined;
}): Deciders | Refusal | undefined {
	const {policy, people, blob, signers = ''} = files;
	if (people.length > 0) {
		return {people, blob, signers: signersText(people, [statementNamespace]), policy};
	}

	if (!policy.approve.sign && !wantsPeople(policy.approve)) {
		return undefined;
	}

	return needsSigners(policy, people) && signers.trim() !== ''
		? {people: peopleOfSigners(signers), blob: 'none', signers, policy}
		: gateRefusal(
				'the policy wants approvals signed, and names nobody who may sign',
				`commit ${peoplePath}: people: {NAME: {keys: ["ssh-ed25519 …"]}}`,
			);
}

/** What of a change only some approve, a few of it by name, or that it cannot be told; undefined where everybody may. */
function protectedIn(
	{approve, verify}: Policy,
	files: readonly DiffFile[] | undefined,
	instructions: readonly string[],
): string | undefined {
	if (approve.protected === undefined) {
		return undefined;
	}

	const paths = files && protectedFiles(files, {verify: verify.commands, instructions});
	return paths === undefined
		? 'more than can be read'
		: paths
				.slice(0, 3)
				.map(path => printable(path, 100))
				.join(', ') || undefined;
}

/**
 * Why a person may not change this by a commit of their own, which has one signature and no approval.
 * @param change.files its files; undefined where it is too large to be read: then it is protected
 * @param instructions `Agent.instructions` of every agent
 */
export function directRefusal(
	{people, policy}: Deciders,
	{person, files}: {readonly person: Person; readonly files: readonly DiffFile[] | undefined},
	instructions: readonly string[],
): Refusal | undefined {
	const what = protectedIn(policy, files, instructions);
	if (what === undefined) {
		return undefined;
	}

	const {from} = approvalRule(policy.approve, people, true);
	const many = policy.approve.protected?.people ?? 1;
	if (many > 1) {
		return gateRefusal(
			`it changes ${what}, which ${many} people have to approve, and a commit has the signature of one`,
			'it has to come by a run: fleet run, then fleet approve by each of them',
		);
	}

	return from === undefined || isAmong(person, from)
		? undefined
		: gateRefusal(
				`it changes ${what}, and ${person.name}, who signed it, may not do that alone`,
				`may: ${peopleAmong(people, from).join(', ') || 'nobody'} (approve: {protected: {from}})`,
			);
}

/**
 * The rule for a change.
 * @param files its files; undefined where it is too large to be read: then it is protected
 * @param instructions `Agent.instructions` of every agent
 */
export function changeRule(
	{people, blob, policy}: Deciders,
	files: readonly DiffFile[] | undefined,
	instructions: readonly string[],
): ApprovalRule {
	const isProtected = protectedIn(policy, files, instructions) !== undefined;
	const rule = approvalRule(policy.approve, people, isProtected);
	// A list of signers has no requests: whoever is on it may say yes, as ever.
	return blob === 'none' ? {...rule, notRequester: false} : rule;
}
