import {itemIds, itemTitles, type Item, type Status} from '../../core/run/audit.ts';
import {zoneOf} from '../../core/text/time.ts';
import {isMetadata, learn, proposalLines} from '../../core/run/learn.ts';
import {escapeLine} from '../../core/text/escape-controls.ts';
import {policyPath} from '../../core/names.ts';
import type {Run} from '../../core/run/run.ts';
import type {Tone} from '../../core/text/spans.ts';
import {inView} from '../paint/in-view.ts';
import {row, type Line} from '../paint/line.ts';
import {percentOf} from '../log/place.ts';
import {matchCount} from '../log/matches.ts';
import {scopeRows, type ScopeRow} from '../scope-rows.ts';
import {placeNames} from '../place-names.ts';
import {selectedRun, tabs, type LogState, type State} from '../state.ts';
import {spokenText} from '../spoken/words.ts';
import {journalLines} from './timeline.ts';
import {wrapWords} from '../paint/fit.ts';
import {runHeader} from './run-header.ts';
import {reviewLines, reviewTitle} from '../review/view.ts';

/** The tone of a check's result. */
function statusTone(status: Status | undefined): Tone {
	switch (status) {
		case 'PASS': {
			return 'good';
		}

		case 'FAIL': {
			return 'bad';
		}

		case 'ERROR': {
			return 'warn';
		}

		default: {
			return 'quiet';
		}
	}
}

const scopeTones: Readonly<Record<ScopeRow['state'], Tone | undefined>> = {
	on: 'warn',
	off: 'accent',
	fixed: undefined,
	never: undefined,
	new: undefined,
};

const spokenStates = {on: 'on', fixed: 'on, fixed', off: 'off', never: 'never'};

function scopeLines(run: Run, state: State): Line[] {
	const marks = {on: '[x]', fixed: '[x]', off: '[ ]', never: ' - ', new: ' + '};
	return scopeRows(run, state).map(({scope = 'add a scope', note, state: how}, index) => ({
		...row(
			[
				{text: `${marks[how]} `, tone: how === 'never' ? 'quiet' : scopeTones[how], bold: how === 'on'},
				{text: scope, bold: how !== 'never', tone: how === 'never' ? 'quiet' : undefined},
				{text: `  ${note}`, tone: how === 'on' || how === 'off' ? scopeTones[how] : 'quiet'},
			],
			index === state.scroll,
		),
		spoken: `${how === 'new' ? '' : `${spokenStates[how]}: `}${scope}, ${spokenText(note)}`,
	}));
}

/** What can be done about an item that did not pass. */
const remedies: Readonly<Record<string, string>> = {
	repo: 'files outside the worktree can be reached: see scopes (s), or stop the run (x)',
	secrets: 'a secret can be read inside: see scopes (s) and the vault (V), or stop the run (x)',
	network: 'the network is too open: see scopes (s), or stop the run (x)',
	isolation: 'the sandbox leaks: pause the run (!); fleet doctor says what is missing',
	deploy: 'a deploy could run unattended: stop the run (x), and move its credentials off this machine',
	review: 'the target branch can be moved from inside: pause the run (!)',
};

/** What is known of an item: its attempts where the audit ran since this screen was opened, else only that it ran. */
function evidenceOf(item: Item | undefined, status: Status | undefined, stale: string): string {
	if (item) {
		const blocked = item.probes.filter(probe => probe.status === 'PASS').length;
		return `${blocked} of ${item.probes.length} attempts blocked${stale}`;
	}

	return status ? `run earlier${stale}` : 'not run';
}

/** The six items, each with its attempts where they were made while this screen was open. */
export function checklistLines(run: Run, state: State, withProbes: boolean): Line[] {
	const details = state.audits[run.id];
	const lines: Line[] = [];
	if (!details && !run.audit && (run.merge || run.stage === 'discarded')) {
		return [{text: ' ·     not run before the merge', tone: 'quiet'}];
	}

	for (const id of itemIds) {
		const item = details?.find(item => item.id === id);
		const status = item?.status ?? run.audit?.items.find(item => item.id === id)?.status;
		const stale = run.audit?.stale ? ', outdated' : '';
		lines.push({
			spans: [
				{
					text: ` ${(status ?? '·').padEnd(5)} `,
					bold: status !== undefined,
					tone: statusTone(run.audit?.stale && status === 'PASS' ? undefined : status),
				},
				{text: itemTitles[id].padEnd(22)},
				{text: ` ${evidenceOf(item, status, stale)}`, tone: 'quiet'},
			],
		});
		for (const probe of withProbes
			? (item?.probes ?? [])
			: (item?.probes.filter(probe => probe.status !== 'PASS') ?? [])) {
			lines.push({
				text: `   ${probe.status.padEnd(5)} ${probe.tried} → ${escapeLine(probe.seen)}; host: ${probe.host}`,
				dim: probe.status === 'PASS',
				tone: probe.status === 'PASS' ? undefined : statusTone(probe.status),
			});
		}

		if (status === 'FAIL' || status === 'ERROR') {
			const remedy = `${status === 'ERROR' ? 'inconclusive: run it again (c); if it stays, ' : ''}${remedies[id]}`;
			lines.push(
				...wrapWords([{text: remedy, tone: 'warn'}], Math.max(20, state.columns - 4)).map(spans => ({
					spans: [{text: '   '}, ...spans],
				})),
			);
		}
	}

	return lines;
}

/** The part of a log that is in view, with what is selected. */
export function logLines(log: LogState | undefined, state: State): Line[] {
	const {select} = state.logView;
	const [first, last] = select ? [Math.min(select.anchor, select.at), Math.max(select.anchor, select.at)] : [1, 0];
	return log?.rows.map(row => ({spans: row.spans, inverse: row.from >= first && row.from <= last})) ?? [];
}

function tabLines(run: Run, state: State, height: number): Line[] {
	switch (state.tab) {
		case 'output': {
			return state.log && state.log.rows.length > 0
				? logLines(state.log, state)
				: [{text: run.stage === 'queued' ? ` ${escapeLine(run.because)}` : ' no output yet', dim: true}];
		}

		case 'changes': {
			return reviewLines(state, height);
		}

		case 'scopes': {
			return [...inView(scopeLines(run, state), state.scroll, height)];
		}

		case 'checklist': {
			return checklistLines(run, state, true).slice(state.scroll);
		}

		case 'network': {
			const {asked, proposal} = learn(state.journal);
			const lines: Line[] =
				asked.length === 0
					? [{text: ' no network requests', dim: true}]
					: asked.map(({target, allowed, denied, because}): Line => {
							const answer = denied > 0 ? 'blocked' : 'allowed';
							const count = String(Math.max(denied, allowed)).padStart(5);
							const usual = denied > 0 ? ('warn' as const) : undefined;
							const alarm = isMetadata(target) ? '! cloud metadata, hands out credentials: ' : '';
							return {
								text: ` ${answer} ${count}  ${escapeLine(target)}  ${alarm}${escapeLine(because)}`,
								tone: alarm === '' ? usual : 'bad',
							};
						});
			const policy = proposalLines(proposal);
			return [
				...lines,
				...(policy.length === 0
					? []
					: [
							{text: ''},
							{text: ` to allow it for every run of the project, in ${policyPath} (P adds it):`, dim: true},
							...policy.map(text => ({text: `   ${text}`})),
						]),
			].slice(state.scroll, state.scroll + height);
		}

		case 'journal': {
			return journalLines(state, height);
		}
	}
}

function formOf({log, logView, logShown}: State): string {
	if (logShown !== 'output') {
		return `${logShown} log`;
	}

	if (log?.kind === 'screen') {
		return 'terminal';
	}

	return logView.raw ? 'raw' : '';
}

/** Where in the log the window is, and how it is looked at. */
function logTitle(state: State): string {
	const {log, logView} = state;
	if (!log || log.range.to === 0) {
		return '';
	}

	const words = [
		log.following ? 'end' : percentOf(log),
		formOf(state),
		logView.steps ? 'steps only' : '',
		logView.wrap ? '' : 'no wrap',
		logView.search === '' ? '' : `/${escapeLine(logView.search)} ${matchCount(log.matches)}`.trimEnd(),
		logView.select ? 'selecting' : '',
	];
	return words.filter(word => word !== '').join(' ');
}

/** What stands to the right of a run's tabs. */
function tabTitle(state: State): string {
	switch (state.tab) {
		case 'output': {
			return logTitle(state);
		}

		case 'changes': {
			return reviewTitle(state);
		}

		case 'journal': {
			return `${state.journalRaw ? 'raw, ' : ''}local time, ${zoneOf(state.now)}`;
		}

		default: {
			return '';
		}
	}
}

/** One run: output, changes, scopes, audit, journal, network. */
export function runLines(state: State, height: number): Line[] {
	const run = selectedRun(state);
	if (!run) {
		return [{text: ' run not found (esc goes back)'}];
	}

	const bar = tabs.map((tab, index) => ({
		text: ` ${index + 1} ${placeNames[tab]} `,
		...(tab === state.tab ? {inverse: true} : {tone: 'quiet' as const}),
	}));
	const right = tabTitle(state);
	const room = state.columns - bar.reduce((sum, span) => sum + span.text.length, 0) - 1;
	return [
		runHeader(run, state),
		{spans: [...bar, {text: right.length > room ? '' : right.padStart(room), dim: true}], spoken: right},
		...tabLines(run, state, height - 2),
	];
}
