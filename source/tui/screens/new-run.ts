import {fieldLines} from '../forms/view.ts';
import type {Line} from '../paint/line.ts';
import {formOf} from '../focus.ts';
import type {State} from '../state.ts';

/** With fewer rows, only fields are shown. */
const lowHeight = 16;

/** New run. What is typed stays in view. */
export function formLines(state: State, height: number): Line[] {
	const form = formOf(state);
	const fields = form ? fieldLines(form.fields, form.at, state.columns) : [];
	// Only the label of the field with the cursor is bold.
	const active = fields.findIndex(line => line.spans?.[0]?.bold);
	const isLow = height < lowHeight;
	const room = Math.max(1, height - (isLow ? 1 : 3));
	const from = Math.max(0, Math.min(fields.length - room, active - 2));
	const shown = fields.slice(from, from + room);
	const marked = shown.map((line, index): Line => {
		if (index === 0 && from > 0) {
			return {text: '  ↑ more', dim: true};
		}

		return index === room - 1 && from + room < fields.length ? {text: '  ↓ more', dim: true} : line;
	});
	return [
		{text: ' New run', title: true},
		...marked,
		...(isLow
			? []
			: [{}, {text: ' It gets its own worktree, branch and sandbox; no network unless granted.', dim: true}]),
	];
}
