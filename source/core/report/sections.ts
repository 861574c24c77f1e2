import {branchName} from '../git/refs.ts';
import {viewedText} from '../run/viewed.ts';
import {escapeLine} from '../text/escape-controls.ts';
import {quoteWord} from '../text/shell-words.ts';
import {formatDuration, localMinute, localDay} from '../text/time.ts';
import type {GrantRow} from './grants.ts';
import type {Proposal} from './proposals.ts';
import type {DecisionRow, DeniedRow, DeployRow, Report} from './report.ts';

/* A report as tables: the same for a terminal, for a pipe and for Markdown. Every cell is escaped and of one line. */

export type Section = {
	readonly title: string;
	readonly columns: readonly string[];
	readonly rows: ReadonlyArray<readonly string[]>;
	/** What is said in place of no rows. */ readonly none: string;
};

/** Rows of a table; what is more is counted, and all of it is in the JSON. */
const mostRows = 200;

const when = (at: string) => `${localDay(at)} ${localMinute(at)}`;
const quoted = (because: string) => (because === '' ? '' : `“${because}”`);

const useWords: Readonly<Record<GrantRow['use'], string>> = {
	used: '',
	never: 'never used',
	'not-recorded': 'use is not recorded',
	'not-known': 'not known: its journal does not tell all',
};

function useText({use, uses, targets}: GrantRow): string {
	if (use !== 'used') {
		return useWords[use];
	}

	const shown = targets.slice(0, 3).map(({target, uses: count}) => `${target} ×${count}`);
	return `${shown.join(', ')}${targets.length > 3 ? ` and ${targets.length - 3} more` : ''}${uses >= 100 ? ', at least' : ''}`;
}

function termText({askedMs, ended, heldMs}: GrantRow): string {
	const asked = askedMs === null ? 'while it runs' : formatDuration(askedMs);
	return `${asked}; had ${formatDuration(heldMs)}${ended === null ? '' : `, ${ended}`}`;
}

function proposalText({what, forMs, scope, runs}: Proposal): string {
	if (what === 'shorten') {
		return `grant it with --for ${formatDuration(forMs!)}`;
	}

	const own = runs.slice(0, 3).map(run => `fleet revoke ${run} ${quoteWord(scope)}`);
	const more = runs.length > 3 ? `; and ${runs.length - 3} more runs` : '';
	return own.length === 0 ? 'do not grant it again' : `${own.join('; ')}${more}`;
}

function decidedText({by, own, signer, viewed, target, because}: DecisionRow): string {
	return [
		`by ${by}`,
		own ? 'who asked for the run' : '',
		target === null ? '' : `into ${branchName(target)}`,
		viewedText(viewed ?? undefined),
		signer === null ? '' : `signed by ${signer}`,
		quoted(because),
	]
		.filter(text => text !== '')
		.join(', ');
}

function deployedText({by, outcome, because, reason, outside}: DeployRow): string {
	return [
		outcome ?? 'no end is written down',
		`by ${by}`,
		outside === null ? '' : `outside of ${outside}`,
		because,
		quoted(reason),
	]
		.filter(text => text !== '')
		.join(', ');
}

const deniedText = ({because, kind}: DeniedRow) => (kind === 'network' ? because : `${kind}: ${because}`);

function section<Row>(
	{title, columns, none}: Omit<Section, 'rows'>,
	rows: readonly Row[],
	cells: (row: Row) => readonly string[],
): Section {
	const shown = rows.slice(0, mostRows).map(row => cells(row).map(cell => escapeLine(cell)));
	const more = rows.length - shown.length;
	return {
		title,
		columns,
		none,
		rows: more > 0 ? [...shown, [`and ${more} more, with --json`, ...columns.slice(1).map(() => '')]] : shown,
	};
}

/** The tables of a report, what is to be done about it first. */
export function sectionsOf(report: Report): Section[] {
	return [
		section(
			{
				title: 'Journals that do not tell all',
				columns: ['RUN', 'PROJECT', 'STATE', 'WHY'],
				none: 'none',
			},
			report.journals.notWhole,
			({run, project, status, line, because}) => [
				run,
				project ?? 'not known',
				status,
				line === null ? because : `line ${line}: ${because}`,
			],
		),
		section(
			{title: 'Proposals', columns: ['SCOPE', 'PROJECT', 'WHAT', 'WHY'], none: 'nothing to take away'},
			report.proposals,
			row => [row.scope, row.project, proposalText(row), row.because],
		),
		section(
			{
				title: 'Scopes granted',
				columns: ['WHEN', 'RUN', 'SCOPE', 'BY', 'FOR', 'USED', 'REASON'],
				none: 'no scope was granted',
			},
			report.grants,
			row => [when(row.at), row.run, row.scope, row.by, termText(row), useText(row), row.because],
		),
		section(
			{title: 'Denied', columns: ['TIMES', 'TARGET', 'PROJECT', 'RUNS', 'WHY'], none: 'nothing was denied'},
			report.denials,
			row => [String(row.count), row.target, row.project, String(row.runs), deniedText(row)],
		),
		section(
			{title: 'Decisions', columns: ['WHEN', 'RUN', 'WHAT', 'HOW'], none: 'nothing was decided'},
			report.decisions,
			row => [when(row.at), row.run, row.what, decidedText(row)],
		),
		section(
			{title: 'Deploys', columns: ['WHEN', 'RUN', 'TARGET', 'COMMIT', 'HOW'], none: 'nothing was deployed'},
			report.deploys,
			row => [when(row.at), row.run, row.target, row.commit.slice(0, 10), deployedText(row)],
		),
		section(
			{title: 'Broken off', columns: ['WHEN', 'RUN', 'WHAT', 'TIMES', 'WHY'], none: 'no alarm and no limit'},
			report.breakOffs,
			row => [when(row.at), row.run, row.what, String(row.count), row.because],
		),
	];
}

/**
 * A cell of Markdown: a span of code, in which nothing is a link, a mention, a picture or HTML. A bar would end the cell,
 * and a backslash before it is of the table.
 */
function markdownCell(text: string): string {
	if (text.trim() === '') {
		return '';
	}

	const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
	const fence = '`'.repeat(longest + 1);
	const pad = text.startsWith('`') || text.endsWith('`') ? ' ' : '';
	return `${fence}${pad}${text.replaceAll('|', String.raw`\|`)}${pad}${fence}`;
}

const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;

/** What a report is of, in a line. */
export function reportTitle({since, until, project, journals}: Report): string {
	const of = project === null ? '' : ` of ${escapeLine(project)}`;
	const runs = journals.whole + journals.notWhole.length;
	const lacking = journals.notWhole.length === 0 ? '' : `, ${journals.notWhole.length} of them not whole`;
	return `${runs} ${runs === 1 ? 'run' : 'runs'}${of} from ${when(since)} to ${when(until)}${lacking}`;
}

/** A report for a page: tables of Markdown, with everything that others wrote as code. */
export function reportMarkdown(report: Report): string {
	const parts = sectionsOf(report).map(({title, columns, rows, none}) =>
		rows.length === 0
			? `## ${title}\n\n${none}\n`
			: `## ${title}\n\n${row(columns)}${row(columns.map(() => '---'))}${rows.map(cells => row(cells.map(cell => markdownCell(cell)))).join('')}`,
	);
	return `# Report\n\n${reportTitle(report)}\n\n${parts.join('\n')}`;
}
