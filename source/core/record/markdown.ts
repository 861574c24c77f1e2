import {branchName} from '../git/refs.ts';
import {gatesOf} from '../run/gates.ts';
import type {Run} from '../run/run.ts';
import {escapeLine} from '../text/escape-controls.ts';

/* A run's record as Markdown, for a ticket or a mail. */

/** Others' words, so that they end no cell, begin no link and name nobody. */
function plain(text: string): string {
	return escapeLine(text)
		.replaceAll(/[\\`*_{}[\]<>()#+!|~@]/g, '\\$&')
		.slice(0, 300);
}

function table(columns: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
	const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
	return rows.length === 0
		? 'none\n'
		: `${line(columns)}${line(columns.map(() => '---'))}${rows.map(row => line(row.map(cell => plain(cell)))).join('')}`;
}

/** What was done, granted, denied and decided in a run. */
export function markdownOf(run: Run): string {
	const gates = gatesOf(run).map(({title, state, because}) => [title, state, because]);
	const grants = run.grants.map(({scope, by, because, until}) => [
		scope,
		by.replace('person:', ''),
		because,
		until ?? 'the run’s end',
	]);
	const signed = run.statements.map(({by, decision, because, at}) => [by, decision, because, at]);
	return [
		`# Run ${run.id}\n`,
		`${plain((run.task ?? run.prompt ?? '').split('\n', 1)[0]!)}\n`,
		table(
			['', ''],
			[
				['project', run.project.name],
				['agent', run.agent],
				['branch', `${run.branch} into ${branchName(run.target)}`],
				['commit', run.merge?.commit ?? 'not merged'],
			],
		),
		'## Gates\n',
		table(['gate', 'state', 'what came of it'], gates),
		'## Scopes granted\n',
		table(['scope', 'by', 'reason', 'until'], grants),
		'## Denied\n',
		table(
			['what', 'why', 'times'],
			run.denials.map(({target, because, count}) => [target, because, String(count)]),
		),
		'## Signed\n',
		table(['who', 'what', 'reason', 'at'], signed),
	].join('\n');
}
