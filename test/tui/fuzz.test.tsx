import assert from 'node:assert/strict';
import {test} from 'node:test';
import {stripVTControlCharacters} from 'node:util';
import {renderToString} from 'ink';
import stringWidth from 'string-width';
import {Frame} from '../../source/tui/app.tsx';
import {bindings} from '../../source/tui/keymap.ts';
import {dialogOf, formOf} from '../../source/tui/focus.ts';
import type {FormState} from '../../source/tui/dialog.ts';
import type {Effect, Message, State} from '../../source/tui/state.ts';
import {update} from '../../source/tui/update.ts';
import {screens} from './states.ts';

/** The same numbers for the same seed, so that what was found can be found again. */
function random(seed: number): () => number {
	let state = seed;
	return () => {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
		return state / 2 ** 32;
	};
}

const keys = [
	...new Set([
		...bindings.flatMap(binding => binding.keys),
		...'abcdefghijklmnopqrstuvwxyzABCDXYZ0123456789 yes',
		'space',
		'return',
		'escape',
		'tab',
		'shift-tab',
		'backspace',
		'left',
		'right',
		'up',
		'down',
		'home',
		'end',
		'ctrl-j',
		'ctrl-k',
		'ctrl-o',
		'ctrl-r',
		'ctrl-s',
		'ctrl-t',
		'ctrl-u',
		'ctrl-w',
		'ctrl-x',
		'alt-b',
		'alt-f',
		'日',
		'🚀',
	]),
];

/** What is never to be done by chance. */
const decisive = new Set(['approve', 'deploy']);

function decisions(effects: readonly Effect[]): Effect[] {
	return effects.filter(
		effect => (effect.type === 'act' || effect.type === 'terminal') && decisive.has(effect.argv[0] ?? ''),
	);
}

function check(state: State, what: string): void {
	const isAtField = ({fields, at}: FormState) => at >= 0 && at < fields.length;
	const [dialog, form] = [dialogOf(state), formOf(state)];
	assert.ok(!dialog || (dialog.yes === undefined ? isAtField(dialog) : dialog.fields.length === 0), what);
	assert.ok(!form || isAtField(form), what);
	assert.equal(form !== undefined, state.screen === 'new', what);
	assert.ok(state.scroll >= 0, what);
	assert.ok(!state.review || (state.review.at >= 0 && state.review.top >= 0), what);
}

function draw(state: State, what: string): void {
	const lines = stripVTControlCharacters(renderToString(<Frame state={state} />, {columns: state.columns})).split('\n');
	assert.ok(lines.length <= state.rows, `${what}: ${lines.length} lines of ${state.rows}`);
	for (const line of lines) {
		assert.ok(stringWidth(line) <= state.columns, `${what}: ${line}`);
	}
}

/** From a seed: keys, several in one event, pastes, the mouse, resizes. */
function next(chance: () => number): Message {
	const what = chance();
	const some = <T,>(items: readonly T[]): T => items[Math.floor(chance() * items.length)]!;
	if (what < 0.03) {
		return {type: 'resize', columns: 20 + Math.floor(chance() * 200), rows: 5 + Math.floor(chance() * 60)};
	}

	if (what < 0.06) {
		return {type: 'paste', text: some(['y\r', 'yes\ryes\r', 'a\nb', '\u001B[2J', 'shelf'])};
	}

	if (what < 0.1) {
		return {
			type: 'mouse',
			kind: some(['press', 'drag', 'up', 'down'] as const),
			column: Math.floor(chance() * 200),
			row: Math.floor(chance() * 60),
		};
	}

	return {type: 'keys', keys: Array.from({length: what < 0.2 ? 3 : 1}, () => some(keys))};
}

test(
	'ten thousand random keys, pastes, clicks and resizes over every screen: no fault, no decision',
	{timeout: 120_000},
	() => {
		const starts = Object.entries(screens());
		let events = 0;
		for (const [index, [name, first]] of starts.entries()) {
			const chance = random(index + 1);
			let state = first;
			for (let count = 0; count < Math.ceil(10_000 / starts.length); count++) {
				const message = next(chance);
				const what = `${name}, event ${count}: ${JSON.stringify(message)}`;
				const step = update(state, message);
				assert.deepEqual(decisions(step.effects), [], what);
				check(step.state, what);
				// What goes on ends at some time, or nothing could be pressed any more.
				state = count % 20 === 0 ? {...step.state, busy: {}} : step.state;
				if (count % 40 === 0) {
					draw(state, what);
				}

				events++;
			}
		}

		assert.ok(events >= 10_000);
	},
);

test('what was pasted, or typed before the question was there, approves nothing', () => {
	const {gates, approve} = screens();
	const all = (state: State, ...messages: Message[]) =>
		messages.reduce<{state: State; effects: readonly Effect[]}>(
			(step, message) => {
				const after = update(step.state, message);
				return {state: after.state, effects: [...step.effects, ...after.effects]};
			},
			{state, effects: []},
		);
	assert.deepEqual(
		decisions(all(gates!, {type: 'keys', keys: ['y', 'return', 'y', 'e', 's', 'return']}).effects),
		[],
		'all in one event',
	);
	assert.deepEqual(
		decisions(
			all(
				approve!,
				{type: 'paste', text: 'yes'},
				{type: 'keys', keys: ['return']},
				{type: 'paste', text: 'yes'},
				{type: 'keys', keys: ['return']},
			).effects,
		),
		[],
		'pasted',
	);
	assert.deepEqual(
		decisions(all(approve!, {type: 'keys', keys: ['return']}, {type: 'keys', keys: ['return']}).effects),
		[],
		'enter alone',
	);
	assert.deepEqual(
		decisions(
			all(
				gates!,
				{type: 'keys', keys: ['y']},
				{type: 'keys', keys: ['return']},
				{type: 'keys', keys: ['y', 'e', 's']},
				{type: 'keys', keys: ['return']},
			).effects,
		),
		[{type: 'act', run: 'ready', argv: ['approve', 'ready'], title: 'approve'}],
		'typed',
	);
});

test('where the policy names a word, that word is asked for', () => {
	const {gates} = screens();
	const strict: State = {...gates!, offers: {p: {...gates!.offers['p']!, approveWord: 'ship-it'}}};
	const type = (word: string) =>
		['y', 'return', ...word, 'return'].reduce<{state: State; effects: readonly Effect[]}>(
			(step, name) => update(step.state, {type: 'keys', keys: [name]}),
			{state: strict, effects: []},
		);
	assert.deepEqual(decisions(type('yes').effects), []);
	assert.match(type('yes').state.notice!.text, /type ship-it/);
	assert.equal(decisions(type('ship-it').effects).length, 1);
});
