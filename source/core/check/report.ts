/* What a check of a branch comes to. */

/** Something about a commit that does not hold, or cannot be told. */
export type Finding = {readonly commit: string; readonly because: string; readonly hint: string};

/**
 * What was accepted, and is open all the same. `break-glass`: merged by one person alone. `four-eyes`: approved by nobody
 * but who had the work done. `rules`: nobody signed a change of who decides. `no-people`: nobody decides any more. `merger`: a
 * merge without fleet's trailers, so that nobody signed it but those who approved it.
 */
export type Warning = {
	readonly kind: 'break-glass' | 'four-eyes' | 'rules' | 'no-people' | 'merger';
	readonly commit: string;
	readonly because: string;
};

/** What a check of a branch comes to. */
export type Report = {
	/** The full ref that was checked. */
	readonly target: string;
	readonly tip: string;
	/** The commit after which it began; undefined for all of it. */
	readonly from: string | undefined;
	readonly result: 'holds' | 'refused' | 'inconclusive';
	/** Commits of the branch's own line that were looked at, until the first that does not hold. */
	readonly commits: number;
	/** How many of them were merged by what people signed, */
	readonly merges: number;
	/** and commits by people, with what a merge of theirs brought: signed by one of them, or not checked, */
	readonly signed: number;
	readonly unchecked: number;
	/** and commits from when nobody was named. */
	readonly before: number;
	/** The commit that first names people, which nothing but itself says that it may. */
	readonly trusted: string | undefined;
	readonly warnings: readonly Warning[];
	/** The first commit that does not hold. */
	readonly refused: Finding | undefined;
	readonly inconclusive: readonly Finding[];
};

const short = (name: string) => name.slice(0, 12);

function counted(count: number, one: string, many: string): string[] {
	return count === 0 ? [] : [`${count} ${count === 1 ? one : many}`];
}

/** What was found, in one line. */
export function summaryText(report: Report): string {
	const {tip, from, commits, merges, signed, unchecked, before, result} = report;
	const branch = report.target.replace('refs/heads/', '');
	const parts = [
		...counted(merges, 'came by what people signed', 'came by what people signed'),
		...counted(signed, 'commit signed by one of the people', 'commits signed by one of the people'),
		...counted(unchecked, 'commit by people that is not checked', 'commits by people that are not checked'),
		...counted(before, 'commit from before fleet', 'commits from before fleet'),
	];
	const words = {holds: 'nothing came there by itself', refused: 'does not hold', inconclusive: 'cannot be proved'};
	return (
		`${branch} at ${short(tip)}${from === undefined ? '' : ` since ${short(from)}`}: ${words[result]}; ` +
		`${commits} ${commits === 1 ? 'commit' : 'commits'}${parts.length === 0 ? '' : `: ${parts.join(', ')}`}`
	);
}
