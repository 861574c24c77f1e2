import {parsePeople, peoplePath, signersText, whoseKey, type People, type Person} from '../../core/people/people.ts';
import {branchName} from '../../core/git/refs.ts';
import {gateRefusal, orThrow, Refusal} from '../../core/refusal.ts';
import type {Git} from '../../host/git.ts';
import {publicKeyOf, sign, verifySignature} from '../../host/ssh-keygen.ts';

/*
 * Whose decision something is. A person is known by a signature with a key of the people file, as a commit has it:
 * neither a login nor a line of a journal decides anything.
 */

/** Who decides about a project, as of a commit. `blob`: the object name of the file, or `none`. */
export type PeopleOf = {readonly people: People; readonly blob: string};

/** A decision's text as somebody signed it. `signature`: armoured, as `ssh-keygen -Y sign` writes it. */
export type SignedBy = {readonly person: Person; readonly signature: string};

/**
 * The people of a commit, never of a folder: an agent may write anything there. For a decision about a branch, its tip.
 * @returns nobody, and `none`, where the commit has no such file
 * @throws Refusal for a file with an error in it
 */
export async function readPeople(git: Git, commit: string): Promise<PeopleOf> {
	const blob = await git.resolve(`${commit}:${peoplePath}`);
	if (!blob) {
		return {people: [], blob: 'none'};
	}

	const {code, stdout} = await git.run(['cat-file', 'blob', blob], {limit: 1024 ** 2});
	if (code !== 0) {
		throw gateRefusal(`${peoplePath} cannot be read`, 'look at what the branch has there: it is a file of text');
	}

	return {people: orThrow(parsePeople(stdout)), blob};
}

/**
 * The key that a person signs with: the one that was named, or git's `user.signingKey`.
 * @param checkout the person's own repository, with all of their git's settings
 * @param key a file, or a public key whose private one the SSH agent has
 * @throws Refusal where there is none
 */
export async function ownKey(checkout: Git, key: string | undefined): Promise<string> {
	const own = key ?? (await checkout.run(['config', '--get', 'user.signingKey'])).stdout.trim();
	if (own === '') {
		throw new Refusal(
			'it has to be signed, and you have no key for that',
			'name one with --key FILE, or once for all: git config --global user.signingKey FILE',
		);
	}

	return own;
}

/**
 * Whose key it is, before anything is signed with it: for a text that names who signs it.
 * @throws Refusal where it is nobody's, or cannot be read
 */
export async function personOfKey({
	people,
	key,
	target,
}: {
	readonly people: People;
	readonly key: string;
	/** The full ref whose people they are, for the hint. */ readonly target: string;
}): Promise<Person> {
	const person = whoseKey(people, await publicKeyOf(key));
	if (!person) {
		throw gateRefusal(
			"the key is not one of the project's people",
			`${peoplePath} on ${branchName(target)} says who they are`,
		);
	}

	return person;
}

/**
 * Signs a decision. Who signed is told by the signature itself, not by the name of the key's file.
 * @param options.namespace what kind of decision it is: a signature counts for no other
 * @param options.target the full ref whose people they are, for the hint
 * @throws Refusal where the key cannot be used, or is nobody's
 */
export async function signDecision(
	text: string,
	{
		people,
		key,
		namespace,
		target,
	}: {readonly people: People; readonly key: string; readonly namespace: string; readonly target: string},
): Promise<SignedBy> {
	const signature = await sign(text, key, namespace);
	const person = await whoseSignature(text, {people, signature, namespace});
	if (person instanceof Refusal) {
		throw gateRefusal(person.because, `${peoplePath} on ${branchName(target)} says who they are`);
	}

	return {person, signature};
}

/**
 * Whose signature of exactly this text it is.
 * @returns the person, or why it is nobody's: another text, another kind of decision, a key that is not there (any more)
 */
export async function whoseSignature(
	text: string,
	{people, signature, namespace}: {readonly people: People; readonly signature: string; readonly namespace: string},
): Promise<Person | Refusal> {
	const whose = await verifySignature(text, {signature, signers: signersText(people, [namespace]), namespace});
	if (whose instanceof Refusal) {
		return whose;
	}

	const person = people.find(({name}) => name === whose.signer);
	return person ?? gateRefusal(`${whose.signer} is not one of the project's people`, `see ${peoplePath}`);
}
