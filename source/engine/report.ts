import {reportOf, type NotWhole, type Report} from '../core/report/report.ts';
import type {JournalSource} from '../core/report/source.ts';
import {readJournal} from '../host/journal.ts';
import {readProject} from '../host/journal-tail.ts';
import {Lock} from '../host/lock.ts';
import {statusOf} from '../host/status.ts';
import type {Context} from './context.ts';
import {listRunIds} from './runs.ts';

type Read = {readonly source?: JournalSource | undefined; readonly fault?: NotWhole | undefined};

/** A journal as far as it is to be believed, and why not further. @param now ISO 8601 */
function readOne({paths}: Pick<Context, 'paths'>, run: string, now: string): Read {
	const {journal: file, lock} = paths.run(run);
	let read: ReturnType<typeof readJournal>;
	try {
		read = readJournal(file);
	} catch (error) {
		const because = (error as NodeJS.ErrnoException).code ?? 'it cannot be read';
		return {fault: {run, project: null, status: 'unreadable', line: null, because}};
	}

	const {entries, torn, fault} = read;
	const [created] = entries;
	const project = created?.type === 'run.created' ? created.project.id : readProject(file) || null;
	const bad = (status: NotWhole['status'], line: number | null, because: string): NotWhole => ({
		run,
		project,
		status,
		line,
		because,
	});
	if (created?.type !== 'run.created') {
		return {fault: fault ? bad('broken', fault.line, fault.because) : bad('empty', null, 'no line that begins a run')};
	}

	const cut = torn ? bad('torn', entries.length + 1, 'the last line was cut off: its writer was ended') : undefined;
	const found = fault ? bad('broken', fault.line, fault.because) : cut;
	return {source: {run, entries, isWhole: !found, isLive: Lock.isHeld(lock), now}, fault: found};
}

/**
 * What all runs were allowed, denied and decided since a moment. Only journals that were added to since are read; those
 * that are not there or not whole are named.
 *
 * @param options.since milliseconds, as `now`
 * @param options.project an id; journals that do not say whose they are are named all the same
 */
export function readReport(
	context: Pick<Context, 'paths'>,
	{since, now, project}: {readonly since: number; readonly now: number; readonly project?: string | undefined},
): Report {
	const until = new Date(now).toISOString();
	const sources: JournalSource[] = [];
	const notWhole: NotWhole[] = [];
	for (const run of listRunIds(context)) {
		const status = statusOf(context.paths.run(run).journal);
		if (!status) {
			notWhole.push({run, project: null, status: 'missing', line: null, because: 'there is no journal'});
			continue;
		}

		if (status.mtimeMs < since) {
			continue;
		}

		const {source, fault} = readOne(context, run, until);
		const [created] = source?.entries ?? [];
		const own = created?.type === 'run.created' ? created.project.id : (fault?.project ?? null);
		if (project !== undefined && own !== null && own !== project) {
			continue;
		}

		sources.push(...(source ? [source] : []));
		notWhole.push(...(fault ? [fault] : []));
	}

	return reportOf(sources, {since: new Date(since).toISOString(), until, project: project ?? null, notWhole});
}
