import assert from 'node:assert/strict';
import {test} from 'node:test';
import {parseDiff} from '../../source/core/review/diff.ts';
import {heardOf} from '../../source/tui/spoken/view.ts';
import {frameLines} from '../../source/tui/view.ts';
import {press, textLines} from './press.ts';
import {diff, screens} from './states.ts';

/* Runs beside each other: what is selected, and where what is cut says so. */

const shown = {...screens()['compare']!, columns: 120, rows: 24};

test('the comparison looks as the other screens do: rules, a line between runs, and no inverse', () => {
	for (const columns of [80, 120, 200]) {
		const state = {...shown, columns};
		for (const line of frameLines(state)) {
			assert.ok(!line.inverse && !line.spans?.some(span => span.inverse), JSON.stringify(line));
		}

		const lines = textLines(state);
		assert.match(lines[0]!, /^ compare {2}2 runs: Mend the parser$/);
		assert.ok(
			lines.some(line => /^─ Files ─+ 3─$/.test(line)),
			lines.join('\n'),
		);
		const bars = lines.filter(line => line.includes('│')).map(line => [...line.matchAll(/│/g)].map(bar => bar.index));
		assert.ok(bars.length > 10 && bars.every(own => own.join(' ') === bars[0]!.join(' ')), lines.join('\n'));
	}
});

test('the selected run and the selected file have the mark of the cursor, and are said', () => {
	const marked = (state: typeof shown) => textLines(state).filter(line => line.includes('▌'));
	const [run, file] = marked(shown);
	assert.match(run!, /│▌✓ ready +│ ⊘ works$/);
	assert.match(file!, /^▌package-lock\.json +│ \+1 -1 +│ ·$/);
	const [other, next] = marked(press(shown, 'right', 'down').state);
	assert.match(other!, /│ ✓ ready +│▌⊘ works$/);
	assert.match(next!, /^▌source\/parser\.ts/);
	assert.ok(heardOf(shown).items.some(({text}) => text === 'run ready, selected, run works'));
});

test('files that are not in view are marked, and a long name keeps its end', () => {
	const files = Array.from(
		{length: 20},
		(_, index) => parseDiff(diff.replaceAll('package-lock.json', `${'deep/'.repeat(12)}file-${index}.json`))[2]!,
	);
	const many = {...shown, compared: {ready: files, works: files}, compareAt: 0};
	const lines = textLines(many);
	assert.ok(
		lines.some(line => /^─ Files ─+ 20↓─$/.test(line)),
		lines.join('\n'),
	);
	assert.match(
		lines.find(line => line.startsWith('▌'))!,
		/^▌deep\/.*…\+\d+….*file-0\.json +│/,
	);
	assert.match(textLines(press(many, 'end').state).join('\n'), /─ Files ─+ 20↑─/);
});

test('what was not read yet is said to be that, and not to be no change', () => {
	const {ready} = shown.compared;
	const state = {...shown, compared: {ready: ready!}};
	const lines = textLines(state);
	assert.match(
		lines.find(line => line.startsWith('▌'))!,
		/│ \+1 -1 +│ not read yet$/,
	);
	assert.ok(
		lines.some(line => /^─ Files: 1 of 2 runs not read yet ─+ 3─$/.test(line)),
		lines.join('\n'),
	);
	// One that was read and changed nothing, and one that was not read.
	assert.match(textLines({...state, compared: {ready: []}}).join('\n'), /^ loading…$/m);
	assert.match(textLines({...state, compared: {ready: [], works: []}}).join('\n'), /^ no changes$/m);
});
