import type {Line} from '../paint/line.ts';
import type {Sign} from '../../core/run/glance.ts';
import {welcomeActions} from '../act.ts';
import {bindingOf, helpOf, keyNames, type Binding} from '../keymap.ts';
import {signs} from '../paint/signs.ts';
import {rule} from '../paint/rule.ts';
import {placeNames} from '../place-names.ts';
import {placeOf, type State} from '../state.ts';

type WelcomeAction = (typeof welcomeActions)[number];

/** With fewer rows, nothing is blank. */
const lowHeight = 15;

/** The first time: three ways to begin. */
export function welcomeLines(state: State, height: number): Line[] {
	const gaps: Line[] = height < lowHeight ? [] : [{}];
	const option = (action: WelcomeAction, note: string): Line[] => {
		const binding = bindingOf(action);
		const title = binding.title[0]!.toUpperCase() + binding.title.slice(1);
		const isSelected = welcomeActions[state.scroll] === action;
		return [
			{
				back: isSelected ? 'selected' : undefined,
				spans: [
					{text: isSelected ? '▌  ' : '   ', tone: 'accent'},
					{text: `${keyNames(binding, state)}  ${title}`, bold: true},
				],
			},
			{text: `      ${note}`, tone: 'quiet'},
			...gaps,
		];
	};

	return [
		{text: ' fleet', title: true},
		...gaps,
		{text: ' Runs AI coding agents under least privilege, each in a sandbox of its own.'},
		{text: ' No access unless you grant it.'},
		...gaps,
		...option('demo', 'a throwaway project, a misbehaving agent, and every step to a deploy'),
		...option(
			'add-here',
			state.here.project === undefined ? `${state.here.folder} is not in a git repository` : state.here.folder,
		),
		...option('doctor', 'which sandbox, git and vault work here, and how to get what is missing'),
	];
}

const meanings: Readonly<Record<Sign, string>> = {
	alarm: 'a pointer was where it does not belong',
	question: 'asks something',
	blocked: 'a host was blocked',
	failed: 'failed',
	unclear: 'could not be told',
	changed: 'finished, not verified',
	passed: 'verified, or approved',
	running: 'running',
	paused: 'paused',
	queued: 'queued',
	done: 'merged, or deployed',
	dropped: 'rejected, or discarded',
};

/** What the signs before the rows of the list mean. */
function signLines(): Line[] {
	return (Object.keys(meanings) as Sign[]).map(sign => ({
		spans: [{text: ` ${signs[sign].glyph}              `, tone: signs[sign].tone}, {text: meanings[sign]}],
	}));
}

/** Every key of where a person came from, from the same records as the footer. */
export function helpLines(state: State, height: number): Line[] {
	const there = {...state, screen: state.from};
	const place = placeOf(there);
	const lineOf = (binding: Binding): Line => {
		const reason = binding.disabled?.(there);
		const tone = reason === undefined ? undefined : ('quiet' as const);
		return {
			spans: [
				{text: ` ${keyNames(binding, state).padEnd(14)} `, bold: true},
				{text: binding.title, tone},
				{text: reason === undefined ? '' : `  (${reason})`, tone},
			],
		};
	};
	const lines = helpOf(place).flatMap(({title, bindings}): Line[] => [
		rule([{text: title, bold: true}], '', state.columns),
		...bindings.map(binding => lineOf(binding)),
	]);
	if (place === 'fleet') {
		lines.push(rule([{text: 'Signs', bold: true}], '', state.columns), ...signLines());
	}

	return [{text: ` Keys: ${placeNames[place]}`, title: true}, ...scrolled(lines, state.scroll, height - 1)];
}

/** The part of some lines that is in view, with how many there are above and below it. */
export function scrolled(lines: readonly Line[], scroll: number, height: number): Line[] {
	if (lines.length <= height || height < 3) {
		return lines.slice(0, height);
	}

	const from = Math.min(scroll, lines.length - height + 1);
	const above = from === 0 ? [] : [{text: `  ↑ ${from + 1} more`, dim: true}];
	const room = height - above.length;
	const start = from === 0 ? 0 : from + 1;
	const rest = lines.length - start;
	return [
		...above,
		...(rest <= room
			? lines.slice(start)
			: [...lines.slice(start, start + room - 1), {text: `  ↓ ${rest - room + 1} more`, dim: true}]),
	];
}
