import {compose} from '../compose.ts';
import {auditExitCode, type Item, type Probe, type Status} from '../core/run/audit.ts';
import {escapeLine} from '../core/text/escape-controls.ts';
import {auditAndRecord} from '../engine/audit/audit.ts';
import type {Tone} from '../core/text/spans.ts';
import {findRun} from '../engine/runs.ts';
import type {Io} from '../terminal/program.ts';
import {printTable} from '../terminal/report.ts';
import {define, flag, json, required} from './verb.ts';

const tones: Readonly<Record<Status, Tone>> = {PASS: 'good', FAIL: 'bad', ERROR: 'warn'};

function blockedText({probes}: Item): string {
	return `${probes.filter(probe => probe.status === 'PASS').length} of ${probes.length} attempts blocked`;
}

/** An attempt with all that was seen of it: none of it is ever cut off. */
function attempt(io: Io, probe: Probe): void {
	io.out(
		`  ${probe.status.padEnd(5)} ${escapeLine(`${probe.tried}\n`).replace('⏎', '')}\n` +
			`        expected: ${probe.expected}\n        seen:     ${escapeLine(probe.seen)}\n` +
			`        host:     ${probe.host}\n`,
	);
}

/** The items, and below each the attempts that are to be looked at; as a table where a person looks. */
async function report(io: Io, items: readonly Item[], isVerbose: boolean): Promise<void> {
	const shown = (item: Item) => item.probes.filter(probe => isVerbose || probe.status !== 'PASS');
	const isTable = await printTable(io, {
		columns: [{title: 'RESULT'}, {title: 'ITEM', least: 12}, {title: 'EVIDENCE', least: 12}],
		rows: items.map(item => [
			{text: item.status, tone: tones[item.status]},
			{text: item.title},
			{text: blockedText(item)},
		]),
	});
	for (const item of items.filter(item => !isTable || shown(item).length > 0)) {
		io.out(isTable ? `\n${item.title}\n` : `${item.status.padEnd(5)}  ${item.title}, ${blockedText(item)}\n`);
		for (const probe of shown(item)) {
			attempt(io, probe);
		}
	}

	io.out(isTable ? '\n' : '');
}

export const verb = define({
	summary: "sandbox audit: try to break out, from inside the run's sandbox",
	arguments: {run: required('RUN')},
	options: {
		json,
		progress: flag('a line of JSON for each attempt, as it is made'),
		verbose: flag('every attempt, also those that were blocked'),
	},
	brief: ['json'],
	async run(io, {run: name}, options) {
		const context = compose();
		const run = findRun(context, name);
		const items = await auditAndRecord(
			context,
			run,
			options.progress
				? (done, total, text) => io.out(`${JSON.stringify({progress: {done, total, text}})}\n`)
				: undefined,
		);
		io.report({audit: items});
		const passed = items.filter(item => item.status === 'PASS').length;
		if (options.json && options.progress) {
			io.out(`${JSON.stringify({run: run.id, passed, total: items.length, items})}\n`);
		} else if (options.json) {
			io.json({run: run.id, passed, total: items.length, items});
		} else {
			await report(io, items, options.verbose);
			io.out(`${passed} of ${items.length}\n`);
		}

		return auditExitCode(items);
	},
});
