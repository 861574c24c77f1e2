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

/** In as few characters as a column has: `4f +12 -3`. */
export function formatChanges(changes: Changes | undefined): string {
	if (!changes) {
		return '';
	}

	const short = (count: number) => (count < 10_000 ? String(count) : `${Math.floor(count / 1000)}k`);
	return changes.files === 0 ? '=' : `${short(changes.files)}f +${short(changes.added)} -${short(changes.removed)}`;
}
