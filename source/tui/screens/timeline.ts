import type {Entry} from '../../core/run/event.ts';
import {after, atBeginning, tell, type Told} from '../../core/run/event-words.ts';
import {escapeLine} from '../../core/text/escape-controls.ts';
import type {Span} from '../../core/text/spans.ts';
import {dayName, formatDuration, localClock, localTime} from '../../core/text/time.ts';
import {describe} from '../../protocol/describe.ts';
import {signOf} from '../activity-signs.ts';
import {wrapSpans, wrapWords} from '../paint/fit.ts';
import type {Line} from '../paint/line.ts';
import {rule} from '../paint/rule.ts';
import {spokenText} from '../spoken/words.ts';
import type {State} from '../state.ts';

/* A run's journal as a person reads it: what happened, when, and how long after what was before. */

/** One event of a run in words. */
type Moment = Told & {
	readonly at: string;
	/** Since the event before, milliseconds; undefined for the first. */ readonly gap: number | undefined;
};

const known = new WeakMap<readonly Entry[], readonly Moment[]>();

/** A whole journal in words, kept for as long as it is the same. */
function momentsOf(entries: readonly Entry[]): readonly Moment[] {
	const kept = known.get(entries);
	if (kept) {
		return kept;
	}

	let earlier = atBeginning;
	const moments = entries.map((entry, index): Moment => {
		const told = tell(entry, earlier);
		earlier = after(earlier, entry);
		const before = entries[index - 1];
		return {...told, at: entry.at, gap: before && Date.parse(entry.at) - Date.parse(before.at)};
	});
	known.set(entries, moments);
	return moments;
}

/** Cells before the words: time, gap and sign. */
const [gapWidth, indent] = [5, 1 + 8 + 1 + 5 + 1 + 2];

const gapText = (gap: number | undefined) => (gap === undefined || gap < 1000 ? '' : `+${formatDuration(gap)}`);

function momentLines(moment: Moment, width: number): Line[] {
	const {by, text, tone, kind, minor, seen = 1, at, gap} = moment;
	const sign = signOf({tone, kind});
	const quiet = minor ? ('quiet' as const) : undefined;
	const words: Span[] = [
		...(by === undefined ? [] : [{text: `${escapeLine(by)} `, bold: true}]),
		{text: escapeLine(text), tone: quiet},
		...(seen > 1 ? [{text: ` ×${seen}`, tone: 'quiet' as const}] : []),
	];
	const head: Span[] = [
		{text: ` ${localClock(at)} `, tone: 'quiet'},
		{text: `${gapText(gap).padStart(gapWidth)} `, tone: 'quiet'},
		{text: `${sign.glyph} `, tone: sign.tone},
	];
	// Nothing of what happened is cut off: a long line goes on below.
	return wrapWords(words, Math.max(8, width - indent)).map((spans, index): Line => ({
		spans: [...(index === 0 ? head : [{text: ' '.repeat(indent)}]), ...spans],
		spoken:
			index === 0
				? `${localClock(at)}, ${by === undefined ? '' : `${escapeLine(by)} `}${spokenText(escapeLine(text))}${seen > 1 ? `, ${seen} times` : ''}`
				: '',
	}));
}

/** The lines that end with a moment, as many as there is room for; a day's name is above its first one. */
function timelineLines(state: State, height: number): Line[] {
	const moments = momentsOf(state.journal);
	const end = Math.max(0, moments.length - state.scroll);
	const from = Math.max(0, end - height);
	let day = from === 0 ? '' : dayName(moments[from - 1]!.at, state.now);
	const rows = moments.slice(from, end).flatMap((moment): Line[] => {
		const own = dayName(moment.at, state.now);
		const isNew = own !== day;
		day = own;
		const lines = momentLines(moment, state.columns);
		return isNew ? [rule([{text: own, bold: true}], '', state.columns), ...lines] : lines;
	});
	return rows.slice(Math.max(0, rows.length - height));
}

/** The journal line by line, by the names of its events. */
function rawLines(state: State, height: number): Line[] {
	const end = Math.max(0, state.journal.length - state.scroll);
	const rows = state.journal.slice(Math.max(0, end - height), end).flatMap(entry =>
		wrapSpans(
			[{text: `${localTime(entry.at, state.now)} ${entry.type.padEnd(15)} ${escapeLine(describe(entry))}`}],
			Math.max(8, state.columns - 4),
		).map((spans, index): Line => ({
			text: `${index === 0 ? ' ' : '    '}${spans[0]?.text ?? ''}`,
			tone: entry.type === 'egress.denied' || entry.type === 'gate.refused' ? 'warn' : undefined,
		})),
	);
	return rows.slice(Math.max(0, rows.length - height));
}

/** A run's journal, the last line at the bottom. */
export function journalLines(state: State, height: number): Line[] {
	return state.journalRaw ? rawLines(state, height) : timelineLines(state, height);
}
