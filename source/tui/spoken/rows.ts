import {isViewed} from '../../core/review/comments.ts';
import type {DiffLine} from '../../core/review/diff.ts';
import {escapeLine} from '../../core/text/escape-controls.ts';
import {formatDuration} from '../../core/text/time.ts';
import {bindingOf, keyName, keysOf} from '../keymap.ts';
import {taskOf, type ListRow} from '../list.ts';
import {nextSteps} from '../next-step.ts';
import {endOf} from '../review/layout.ts';
import type {ReviewRow} from '../review/rows.ts';
import type {ReviewState, State} from '../state.ts';
import {stageName} from '../../core/run/stages.ts';
import {spokenText} from './words.ts';

/* Rows with columns, as they are read out: each column by its name. */

/** Of a task, as much as is read out with its row. */
const maxTask = 120;

/** A row of the list. */
export function spokenRow(row: ListRow, state: State): string {
	if (row.kind === 'group') {
		const folded = row.folded ? `, folded${row.summary === '' ? '' : `, ${spokenText(row.summary)}`}` : '';
		return `group ${row.title}, ${row.runs} ${row.runs === 1 ? 'run' : 'runs'}${folded}`;
	}

	const {run, glance} = row;
	const stage = stageName(run.stage);
	const text = spokenText(escapeLine(glance.text));
	const busy = state.busy[run.id];
	const step = glance.next === undefined ? undefined : nextSteps[glance.next];
	const task = spokenText(escapeLine(taskOf(run)));
	return [
		`run ${run.id}`,
		...(state.list.marked.includes(run.id) ? ['marked'] : []),
		`project ${run.project.id}`,
		`state ${stage}`,
		...(text === '' || text === stage ? [] : [text]),
		...(busy === undefined ? [] : [`${busy} is running`]),
		...(glance.group === 'needs you' ? ['needs you'] : []),
		`for ${formatDuration(state.now - Date.parse(glance.since))}`,
		...(step === undefined ? [] : [`next: ${keyName(keysOf(bindingOf(step.action), state)[0] ?? '')} ${step.word}`]),
		...(task === '' ? [] : [`task: ${task.slice(0, maxTask)}`]),
	].join(', ');
}

const statuses = {added: 'added', deleted: 'deleted', modified: 'modified', renamed: 'renamed', copied: 'copied'};

/** A row of a review. */
export function spokenReviewRow(row: ReviewRow, review: ReviewState): string {
	switch (row.kind) {
		case 'file': {
			const {file} = row;
			const from = file.status === 'renamed' || file.status === 'copied' ? ` from ${escapeLine(file.oldPath)}` : '';
			return [
				`file ${escapeLine(file.path)}`,
				`${statuses[file.status]}${from}`,
				`${file.added} added`,
				`${file.removed} removed`,
				isViewed(review.review, file) ? 'viewed' : 'not viewed',
				...(row.note === '' || row.note === 'viewed' ? [] : [spokenText(row.note)]),
				...(row.folded ? ['folded'] : []),
			].join(', ');
		}

		case 'flag': {
			return `look first: ${escapeLine(row.flag.text)}`;
		}

		case 'hunk': {
			return `lines ${row.header}`;
		}

		case 'line': {
			const {file, left, right} = row;
			const line = (own: DiffLine, word: string, number: number | undefined) =>
				`${word}${number === undefined ? '' : ` ${number}`}: ${escapeLine(own.text)}${endOf(file, own)}`;
			if (left && right && left === right) {
				return line(left, 'line', left.new);
			}

			return [
				...(left ? [line(left, 'removed line', left.old)] : []),
				...(right ? [line(right, 'added line', right.new)] : []),
			].join('; ');
		}

		case 'comment': {
			return `comment${row.comment.sent ? ', sent' : ', draft'}: ${escapeLine(row.text)}`;
		}

		case 'package':
		case 'note': {
			return spokenText(escapeLine(row.text));
		}
	}
}
