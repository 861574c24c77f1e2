import {formatChanges} from '../../core/run/changes.ts';
import {gatesAt, type GateId} from '../../core/run/gates.ts';
import type {Run} from '../../core/run/run.ts';
import {escapeLine} from '../../core/text/escape-controls.ts';
import {factLines} from '../facts.ts';
import {bindingOf, keyName, keysOf} from '../keymap.ts';
import {isOutdatedIn} from '../list.ts';
import {percentOf} from '../log/place.ts';
import type {FleetLayout} from '../layout.ts';
import {gateMarks} from '../paint/signs.ts';
import {block, type Line} from '../paint/line.ts';
import {rule} from '../paint/rule.ts';
import {selectedRun, type State} from '../state.ts';

/* The selected run beside or below the list: facts, pipeline, output. */

/** What a step comes after, where it cannot be done yet. */
const waitsFor: Readonly<Record<GateId, string>> = {
	audit: 'not after a merge',
	verify: 'when the agent has ended',
	review: 'after verify',
	approve: 'after verify and review',
	merge: 'after approve',
	deploy: 'after merge',
};

/** The steps to a deploy, each with its key where it can be done. */
function pipelineLines(run: Run, state: State): Line[] {
	return gatesAt(run, isOutdatedIn(run, state)).map((gate): Line => {
		const {glyph, tone} = gateMarks[state.busy[run.id] === gate.id ? 'busy' : gate.state]!;
		const key = keyName(keysOf(bindingOf(gate.id === 'review' ? 'changes' : gate.id), state)[0]!);
		const isNext = gate.state === 'ready' || gate.state === 'failed' || gate.state === 'inconclusive';
		return {
			spans: [
				{text: ` ${glyph} `, tone},
				{text: `${isNext ? key : ' '} `, bold: true, tone: 'accent'},
				{text: `${gate.title.toLowerCase().padEnd(8)} `, tone: gate.state === 'blocked' ? 'quiet' : undefined},
				gate.state === 'blocked'
					? {text: waitsFor[gate.id], tone: 'quiet'}
					: {text: escapeLine(gate.because === '' ? gate.state : gate.because), tone},
			],
		};
	});
}

function heading(run: Run, state: State, {isBeside, width}: FleetLayout['preview']): Line {
	const changes = isBeside ? '' : formatChanges(state.changes[run.id]);
	const details = [run.project.id, `attempt ${Math.max(1, run.attempt)}`, changes].filter(text => text !== '');
	return rule(
		[
			{text: run.id, bold: true},
			{text: ` · ${details.join(' · ')}`, tone: 'quiet'},
		],
		isBeside ? '' : scrolledText(run, state),
		width,
	);
}

/** How far down its output is shown; empty while its end is followed. */
function scrolledText(run: Run, {log}: State): string {
	return log?.run === run.id && !log.following ? `scrolled, ${percentOf(log)}` : '';
}

/** Exactly as many lines as the layout has for it. */
export function previewLines(state: State, {preview, output}: FleetLayout): Line[] {
	const run = selectedRun(state);
	if (!run) {
		return block([], preview.height);
	}

	const {width, isBeside} = preview;
	const rows =
		state.log?.run === run.id && output > 0
			? state.log.rows.slice(-output).map((row): Line => ({spans: row.spans}))
			: [];
	return block(
		[
			heading(run, state, preview),
			...factLines(state, width, isBeside),
			...(isBeside
				? [
						rule([{text: 'Pipeline', bold: true}], '', width),
						...pipelineLines(run, state),
						rule([{text: 'Output', bold: true}], scrolledText(run, state), width),
					]
				: []),
			...rows,
		],
		preview.height,
	);
}
