import {Refusal} from './refusal.ts';

const units: Record<string, number> = {s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000};

/** @returns milliseconds for "30m", "2h", "45s", "1d" */
export function parseDuration(text: string): number | Refusal {
	const match = /^(\d{1,5})\s*([smhd])$/.exec(text.trim());
	if (!match || Number(match[1]) === 0) {
		return new Refusal(`"${text}" is not a length of time`, 'write a number and a unit, such as 30m, 2h or 1d');
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
