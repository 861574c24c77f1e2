import type {LockChange} from '../../core/packages/difference.ts';
import {changeText, flagLines, summarize, summaryText} from '../../core/packages/summary.ts';
import {binaryText} from '../../core/review/content.ts';
import type {DiffFile, DiffLine} from '../../core/review/diff.ts';
import {commentState, findQuoted, isViewed, type Comment, type Review} from '../../core/review/comments.ts';
import {lineEnds} from '../../core/review/blanks.ts';
import {isGenerated, type Flag} from '../../core/review/flags.ts';
import {escapeLine} from '../../core/text/escape-controls.ts';
import {breaksOf, wrapWords} from '../paint/fit.ts';
import type {ReviewState, State} from '../state.ts';
import {diffWidth, isOneSided, isSplit, textRoom, wrappedLine} from './layout.ts';
import {flagsFor} from './order.ts';

/* What a review shows, as rows. Pure, and each made once for the same change. */

export type ReviewRow =
	| {readonly kind: 'file'; readonly file: DiffFile; readonly folded: boolean; readonly note: string}
	/** `text`: what of it is in this row. */
	| {
			readonly kind: 'flag';
			readonly file: DiffFile | undefined;
			readonly flag: Flag;
			readonly text: string;
			readonly part: number;
	  }
	| {readonly kind: 'hunk'; readonly file: DiffFile; readonly header: string; readonly number: number}
	/** Unified: one of the two is there, or both are the same. Side by side: either may be missing. */
	| {
			readonly kind: 'line';
			readonly file: DiffFile;
			readonly hunk: number;
			readonly index: number;
			readonly left: DiffLine | undefined;
			readonly right: DiffLine | undefined;
			/** Of a line that is wrapped, which of its rows; 0 is the first. */ readonly part: number;
	  }
	| {readonly kind: 'comment'; readonly file: DiffFile; readonly comment: Comment; readonly text: string}
	/** What became of a package in a lock file, or of all of them. */
	| {readonly kind: 'package'; readonly file: DiffFile | undefined; readonly text: string}
	| {readonly kind: 'note'; readonly file: DiffFile | undefined; readonly text: string};

export function isFolded(file: DiffFile, {folds, review}: ReviewState): boolean {
	return folds[file.path] ?? (isGenerated(file) || isViewed(review, file) || file.hunks.length === 0);
}

function viewedNote(file: DiffFile, review: Review): string {
	if (isViewed(review, file)) {
		return 'viewed';
	}

	return review.viewed[file.path] === undefined ? '' : 'changed since you viewed it';
}

const ends = new WeakMap<DiffFile, string>();

/** What becomes of blanks and line ends, read once. */
function endsOf(file: DiffFile): string {
	const text = ends.get(file) ?? lineEnds(file);
	ends.set(file, text);
	return text;
}

function noteOf(file: DiffFile, {review, binaries = [], whole}: ReviewState): string {
	const parts = [
		viewedNote(file, review),
		file.binary ? binaryText(binaries.find(({path}) => path === file.path) ?? {before: null, after: null}) : '',
		whole[file.path] ? 'whole file' : '',
		isGenerated(file) ? 'generated' : '',
		endsOf(file),
		file.oldMode !== '' && file.newMode !== '' && file.oldMode !== file.newMode
			? `${file.oldMode} → ${file.newMode}`
			: '',
	];
	return parts.filter(part => part !== '').join(', ');
}

/** A line of a hunk in the place of its side; one that did not change is on both. */
function placeOf(line: DiffLine): [DiffLine | undefined, DiffLine | undefined] {
	switch (line.kind) {
		case '-': {
			return [line, undefined];
		}

		case '+': {
			return [undefined, line];
		}

		case ' ': {
			return [line, line];
		}
	}
}

/** The lines of a hunk in pairs: what was taken away beside what came in its place. */
function pairs(lines: readonly DiffLine[]): Array<[DiffLine | undefined, DiffLine | undefined]> {
	const result: Array<[DiffLine | undefined, DiffLine | undefined]> = [];
	let removed: DiffLine[] = [];
	let added: DiffLine[] = [];
	const flush = () => {
		for (let index = 0; index < Math.max(removed.length, added.length); index++) {
			result.push([removed[index], added[index]]);
		}

		removed = [];
		added = [];
	};

	for (const line of lines) {
		if (line.kind === '-') {
			if (added.length > 0) {
				flush();
			}

			removed.push(line);
		} else if (line.kind === '+') {
			added.push(line);
		} else {
			flush();
			result.push([line, line]);
		}
	}

	flush();
	return result;
}

/** The lines of a hunk as rows: in pairs, or one below the other. */
export function sidesOf(
	lines: readonly DiffLine[],
	isSplit: boolean,
): ReadonlyArray<readonly [DiffLine | undefined, DiffLine | undefined]> {
	return isSplit ? pairs(lines) : lines.map(line => placeOf(line));
}

/** Where a comment stands now: its line's number on its side. */
function placeOfComment(file: DiffFile, comment: Comment): number {
	return findQuoted(file, comment) ?? comment.to;
}

/** What became of a file, in a letter, as git has it. */
export const statusSigns = {added: 'A', deleted: 'D', renamed: 'R', copied: 'C', modified: 'M'} as const;

type Look = {readonly split: boolean; readonly width: number; readonly wrap: boolean};

/** Cells before the text of a flag, with its mark and a margin. */
const flagIndent = 7;

/** From as many columns on, what is to be said of a file stands beside its name, if it is not short. */
const noteColumns = 60;
const shortNote = 6;

/** Cells before a comment's text, with its mark and a margin. */
const commentIndent = 12;

/** Packages without a flag that are shown of a lock file that is folded. */
const foldedPackages = 8;

/** What is to be looked at first, whole: in as many rows as it takes. */
function flagRows(file: DiffFile | undefined, flag: Flag, width: number): ReviewRow[] {
	const text = `${flag.id}: ${escapeLine(flag.text)}`;
	return wrapWords([{text}], Math.max(8, width - flagIndent)).map((spans, part) => ({
		kind: 'flag',
		file,
		flag,
		text: spans.map(span => span.text).join(''),
		part,
	}));
}

/** What became of packages in all files, and what of it is to be looked at first in files that the diff does not show. */
function packageHead(files: readonly DiffFile[], locks: readonly LockChange[] = [], width: number): ReviewRow[] {
	const summary = summarize(locks);
	const hidden = locks.filter(({path}) => files.every(file => file.path !== path));
	return summary === undefined
		? []
		: [
				{kind: 'package', file: undefined, text: `packages: ${summaryText(summary)}`},
				...hidden.flatMap(lock => flagLines(lock)).flatMap(text => flagRows(undefined, {id: 'packages', text}, width)),
			];
}

const hunkRows = new WeakMap<DiffFile, {readonly look: string; readonly rows: readonly ReviewRow[]}>();

/** Makes the rows of a review. One for each time, as all of them depend on how it is looked at. */
class RowMaker {
	readonly #review: ReviewState;
	readonly #look: Look;
	readonly #rows: ReviewRow[] = [];

	constructor(review: ReviewState, look: Look) {
		this.#review = review;
		this.#look = look;
	}

	make(): readonly ReviewRow[] {
		const {files, review, commitFlags = [], facts} = this.#review;
		// A merge that keeps the run's commits brings what they say, too.
		for (const text of commitFlags) {
			this.#rows.push(...flagRows(undefined, {id: 'control', text}, this.#look.width));
		}

		this.#rows.push(...packageHead(files, facts?.packages, this.#look.width));
		for (const file of files) {
			this.#addFile(file);
		}

		for (const comment of review.comments.filter(({path}) => files.every(file => file.path !== path))) {
			const text = `${comment.path}: ${comment.text} (${commentState(comment, files)}: no longer in the change)`;
			this.#rows.push({kind: 'note', file: undefined, text});
		}

		return this.#rows;
	}

	#addFile(file: DiffFile): void {
		const folded = isFolded(file, this.#review);
		const comments = this.#review.review.comments.filter(comment => comment.path === file.path);
		const note = noteOf(file, this.#review);
		const isBeside = this.#look.width >= noteColumns || note.length <= shortNote;
		this.#rows.push({kind: 'file', file, folded, note: isBeside ? note : ''});
		if (!isBeside) {
			this.#rows.push({kind: 'note', file, text: note});
		}

		for (const flag of flagsFor(file, this.#review.facts)) {
			this.#rows.push(...flagRows(file, flag, this.#look.width));
		}

		this.#addPackages(file, folded);
		// Below the lines that they are about, where those are shown; else at the end of the file.
		const left = new Map(comments.map(comment => [comment, placeOfComment(file, comment)]));
		if (!folded) {
			this.#addHunks(file, left);
		}

		for (const comment of left.keys()) {
			this.#addComment(file, comment);
		}
	}

	/** Those of a file without comments are made once for the same look: a mark or a fold elsewhere changes none of them. */
	#addHunks(file: DiffFile, comments: Map<Comment, number>): void {
		const {split, width, wrap} = this.#look;
		const look = `${split} ${width} ${wrap}`;
		const known = comments.size === 0 ? hunkRows.get(file) : undefined;
		if (known?.look === look) {
			for (const row of known.rows) {
				this.#rows.push(row);
			}

			return;
		}

		const from = this.#rows.length;
		const isPlain = comments.size === 0;
		for (const [number, hunk] of file.hunks.entries()) {
			this.#rows.push({kind: 'hunk', file, header: hunk.header, number});
			this.#addLines(file, number, comments);
		}

		if (isPlain) {
			hunkRows.set(file, {look, rows: this.#rows.slice(from)});
		}
	}

	/** Of a lock file that is folded, the first of the packages that have no flag; else each that is known. */
	#addPackages(file: DiffFile, folded: boolean): void {
		const lock = this.#review.facts?.packages?.find(({path}) => path === file.path);
		const plain = (lock?.packages ?? []).filter(({flags}) => flags.length === 0);
		const shown = plain.slice(0, folded ? foldedPackages : undefined);
		const left = plain.length - shown.length + (lock?.more ?? 0);
		const texts = [...shown.map(one => changeText(one)), ...(left > 0 ? [`and ${left} more`] : [])];
		for (const text of texts) {
			this.#rows.push({kind: 'package', file, text});
		}
	}

	/** @param comments those that have no row yet, and where they stand */
	#addLines(file: DiffFile, hunk: number, comments: Map<Comment, number>): void {
		const {lines} = file.hunks[hunk]!;
		for (const [index, [left, right]] of sidesOf(lines, this.#look.split && !isOneSided(file)).entries()) {
			const parts = Math.max(this.#partsOf(file, left), this.#partsOf(file, right));
			for (let part = 0; part < parts; part++) {
				this.#rows.push({kind: 'line', file, hunk, index, left, right, part});
			}

			for (const [comment, at] of comments) {
				if (comment.side === 'old' ? left?.old === at : right?.new === at) {
					comments.delete(comment);
					this.#addComment(file, comment);
				}
			}
		}
	}

	/** Rows that a line takes. */
	#partsOf(file: DiffFile, line: DiffLine | undefined): number {
		const {split, width, wrap} = this.#look;
		return line && wrap ? wrappedLine(file, line, textRoom(split && !isOneSided(file), width)).breaks.length : 1;
	}

	#addComment(file: DiffFile, comment: Comment): void {
		const text = `${commentState(comment, this.#review.files)}: ${comment.text}`;
		for (const line of text.split('\n').map(part => escapeLine(part))) {
			const breaks = breaksOf(line, Math.max(8, this.#look.width - commentIndent));
			for (const [index, from] of breaks.entries()) {
				this.#rows.push({kind: 'comment', file, comment, text: line.slice(from, breaks[index + 1])});
			}
		}
	}
}

let last: {files: unknown; review: unknown; folds: unknown; look: Look; rows: readonly ReviewRow[]} | undefined;

/** The rows of a review. Made once for the same files, marks, folds and width. */
export function reviewRows(state: Pick<State, 'columns'>, review: ReviewState): readonly ReviewRow[] {
	const look: Look = {split: isSplit(state, review), width: diffWidth(state), wrap: review.wrap};
	if (
		!last ||
		last.files !== review.files ||
		last.review !== review.review ||
		last.folds !== review.folds ||
		last.look.split !== look.split ||
		last.look.width !== look.width ||
		last.look.wrap !== look.wrap
	) {
		last = {
			files: review.files,
			review: review.review,
			folds: review.folds,
			look,
			rows: new RowMaker(review, look).make(),
		};
	}

	return last.rows;
}
