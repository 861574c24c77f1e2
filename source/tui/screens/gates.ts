import {summaryText} from '../../core/packages/summary.ts';
import {stageText} from '../../core/run/attention.ts';
import {validity} from '../../core/run/rules.ts';
import {gatesOf, type GateId, type GateState} from '../../core/run/gates.ts';
import {escapeLine} from '../../core/text/escape-controls.ts';
import type {Run} from '../../core/run/run.ts';
import {formatDuration} from '../../core/text/time.ts';
import {block, type Line} from '../paint/line.ts';
import {bindingOf, keyName, keysOf} from '../keymap.ts';
import {lastGood} from '../targets.ts';
import {gatesLayout} from '../layout.ts';
import {opensAt, windowText} from '../forms/deploy-window.ts';
import {spokenText} from '../spoken/words.ts';
import {scrolled} from './welcome.ts';
import {selectedRun, type State} from '../state.ts';
import type {Tone} from '../../core/text/spans.ts';
import {checklistLines, logLines} from './run.ts';

const marks = {done: '✔', ready: '→', blocked: '·', failed: '✘', inconclusive: '?', busy: '…'};
const tones: Readonly<Record<string, Tone>> = {
	done: 'good',
	ready: 'accent',
	blocked: 'quiet',
	failed: 'bad',
	inconclusive: 'warn',
	busy: 'accent',
};

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
		return 'ready';
	}

	return isOpen ? `ready: ${list}` : list;
}

/** What follows a gate's reason: a key that helps on. */
function hintOf(state: State, run: Run, gate: GateState): string {
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
	if (state.busy[run.id] === gate.id) {
		return 'running';
	}

	if (gate.because || gate.state !== 'ready') {
		return gate.because;
	}

	return gate.id === 'deploy' && run.merge ? deployText(state, run) : 'ready';
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

	const progress = state.progress[run.id];
	const audit: Line[] = [{text: ' Sandbox audit', bold: true}];
	if (progress && state.busy[run.id] === 'audit') {
		const bar = progressBar(progress.done, progress.total, 24);
		audit.push({
			// Its end is said, and not each step.
			spoken: '',
			text: ` ${bar} ${progress.done} of ${progress.total}  ${escapeLine(progress.text)}`,
			tone: 'accent',
		});
	}

	audit.push(...checklistLines(run, state, false));
	const lines: Line[] = [{text: ' Pipeline', bold: true}];
	for (const gate of gatesOf(run)) {
		const binding = bindingOf(gate.id === 'review' ? 'changes' : gate.id);
		const busy = state.busy[run.id] === gate.id;
		const mark = busy ? marks.busy : marks[gate.state];
		const key = keyName(keysOf(binding, state)[0]!);
		const reason = escapeLine(reasonOf(state, run, gate));
		const left = gate.state === 'done' ? leftOf(run, gate.id, state.now) : '';
		const text = `${reason}${left}${hintOf(state, run, gate)}`;
		lines.push({
			text: ` ${mark} ${key} ${gate.title.padEnd(8)} ${text}`,
			spoken: `${gate.title}, key ${key}: ${spokenText(text)}`,
			tone: busy ? 'accent' : tones[gate.state],
		});
	}

	for (const flag of run.captured?.commitFlags ?? []) {
		lines.push({text: `   ! ${escapeLine(flag)}`, tone: 'bad'});
	}

	lines.push(...packageLines(run));

	for (const note of run.captured?.notes ?? []) {
		lines.push({text: `   note: ${escapeLine(note)}`, tone: 'warn'});
	}

	const all = [...lines, {text: ''}, ...audit];
	const {path, output} = gatesLayout(state, height);
	const room = height - 1 - output;
	return [
		{text: ` ${run.project.id} / ${run.id}  ${escapeLine(stageText(run))}`, title: true},
		...block(scrolled(all, state.scroll, output === 0 ? room : path), output === 0 ? room : path),
		...(output > 0
			? [
					{text: state.log?.kind === 'deploy' ? ' Deploy log' : ' Verify log', dim: true, underline: true},
					...logLines(state.log, state).slice(-(output - 1)),
				]
			: []),
	];
}
