/**
 * What a run's folder differs by from the commit it started at:
 * files and lines, with those of new ones that are not ignored.
 */
export type Changes = {
	readonly files: number;
	readonly added: number;
	readonly removed: number;
	readonly untracked: number;
};

/** For a column: `4 files +12 -3`; empty for no changes, and where they are not known. */
export function formatChanges(changes: Changes | undefined): string {
	if (!changes || changes.files === 0) {
		return '';
	}

	const short = (count: number) => (count < 10_000 ? String(count) : `${Math.floor(count / 1000)}k`);
	const files = `${short(changes.files)} ${changes.files === 1 ? 'file' : 'files'}`;
	return `${files} +${short(changes.added)} -${short(changes.removed)}`;
}
