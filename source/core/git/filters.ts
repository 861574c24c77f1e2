import {quoteWord} from '../text/shell-words.ts';

/* Filters, by which git keeps files in another form than people see: Git LFS, nbstripout, git-crypt and their like. */

/**
 * A filter that a run's files pass inside its sandbox and in the jail, as it was when the run was made. Git LFS has no
 * commands: what it does is known, and is done by a program of fleet's own that has no network and runs nobody's.
 */
export type Filter = {
	readonly name: string;
	readonly clean?: string | undefined;
	readonly smudge?: string | undefined;
	readonly process?: string | undefined;
};

export const lfs = 'lfs';

/** Where fleet's own program for Git LFS lies in a git folder. */
export const lfsProgram = 'fleet-lfs';

/** Whether a run's files hold what Git LFS keeps elsewhere. */
export function hasLfs(filters: readonly Filter[] | undefined): boolean {
	return filters?.some(({name}) => name === lfs) ?? false;
}

/** The filters that are programs of the person's. */
export function commandsOf(filters: readonly Filter[] | undefined): Filter[] {
	return (filters ?? []).filter(({name}) => name !== lfs);
}

/** Where the content of Git LFS is: where new content goes, and where else it is read. */
export type LfsPlaces = {readonly program: string; readonly write: string; readonly read: readonly string[]};

/** Settings of git, by their full names, that have files pass these filters. A filter that fails is an error. */
export function filterSettings(
	filters: readonly Filter[] | undefined,
	{program, write, read}: LfsPlaces,
): Array<readonly [key: string, value: string]> {
	return (filters ?? []).flatMap(({name, clean, smudge, process: both}) => {
		const command = name === lfs ? ['perl', program, write, ...read].map(word => quoteWord(word)).join(' ') : both;
		// Of a filter that has to succeed, git takes a half that is not there for one that failed.
		const halves = {clean: clean ?? 'cat', smudge: smudge ?? 'cat', required: 'true'};
		return Object.entries(command === undefined ? halves : {process: command, required: 'true'}).map(
			([key, value]) => [`filter.${name}.${key}`, value] as const,
		);
	});
}

/** What stands in a repository for content that Git LFS keeps elsewhere, as LFS itself writes it. */
const pointer =
	/^version https:\/\/git-lfs\.github\.com\/spec\/v1\noid sha256:(?<oid>[\da-f]{64})\nsize (?<size>\d{1,15})\n$/;

/** The SHA-256 of content, and how many bytes it has. */
export type Pointer = {readonly oid: string; readonly size: number};

/** @param content latin1 @returns undefined for what is no pointer, or one that LFS would write otherwise */
export function readPointer(content: string): Pointer | undefined {
	const {oid, size} = pointer.exec(content)?.groups ?? {};
	return oid === undefined ? undefined : {oid, size: Number(size)};
}

/** Bytes that such a pointer has, at least and at most. */
export const pointerBytes = {least: 125, most: 145};

/** Where content lies below a store of LFS. */
export function placeOfContent(oid: string): string {
	return `${oid.slice(0, 2)}/${oid.slice(2, 4)}/${oid}`;
}
