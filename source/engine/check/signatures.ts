import type {Commit} from '../../core/check/commit.ts';
import type {Unproved} from '../../core/check/prove.ts';
import type {Deciders} from '../../core/people/deciders.ts';
import {peoplePath, signersText, type Person} from '../../core/people/people.ts';
import {gateRefusal, Refusal} from '../../core/refusal.ts';
import type {Signed} from '../../core/statement/accept.ts';
import {parseEnvelopeWord, signedText, statementNamespace} from '../../core/statement/envelope.ts';
import {parseStatement} from '../../core/statement/statement.ts';
import {checkSignedBy} from '../../host/ssh-keygen.ts';
import {isGoodSshSignature, readSshSignature} from '../../host/ssh-signature.ts';

/* Whose signatures they are, by the people of a commit. A process is started only where one is not surely good. */

/** A key's line with its base64 as it is always written. */
function canonical(key: string): string {
	const [type = '', base64 = ''] = key.trim().split(/\s+/);
	return `${type} ${Buffer.from(base64, 'base64').toString('base64')}`;
}

function ownerOf(people: readonly Person[], key: string): Person | undefined {
	return people.find(person => person.keys.some(own => canonical(own) === key));
}

const hint = `${peoplePath} of the commit before it says whose keys count`;

/** What ssh-keygen says; without it, nothing can be said. */
async function bySshKeygen(
	text: string | Uint8Array,
	claim: Parameters<typeof checkSignedBy>[1],
): Promise<Refusal | Unproved | undefined> {
	try {
		return await checkSignedBy(text, claim);
	} catch (error) {
		if (error instanceof Refusal) {
			return {unproved: error.because, hint: error.hint};
		}

		throw error;
	}
}

async function readSigned(word: string, deciders: Deciders, at: number): Promise<Signed | Refusal | Unproved> {
	const envelope = parseEnvelopeWord(word);
	if (envelope instanceof Refusal) {
		return envelope;
	}

	const statement = parseStatement(envelope.payload);
	if (statement instanceof Refusal) {
		return statement;
	}

	const {by} = statement;
	const text = signedText(envelope.payload);
	const claim = {signer: by, signature: envelope.signature, signers: deciders.signers, namespace: statementNamespace};
	if (deciders.blob === 'none') {
		// A list of signers may say until when a key counts, and more: it is ssh-keygen's own.
		const fault = await bySshKeygen(text, {...claim, ...(Number.isFinite(at) ? {at} : {})});
		return fault ?? {statement, signer: by};
	}

	const person = deciders.people.find(({name}) => name === by);
	if (!person) {
		return gateRefusal(`${by}, who signed it, was not one of the people`, hint);
	}

	const signature = readSshSignature(envelope.signature);
	if (signature && ownerOf([person], signature.key) === undefined) {
		const other = ownerOf(deciders.people, signature.key);
		return gateRefusal(
			`the key that signed for ${by} was not one of theirs${other ? `, but ${other.name}'s` : ''}`,
			hint,
		);
	}

	if (signature && signature.namespace !== statementNamespace) {
		return gateRefusal(
			`what ${by} signed was signed for ${JSON.stringify(signature.namespace.slice(0, 40))}, and not as an approval`,
			'fleet approve signs one',
		);
	}

	const fault =
		signature && isGoodSshSignature(signature, text, statementNamespace) ? undefined : await bySshKeygen(text, claim);
	return fault ?? {statement, signer: by};
}

/** Reads what people signed, each once. */
export class Signatures {
	readonly #read = new Map<string, Promise<Signed | Refusal | Unproved>>();

	/** What somebody signed, as one word, by the people of a commit, at a time (milliseconds). */
	signed(word: string, deciders: Deciders, at: number): Promise<Signed | Refusal | Unproved> {
		const key = `${deciders.blob === 'none' ? at : ''}\n${word}\n${deciders.signers}`;
		const read = this.#read.get(key) ?? readSigned(word, deciders, at);
		this.#read.set(key, read);
		return read;
	}

	/** Whose own signature a commit has. */
	async committer({signature}: Commit, {people}: Deciders): Promise<Person | Refusal | Unproved> {
		const read = signature && readSshSignature(signature.armoured);
		if (!read) {
			return gateRefusal('it has no SSH signature', 'git config gpg.format ssh, and git commit -S');
		}

		const person = ownerOf(people, read.key);
		if (!person) {
			return gateRefusal('its key was none of theirs', hint);
		}

		const payload = Buffer.from(signature.payload, 'latin1');
		if (isGoodSshSignature(read, payload, 'git')) {
			return person;
		}

		const fault = await bySshKeygen(payload, {
			signer: 'somebody',
			signature: signature.armoured,
			signers: signersText([{...person, name: 'somebody'}], ['git']),
			namespace: 'git',
		});
		return fault ?? person;
	}
}
