import {Refusal} from '../refusal.ts';

const units: Record<string, number> = {s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000};

/** @returns milliseconds for "30m", "2h", "45s", "1d" */
export function parseDuration(text: string): number | Refusal {
	const match = /^(\d{1,5})\s*([smhd])$/.exec(text.trim());
	if (!match || Number(match[1]) === 0) {
		return new Refusal(`invalid duration "${text}"`, 'write a number and a unit, such as 30m, 2h or 1d');
	}

	return Number(match[1]) * units[match[2]!]!;
}

/** "5s", "12m", "3h", "2d": the largest whole unit of a span of milliseconds. */
export function formatDuration(milliseconds: number): string {
	const seconds = Math.max(0, Math.floor(milliseconds / 1000));
	if (seconds < 60) {
		return `${seconds}s`;
	}

	if (seconds < 3600) {
		return `${Math.floor(seconds / 60)}m`;
	}

	return seconds < 86_400 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}

/** A span in milliseconds as `parseDuration` reads it: "90m", "2h"; what is less than a second is left out. */
export function formatSpan(milliseconds: number): string {
	const seconds = Math.floor(milliseconds / 1000);
	const [unit, size] = Object.entries({d: 86_400, h: 3600, m: 60}).find(
		([, size]) => seconds > 0 && seconds % size === 0,
	) ?? ['s', 1];
	return `${seconds / size}${unit}`;
}

const two = (value: number) => String(value).padStart(2, '0');

function offsetOf(date: Date): {readonly sign: string; readonly hours: number; readonly minutes: number} {
	const east = -date.getTimezoneOffset();
	return {sign: east < 0 ? '-' : '+', hours: Math.floor(Math.abs(east) / 60), minutes: Math.abs(east) % 60};
}

const dayOf = (date: Date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
const clockOf = (date: Date) => `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;

/** A moment by this machine's clock with its offset, such as `2026-01-31T09:30:00+01:00`. @param at ISO 8601 */
export function localStamp(at: string): string {
	const date = new Date(at);
	const {sign, hours, minutes} = offsetOf(date);
	return `${dayOf(date)}T${clockOf(date)}${sign}${two(hours)}:${two(minutes)}`;
}

/** The day of a moment by this machine's clock, such as `2026-01-31`. @param at ISO 8601 */
export function localDay(at: string): string {
	return dayOf(new Date(at));
}

/** The hour and minute of a moment by this machine's clock, such as `09:30`. @param at ISO 8601 */
export function localMinute(at: string): string {
	return clockOf(new Date(at)).slice(0, 5);
}

/** Hour, minute and second of a moment by this machine's clock, such as `09:30:05`. @param at ISO 8601 */
export function localClock(at: string): string {
	return clockOf(new Date(at));
}

const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/**
 * A day as it is called: `Today`, `Yesterday`, or `Monday, 2026-01-26`.
 * @param at a moment of it, ISO 8601
 * @param now milliseconds
 */
export function dayName(at: string, now: number): string {
	const date = new Date(at);
	const day = dayOf(date);
	const today = new Date(now);
	if (day === dayOf(today)) {
		return 'Today';
	}

	// The day before as a calendar has it: one with a change of the clock is not 24 hours long.
	const before = new Date(today.getFullYear(), today.getMonth(), today.getDate() - 1);
	return day === dayOf(before) ? 'Yesterday' : `${weekdays[date.getDay()]!}, ${day}`;
}

/** When the day of a moment began by this machine's clock, milliseconds. @param now milliseconds */
export function startOfDay(now: number): number {
	const date = new Date(now);
	return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}

/**
 * A moment by this machine's clock: the time alone where it is today's, else with its day.
 * @param at ISO 8601
 * @param now milliseconds
 */
export function localTime(at: string, now: number): string {
	const date = new Date(at);
	const day = dayOf(date);
	return day === dayOf(new Date(now)) ? clockOf(date) : `${day} ${clockOf(date)}`;
}

/** This machine's time zone as it is at a moment, such as `UTC+9` or `UTC-3:30`. @param now milliseconds */
export function zoneOf(now: number): string {
	const {sign, hours, minutes} = offsetOf(new Date(now));
	return hours === 0 && minutes === 0 ? 'UTC' : `UTC${sign}${hours}${minutes === 0 ? '' : `:${two(minutes)}`}`;
}
