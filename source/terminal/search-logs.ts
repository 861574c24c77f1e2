import {findIn, excerpt, patternOf, type Stretch} from '../core/text/search.ts';
import {plainText, readSpans} from '../core/text/spans.ts';
import type {Context} from '../engine/context.ts';
import {listRunIds} from '../engine/runs.ts';
import {readProject} from '../host/journal-tail.ts';
import {LogFile} from '../host/log-file.ts';
import {statusOf} from '../host/status.ts';
import {LogReader} from '../tui/log/reader.ts';

/* Words in the logs of all runs. Logs are read from their ends, a part at a time, within a time and a number of bytes. */

export const logKinds = ['output', 'verify', 'deploy'] as const;
export type LogKind = (typeof logKinds)[number];

/** A line of a log in which something was found. */
export type Found = {
	readonly run: string;
	readonly project: string;
	readonly log: LogKind;
	/** Where the line begins, bytes. */ readonly position: number;
	/** ISO 8601: when its log was written to last. */ readonly at: string;
	/** The line without sequences of a terminal, cut around the match. */ readonly text: string;
	/** In UTF-16 units of `text`. */ readonly match: Stretch;
};

export type LogSearch = {
	readonly words: string;
	/** Runs alone; undefined for all. */ readonly run?: string | undefined;
	readonly project?: string | undefined;
	readonly log?: LogKind | undefined;
	/** Lines that are found at most. */ readonly limit: number;
	/** Milliseconds. */ readonly timeMs: number;
	/** Bytes that are read at most. */ readonly maxBytes: number;
};

export type LogSearchEnd = {
	readonly found: readonly Found[];
	/** Logs that were looked through, and how many of them there are. */
	readonly logs: number;
	readonly of: number;
	readonly bytes: number;
	/** Why it ended before it came to the end; undefined where it did not. */
	readonly stopped: 'limit' | 'time' | 'bytes' | undefined;
};

/** Lines that are looked at before the clock is. */
const batch = 2000;

/** Characters of a line that are looked at, and shown. */
const [longestLine, longestExcerpt] = [20_000, 240];

type Log = {readonly run: string; readonly log: LogKind; readonly file: string; readonly mtimeMs: number};

/** The logs there are, the one that was written to last first. */
function logsOf({paths}: Pick<Context, 'paths'>, {run, log}: LogSearch): Log[] {
	return listRunIds({paths})
		.filter(id => run === undefined || id === run)
		.flatMap(id => {
			const {output, verifyLog: verify, deployLog: deploy} = paths.run(id);
			return logKinds
				.filter(kind => log === undefined || kind === log)
				.flatMap(kind => {
					const file = {output, verify, deploy}[kind];
					const status = statusOf(file);
					return status ? [{run: id, log: kind, file, mtimeMs: status.mtimeMs}] : [];
				});
		})
		.sort((a, b) => b.mtimeMs - a.mtimeMs);
}

/** Looks through the logs, the newest first and of each its end first. */
export function searchLogs(context: Pick<Context, 'paths'>, search: LogSearch): LogSearchEnd {
	const pattern = patternOf(search.words);
	const end = Date.now() + search.timeMs;
	const logs = logsOf(context, search);
	const found: Found[] = [];
	let bytes = 0;
	let done = 0;
	let stopped: LogSearchEnd['stopped'];
	for (const log of logs) {
		const project = readProject(context.paths.run(log.run).journal);
		if (search.project !== undefined && project !== search.project) {
			continue;
		}

		const reader = new LogReader(new LogFile(log.file));
		try {
			const {from, to} = reader.range();
			for (let at = to; at > from && stopped === undefined;) {
				const lines = reader.before(at, batch);
				const first = lines[0]?.from ?? from;
				bytes += at - first;
				at = first;
				for (const line of lines.reverse()) {
					const text = plainText(readSpans(line.text.slice(0, longestLine)));
					const match = findIn(text, pattern);
					if (match) {
						found.push({
							run: log.run,
							project,
							log: log.log,
							position: line.from,
							at: new Date(log.mtimeMs).toISOString(),
							...excerpt(text, match, longestExcerpt),
						});
					}

					if (found.length >= search.limit) {
						stopped = 'limit';
						break;
					}
				}

				stopped ??= limitOf({bytes, end}, search);
			}
		} finally {
			reader.close();
		}

		if (stopped !== undefined) {
			break;
		}

		done++;
	}

	return {found, logs: done, of: logs.length, bytes, stopped};
}

function limitOf({bytes, end}: {bytes: number; end: number}, {maxBytes}: LogSearch): LogSearchEnd['stopped'] {
	if (bytes >= maxBytes) {
		return 'bytes';
	}

	return Date.now() >= end ? 'time' : undefined;
}
