import {Refusal} from '../refusal.ts';
import {signedTrailer} from '../git/commit-message.ts';
import {bytesOf} from '../text/base64.ts';

/* What a commit says that counts for where it came from. */

/** A commit's own signature, where it is an SSH one. `payload`: what is signed, a character for each byte. */
export type CommitSignature = {readonly armoured: string; readonly payload: string};

/** A commit as its object has it. Nothing in it is trusted but what hangs on its name. */
export type Commit = {
	readonly id: string;
	readonly tree: string;
	readonly parents: readonly string[];
	/** Addresses, in lower case. */
	readonly author: string;
	readonly committer: string;
	/** When it was committed, by what whoever did says: milliseconds; not a number where it says no time. */
	readonly at: number;
	readonly title: string;
	/** Lines as `Key: value`, wherever in the message, by the key in lower case. */
	readonly trailers: ReadonlyMap<string, readonly string[]>;
	readonly signature: CommitSignature | undefined;
};

const kept = new Set([
	'fleet-run',
	'fleet-agent',
	'fleet-verify',
	'fleet-train',
	'fleet-approval-carried',
	'co-authored-by',
	'reviewed-by',
	'requested-by',
	'fleet-merged-by',
	signedTrailer.toLowerCase(),
]);

function trailersOf(message: string): Map<string, string[]> {
	const trailers = new Map<string, string[]>();
	for (const [, name = '', value = ''] of message.matchAll(/^([A-Za-z-]{5,40})[ \t]*:[ \t]*(.*?)\s*$/gm)) {
		const key = name.toLowerCase();
		if (kept.has(key)) {
			trailers.set(key, [...(trailers.get(key) ?? []), value]);
		}
	}

	return trailers;
}

/** @returns address and time of a line such as `author Ada <ada@example.org> 1700000000 +0000` */
function whoOf(line: string): {readonly address: string; readonly at: number} {
	const [, seconds] = /> (\d{1,12}) [+-]\d+$/.exec(line) ?? [];
	const address = /<([^<>]*)>[^<>]*$/.exec(line)?.[1] ?? '';
	return {address: address.trim().toLowerCase(), at: seconds === undefined ? Number.NaN : Number(seconds) * 1000};
}

const utf8 = (bytes: string) => new TextDecoder().decode(bytesOf(bytes));

/** The signature of a commit, and its text without that, as git takes both apart. */
function signatureOf(header: readonly string[], message: string): CommitSignature | undefined {
	const signatures: string[] = [];
	const rest: string[] = [];
	let inside = false;
	for (const line of header) {
		if (/^gpgsig(?:-sha256)? /.test(line)) {
			signatures.push(line.replace(/^\S+ /, ''));
			inside = true;
		} else if (inside && line.startsWith(' ')) {
			signatures.push(`${signatures.pop()!}\n${line.slice(1)}`);
		} else {
			rest.push(line);
			inside = false;
		}
	}

	return signatures.length === 1 && signatures[0]!.startsWith('-----BEGIN SSH SIGNATURE-----\n')
		? {armoured: `${signatures[0]!.trimEnd()}\n`, payload: `${rest.join('\n')}\n\n${message}`}
		: undefined;
}

/**
 * Reads a commit.
 * @param bytes of the object, a character for each
 */
export function parseCommit(id: string, bytes: string): Commit | Refusal {
	const end = bytes.indexOf('\n\n');
	const header = (end === -1 ? bytes : bytes.slice(0, end)).split('\n');
	const message = end === -1 ? '' : bytes.slice(end + 2);
	const all = (key: string) =>
		header.filter(line => line.startsWith(`${key} `)).map(line => line.slice(key.length + 1));
	const [tree, ...trees] = all('tree');
	const author = whoOf(all('author')[0] ?? '');
	const committer = whoOf(all('committer')[0] ?? '');
	if (tree === undefined || trees.length > 0) {
		return new Refusal(`${id.slice(0, 12)} is not as a commit should be`, `git fsck ${id}`);
	}

	const text = utf8(message);
	return {
		id,
		tree,
		parents: all('parent'),
		author: author.address,
		committer: committer.address,
		at: committer.at,
		title: text.split('\n', 1)[0]!.slice(0, 100),
		trailers: trailersOf(text),
		signature: signatureOf(header, message),
	};
}

/** What says that an agent had a hand in a commit; undefined where nothing does, which proves nothing. */
export function agentMark({trailers, author, committer}: Commit): string | undefined {
	const run = trailers.get('fleet-run')?.[0];
	const agent = trailers.get('fleet-agent')?.[0];
	const co = trailers.get('co-authored-by')?.find(value => isOurs(/<([^<>]*)>/.exec(value)?.[1] ?? ''));
	if (run !== undefined) {
		return `Fleet-Run: ${run}`;
	}

	if (agent !== undefined) {
		return `Fleet-Agent: ${agent}`;
	}

	if (co !== undefined) {
		return `Co-authored-by: ${co}`;
	}

	if (trailers.has(signedTrailer.toLowerCase())) {
		return signedTrailer;
	}

	return [author, committer].find(address => isOurs(address));
}

/** Addresses that fleet gives to agents, and to nobody else. */
const isOurs = (address: string) => /@fleet\.invalid$/i.test(address.trim());
