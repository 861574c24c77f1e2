import {escapeLine} from '../../core/text/escape-controls.ts';
import {formatBytes} from '../../core/text/bytes.ts';
import {inView} from '../paint/in-view.ts';
import {row, type Line} from '../paint/line.ts';
import type {State} from '../state.ts';

/** What each run takes of the disk, and what of it can be deleted. */
export function diskLines(state: State, height: number): Line[] {
	const {disk} = state;
	if (!disk) {
		return [
			{text: ' Disk', title: true},
			{text: ' loading…', dim: true},
		];
	}

	const total = disk.reduce((sum, entry) => sum + entry.bytes, 0);
	const lines: Line[] = [
		{text: ` Disk  ${formatBytes(total)} in ${disk.length} ${disk.length === 1 ? 'run' : 'runs'}`, title: true},
	];
	if (disk.length === 0) {
		lines.push({text: ' no runs', dim: true});
	} else {
		const rows = disk.map((entry, index) =>
			row(
				[
					{text: `${formatBytes(entry.bytes).padStart(10)}  `, tone: 'quiet'},
					{text: `${entry.project} / `, tone: 'quiet'},
					{text: `${entry.run}  `, bold: true},
					{text: escapeLine(entry.note), tone: entry.safe ? 'good' : undefined},
				],
				index === state.scroll,
			),
		);
		lines.push(...inView(rows, state.scroll, height - 1));
	}

	return lines;
}
