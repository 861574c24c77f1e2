import type {Comment} from '../core/review/comments.ts';
import type {Span} from '../core/text/spans.ts';

/* What a form and a question are made of. */

/** One of several things to choose from, on a row of its own. */
export type Option = {
	readonly value: string;
	/** What is said of it, escaped. */
	readonly note: string;
	/** Whether it cannot be had now, which is what the note says. */
	readonly isOff?: boolean | undefined;
};

/** Something that is typed or chosen. */
export type Field = {
	/** What the code knows it by; the label is for people. */
	readonly id: string;
	readonly label: string;
	/** Of several options, those that are chosen, a line each. */
	readonly value: string;
	readonly hint: string;
	/** Where the cursor stands, in UTF-16 units, or on which option; undefined: at the end, and of options on the first. */
	readonly cursor?: number | undefined;
	/** What can be chosen; undefined for a field that is typed. */
	readonly choices?: readonly string[] | undefined;
	/** Whether all choices are shown, each with its number: the number's key chooses it. */
	readonly numbered?: boolean | undefined;
	/** What can be chosen, each on its row. */
	readonly options?: readonly Option[] | undefined;
	/** Whether more than one option can be chosen. */
	readonly several?: boolean | undefined;
	/** Whether it may have several lines. */
	readonly multiline?: boolean | undefined;
	/** A word that must be typed, key by key: what is pasted does not count. */
	readonly confirm?: string | undefined;
};

export type DialogKind =
	| 'allow'
	| 'approve'
	| 'reject'
	| 'request'
	| 'deploy'
	| 'deploy-no'
	| 'rollback'
	| 'reply'
	| 'merge'
	| 'merge-all'
	| 'publish'
	| 'rebase'
	| 'resume'
	| 'rerun'
	| 'release'
	| 'discard'
	| 'stop'
	| 'freeze-all'
	| 'acknowledge'
	| 'uncomment'
	| 'view-rest'
	| 'budget'
	| 'secret-add'
	| 'secret-remove'
	| 'comment'
	| 'send-comments'
	| 'waive'
	| 'clean'
	| 'learn'
	| 'init'
	| 'plan-accept'
	| 'plan-release'
	| 'plan-drop';

/** The lines that a comment is about. */
export type CommentPlace = Omit<Comment, 'id' | 'text' | 'sent'>;

/** Fields that are filled in, and the one that has the cursor. */
export type FormState = {readonly fields: readonly Field[]; readonly at: number};

/** What a question says, escaped: under a label ('' goes on below the last one), or by itself. */
export type DialogLine = {readonly label?: string | undefined; readonly spans: readonly Span[]};

/** A key and what it does, for the line below. */
export type KeyWord = {readonly key: string; readonly title: string};

/** What is asked before something is done. */
export type Dialog = FormState & {
	readonly kind: DialogKind;
	/** The runs that it is about. */
	readonly runs: readonly string[];
	/** The scope or secret that it is about, or the reason that is given. */
	readonly subject?: string | undefined;
	/** Where a comment goes. */
	readonly place?: CommentPlace | undefined;
	readonly title: string;
	/** What a person must know before the answer. */
	readonly lines: ReadonlyArray<string | DialogLine>;
	/** What is shown besides on demand, such as whole hashes; undefined where there is no such thing. */
	readonly details?: readonly DialogLine[] | undefined;
	/** Rows of what is said that were gone past, where the terminal is too low for all of them. */
	readonly past?: number | undefined;
	/** Whether the details are shown. */
	readonly isDetailed?: boolean | undefined;
	/** What enter does in the end, in a word or two; undefined for a question that one key answers. */
	readonly verb?: string | undefined;
	/** Whether enter does it in every field, since all of them are filled in. */
	readonly isReady?: boolean | undefined;
	/** Keys that work where nothing is typed, besides those of every dialog. */
	readonly keys?: readonly KeyWord[] | undefined;
	/** For a question that one key answers, what yes does, such as `stops it`; then there are no fields. */
	readonly yes?: string | undefined;
	/** The questions of the same kind that come after this one, by their runs, and how many there are in all. */
	readonly queue?: {readonly left: readonly string[]; readonly size: number} | undefined;
	/** When it was opened, milliseconds; undefined where that is not known. */
	readonly opened?: number | undefined;
};

/** Whether a key is text in a field, and not a command. */
export const isTyped = (field: Field | undefined): boolean =>
	field !== undefined && field.choices === undefined && field.options === undefined;

/** Whether enter answers now, and does not go on to the next field. */
export function isAnswered({fields, at, isReady}: Dialog): boolean {
	// The word that confirms is the answer; what else there is to fill in was optional.
	return isReady === true || fields[at]?.confirm !== undefined || at >= fields.length - 1;
}
