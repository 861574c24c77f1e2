import {formatDuration} from '../../core/time.ts';
import {parseWindow, wallTime, windowAt} from '../../core/window.ts';

/** Whether a target's window is open, and how long; empty where there is none. @param now milliseconds */
export function windowText(text: string | undefined, now: number): string {
	const window = parseWindow(text ?? '');
	if (!window) {
		return '';
	}

	const {open, minutes} = windowAt(window, wallTime(now));
	return `; ${text}: ${open ? 'open, closes' : 'closed, opens'} in ${formatDuration(minutes * 60_000)}`;
}
