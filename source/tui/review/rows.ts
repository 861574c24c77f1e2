import type {DiffFile, DiffLine} from '../../core/review/diff.ts';
import {
	commentState,
	findQuoted,
	flagsOf,
	hasMixedEnds,
	isGenerated,
	isViewed,
	lineEnds,
	type Comment,
	type Flag,
	type Review,
} from '../../core/review/review.ts';
import {neutraliseLine} from '../../core/text/escape-controls.ts';
import {breaksOf} from '../paint/fit.ts';
import type {ReviewState, State} from '../state.ts';
import {bad, good, stay, type Step} from '../step.ts';

/* What a review shows, as rows; and what its keys do to it. Pure, and each made once for the same change. */

export type ReviewRow =
	| {readonly kind: 'file'; readonly file: DiffFile; readonly folded: boolean; readonly note: string}
	| {readonly kind: 'flag'; readonly file: DiffFile | undefined; readonly flag: Flag}
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
	| {readonly kind: 'note'; readonly file: DiffFile | undefined; readonly text: string};

const flagCache = new WeakMap<DiffFile, {readonly verify: readonly string[]; readonly flags: Flag[]}>();

const noCommands: readonly string[] = [];

function flagsFor(file: DiffFile, verify = noCommands): Flag[] {
	const known = flagCache.get(file);
	if (known?.verify === verify) {
		return known.flags;
	}

	const flags = flagsOf(file, verify);
	flagCache.set(file, {verify, flags});
	return flags;
}

const order: ReadonlyArray<Flag['id']> = [
	'secret',
	'control',
	'blanks',
	'policy',
	'verify',
	'tests',
	'ci',
	'hooks',
	'agent',
	'editor',
	'git',
	'install',
	'dependency',
	'link',
	'executable',
];

/** Files with flags first, the gravest before; then as git has them. */
function orderFiles(files: readonly DiffFile[], verify: readonly string[] | undefined): DiffFile[] {
	const rank = (file: DiffFile) =>
		Math.min(order.length, ...flagsFor(file, verify).map(flag => order.indexOf(flag.id)));
	return files
		.map((file, index) => ({file, index, rank: rank(file)}))
		.sort((a, b) => a.rank - b.rank || a.index - b.index)
		.map(({file}) => file);
}

/** Whether the diff is drawn side by side. */
export function isSplit(state: Pick<State, 'columns'>, review: ReviewState): boolean {
	return review.split === 'side by side' || (review.split === 'auto' && state.columns >= 140);
}

function isFolded(file: DiffFile, {folds, review}: ReviewState): boolean {
	return folds[file.path] ?? (isGenerated(file) || isViewed(review, file) || file.hunks.length === 0);
}

function viewedNote(file: DiffFile, review: Review): string {
	if (isViewed(review, file)) {
		return 'viewed';
	}

	return review.viewed[file.path] === undefined ? '' : 'changed since you viewed it';
}

function noteOf(file: DiffFile, review: Review): string {
	const parts = [
		viewedNote(file, review),
		file.binary ? 'binary' : '',
		isGenerated(file) ? 'generated' : '',
		lineEnds(file),
		file.oldMode !== '' && file.newMode !== '' && file.oldMode !== file.newMode
			? `${file.oldMode} → ${file.newMode}`
			: '',
	];
	return parts.filter(part => part !== '').join(', ');
}

/** A line of a hunk in the place of its side; one that did not change is on both. */
function sidesOf(line: DiffLine): [DiffLine | undefined, DiffLine | undefined] {
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

/** Where a comment stands now: its line's number on its side. */
function placeOfComment(file: DiffFile, comment: Comment): number {
	return findQuoted(file, comment) ?? comment.to;
}

/** What stands behind a line's text: how it ends, where that matters. */
function endOf(file: DiffFile, line: DiffLine): string {
	const known = mixed.get(file) ?? hasMixedEnds(file);
	mixed.set(file, known);
	const carriageReturn = line.cr && line.kind !== ' ' && known ? ' (ends in a carriage return)' : '';
	return `${carriageReturn}${line.open ? ' (no newline at end of file)' : ''}`;
}

const mixed = new WeakMap<DiffFile, boolean>();

/** Cells for a line's text, behind its numbers and its sign. @param width of the screen */
export function textRoom(split: boolean, width: number): number {
	return Math.max(8, split ? Math.floor((width - 2) / 2) - 7 : width - 13);
}

let wrapped: {width: number; breaks: WeakMap<DiffLine, readonly number[]>} = {width: 0, breaks: new WeakMap()};

/** A line's text as it is shown, with how it ends, and where its rows begin. */
export function wrappedLine(
	file: DiffFile,
	line: DiffLine,
	width: number,
): {readonly end: string; readonly breaks: readonly number[]} {
	const end = endOf(file, line);
	// Every character takes two cells at the most.
	if (2 * (line.text.length + end.length) <= width) {
		return {end, breaks: [0]};
	}

	if (wrapped.width !== width) {
		wrapped = {width, breaks: new WeakMap()};
	}

	const breaks = wrapped.breaks.get(line) ?? breaksOf(line.text + end, width);
	wrapped.breaks.set(line, breaks);
	return {end, breaks};
}

type Look = {readonly split: boolean; readonly width: number; readonly wrap: boolean};

function makeRows(review: ReviewState, {split, width, wrap}: Look): ReviewRow[] {
	const rows: ReviewRow[] = [];
	const room = textRoom(split, width);
	const partsOf = (file: DiffFile, line: DiffLine | undefined) =>
		line && wrap ? wrappedLine(file, line, room).breaks.length : 1;
	const commentRows = (file: DiffFile, comment: Comment) =>
		commentText(comment, review.files)
			.split('\n')
			.flatMap(text => {
				const breaks = breaksOf(neutraliseLine(text), Math.max(8, width - 12));
				return breaks.map((from, index): ReviewRow => ({
					kind: 'comment',
					file,
					comment,
					text: neutraliseLine(text).slice(from, breaks[index + 1]),
				}));
			});
	// A merge that keeps the run's commits brings what they say, too.
	rows.push(
		...(review.commitFlags ?? []).map((text): ReviewRow => ({
			kind: 'flag',
			file: undefined,
			flag: {id: 'control', text},
		})),
	);
	for (const file of review.files) {
		const folded = isFolded(file, review);
		const comments = review.review.comments.filter(comment => comment.path === file.path);
		rows.push({kind: 'file', file, folded, note: noteOf(file, review.review)});
		rows.push(...flagsFor(file, review.verify).map((flag): ReviewRow => ({kind: 'flag', file, flag})));
		if (folded) {
			rows.push(...comments.flatMap(comment => commentRows(file, comment)));
			continue;
		}

		const placed = new Set<string>();
		for (const [number, hunk] of file.hunks.entries()) {
			rows.push({kind: 'hunk', file, header: hunk.header, number});
			const lines = split ? pairs(hunk.lines) : hunk.lines.map(line => sidesOf(line));
			for (const [index, [left, right]] of lines.entries()) {
				for (let part = 0; part < Math.max(partsOf(file, left), partsOf(file, right)); part++) {
					rows.push({kind: 'line', file, hunk: number, index, left, right, part});
				}

				for (const comment of comments) {
					const at = placeOfComment(file, comment);
					if (
						!placed.has(comment.id) &&
						(comment.side === 'old' ? left?.old === at && left?.kind === '-' : right?.new === at)
					) {
						placed.add(comment.id);
						rows.push(...commentRows(file, comment));
					}
				}
			}
		}

		rows.push(...comments.filter(comment => !placed.has(comment.id)).flatMap(comment => commentRows(file, comment)));
	}

	const gone = review.review.comments.filter(comment => !review.files.some(file => file.path === comment.path));
	rows.push(
		...gone.map((comment): ReviewRow => ({
			kind: 'note',
			file: undefined,
			text: `${comment.path}: ${comment.text} (${commentState(comment, review.files)}: no longer in the change)`,
		})),
	);
	return rows;
}

function commentText(comment: Comment, files: readonly DiffFile[]): string {
	return `${commentState(comment, files)}: ${comment.text}`;
}

let last: {files: unknown; review: unknown; folds: unknown; look: Look; rows: readonly ReviewRow[]} | undefined;

/** The rows of a review. Made once for the same files, marks, folds and width. */
export function reviewRows(state: Pick<State, 'columns'>, review: ReviewState): readonly ReviewRow[] {
	const look: Look = {split: isSplit(state, review), width: state.columns, wrap: review.wrap};
	if (
		!last ||
		last.files !== review.files ||
		last.review !== review.review ||
		last.folds !== review.folds ||
		last.look.split !== look.split ||
		last.look.width !== look.width ||
		last.look.wrap !== look.wrap
	) {
		last = {files: review.files, review: review.review, folds: review.folds, look, rows: makeRows(review, look)};
	}

	return last.rows;
}

const rowsOf = (state: State, review: ReviewState) => reviewRows(state, review);

/** Whether two rows are of the same thing, where the rows were made anew in another layout. */
function isSame(row: ReviewRow | undefined, other: ReviewRow): boolean {
	if (row?.kind === 'line' && other.kind === 'line') {
		return (
			other.file === row.file &&
			other.hunk === row.hunk &&
			((row.right !== undefined && other.right === row.right) || (row.left !== undefined && other.left === row.left))
		);
	}

	if (row?.kind === 'hunk' && other.kind === 'hunk') {
		return other.file === row.file && other.number === row.number;
	}

	if (row?.kind === 'comment' && other.kind === 'comment') {
		return other.comment.id === row.comment.id;
	}

	return row?.kind === other.kind && row.file === other.file;
}

/** The same line under the cursor after what made other rows of it: a width, another layout, wrapping. */
export function keepPlace(before: State, after: State): State {
	const [from, to] = [before.review, after.review];
	if (!from || !to) {
		return after;
	}

	const row = rowsOf(before, from)[from.at];
	const at = rowsOf(after, to).findIndex(other => isSame(row, other));
	return moveTo(after, {...to, anchor: undefined}, at === -1 ? to.at : at);
}

/** With the cursor on a row, and that row in view. @param height of the rows that are drawn */
export function moveTo(state: State, review: ReviewState, at: number): State {
	const height = Math.max(1, state.rows - 5);
	const to = Math.max(0, Math.min(rowsOf(state, review).length - 1, at));
	const margin = Math.min(2, Math.floor((height - 1) / 2));
	const top = Math.max(0, Math.min(Math.max(review.top, to - height + 1 + margin), to - margin));
	return {...state, review: {...review, at: to, top}};
}

/** To the next row of a kind, before or after. */
export function moveToKind(state: State, kinds: ReadonlyArray<ReviewRow['kind']>, by: 1 | -1): Step {
	const review = state.review!;
	const rows = rowsOf(state, review);
	for (let at = review.at + by; at >= 0 && at < rows.length; at += by) {
		if (kinds.includes(rows[at]!.kind)) {
			const moved = moveTo(state, review, at);
			// A file that is gone to begins at the top.
			return stay({
				...moved,
				review: {...moved.review!, top: kinds.includes('hunk') ? moved.review!.top : Math.max(0, at - 1)},
			});
		}
	}

	return stay(state);
}

function fileAt(state: State): DiffFile | undefined {
	const row = state.review && rowsOf(state, state.review)[state.review.at];
	return row && 'file' in row ? row.file : undefined;
}

/** The cursor on a file's own row. */
function onFile(state: State, path: string): State {
	const review = state.review!;
	return moveTo(
		state,
		review,
		Math.max(
			0,
			rowsOf(state, review).findIndex(row => row.kind === 'file' && row.file.path === path),
		),
	);
}

export function foldFile(state: State): Step {
	const review = state.review!;
	const file = fileAt(state);
	return file
		? stay(
				onFile(
					{...state, review: {...review, folds: {...review.folds, [file.path]: !isFolded(file, review)}}},
					file.path,
				),
			)
		: stay(state);
}

/**
 * Marks the file under the cursor as seen, as it is now, and goes on to the next that is not; or takes the mark away.
 */
export function toggleViewed(state: State): Step {
	const review = state.review!;
	const file = fileAt(state);
	if (!file) {
		return stay(state);
	}

	const seen = isViewed(review.review, file);
	const {[file.path]: _, ...others} = review.review.viewed;
	const {[file.path]: __, ...folds} = review.folds;
	const next: Review = {...review.review, viewed: seen ? others : {...others, [file.path]: file.digest}};
	const marked = onFile({...state, review: {...review, review: next, folds}}, file.path);
	const to = marked.review!.files.find(other => !isViewed(next, other));
	return {
		state: seen || !to ? marked : onFile(marked, to.path),
		effects: [{type: 'save-review', run: review.run, review: next}],
	};
}

/**
 * The lines that a comment would be about: the range, or the one under the cursor. Undefined where there is no line.
 */
function commentPlace(state: State): Omit<Comment, 'id' | 'text' | 'sent'> | undefined {
	const review = state.review!;
	const rows = rowsOf(state, review);
	const [first, end] = [
		Math.min(review.anchor ?? review.at, review.at),
		Math.max(review.anchor ?? review.at, review.at),
	];
	const picked = rows.slice(first, end + 1).flatMap(row => (row.kind === 'line' ? [row] : []));
	// A line that is wrapped is one line.
	const lines = picked.filter(
		(row, index) =>
			index === 0 ||
			row.index !== picked[index - 1]!.index ||
			row.hunk !== picked[index - 1]!.hunk ||
			row.file !== picked[index - 1]!.file,
	);
	const file = lines[0]?.file;
	if (!file || lines.some(line => line.file !== file)) {
		return undefined;
	}

	const side = lines.some(line => line.right !== undefined) ? 'new' : 'old';
	const own = lines.map(line => (side === 'new' ? line.right : line.left)).filter(line => line !== undefined);
	const numbers = own.map(line => line[side]!).filter(number => number !== undefined);
	return {
		path: file.path,
		side,
		from: Math.min(...numbers),
		to: Math.max(...numbers),
		quoted: own.map(line => line.text).join('\n'),
		digest: file.digest,
	};
}

/** With the cursor on a line: from a heading, on the first one below it in the same file, if there is one. */
export function onLine(state: State): State {
	const review = state.review!;
	const rows = rowsOf(state, review);
	const row = rows[review.at];
	if (review.anchor !== undefined || row?.kind === 'line' || row?.kind === 'comment' || row?.kind === 'note') {
		return state;
	}

	const below = rows.findIndex(
		(other, index) =>
			index > review.at && ((other.kind === 'line' && other.right !== undefined) || other.kind === 'file'),
	);
	return rows[below]?.kind === 'line' ? moveTo(state, review, below) : state;
}

/** What the comment dialog is opened for, as its subject; undefined where the cursor is not on a line. */
export function commentSubject(state: State): string | undefined {
	const place = commentPlace(state);
	return place && JSON.stringify(place);
}

/** Where a comment goes, from what a dialog was opened with. */
export function commentAt(subject: string): Omit<Comment, 'id' | 'text' | 'sent'> {
	return JSON.parse(subject) as Omit<Comment, 'id' | 'text' | 'sent'>;
}

export function addComment(state: State, subject: string, text: string): Step {
	const review = state.review!;
	const place = commentAt(subject);
	const number = 1 + Math.max(0, ...review.review.comments.map(comment => Number(comment.id)));
	const next: Review = {
		...review.review,
		comments: [...review.review.comments, {...place, id: String(number), text, sent: false}],
	};
	const kept: State = {
		...state,
		review: {...review, review: next, anchor: undefined},
		notice: {text: `draft saved (S sends ${next.comments.filter(comment => !comment.sent).length})`, bad: false},
	};
	const at = rowsOf(kept, kept.review!).findIndex(row => row.kind === 'comment' && row.comment.id === String(number));
	return {
		state: at === -1 ? kept : moveTo(kept, kept.review!, at),
		effects: [{type: 'save-review', run: review.run, review: next}],
	};
}

/** The comment under the cursor, if it is on one. */
export function commentUnder(state: State): Comment | undefined {
	const row = state.review && rowsOf(state, state.review)[state.review.at];
	return row?.kind === 'comment' ? row.comment : undefined;
}

/** Takes the comment under the cursor away. */
export function removeComment(state: State): Step {
	const review = state.review!;
	const row = rowsOf(state, review)[review.at];
	if (row?.kind !== 'comment') {
		return bad(state, 'the cursor is not on a comment');
	}

	const next: Review = {
		...review.review,
		comments: review.review.comments.filter(comment => comment.id !== row.comment.id),
	};
	const step = good(
		moveTo({...state, review: {...review, review: next}}, {...review, review: next}, review.at),
		'comment deleted',
	);
	return {state: step.state, effects: [{type: 'save-review', run: review.run, review: next}]};
}

/** All drafts as sent. */
export function markSent(state: State): Step {
	const review = state.review!;
	const next: Review = {...review.review, comments: review.review.comments.map(comment => ({...comment, sent: true}))};
	return {
		state: {...state, review: {...review, review: next}},
		effects: [{type: 'save-review', run: review.run, review: next}],
	};
}

/** A change that was read anew: the cursor stays on its file. */
export function withDiff(state: State, run: string, files: readonly DiffFile[], review: Review): State {
	const before = state.review?.run === run ? state.review : undefined;
	const path = before && fileAt(state)?.path;
	const own = state.runs.find(({id}) => id === run);
	const project = own?.project.id;
	const commitFlags = own?.captured?.commitFlags ?? [];
	const verify = project === undefined ? undefined : state.offers[project]?.verify;
	const next: ReviewState = {
		run,
		files: orderFiles(files, verify),
		verify,
		commitFlags,
		review,
		folds: before?.folds ?? {},
		split: before?.split ?? 'auto',
		wrap: before?.wrap ?? true,
		at: before?.at ?? commitFlags.length,
		top: before?.top ?? 0,
		anchor: undefined,
	};
	const moved = moveTo({...state, review: next}, next, next.at);
	return path === undefined || fileAt(moved)?.path === path ? moved : onFile(moved, path);
}
