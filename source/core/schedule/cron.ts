import {printable} from '../names.ts';
import {Refusal} from '../refusal.ts';

/* The five fields of crontab(5). Closed: what another cron may read in another way is refused. */

type Field = {readonly name: string; readonly from: number; readonly to: number; readonly words?: readonly string[]};

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

const fields: readonly Field[] = [
	{name: 'minute', from: 0, to: 59},
	{name: 'hour', from: 0, to: 23},
	{name: 'day of the month', from: 1, to: 31},
	{name: 'month', from: 1, to: 12, words: months},
	{name: 'day of the week', from: 0, to: 7, words: days},
];

/** Not @reboot: what ran when the machine went down is a person's to resume. */
const names = ['@hourly', '@daily', '@midnight', '@weekly', '@monthly', '@yearly', '@annually'];

function numberOf(text: string, {from, to, words}: Field): number | undefined {
	const at = words?.indexOf(text.toLowerCase()) ?? -1;
	const number = at === -1 ? Number(/^\d{1,2}$/.test(text) ? text : Number.NaN) : at + (from === 1 ? 1 : 0);
	return number >= from && number <= to ? number : undefined;
}

/** Whether one part of a list, such as `1-5`, `mon` or `0-30/10`, can be read. */
function isPart(text: string, field: Field): boolean {
	const [range = '', step, ...more] = text.split('/');
	const [first = '', last, ...others] = range.split('-');
	if (more.length > 0 || others.length > 0 || (step !== undefined && !/^[1-9]\d?$/.test(step))) {
		return false;
	}

	if (range === '*') {
		return true;
	}

	const from = numberOf(first, field);
	if (last === undefined) {
		// cron takes a step of a range alone.
		return from !== undefined && step === undefined;
	}

	const to = numberOf(last, field);
	return from !== undefined && to !== undefined && from <= to;
}

/**
 * Reads when something is to happen, as crontab(5) has it. @returns the fields with one blank between
 */
export function parseCron(text: string): string | Refusal {
	const hint = 'five fields: minute hour day month weekday, such as "0 3 * * 1-5", or @daily';
	const words = text.trim().split(/[ \t]+/);
	if (words.length === 1 && names.includes(words[0]!)) {
		return words[0]!;
	}

	if (words.length !== fields.length) {
		return new Refusal(`"${printable(text, 40)}" is no time of a crontab`, hint);
	}

	const wrong = fields.find((field, index) => words[index]!.split(',').some(part => !isPart(part, field)));
	return wrong
		? new Refusal(`"${printable(words[fields.indexOf(wrong)]!, 40)}" is no ${wrong.name} of a crontab`, hint)
		: words.join(' ');
}
