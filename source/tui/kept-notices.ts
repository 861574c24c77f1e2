import type {Notice, Noticed} from './activity-state.ts';
import type {Message, State} from './state.ts';

/* What the screen says: shown for a while, joined where it comes at once, and kept. */

/** How long a notice is shown that nobody has to read, milliseconds. */
export const noticeMs = 8000;

/** Notices that are kept, and shown at once. */
const [maxKept, maxShown] = [300, 20];

/** What a person does takes the last notice away; what comes by itself is said besides it. */
function comesByItself({type}: Message): boolean {
	return type !== 'keys' && type !== 'paste' && type !== 'mouse';
}

function joined(before: Notice | undefined, notice: Notice): Notice {
	if (!before || before.text === notice.text) {
		return notice;
	}

	const texts = [...(before.isPassing ? [] : [before.text]), ...(before.earlier ?? [])];
	const earlier = texts.filter(text => text !== notice.text).slice(0, maxShown);
	return earlier.length === 0 ? notice : {...notice, bad: notice.bad || (before.bad && !before.isPassing), earlier};
}

/** A state after a message, with what it says kept. */
export function keepNotice(before: State, after: State, message: Message): State {
	const {notice} = after;
	if (!notice || notice === before.notice) {
		return after;
	}

	return added({...after, notice: comesByItself(message) ? joined(before.notice, notice) : notice}, notice);
}

function added(state: State, {text, bad, isPassing}: Notice): State {
	const kept: Noticed = {at: Math.max(state.now, state.keyAt ?? 0), text, bad};
	return isPassing ? state : {...state, noticed: [kept, ...state.noticed].slice(0, maxKept)};
}

/** With the notice in view kept where it is not, as one is that was made while the screen was left for a while. */
export function withKept(state: State): State {
	const {notice, noticed} = state;
	return notice && noticed[0]?.text !== notice.text ? added(state, notice) : state;
}

/** A notice in so many cells: all that is said at once, or the last with how many there are besides. */
export function noticeText({text, earlier = []}: Notice, width: number, more: string): string {
	if (earlier.length === 0) {
		return text;
	}

	const all = [text, ...earlier].join(' · ');
	if (all.length <= width) {
		return all;
	}

	const rest = ` · ${earlier.length} more (${more})`;
	return text.length + rest.length <= width
		? text + rest
		: `${text.slice(0, Math.max(0, width - rest.length - 1))}…${rest}`;
}
