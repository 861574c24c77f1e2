import {attentionOf} from '../../core/run/attention.ts';
import type {Run} from '../../core/run/run.ts';
import {glanceOf} from '../list.ts';
import type {State} from '../state.ts';
import {spokenRow} from './rows.ts';
import {askedOf, heardOf, spokenField, spokenKeys, type Asked, type Heard} from './view.ts';
import {spokenText, withoutTimes} from './words.ts';

/* What is said from one state to the next: each change once, and nothing that is as it was. Pure. */

/** Lines to be said, one after the other, and before them what was typed, which goes on where the last line ended. */
export type Said = {
	readonly lines: readonly string[];
	/** Whether the last line is a field, which what is typed goes on. */
	readonly isOpen: boolean;
	readonly typed: string;
};

/** Lines of a place that are said when it is opened; `ctrl-l` says all. */
const maxLines = 40;

/** What is said in place of more lines than that, or than came at once. */
function limited(lines: readonly string[], most: number): string[] {
	return lines.length <= most ? [...lines] : [`${lines.length - most} more lines before`, ...lines.slice(-most)];
}

/** Runs that came to need a person, and verifications that ended. */
function newsOf(before: State, after: State): string[] {
	if (before.runs === after.runs) {
		return [];
	}

	const known = new Map(before.runs.map(run => [run.id, run]));
	const isNews = (run: Run) => {
		const old = known.get(run.id);
		if (run === old || run.stage === 'discarded') {
			return false;
		}

		const need = attentionOf(run);
		return (need !== undefined && need !== (old && attentionOf(old))) || run.verification?.at !== old?.verification?.at;
	};
	return after.runs
		.filter(run => isNews(run))
		.map(run => spokenRow({kind: 'run', run, glance: glanceOf(run, after)}, after).replace(/, task: .*$/, ''));
}

/** Runs that were marked since, or are not marked any more. */
function marksOf({list: before}: State, {list: after}: State): string[] {
	if (before.marked === after.marked) {
		return [];
	}

	const names = (from: readonly string[], without: readonly string[]) => from.filter(id => !without.includes(id));
	const text = (ids: readonly string[], word: string) =>
		ids.length === 0 ? [] : [ids.length > 3 ? `${ids.length} runs ${word}` : `${ids.join(', ')} ${word}`];
	return [
		...text(names(after.marked, before.marked), 'marked'),
		...text(names(before.marked, after.marked), 'not marked'),
	];
}

/** Verbs that have begun, and what the last one said. */
function noticesOf(before: State, after: State): string[] {
	const begun = Object.entries(after.busy)
		.filter(([run, title]) => before.busy[run] !== title)
		.map(([run, title]) => `${title} ${run} begins`);
	const all =
		after.fleetBusy !== undefined && after.fleetBusy !== before.fleetBusy ? [`${after.fleetBusy} begins`] : [];
	const {notice} = after;
	const said = notice && notice !== before.notice && notice.text !== '' ? [spokenText(notice.text)] : [];
	return [...begun, ...all, ...said];
}

/** What is new in a place that was heard before. */
function changesIn(before: Heard, after: Heard, isData: boolean): string[] {
	const known = new Set(before.items.map(({key}) => key));
	const isList = after.place === 'fleet';
	const items = isList ? [] : after.items.filter(({key}) => !known.has(key));
	const {at} = after;
	const isAt =
		at !== undefined &&
		(at.key !== before.at?.key || (isList && !isData && withoutTimes(at.text) !== withoutTimes(before.at.text)));
	return [
		...(!isData && withoutTimes(after.title) !== withoutTimes(before.title) ? [after.title] : []),
		...limited(
			items.filter(({key}) => key !== at?.key).map(({text}) => text),
			maxLines,
		),
		...(isAt ? [at.text] : []),
	];
}

/** A place that is entered. */
function whole({place, title, items, at}: Heard): string[] {
	const rows = place === 'fleet' ? [] : items.filter(({key}) => key !== at?.key).map(({text}) => text);
	return [title, ...limited(rows, maxLines), ...(at ? [at.text] : [])];
}

/** What was typed at the end of a field since; undefined where it changed in another way. */
function typedIn(before: Asked, after: Asked): string | undefined {
	const [old, now] = [before.fields[before.at], after.fields[after.at]];
	if (!old || !now || old.id !== now.id || now.choices || now.options) {
		return undefined;
	}

	if (now.value.startsWith(old.value) && now.value.slice(old.value.length).length === 1) {
		return now.value.slice(old.value.length);
	}

	return old.value.startsWith(now.value) && old.value.slice(now.value.length).length === 1 ? '\b \b' : undefined;
}

/** What is said of a question, and of what is typed into it. */
function ofAsked(before: Asked | undefined, after: Asked): Said {
	const field = spokenField(after);
	const isOpen = field !== '';
	if (before?.id !== after.id) {
		return {
			lines: [...after.head, ...(after.choice === undefined ? [] : [after.choice]), ...(isOpen ? [field] : [])],
			isOpen,
			typed: '',
		};
	}

	const known = new Set(before.head);
	const head = after.head.filter(line => !known.has(line));
	const choice = after.choice !== undefined && after.choice !== before.choice ? [after.choice] : [];
	const isSame = field === spokenField(before);
	const typed = before.at === after.at && !isSame ? typedIn(before, after) : '';
	if (head.length === 0 && (isSame || typed)) {
		return {lines: choice, isOpen: choice.length === 0, typed: typed ?? ''};
	}

	return {lines: [...head, ...choice, ...(isOpen ? [field] : [])], isOpen, typed: ''};
}

/** @param before undefined at the beginning, and when the screen is back */
export function announce(before: State | undefined, after: State): Said {
	const asked = askedOf(after);
	const heard = heardOf(after);
	if (!before) {
		const lines = [...whole(heard), 'ctrl-l reads all of it, question mark lists the keys'];
		return asked ? {...ofAsked(undefined, asked), lines: [...lines, ...ofAsked(undefined, asked).lines]} : said(lines);
	}

	const news = [...newsOf(before, after), ...noticesOf(before, after)];
	const was = askedOf(before);
	if (asked) {
		const own = ofAsked(was, asked);
		// What is typed into is said again after what came between.
		const again = news.length > 0 && own.lines.length === 0 ? [spokenField(asked)] : [];
		return {...own, lines: [...news, ...own.lines, ...again]};
	}

	const old = heardOf(before);
	if (old.place !== heard.place) {
		return said([...news, ...whole(heard)]);
	}

	const changes = changesIn(old, heard, before.runs !== after.runs);
	// After an answer, where one is.
	return said(was ? [...news, heard.title, heard.at?.text ?? ''] : [...marksOf(before, after), ...changes, ...news]);
}

const said = (lines: readonly string[]): Said => ({lines: lines.filter(line => line !== ''), isOpen: false, typed: ''});

/** Everything that is there, from its title to the keys. */
export function readAll(state: State): Said {
	const {title, items, at} = heardOf(state);
	const asked = askedOf(state);
	const lines = [
		title,
		...items.map(({key, text}) => (key === at?.key ? `selected: ${text}` : text)),
		...(at && !items.some(({key}) => key === at.key) ? [at.text] : []),
		...(asked ? [] : [spokenKeys(state)]),
	];
	return asked ? {...ofAsked(undefined, asked), lines: [...lines, ...ofAsked(undefined, asked).lines]} : said(lines);
}
