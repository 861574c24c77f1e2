import type {Run} from '../../core/run/run.ts';
import {timeWorked} from '../../core/run/run.ts';
import {formatUsage} from '../../core/run/usage.ts';
import {escapeLine} from '../../core/text/escape-controls.ts';
import type {Span} from '../../core/text/spans.ts';
import {formatDuration} from '../../core/text/time.ts';
import {glanceOf, taskOf} from '../list.ts';
import {fit, widthOf} from '../paint/fit.ts';
import {ends, type Line} from '../paint/line.ts';
import {signs} from '../paint/signs.ts';
import type {State} from '../state.ts';

const widthOfAll = (spans: readonly Span[]) => spans.reduce((sum, {text}) => sum + widthOf(text), 0);

/** The first line of whatever is about one run: which it is, what it was asked to do, and how it stands. */
export function runHeader(run: Run, state: State): Line {
	const glance = glanceOf(run, state);
	const {glyph, tone} = signs[glance.sign];
	const text = escapeLine(glance.text);
	const name: Span[] = [
		{text: ` ${run.project.id} / `, tone: 'quiet'},
		{text: run.id, bold: true},
	];
	const room = Math.max(8, state.columns - widthOfAll(name) - 5);
	const verdict: Span[] = [{text: `${glyph} ${widthOf(text) > room ? fit(text, room) : text}`, tone}];
	const details = [
		formatDuration(state.now - Date.parse(glance.since)),
		run.attempt > 1 ? `attempt ${run.attempt}` : '',
		formatUsage(run.usage),
		run.listening.length === 0 ? '' : `listens on ${run.listening.slice(0, 3).join(', ')}`,
		state.columns >= 120 ? formatDuration(timeWorked(run, state.now)) + ' of work' : '',
	].filter(part => part !== '');
	const quiet: Span[] = [{text: ` · ${details.join(' · ')} `, tone: 'quiet'}];
	const left = state.columns - widthOfAll(name) - widthOfAll(verdict) - widthOfAll(quiet) - 3;
	const withDetails = left >= 0 ? [...verdict, ...quiet] : [...verdict, {text: ' '}];
	const task = escapeLine(taskOf(run));
	const most = left - 2;
	return {
		...ends(
			most < 12 ? name : [...name, {text: `  ${widthOf(task) > most ? fit(task, most) : task}`}],
			withDetails,
			state.columns,
		),
		spoken: `run ${run.id}, project ${run.project.id}, ${task}, ${glance.group}, ${text}, ${details.join(', ')}`,
	};
}
