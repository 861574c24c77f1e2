import {branchName} from '../core/git/refs.ts';
import {summaryText} from '../core/packages/summary.ts';
import {countViewed} from '../core/review/comments.ts';
import {testsOf} from '../core/run/glance.ts';
import {timeWorked, type Run} from '../core/run/run.ts';
import {formatTests} from '../core/run/test-summary.ts';
import {formatUsage} from '../core/run/usage.ts';
import {isInForce} from '../core/scope.ts';
import {escapeLine} from '../core/text/escape-controls.ts';
import type {Span} from '../core/text/spans.ts';
import {formatDuration} from '../core/text/time.ts';
import {taskOf} from './list.ts';
import {wrapWords} from './paint/fit.ts';
import type {Line} from './paint/line.ts';
import {signs} from './paint/signs.ts';
import {selectedRun, type State} from './state.ts';

/* What is known of the selected run, as lines beside or below the list: what it was asked, where it is, what it may. */

/** Cells of a fact's name. */
const labelWidth = 9;

/** Rows of its task at most: beside the list, and below it. */
const taskRows = {beside: 4, below: 1};

/** Grants and blocked hosts that are named. */
const maxNamed = 4;

type Fact = {readonly label: string; readonly spans: readonly Span[]; readonly rows?: number};

/** How long ago something was. */
const ago = (at: string, now: number) => `${formatDuration(now - Date.parse(at))} ago`;

const plural = (count: number, one: string) => `${count} ${one}${count === 1 ? '' : 's'}`;

function branchFact(run: Run): Fact {
	const commits = run.captured ? `, ${plural(run.captured.commits, 'commit')}` : '';
	return {label: 'Branch', spans: [{text: `${run.branch} → ${branchName(run.target)}${commits}`}]};
}

function agentFact(run: Run, now: number): Fact {
	const parts = [run.agent, formatUsage(run.usage), formatDuration(timeWorked(run, now))].filter(text => text !== '');
	return {label: 'Agent', spans: [{text: parts.join(' · ')}]};
}

function changesFact(run: Run, state: State): Fact {
	const changes = state.changes[run.id];
	const review = state.review?.run === run.id ? state.review : undefined;
	if (!changes || changes.files === 0) {
		return {label: 'Changes', spans: [{text: changes ? 'none' : 'not counted yet', tone: 'quiet'}]};
	}

	const viewed = review && countViewed(review.review, review.files);
	const all = viewed && viewed.files - viewed.unviewed;
	return {
		label: 'Changes',
		spans: [
			{text: `${plural(changes.files, 'file')} `},
			{text: `+${changes.added}`, tone: 'good'},
			{text: ' '},
			{text: `-${changes.removed}`, tone: 'bad'},
			...(viewed
				? [{text: `  ${all} of ${viewed.files} viewed`, tone: viewed.unviewed > 0 ? ('warn' as const) : undefined}]
				: []),
		],
	};
}

/** What of its packages and commits is to be looked at first. */
function flagFacts({captured}: Run): Fact[] {
	const packages = captured?.packages;
	return [
		...(packages
			? [
					{
						label: 'Packages',
						spans: [{text: summaryText(packages), tone: packages.flagged > 0 ? ('warn' as const) : undefined}],
					},
				]
			: []),
		...(captured?.commitFlags ?? []).slice(0, 2).map(flag => ({
			label: '',
			spans: [{text: `! ${escapeLine(flag)}`, tone: 'warn' as const}],
		})),
	];
}

function testsFact(run: Run, now: number): Fact[] {
	const {verification} = run;
	if (!verification) {
		return [];
	}

	const tests = testsOf(run);
	const sign = verification.passed
		? signs.passed
		: signs[verification.result === 'inconclusive' ? 'unclear' : 'failed'];
	const words = tests ? formatTests(tests) : escapeLine(verification.because);
	return [
		{
			label: 'Tests',
			spans: [
				{text: `${sign.glyph} ${words}`, tone: sign.tone},
				{text: `, ${ago(verification.at, now)}`, tone: 'quiet'},
			],
		},
	];
}

/** What it may, besides what every run may, with the time that is left. */
function scopesFact(run: Run, now: number): Fact {
	const grants = run.grants.filter(grant => isInForce(grant, now));
	const named = grants.slice(0, maxNamed).map(({scope, until}) => {
		const left = until === undefined ? '' : ` ${formatDuration(Date.parse(until) - now)} left`;
		return `${scope.replace(/^network:/, '')}${left}`;
	});
	const more = grants.length > maxNamed ? [`${grants.length - maxNamed} more`] : [];
	return {
		label: 'May',
		spans: [
			{text: 'this project, build'},
			...(grants.length > 0 ? [{text: `, ${escapeLine([...named, ...more].join(', '))}`, tone: 'warn' as const}] : []),
		],
	};
}

/** What a person can do about one that waits for a run that will not end well. */
function queueFact(run: Run): Fact[] {
	return run.stage === 'queued' && run.stuck
		? [
				{
					label: 'Queue',
					spans: [
						{text: escapeLine(run.because), tone: 'warn'},
						{text: ': r starts it anyway, D discards it', tone: 'quiet'},
					],
					rows: 2,
				},
			]
		: [];
}

function asksFact(run: Run, now: number): Fact[] {
	return run.denials.slice(0, maxNamed).map(({target, count, at}, index) => ({
		label: index === 0 ? 'Asks' : '',
		spans: [
			{text: escapeLine(target), tone: 'warn'},
			{text: ` blocked ${count}×, ${ago(at, now)}`, tone: 'quiet'},
		],
	}));
}

function factsOf(run: Run, state: State, isBeside: boolean): Fact[] {
	const {now} = state;
	const task: Fact = {
		label: 'Task',
		spans: [{text: escapeLine(taskOf(run)), bold: true}],
		rows: isBeside ? taskRows.beside : taskRows.below,
	};
	const asks = asksFact(run, now);
	return isBeside
		? [
				task,
				...queueFact(run),
				branchFact(run),
				agentFact(run, now),
				changesFact(run, state),
				...flagFacts(run),
				...testsFact(run, now),
				scopesFact(run, now),
				...asks,
			]
		: [task, scopesFact(run, now), ...[...queueFact(run), ...asks].slice(0, 1).map(fact => ({...fact, rows: 1}))];
}

function linesOf({label, spans, rows = 1}: Fact, width: number): Line[] {
	const room = Math.max(1, width - labelWidth - 1);
	const wrapped = rows === 1 ? [spans] : wrapWords(spans, room).slice(0, rows);
	return wrapped.map((part, index): Line => ({
		spans: [{text: ` ${(index === 0 ? label : '').padEnd(labelWidth)}`, tone: 'quiet'}, ...part],
	}));
}

/** The facts of the selected run, without its heading. @param width cells */
export function factLines(state: State, width: number, isBeside: boolean): Line[] {
	const run = selectedRun(state);
	return run ? factsOf(run, state, isBeside).flatMap(fact => linesOf(fact, width)) : [];
}
