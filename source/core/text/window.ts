/**
 * When something may be done: days of the week on which it begins (0 is Sunday),
 * and minutes since midnight. Over midnight where it ends before it begins.
 */
export type Window = {readonly days: ReadonlySet<number>; readonly from: number; readonly to: number};

/** A moment by the clock on the wall: day of the week (0 is Sunday), and minutes since midnight. */
export type WallTime = {readonly day: number; readonly minutes: number};

const names = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const week = 7 * 1440;

/** How a window is written, for whoever wrote it otherwise. */
export const windowUsage = 'a window is written like "mon-fri 09:00-16:00", "sat,sun 22:00-06:00" or "09:00-16:00"';

function parseDays(text: string): Set<number> | undefined {
	const days = new Set<number>();
	for (const part of text.split(',')) {
		const [first, last] = part.split('-').map(name => names.indexOf(name)) as [number, number | undefined];
		if (first === -1 || last === -1 || part.split('-').length > 2) {
			return undefined;
		}

		for (let day = first; ; day = (day + 1) % 7) {
			days.add(day);
			if (day === (last ?? first)) {
				break;
			}
		}
	}

	return days;
}

/** Reads a window such as `mon-fri 09:00-16:00`; without days it is every day's. */
export function parseWindow(text: string): Window | undefined {
	const match = /^(?:([a-z,-]+) )?([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$/.exec(text);
	const days = match && parseDays(match[1] ?? 'sun-sat');
	return days
		? {days, from: Number(match[2]) * 60 + Number(match[3]), to: Number(match[4]) * 60 + Number(match[5])}
		: undefined;
}

function isOpen({days, from, to}: Window, {day, minutes}: WallTime): boolean {
	const ofToday = days.has(day);
	const ofYesterday = days.has((day + 6) % 7);
	return from < to
		? ofToday && minutes >= from && minutes < to
		: (ofToday && minutes >= from) || (ofYesterday && minutes < to);
}

/** Whether a window is open, and in how many minutes that changes; a week where it never does. */
export function windowAt(window: Window, now: WallTime): {readonly open: boolean; readonly minutes: number} {
	const open = isOpen(window, now);
	for (let minutes = 1; minutes < week; minutes++) {
		const at = now.day * 1440 + now.minutes + minutes;
		if (isOpen(window, {day: Math.floor(at / 1440) % 7, minutes: at % 1440}) !== open) {
			return {open, minutes};
		}
	}

	return {open, minutes: week};
}

/** The day and the hour some minutes after a moment, such as `Mon 09:00`. */
export function clockAfter(now: WallTime, minutes: number): string {
	const at = now.day * 1440 + now.minutes + minutes;
	const name = names[Math.floor(at / 1440) % 7]!;
	const two = (value: number) => String(value).padStart(2, '0');
	return `${name[0]!.toUpperCase()}${name.slice(1)} ${two(Math.floor((at % 1440) / 60))}:${two(at % 60)}`;
}

/** A moment by this machine's clock. @param now milliseconds */
export function wallTime(now: number): WallTime {
	const date = new Date(now);
	return {day: date.getDay(), minutes: date.getHours() * 60 + date.getMinutes()};
}
