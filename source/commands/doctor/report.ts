import type {Availability} from '../../core/seams.ts';
import type {Tone} from '../../core/text/spans.ts';
import type {Attempt} from '../../attacks/try.ts';
import {asTyped} from '../../terminal/as-typed.ts';
import type {Io} from '../../terminal/program.ts';
import {printTable} from '../../terminal/report.ts';

/* What the doctor says to people: tables on a terminal, lines elsewhere. */

/** Something that was looked at. */
export type Check = Availability & {readonly id: string; readonly needed: boolean};

/** Whether what was looked at works; what is not needed may be missing. */
function wordFor({works, needed}: Check): {readonly text: string; readonly tone: Tone} {
	if (works) {
		return {text: 'works', tone: 'good'};
	}

	return needed ? {text: 'FAILS', tone: 'bad'} : {text: 'none', tone: 'warn'};
}

/** What was looked at, and what to type where it is missing: whole lines, which can be copied. */
export async function report(io: Io, checks: readonly Check[]): Promise<void> {
	const hinted = checks.filter(check => !check.works && check.hint !== '');
	const isTable = await printTable(io, {
		columns: [{title: 'STATE'}, {title: 'WHAT', least: 8}, {title: 'FOUND', least: 24}],
		rows: checks.map(check => [wordFor(check), {text: check.id}, {text: check.because}]),
	});
	if (isTable) {
		io.out(hinted.length === 0 ? '' : '\nhints\n');
		for (const check of hinted) {
			io.out(`  ${check.id}: ${asTyped(check.hint)}\n`);
		}

		return;
	}

	for (const check of checks) {
		io.out(`${wordFor(check).text.padEnd(5)}  ${check.id.padEnd(20)} ${check.because}\n`);
		if (hinted.includes(check)) {
			io.out(`       ${''.padEnd(20)} hint: ${asTyped(check.hint)}\n`);
		}
	}
}

const attackTones: Readonly<Record<Attempt['status'], Tone>> = {stopped: 'good', through: 'bad', error: 'warn'};

/** What came of each known attack. */
export async function reportAttempts(io: Io, results: readonly Attempt[]): Promise<void> {
	const areas = [...new Set(results.map(result => result.area))];
	const ofArea = (area: string) => results.filter(result => result.area === area);
	const count = (area: string) =>
		`${ofArea(area).filter(result => result.status === 'stopped').length} of ${ofArea(area).length} stopped`;
	const isTable = await printTable(io, {
		columns: [{title: 'RESULT'}, {title: 'ATTEMPT', least: 12}, {title: 'WHAT WAS SEEN', least: 24}],
		rows: results.map(({id, title, status, because}) => [
			{text: status, tone: attackTones[status]},
			{text: id},
			{text: `${title}: ${because}`},
		]),
	});
	io.out(isTable ? '\n' : '');
	for (const area of areas) {
		io.out(`${area}: ${count(area)}\n`);
		for (const {id, title, status, because} of isTable ? [] : ofArea(area)) {
			io.out(`  ${status.padEnd(8)} ${id.padEnd(26)} ${title}: ${because}\n`);
		}
	}
}
