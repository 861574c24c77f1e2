import type {Viewed} from '../run/viewed.ts';
import type {DiffFile} from './diff.ts';

/* What a person marked as viewed in a change, and said about it. */

/** What a person said about lines of a change. */
export type Comment = {
	readonly id: string;
	readonly path: string;
	readonly side: 'old' | 'new';
	/** First and last line, by their numbers on that side. */
	readonly from: number;
	readonly to: number;
	/** The lines as they were. */
	readonly quoted: string;
	readonly text: string;
	/** The file's change when it was written. */
	readonly digest: string;
	readonly sent: boolean;
};

/** What a person saw and said, kept beside the run. */
export type Review = {
	/** Digests of the files that were marked as viewed, by path. */
	readonly viewed: Readonly<Record<string, string>>;
	/** Those of them that were marked with others by one key, and not each by itself. */
	readonly atOnce?: Readonly<Record<string, string>> | undefined;
	readonly comments: readonly Comment[];
};

export const emptyReview: Review = {viewed: {}, comments: []};

/** Whether a file was marked as seen, exactly as it is now. */
export function isViewed(review: Review, file: DiffFile): boolean {
	return review.viewed[file.path] === file.digest;
}

/** How many files a change has, and how many of them were not marked as viewed, as they are now. */
export function countViewed(review: Review, files: readonly DiffFile[]): Viewed {
	const viewed = files.filter(file => isViewed(review, file));
	const atOnce = viewed.filter(file => review.atOnce?.[file.path] === file.digest).length;
	return {files: files.length, unviewed: files.length - viewed.length, ...(atOnce > 0 ? {atOnce} : {})};
}

export type CommentState = 'draft' | 'open' | 'answered' | 'stale';

/**
 * What became of a comment. `open`: sent, and the lines are as they were. `answered`: the lines it was about changed.
 * `stale`: the file is not in the change any more.
 */
export function commentState(comment: Comment, files: readonly DiffFile[]): CommentState {
	if (!comment.sent) {
		return 'draft';
	}

	const file = files.find(file => file.path === comment.path);
	if (!file) {
		return 'stale';
	}

	return file.digest === comment.digest ||
		linesOf(file, comment).join('\n') === comment.quoted ||
		findQuoted(file, comment) !== undefined
		? 'open'
		: 'answered';
}

function linesOf(file: DiffFile, {side, from, to}: Pick<Comment, 'side' | 'from' | 'to'>): string[] {
	return file.hunks
		.flatMap(hunk => hunk.lines)
		.filter(line => line[side] !== undefined && line[side] >= from && line[side] <= to)
		.map(line => line.text);
}

/**
 * Where the lines of a comment are now, on its side: of several that are the same, those nearest to where they were.
 * Undefined where they are not in the change any more.
 */
export function findQuoted(file: DiffFile, comment: Comment): number | undefined {
	const wanted = comment.quoted.split('\n');
	const found = file.hunks.flatMap(hunk => {
		const own = hunk.lines.filter(line => line[comment.side] !== undefined);
		return own.flatMap((_, index) =>
			wanted.every((text, offset) => own[index + offset]?.text === text)
				? [own[index + wanted.length - 1]![comment.side]!]
				: [],
		);
	});
	return found.sort((a, b) => Math.abs(a - comment.to) - Math.abs(b - comment.to))[0];
}

/** The drafts as one prompt. Undefined without any. */
export function reviewPrompt(comments: readonly Comment[]): string | undefined {
	const drafts = comments.filter(comment => !comment.sent);
	if (drafts.length === 0) {
		return undefined;
	}

	const parts = drafts.map((comment, index) => {
		const lines = comment.from === comment.to ? `line ${comment.to}` : `lines ${comment.from} to ${comment.to}`;
		const quoted = comment.quoted
			.split('\n')
			.slice(0, 12)
			.map(text => `> ${text}`)
			.join('\n');
		const side = comment.side === 'old' ? ' (before your change)' : '';
		return `${index + 1}. ${comment.path}, ${lines}${side}:\n${quoted}\n${comment.text}`;
	});
	const what = drafts.length === 1 ? 'this comment' : `these ${drafts.length} comments`;
	return `Your change was reviewed. Please work on ${what}, then run the tests and commit.\n\n${parts.join('\n\n')}`;
}
