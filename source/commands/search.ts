import process from 'node:process';
import {compose} from '../compose.ts';
import {Refusal} from '../core/refusal.ts';
import {escapeLine} from '../core/text/escape-controls.ts';
import {formatBytes} from '../core/text/bytes.ts';
import {findRun} from '../engine/runs.ts';
import {logKinds, searchLogs, type Found, type LogKind, type LogSearchEnd} from '../terminal/search-logs.ts';
import {parseLimit, projectId} from './activity.ts';
import {define, json, optional, text} from './verb.ts';

/** Lines, milliseconds and bytes of a search where nobody says more. */
const usual = {limit: 200, timeMs: 20_000, maxBytes: 2 * 1024 ** 3};

/** One line for people, with what was found in bold on a terminal. */
function printed({run, log, text: line, match}: Found): string {
	const [before, own, behind] = [line.slice(0, match.from), line.slice(match.from, match.to), line.slice(match.to)].map(
		part => escapeLine(part),
	) as [string, string, string];
	const isColoured = process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '';
	return `${run} ${log}: ${before}${isColoured ? `\u001B[1m${own}\u001B[22m` : own}${behind}\n`;
}

/** What was not looked at, where that is so. */
function endText({stopped, logs, of, bytes}: LogSearchEnd, limit: number): string {
	switch (stopped) {
		case 'limit': {
			return `the first ${limit} are shown: --limit N shows more\n`;
		}

		case 'time':
		case 'bytes': {
			return `stopped after ${formatBytes(bytes)}, ${logs} of ${of} logs: --run RUN looks through one run\n`;
		}

		case undefined: {
			return '';
		}
	}
}

export const verb = define({
	summary: 'words in the logs of all runs: output, verify and deploy',
	arguments: {
		words: optional('WORDS', 'a regular expression; without a capital, capitals do not matter; or after --'),
	},
	usage: 'WORDS [--run RUN] [--project NAME] [--log KIND] [--json]',
	options: {
		run: text('RUN', 'in the logs of one run'),
		project: text('NAME', 'in the logs of the runs of one project'),
		log: text('KIND', 'in logs of one kind', logKinds),
		limit: text('N', `at most so many lines; by default ${usual.limit}`),
		json,
	},
	brief: ['run', 'project', 'log', 'json'],
	async run(io, {words: given}, options) {
		const words = [...(given === undefined ? [] : [given]), ...(io.rest ?? [])].join(' ');
		if (words.trim() === '') {
			throw new Refusal('there is nothing to search for', 'fleet search WORDS');
		}

		if (options.log !== undefined && !(logKinds as readonly string[]).includes(options.log)) {
			throw new Refusal(
				`there is no kind "${options.log.slice(0, 20)}" of log`,
				`--log with one of: ${logKinds.join(', ')}`,
			);
		}

		const limit = parseLimit(options.limit, usual.limit);
		const context = compose();
		const end = searchLogs(context, {
			...usual,
			limit,
			words,
			run: options.run === undefined ? undefined : findRun(context, options.run).id,
			project: await projectId(context, options.project, io.folder),
			log: options.log as LogKind | undefined,
		});
		if (options.json) {
			io.json({...end, stopped: end.stopped ?? null});
			return;
		}

		for (const found of end.found) {
			io.out(printed(found));
		}

		const rest = endText(end, limit);
		if (end.found.length === 0) {
			io.out(`no match in ${end.logs} ${end.logs === 1 ? 'log' : 'logs'}\n`);
		}

		if (rest !== '') {
			io.err(rest);
		}
	},
});
