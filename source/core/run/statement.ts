import type {Facts} from './facts.ts';
import {markHidden} from '../text/hidden.ts';

/** Where a project keeps who may sign an approval, as `ssh-keygen` reads it (ALLOWED SIGNERS in its manual). */
export const signersPath = '.fleet/signers';

/** The namespace of a signature: one that was made for something else is none. */
export const signatureNamespace = 'fleet-approval';

/** What a person says yes to. Nothing else about a run is approved. */
export type Statement = Facts & {
	readonly run: string;
	/** The full ref that it goes to. */
	readonly target: string;
	/** Digest of the verification. */
	readonly verify: string;
	/** The items of the audit with their results, or that there is none. */
	readonly audit: string;
	/** As ISO 8601. */
	readonly at: string;
	readonly because: string;
	/** How much of the change was marked as viewed; undefined where that was not told. */
	readonly viewed?: Viewed | undefined;
};

/** Files of a change, and how many of them nobody marked as viewed, as they are now. */
export type Viewed = {
	readonly files: number;
	readonly unviewed: number;
	/** How many were marked with others by one key; undefined for none. */
	readonly atOnce?: number;
};

/** How many files were marked as viewed by one key, in words; empty for none. */
export function atOnceText({atOnce = 0}: Viewed): string {
	return atOnce === 0 ? '' : `${atOnce} ${atOnce === 1 ? 'file' : 'files'} marked viewed at once`;
}

/** How much was viewed, in words; empty where it is not known. */
export function viewedText(viewed: Viewed | undefined): string {
	if (viewed === undefined) {
		return '';
	}

	if (viewed.files === 0) {
		return 'no file was changed';
	}

	const share =
		viewed.unviewed === 0
			? `${viewed.files === 1 ? 'the one file' : `all ${viewed.files} files`} viewed`
			: `${viewed.unviewed} of ${viewed.files} ${viewed.files === 1 ? 'file' : 'files'} not viewed`;
	return [share, atOnceText(viewed)].filter(text => text !== '').join(', ');
}

/** How an approval was signed: what of its statement is nowhere else, who signed, and the armoured SSH signature. */
export type Signed = {readonly signer: string; readonly audit: string; readonly at: string; readonly signature: string};

const order = [
	'run',
	'target',
	'base',
	'head',
	'tree',
	'policy',
	'verify',
	'audit',
	'at',
	'because',
] as const satisfies ReadonlyArray<keyof Statement>;

/** In quotes, with what is not seen as escapes, so that who reads it reads all of it. */
function quoted(text: string): string {
	return markHidden(JSON.stringify(text), codePoint =>
		[...String.fromCodePoint(codePoint)]
			.flatMap(character =>
				Array.from(
					{length: character.length},
					(_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`,
				),
			)
			.join(''),
	);
}

/** A statement as it is signed: a line for each of its parts, always the same ones in the same order. */
export function statementText(statement: Statement): string {
	// In quotes, so that no value can pose as another line.
	return [
		'fleet approval 1',
		...order.map(key => `${key} ${key === 'because' || key === 'run' ? quoted(statement[key]) : statement[key]}`),
		...(statement.viewed ? [`viewed ${viewedText(statement.viewed)}`] : []),
		'',
	].join('\n');
}
