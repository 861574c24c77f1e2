import {summaryText} from '../../core/packages/summary.ts';
import {validity} from '../../core/run/rules.ts';
import {gatesAt, type GateId, type GateState} from '../../core/run/gates.ts';
import {escapeLine} from '../../core/text/escape-controls.ts';
import type {Run} from '../../core/run/run.ts';
import {formatDuration} from '../../core/text/time.ts';
import {block, type Line} from '../paint/line.ts';
import {bindingOf, keyName, keysOf} from '../keymap.ts';
import {glanceOf, isOutdatedIn} from '../list.ts';
import {lastGood} from '../targets.ts';
import {gatesLayout} from '../layout.ts';
import {opensAt, windowText} from '../forms/deploy-window.ts';
import {spokenText} from '../spoken/words.ts';
import {scrolled} from './welcome.ts';
import {selectedRun, type State} from '../state.ts';
import {nextAction} from '../act.ts';
import {rule} from '../paint/rule.ts';
import {gateMarks} from '../paint/signs.ts';
import {runHeader} from './run-header.ts';
import {checklistLines, logLines} from './run.ts';

/** A bar of what is done of something that takes long. */
function progressBar(done: number, total: number, width: number): string {
	const full = Math.max(0, Math.min(width, Math.round((width * done) / Math.max(1, total))));
	return `${'█'.repeat(full)}${'░'.repeat(width - full)}`;
}

/** When what a gate asks for was decided; undefined for a gate whose decision does not expire. */
function decidedAt(run: Run, gate: GateId): string | undefined {
	if (gate === 'verify') {
		return run.verification?.passed ? run.verification.at : undefined;
	}

	return gate === 'approve' ? run.approval?.at : undefined;
}

/** How long a decision is still valid; empty once the run is merged. */
function leftOf(run: Run, gate: GateId, now: number): string {
	const at = run.merge ? undefined : decidedAt(run, gate);
	if (at === undefined) {
		return '';
	}

	const left = Date.parse(at) + validity - now;
	return left > 0 ? `, valid for ${formatDuration(left)}` : ', expired';
}

/** Where the run's result may be deployed, and when. `ready` only where a target's window is open. */
function deployText(state: State, run: Run): string {
	const targets = Object.entries(state.offers[run.project.id]?.deploy ?? {});
	const list = targets.map(([name, {window}]) => `${name}${windowText(window, state.now)}`).join(', ');
	const isOpen = targets.some(([, {window}]) => opensAt(window, state.now) === undefined);
	if (targets.length === 0) {
		return state.offers[run.project.id] === undefined ? 'ready' : 'the policy names no target';
	}

	return isOpen ? `ready: ${list}` : list;
}

/** What follows a gate's reason: a key that helps on. */
function hintOf(state: State, run: Run, gate: GateState): string {
	if (gate.id === 'verify' && glanceOf(run, state).next === 'set-verify') {
		return ' (there is no verify command: v sets one)';
	}

	if (gate.id === 'verify') {
		const ended = gate.state === 'failed' || gate.state === 'inconclusive' || gate.state === 'done';
		return ended && run.verification ? ' (w log)' : '';
	}

	return gate.id === 'deploy' && gate.state === 'failed' && lastGood(state) ? ' (B roll back)' : '';
}

/** Flags of packages that are shown one by one. */
const maxPackageFlags = 5;

/** What became of packages, and what of it is to be looked at first. */
function packageLines({captured}: Run): Line[] {
	const packages = captured?.packages;
	if (!packages) {
		return [];
	}

	const left = packages.flagged - maxPackageFlags;
	return [
		{text: `   packages: ${summaryText(packages)}`, tone: packages.flagged > 0 ? 'warn' : undefined},
		...packages.flags
			.slice(0, maxPackageFlags)
			.map(flag => ({text: `   ! ${escapeLine(flag)}`, tone: 'warn' as const})),
		...(left > 0 ? [{text: `   ! and ${left} more (d diff)`, tone: 'warn' as const}] : []),
	];
}

/** Where a gate is, in words. */
function reasonOf(state: State, run: Run, gate: GateState): string {
	// What came of the last verification says nothing about the one that goes on.
	if (state.busy[run.id] === gate.id || (gate.id === 'verify' && gate.state === 'busy')) {
		return 'running';
	}

	if (gate.because || gate.state !== 'ready') {
		return gate.because;
	}

	return gate.id === 'deploy' && run.merge ? deployText(state, run) : 'ready';
}

function gateLine(run: Run, gate: GateState, state: State): Line {
	const action = gate.id === 'review' ? 'changes' : gate.id;
	const {glyph, tone} = gateMarks[state.busy[run.id] === gate.id ? 'busy' : gate.state]!;
	const isNext = nextAction(state) === action && gate.state !== 'blocked';
	const isBlocked = gate.state === 'blocked';
	const reason = escapeLine(reasonOf(state, run, gate));
	const left = gate.state === 'done' ? leftOf(run, gate.id, state.now) : '';
	const key = keyName(keysOf(bindingOf(action), state)[0]!);
	return {
		back: isNext ? 'selected' : undefined,
		spoken: `${gate.title}, key ${key}: ${spokenText(`${reason}${left}`)}${isNext ? ', the next step' : ''}`,
		spans: [
			{text: isNext ? '▌' : ' ', tone: 'accent'},
			{text: `${glyph} `, tone},
			{text: `${key} `, bold: true, tone: isBlocked ? 'quiet' : 'accent'},
			{text: `${gate.title.padEnd(8)} `, bold: isNext, tone: isBlocked ? 'quiet' : undefined},
			{text: reason, tone: gate.state === 'ready' ? undefined : tone},
			{text: `${left}${hintOf(state, run, gate)}${isNext ? '  (enter)' : ''}`, tone: 'quiet'},
		],
	};
}

/**
 * The guided sequence: audit, verify, review, approve, merge, deploy, each with its state, its reason and its key; below
 * it what the audit found.
 */
export function gatesLines(state: State, height: number): Line[] {
	const run = selectedRun(state);
	if (!run) {
		return [{text: ' run not found (esc goes back)'}];
	}

	const isRunning = state.busy[run.id] === 'audit';
	const progress = isRunning ? state.progress[run.id] : undefined;
	const wasTried = state.audits[run.id] !== undefined || run.audit !== undefined;
	const lines: Line[] = [
		rule([{text: 'Pipeline', bold: true}], '', state.columns),
		...gatesAt(run, isOutdatedIn(run, state)).map(gate => gateLine(run, gate, state)),
	];

	for (const flag of run.captured?.commitFlags ?? []) {
		lines.push({text: `   ! ${escapeLine(flag)}`, tone: 'bad'});
	}

	lines.push(...packageLines(run));

	for (const note of run.captured?.notes ?? []) {
		lines.push({text: `   note: ${escapeLine(note)}`, tone: 'warn'});
	}

	lines.push(
		rule([{text: 'Sandbox audit', bold: true}], '', state.columns),
		...(progress
			? [
					{
						// Its end is said, and not each step.
						spoken: '',
						text: ` ${progressBar(progress.done, progress.total, 24)} ${progress.done} of ${progress.total}  ${escapeLine(progress.text)}`,
						tone: 'accent' as const,
					},
				]
			: []),
		...(wasTried || run.merge
			? checklistLines(run, state, false)
			: [{text: ' not run: attempts from inside this sandbox to reach what it may not', tone: 'quiet' as const}]),
	);

	const {path, output} = gatesLayout(state, height);
	const room = height - 1 - output;
	return [
		runHeader(run, state),
		...block(scrolled(lines, state.scroll, output === 0 ? room : path), output === 0 ? room : path),
		...(output > 0
			? [
					rule([{text: state.log?.kind === 'deploy' ? 'Deploy log' : 'Verify log', bold: true}], '', state.columns),
					...logLines(state.log, state).slice(-(output - 1)),
				]
			: []),
	];
}
