import type {Glance} from '../../core/run/glance.ts';
import type {Span} from '../../core/text/spans.ts';
import {escapeLine} from '../../core/text/escape-controls.ts';
import {chosenOf} from '../forms/edit.ts';
import type {DialogLine, Field} from '../dialog.ts';
import {dialogOf, formOf, promptOf} from '../focus.ts';
import {footerHeight} from '../layout.ts';
import {allGlances, countShown, listRows, selectedRow, type ListRow} from '../list.ts';
import {placeNames} from '../place-names.ts';
import {reviewRows} from '../review/rows.ts';
import {footerText} from '../screens/footer.ts';
import {hintOf, paletteEntries} from '../palette.ts';
import {placeOf, type State} from '../state.ts';
import {screenLines} from '../view.ts';
import {spokenReviewRow, spokenRow} from './rows.ts';
import {spokenLine, spokenText, withoutTimes} from './words.ts';

/* What there is to be heard of a state: where a person is, the rows there, and the one with the cursor. */

/** Something that is heard, and what it is known by from one state to the next. */
export type Item = {readonly key: string; readonly text: string};

export type Heard = {
	/** Where it is; all of it is news in another place. */
	readonly place: string;
	readonly title: string;
	readonly items: readonly Item[];
	/** The row with the cursor. */
	readonly at: Item | undefined;
};

/** A question, a form or a line that is typed. */
export type Asked = {
	readonly id: string;
	readonly head: readonly string[];
	readonly fields: readonly Field[];
	readonly at: number;
	/** What is chosen below it, as in the palette. */
	readonly choice: string | undefined;
};

/** What texts are known by: the same one may stand there several times. */
function keysOf(texts: readonly string[]): Item[] {
	const seen = new Map<string, number>();
	return texts
		.filter(text => text !== '')
		.map(text => {
			const calm = withoutTimes(text);
			const count = seen.get(calm) ?? 0;
			seen.set(calm, count + 1);
			return {key: `${calm} ${count}`, text};
		});
}

function fleetTitle(state: State): string {
	const glances = allGlances(state);
	const count = (fits: (glance: Glance) => boolean) => glances.filter(glance => fits(glance)).length;
	const needs = count(({group}) => group === 'needs you');
	const running = count(({sign}) => sign === 'running');
	const {list} = state;
	const shown = countShown(state);
	return [
		'fleet',
		`${state.runs.length} ${state.runs.length === 1 ? 'run' : 'runs'}`,
		`${needs} ${needs === 1 ? 'needs' : 'need'} you`,
		`${running} running`,
		`view ${list.show}`,
		`grouped by ${list.group}`,
		...(list.sort === 'attention' ? [] : [`sorted by ${list.sort}${list.isReversed ? ', reversed' : ''}`]),
		...(shown === state.runs.length ? [] : [`${shown} shown`]),
		...(list.filter === '' ? [] : [`filter ${list.filter}`]),
	].join(', ');
}

const rowKey = (row: ListRow) => (row.kind === 'group' ? `group ${row.id}` : `run ${row.run.id}`);

function fleetHeard(state: State): Heard {
	const items = listRows(state).map(row => ({key: rowKey(row), text: spokenRow(row, state)}));
	return {
		place: 'fleet',
		title: fleetTitle(state),
		items,
		at: items[selectedRow(state)] ?? {key: '', text: 'no runs: n starts one'},
	};
}

/** What is on the screen, as lines in which nothing is cut for want of columns. */
function linesHeard(state: State): Heard {
	const [first, ...lines] = screenLines({...state, columns: 400}, Math.max(4, state.rows - footerHeight));
	const title = first ? spokenLine(first) : '';
	const texts = lines.map(line => ({line, text: spokenLine(line)})).filter(({text}) => text !== '');
	const items = keysOf(texts.map(({text}) => text));
	const at = texts.findIndex(({line}) => line.inverse || line.back === 'selected');
	return {
		place: `${placeOf(state)} ${state.screen === 'run' ? state.selected : ''}`,
		title: state.screen === 'run' ? `${title}, ${placeNames[state.tab]}` : title,
		items,
		at: items[at],
	};
}

function outputHeard(state: State): Heard {
	const {title, place, items} = linesHeard({...state, log: undefined});
	const {log} = state;
	const rows = log && log.run === state.selected ? log.rows : [];
	return {
		place,
		title,
		items:
			rows.length === 0
				? items
				: rows.map(({from, spans}) => ({key: String(from), text: spokenText(spans.map(({text}) => text).join(''))})),
		at: undefined,
	};
}

function reviewHeard(state: State): Heard {
	const {review} = state;
	const heard = linesHeard({...state, review: undefined});
	if (!review || review.run !== state.selected || review.files.length === 0) {
		return heard;
	}

	const row = reviewRows(state, review)[review.at];
	const text = row ? spokenReviewRow(row, review) : '';
	return {...heard, items: [], at: row && {key: `${review.at} ${text}`, text}};
}

/** What is heard of the screen itself, whatever is asked over it. */
export function heardOf(state: State): Heard {
	if (state.screen === 'fleet') {
		return fleetHeard(state);
	}

	if (state.screen !== 'run') {
		return linesHeard(state);
	}

	switch (state.tab) {
		case 'output': {
			return outputHeard(state);
		}

		case 'changes': {
			return reviewHeard(state);
		}

		default: {
			return linesHeard(state);
		}
	}
}

const promptNames = {
	filter: 'filter',
	search: 'search',
	palette: 'command',
	activity: 'filter',
	logs: 'search all logs',
};

/** A line of a question: what it is about, then what is so. */
function spokenFact(line: string | DialogLine): string {
	const {label, spans} = typeof line === 'string' ? {label: undefined, spans: [{text: line} as Span]} : line;
	const all = spans.map(({text}) => text).join('');
	const [first] = spans;
	const isWarning = all.startsWith('! ') || first?.tone === 'warn' || first?.tone === 'bad';
	const words = spokenText(all).replace(/^! /, '');
	return words === ''
		? ''
		: `${isWarning ? 'warning: ' : ''}${label === undefined || label === '' ? '' : `${label}: `}${words}`;
}

/** What is asked, or typed into; undefined where keys go to the screen. */
export function askedOf(state: State): Asked | undefined {
	const dialog = dialogOf(state);
	if (dialog) {
		const {title, lines, details = [], isDetailed, yes, fields, at} = dialog;
		const said = [...lines, ...(isDetailed ? details : [])].map(line => spokenFact(line));
		return {
			id: `dialog ${dialog.kind} ${dialog.title}`,
			head: [
				`question: ${spokenText(title)}`,
				...said.filter(line => line !== ''),
				...(yes === undefined ? [] : [`y or enter: ${yes}; any other key: cancel`]),
			],
			fields,
			at,
			choice: undefined,
		};
	}

	const form = formOf(state);
	if (form) {
		return {
			id: 'form',
			head: [
				`new run, ${form.fields.length} fields: tab goes on, ctrl-s starts, ctrl-x shows more fields, esc cancels`,
			],
			fields: form.fields,
			at: form.at,
			choice: undefined,
		};
	}

	const prompt = promptOf(state);
	const entry = prompt?.kind === 'palette' ? paletteEntries(state)[prompt.at] : undefined;
	return (
		prompt && {
			id: `prompt ${prompt.kind}`,
			head: [],
			fields: [{...prompt.field, label: promptNames[prompt.kind]}],
			at: 0,
			choice: entry && [entry.title, spokenText(entry.keys), hintOf(entry)].filter(part => part !== '').join(', '),
		}
	);
}

function choiceHint({choices = [], numbered}: Field): string {
	return numbered ? choices.map((choice, index) => `${index + 1} ${choice}`).join(', ') : 'left and right choose';
}

/** A field as it is heard: what is typed into it follows. */
export function spokenField({fields, at}: Asked): string {
	const field = fields[at];
	if (!field) {
		return '';
	}

	const which = fields.length > 1 ? `field ${at + 1} of ${fields.length}, ` : '';
	if (field.options) {
		const option = field.options[field.cursor ?? 0];
		const chosen = option && chosenOf(field.value).includes(option.value) ? 'chosen' : 'not chosen';
		const name = option ? `${escapeLine(option.value)}, ${spokenText(option.note)}, ${chosen}` : 'none';
		return `${which}${field.label} (up and down move, space chooses), ${field.options.length} there: ${name}`;
	}

	const hint = field.choices ? choiceHint(field) : spokenText(field.hint);
	return `${which}${field.label}${hint === '' ? '' : ` (${hint})`}: ${field.value}`;
}

/** The keys of a place, as the footer has them. */
export function spokenKeys(state: State): string {
	return `keys: ${footerText(state).replaceAll('→', 'right').replaceAll('←', 'left').replaceAll('  ', ', ')}`;
}
