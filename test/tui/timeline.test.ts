import assert from 'node:assert/strict';
import {test} from 'node:test';
import type {Entry, RunEvent} from '../../source/core/run/event.ts';
import type {State} from '../../source/tui/state.ts';
import {update} from '../../source/tui/update.ts';
import {frameLines} from '../../source/tui/view.ts';
import {denied, run, screens, started, state} from './states.ts';

/* A run's journal as it is read: days, times, what was between, and the raw lines where they are wanted. */

const text = (from: State) =>
	frameLines(from)
		.map(line => (line.spans?.map(span => span.text).join('') ?? line.text ?? '').trimEnd())
		.join('\n');
const press = (from: State, ...keys: string[]): State =>
	keys.reduce((current, key) => update(current, {type: 'keys', keys: [key]}).state, from);

test('a run is told in words, by days, with the time between, and raw by a key', () => {
	const {timeline} = screens();
	const shown = text(timeline!);
	for (const line of [
		/─ Yesterday ─+\n 09:00:00 +· a asked codex: “Mend the parser, and its tests”\n 09:00:06 +\+6s · started/,
		/\+2m ⊘ blocked a\.test:443 ×2/,
		/\+1m · a allowed docs\.test:443 for/,
		/\+14h · spent ~\$0\.61, 92k tokens/,
		/✓ verified: 12 tests passed|✓ verified: 1 command passed/,
		/─ Today ─+\n 00:00:00 +\+2m ✓ a approved it, 2 of 3 files viewed: “read it”/,
		/\+12s ✓ merged as fffffff into main/,
	]) {
		assert.match(shown, line);
	}

	assert.doesNotMatch(shown, /\u001B|egress\.denied/);
	const raw = press(timeline!, 'e');
	assert.match(text(raw), /egress\.denied +a\.test:443: no network access, 2 times/);
	assert.match(text(raw), /raw, local time/);
	assert.equal(text(press(raw, 'e')), shown);
});

test('it is read from its end, up goes back in time, and no line is cut off', () => {
	const entry = (index: number, event: RunEvent): Entry => ({
		seq: index + 1,
		at: new Date(Date.parse('2026-01-01T00:00:00.000Z') + index * 1000).toISOString(),
		actor: 'fleet',
		prev: '',
		...event,
	});
	const journal = Array.from({length: 200}, (_, index) =>
		entry(index, {...denied, target: `h${index}.test:443`} as RunEvent),
	);
	const from = state([run('one', started)], {
		screen: 'run',
		tab: 'journal',
		selected: 'one',
		journal,
		columns: 80,
		rows: 24,
	});
	assert.match(text(from), /h199\.test/);
	assert.equal(frameLines(from).length, 24);
	const up = press(from, 'k', 'k');
	assert.match(text(up), /h197\.test/);
	assert.doesNotMatch(text(up), /h198\.test/);
	assert.match(text(press(from, 'g')), /h0\.test/);
	const long = entry(0, {type: 'run.failed', because: `${'word '.repeat(60)}end`, hint: ''});
	const shown = text({...from, journal: [long]});
	assert.equal(shown.match(/word/g)!.length, 60);
	assert.match(shown, /end/);
});
