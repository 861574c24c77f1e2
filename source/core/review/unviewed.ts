import {gateRefusal, type Refusal} from '../refusal.ts';
import {printable} from '../names.ts';
import {isViewed, type Review} from './comments.ts';
import type {DiffFile} from './diff.ts';
import type {Flag} from './flags.ts';

/* What of a change is approved without having been viewed. */

/** Files that a refusal names. */
const maxNames = 3;

/**
 * Files with a flag that nobody marked as viewed, as they are now.
 * @param flags of a file: `flagsOf`, or what remembers it
 */
export function flaggedUnviewed(
	review: Review,
	files: readonly DiffFile[],
	flags: (file: DiffFile) => readonly Flag[],
): readonly DiffFile[] {
	return files.filter(file => !isViewed(review, file) && flags(file).length > 0);
}

/**
 * May it be approved without a reason? Only if each file with a flag was viewed.
 * @param flagged see `flaggedUnviewed`; undefined where the change could not be read
 */
export function decideUnviewed(
	run: {readonly id: string},
	flagged: readonly DiffFile[] | undefined,
	because: string,
): Refusal | undefined {
	if (because !== '' || flagged?.length === 0) {
		return undefined;
	}

	const hint = `fleet approve ${run.id} --because "why"; what it is: fleet diff ${run.id}`;
	if (!flagged) {
		return gateRefusal('the change could not be read, so that nobody viewed it: an approval needs a reason', hint);
	}

	const names = flagged.slice(0, maxNames).map(({path}) => printable(path, 100));
	const more = flagged.length > maxNames ? ` and ${flagged.length - maxNames} more` : '';
	return gateRefusal(
		`${flagged.length === 1 ? 'a file with a flag is' : `${flagged.length} files with a flag are`} not viewed ` +
			`(${names.join(', ')}${more}): an approval needs a reason`,
		hint,
	);
}
