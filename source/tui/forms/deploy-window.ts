import {formatDuration} from '../../core/text/time.ts';
import {clockAfter, parseWindow, wallTime, windowAt} from '../../core/text/window.ts';

/** Whether a target's window is open, and until or from when; empty where it has none. @param now milliseconds */
export function windowText(text: string | undefined, now: number): string {
	const window = parseWindow(text ?? '');
	if (!window) {
		return '';
	}

	const wall = wallTime(now);
	const {open, minutes} = windowAt(window, wall);
	const state = open
		? `in the deploy window (closes in ${formatDuration(minutes * 60_000)}; ${text})`
		: `outside the deploy window (opens ${clockAfter(wall, minutes)}; ${text})`;
	return `; ${state}`;
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

/** The same as a note beside a target's name; empty where it has no window. @param now milliseconds */
export function windowNote(text: string | undefined, now: number): string {
	const window = parseWindow(text ?? '');
	if (!window) {
		return '';
	}

	const {open, minutes} = windowAt(window, wallTime(now));
	return open
		? `in the deploy window (closes in ${formatDuration(minutes * 60_000)})`
		: `outside the deploy window (opens ${clockAfter(wallTime(now), minutes)})`;
}
