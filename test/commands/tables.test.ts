import assert from 'node:assert/strict';
import stringWidth from 'string-width';
import {test} from 'node:test';
import {openTmux} from '../support/tmux.ts';
import {tableText, type Report} from '../../source/terminal/report-table.tsx';
import {themes} from '../../source/tui/paint/theme.ts';
import {Fleet} from '../support/fleet.ts';
import {openScreen} from '../support/screen.ts';

const long = 'one host answered though no network was granted, at 日本語.example:443, which must be read to its end';

const report: Report = {
	columns: [{title: 'RESULT'}, {title: 'ITEM', least: 8}, {title: 'SEEN', least: 20}],
	rows: [
		[{text: 'PASS', tone: 'good'}, {text: '日本語 👩‍💻 x'}, {text: ''}],
		[{text: 'FAIL', tone: 'bad'}, {text: 'short'}, {text: long}],
		[{text: 'ERROR', tone: 'warn'}, {text: 'a'.repeat(30)}, {text: 'brief'}],
	],
};

const plain = (text: string) => text.replaceAll(/\u001B\[[\d;]*m/g, '');

test('a table is as wide as its terminal, its columns stand below each other, and nothing of a cell is lost', () => {
	for (const columns of [44, 60, 80, 300]) {
		const text = plain(tableText(report, {columns, theme: themes.ansi})!);
		const lines = text.split('\n');
		const at = lines[0]!.indexOf('SEEN');
		assert.ok(
			lines.every(line => stringWidth(line) <= columns),
			text,
		);
		// What is in the last column, whatever is before it: each line from the cell on where its title stands.
		const tails = lines.map(line => {
			let width = 0;
			let index = 0;
			for (const {segment} of new Intl.Segmenter().segment(line)) {
				if (width >= at) {
					break;
				}

				width += stringWidth(segment);
				index += segment.length;
			}

			return line.slice(index);
		});
		assert.equal(tails.filter(tail => tail !== '').join(' '), `SEEN ${long} brief`, text);
		assert.equal(text.replaceAll(/[^a]/g, '').length >= 30, true);
		assert.doesNotMatch(text, /[│─┌┬┐├┼┤└┴┘…]/);
		assert.ok(lines.every(line => line === line.trimEnd()));
		assert.ok(!text.endsWith('\n'));
	}

	assert.equal(tableText(report, {columns: 30, theme: themes.ansi}), undefined, 'too narrow for a table');
});

test('what a colour says in a table, its words say too', () => {
	const coloured = tableText(report, {columns: 80, theme: themes.ansi})!;
	const without = tableText(report, {columns: 80, theme: themes.plain})!;
	assert.equal(plain(coloured), plain(without));
	assert.match(coloured, /\u001B\[32mPASS/);
	assert.doesNotMatch(without, /\u001B\[(?:3|4|9|10)\d/);
});

test('fleet audit and fleet doctor are tables for a person, and lines for a program', async t => {
	const fleet = new Fleet(t);
	await fleet.agent('one', 'true');
	delete fleet.env['NO_COLOR'];
	const audit = openScreen(t, fleet, {argv: ['audit', 'one'], size: {columns: 80, rows: 30}});
	await audit.see(/\d of 6/);
	await audit.idle();
	assert.match(
		audit.lines().join('\n'),
		/^RESULT {2}ITEM +EVIDENCE\nPASS {4}Repo access only {6}\d+ of \d+ attempts blocked$/m,
	);
	assert.match(audit.raw, /\u001B\[32mPASS/);
	assert.doesNotMatch(audit.raw, /\u001B\[\?(?:1049|25)/);
	assert.match(fleet.must('audit', 'one'), /^PASS {3}Repo access only, \d+ of \d+ attempts blocked$/m);

	const doctor = openScreen(t, fleet, {argv: ['doctor'], size: {columns: 80, rows: 120}});
	await doctor.see('not covered here');
	await doctor.idle();
	const lines = doctor.lines();
	assert.match(lines.join('\n'), /^STATE {2}WHAT +FOUND$/m);
	assert.ok(lines.every(line => stringWidth(line) <= 80));
	assert.match(fleet.must('doctor'), /^works {2}git {18}git \d/m);

	fleet.env['NO_COLOR'] = '1';
	const calm = openScreen(t, fleet, {argv: ['doctor'], size: {columns: 80, rows: 120}});
	await calm.see('not covered here');
	assert.match(calm.raw, /STATE/);
	assert.doesNotMatch(calm.raw, /\u001B\[(?:3|4|9|10)\d/);

	fleet.env['TERM'] = 'dumb';
	const dumb = openScreen(t, fleet, {argv: ['doctor'], size: {columns: 80, rows: 120}});
	await dumb.see('not covered here');
	assert.match(dumb.raw, /^none {3}terminal {13}TERM=dumb/m);
	assert.doesNotMatch(dumb.raw, /\u001B/);
});

test('in tmux, fleet doctor says what does not get through, and the line that changes it', t => {
	const fleet = new Fleet(t);
	const {socket, tmux} = openTmux(t);
	fleet.env['TMUX'] = `${socket},0,0`;
	const checks = () =>
		Object.fromEntries(
			fleet
				.json<{checks: Array<{id: string; works: boolean; hint: string}>}>('doctor')
				.checks.filter(({id}) => id.startsWith('tmux'))
				.map(({id, works, hint}) => [id, works ? '' : hint]),
		);
	const file = (line: string) => `echo '${line}' >> ~/.tmux.conf; tmux source-file ~/.tmux.conf`;
	tmux('set-option', '-s', 'set-clipboard', 'off');
	tmux('set-option', '-s', 'focus-events', 'off');
	tmux('set-option', '-gw', 'monitor-bell', 'off');
	tmux('set-option', '-g', 'bell-action', 'none');
	tmux('set-option', '-gw', 'allow-passthrough', 'off');
	const needed = {
		'tmux clipboard': 'set -s set-clipboard external',
		'tmux notices': 'set -gw allow-passthrough on',
		'tmux bell': 'set -gw monitor-bell on',
		'tmux bell action': 'set -g bell-action any',
		'tmux focus': 'set -s focus-events on',
	};
	assert.deepEqual(checks(), Object.fromEntries(Object.entries(needed).map(([id, line]) => [id, file(line)])));
	for (const line of Object.values(needed)) {
		tmux(...line.split(' '));
	}

	assert.deepEqual(new Set(Object.values(checks())), new Set(['']));
});
