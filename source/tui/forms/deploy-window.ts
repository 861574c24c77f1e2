import {formatDuration} from '../../core/text/time.ts';
import {clockAfter, parseWindow, wallTime, windowAt} from '../../core/text/window.ts';

/** Whether a target's window is open, and how long; empty where there is none. @param now milliseconds */
export function windowText(text: string | undefined, now: number): string {
	const window = parseWindow(text ?? '');
	if (!window) {
		return '';
	}

	const wall = wallTime(now);
	const {open, minutes} = windowAt(window, wall);
	const left = formatDuration(minutes * 60_000);
	return `; ${text}: ${open ? `open, closes in ${left}` : `closed, opens in ${left} (${clockAfter(wall, minutes)})`}`;
}

/**
 * When a target's window opens, such as `Mon 09:00`; undefined where it is open, or there is none.
 * @param now milliseconds
 */
export function opensAt(text: string | undefined, now: number): string | undefined {
	const window = parseWindow(text ?? '');
	const wall = wallTime(now);
	const {open, minutes} = window ? windowAt(window, wall) : {open: true, minutes: 0};
	return open ? undefined : clockAfter(wall, minutes);
}
