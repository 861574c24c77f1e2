import type {Line} from './line.ts';

/**
 * As many lines as there is room for, with the one that is selected among them, and marks for how many there are above
 * and below.
 */
export function inView(lines: readonly Line[], selected: number, height: number): readonly Line[] {
	if (lines.length <= height || height < 3) {
		const from = Math.max(0, Math.min(lines.length - height, selected));
		return lines.slice(from, from + height);
	}

	const from = Math.max(0, Math.min(lines.length - height, selected - Math.floor(height / 2)));
	const to = from + height;
	return [
		...(from > 0 ? [{text: `  ↑ ${from + 1} more`, dim: true}] : []),
		...lines.slice(from > 0 ? from + 1 : from, to < lines.length ? to - 1 : to),
		...(to < lines.length ? [{text: `  ↓ ${lines.length - to + 1} more`, dim: true}] : []),
	];
}
