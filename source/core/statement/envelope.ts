import {Refusal} from '../refusal.ts';
import type {Facts} from '../run/facts.ts';
import {fromBase64, toBase64} from '../text/base64.ts';
import {parseStatement} from './statement.ts';

/*
 * How a signed statement travels: a DSSE envelope (https://github.com/secure-systems-lab/dsse/blob/master/envelope.md),
 * whose signature is the SSHSIG of OpenSSH (PROTOCOL.sshsig) over DSSE's pre-authentication encoding.
 */

/** The namespace of such a signature: one that was made for something else is none. */
export const statementNamespace = 'fleet-approval';

const payloadType = 'application/vnd.in-toto+json';

/** A signed text. `signature`: the armoured SSH signature, as `ssh-keygen -Y sign` writes it. */
export type Envelope = {readonly payload: string; readonly signature: string};

/** The text over which a payload is signed: its type, and how many bytes it has, before it. */
export function signedText(payload: string): string {
	const bytes = (text: string) => new TextEncoder().encode(text).length;
	return `DSSEv1 ${bytes(payloadType)} ${payloadType} ${bytes(payload)} ${payload}`;
}

const [begin, end] = ['-----BEGIN SSH SIGNATURE-----', '-----END SSH SIGNATURE-----'];

/** An armoured signature without its armour. */
function bare(signature: string): string {
	return signature.replace(begin, '').replace(end, '').replaceAll(/\s/g, '');
}

function armoured(signature: string): string {
	return [begin, ...(signature.match(/.{1,70}/g) ?? []), end, ''].join('\n');
}

/** An envelope as others read it: DSSE in JSON. */
export function envelopeJson({payload, signature}: Envelope): string {
	return JSON.stringify({
		payload: toBase64(new TextEncoder().encode(payload)),
		payloadType,
		signatures: [{sig: bare(signature)}],
	});
}

const hint = 'it is written PAYLOAD.SIGNATURE, both in base64';

function textOf(base64: string): string | undefined {
	const bytes = fromBase64(base64);
	try {
		return bytes && new TextDecoder('utf-8', {fatal: true}).decode(bytes);
	} catch {
		return undefined;
	}
}

/** An envelope as one word, for a commit's trailer: the payload and the signature, both in base64, and a dot between. */
export function envelopeWord({payload, signature}: Envelope): string {
	return `${toBase64(new TextEncoder().encode(payload))}.${bare(signature)}`;
}

/** Whether a signed statement is about a merge; nothing is said of its signature. */
export function isAbout(word: string, {base, head, tree}: Pick<Facts, 'base' | 'head' | 'tree'>): boolean {
	const envelope = parseEnvelopeWord(word);
	const statement = envelope instanceof Refusal ? envelope : parseStatement(envelope.payload);
	return (
		!(statement instanceof Refusal) && statement.base === base && statement.head === head && statement.tree === tree
	);
}

/** Reads one word. Whether the signature is good is another question. */
export function parseEnvelopeWord(word: string): Envelope | Refusal {
	const [payload64, signature64, ...more] = word.trim().split('.');
	const payload = textOf(payload64 ?? '');
	return payload === undefined || more.length > 0 || !/^[\w+/]+={0,2}$/.test(signature64 ?? '')
		? new Refusal('a signed statement cannot be read', hint)
		: {payload, signature: armoured(signature64!)};
}
