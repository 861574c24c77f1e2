import type {LockChange} from '../../core/packages/difference.ts';
import type {Review} from '../../core/review/comments.ts';
import type {BinaryChange} from '../../core/review/content.ts';
import type {DiffFile} from '../../core/review/diff.ts';
import type {FlagFacts} from '../../core/review/flags.ts';

/* What the screen knows of a change, hears of it and wants done with it. */

export type ReviewState = {
	readonly run: string;
	readonly files: readonly DiffFile[];
	readonly review: Review;
	/** What the flags of its files depend on. */
	readonly facts?: FlagFacts | undefined;
	/** What became of files that are not text. */
	readonly binaries?: readonly BinaryChange[] | undefined;
	/** Files that are shown with every line, by path: as they were before. */
	readonly whole: Readonly<Record<string, DiffFile>>;
	/** What in the run's commits' messages and names is to be looked at first. */
	readonly commitFlags?: readonly string[] | undefined;
	/** Folded by hand, or unfolded, by path. */
	readonly folds: Readonly<Record<string, boolean>>;
	readonly split: 'auto' | 'unified' | 'side by side';
	/** Whether a long line goes on in the next row; else its end is counted. */
	readonly wrap: boolean;
	/** The row under the cursor, and the first in view. */
	readonly at: number;
	readonly top: number;
	/** Where a range of lines begins. */
	readonly anchor: number | undefined;
	/** What is searched for, and which of its matches was gone to last. */
	readonly search: {readonly text: string; readonly at: number | undefined} | undefined;
	/** Whether keys go to the list of the files: beside the change, or in its place where there is no room for both. */
	readonly isListing: boolean;
};

export type ReviewMessage =
	| {
			readonly type: 'diff';
			readonly run: string;
			readonly files: readonly DiffFile[];
			readonly review: Review;
			/** What became of packages in its lock files. */
			readonly packages?: readonly LockChange[] | undefined;
			readonly binaries?: readonly BinaryChange[] | undefined;
			readonly problem?: string | undefined;
	  }
	/** A file with every line of it. */
	| {readonly type: 'whole'; readonly run: string; readonly file: DiffFile};

export type ReviewEffect =
	| {readonly type: 'diff'; readonly run: string}
	| {readonly type: 'whole'; readonly run: string; readonly path: string}
	| {readonly type: 'save-review'; readonly run: string; readonly review: Review};
