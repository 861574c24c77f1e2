import type {Activity, RunActivity} from '../core/run/activity.ts';
import {activityOf, addEntries, newestFirst, noActivity} from '../core/run/activity.ts';
import type {Entry} from '../core/run/event.ts';
import {noUsage, type Usage} from '../core/run/usage.ts';
import {readMore, readProject, readTail, type TailPlace} from '../host/journal-tail.ts';
import {statusOf} from '../host/status.ts';
import type {Context} from './context.ts';
import {listRunIds} from './runs.ts';

/* What happened over all runs, read from the ends of their journals, and of each only what was added since. */

/** A journal that may have news. */
export type JournalSource = {
	readonly run: string;
	/** ISO 8601: nothing in it is later. */ readonly at: string;
	/** Another one once something was added. */ readonly stamp: string;
};

/** Bytes of a journal that are read at first, and at most. */
const [firstBytes, mostBytes] = [32 * 1024, 16 * 1024 ** 2];

/** Journals between two looks whether enough was found. */
const sortEvery = 16;

type Known = {
	stamp: string;
	readonly project: string;
	place: TailPlace;
	read: RunActivity;
	/** Its lines, newest first; made when they are asked for. */ lines: readonly Activity[] | undefined;
	/** Bytes that were asked for. */ readonly bytes: number;
	fault: string | undefined;
};

/** Every journal there is, by the files alone. */
export function journalSources({paths}: Pick<Context, 'paths'>): JournalSource[] {
	return listRunIds({paths}).flatMap(run => {
		const status = statusOf(paths.run(run).journal);
		return status
			? [{run, at: new Date(status.mtimeMs + 1).toISOString(), stamp: `${status.mtimeMs} ${status.size} ${status.ino}`}]
			: [];
	});
}

export type ActivityRequest = {
	/** ISO 8601: nothing earlier is told. */ readonly since: string;
	/** Lines that are told at most, the newest. */ readonly limit: number;
	/** Which runs; undefined for all. */ fits?(run: string, project: string): boolean;
	/** Which lines; undefined for all. */ shows?(activity: Activity): boolean;
};

/** Reads activity, and remembers how far. */
export class ActivityReader {
	readonly #context: Pick<Context, 'paths'>;
	readonly #known = new Map<string, Known>();

	constructor(context: Pick<Context, 'paths'>) {
		this.#context = context;
	}

	/**
	 * What happened last, newest first. Journals are read beginning with the one that was added to last, and no
	 * more of them than may hold one of the lines that are asked for.
	 */
	read(sources: readonly JournalSource[], {since, limit, fits, shows}: ActivityRequest): Activity[] {
		const order = sources.filter(({at}) => at >= since).sort((a, b) => (a.at < b.at ? 1 : Number(a.at > b.at) * -1));
		let found: Activity[] = [];
		for (const [index, source] of order.entries()) {
			// Now and then, since sorting is what costs.
			if (found.length >= limit && index % sortEvery === 0) {
				found = found.sort(newestFirst).slice(0, limit);
				// All that is left to read is earlier than what is found already.
				if (found[limit - 1]!.at > source.at) {
					break;
				}
			}

			const lines = this.#linesOf(source, {since, limit, shows});
			const [first] = lines;
			if (first !== undefined && (fits?.(source.run, first.project) ?? true)) {
				found.push(...lines);
			}
		}

		return found.sort(newestFirst).slice(0, limit);
	}

	/** The lines of one run that may be among the newest. */
	#linesOf(source: JournalSource, {since, limit, shows}: ActivityRequest): readonly Activity[] {
		let known = this.#refreshed(source);
		for (;;) {
			const lines = (known?.lines ?? []).filter(line => line.at >= since && (shows?.(line) ?? true));
			const isEnough =
				!known ||
				known.place.from === 0 ||
				known.bytes >= mostBytes ||
				lines.length >= limit ||
				((known.read.pieces[0]?.at ?? '') < since && known.read.pieces.length > 0);
			if (isEnough) {
				return lines.slice(0, limit);
			}

			known = this.#readTail(source, known!.bytes * 8);
		}
	}

	#refreshed(source: JournalSource): Known | undefined {
		const known = this.#known.get(source.run);
		if (known?.stamp === source.stamp) {
			return known;
		}

		const more = known && readMore(this.#context.paths.run(source.run).journal, known.place);
		if (!known || !more) {
			return this.#readTail(source, firstBytes);
		}

		known.stamp = source.stamp;
		this.#add(known, source.run, more.entries);
		known.place = more.place;
		known.fault = more.fault;
		known.lines = linesWith(known, source.run);
		return known;
	}

	#readTail(source: JournalSource, bytes: number): Known | undefined {
		const file = this.#context.paths.run(source.run).journal;
		const tail = readTail(file, bytes);
		if (!tail) {
			this.#known.delete(source.run);
			return undefined;
		}

		const {place, fault} = tail;
		const known: Known = {
			stamp: source.stamp,
			project: this.#known.get(source.run)?.project ?? readProject(file),
			place,
			read: noActivity(place.from === 0),
			lines: undefined,
			bytes,
			fault,
		};
		this.#add(known, source.run, tail.entries);
		known.lines = linesWith(known, source.run);
		this.#known.set(source.run, known);
		return known;
	}

	#add(known: Known, run: string, entries: readonly Entry[]): void {
		known.read = addEntries(known.read, entries, {run, project: known.project});
	}
}

/** Its lines, and that its journal is broken where it is. */
function linesWith({read, fault, project, place}: Known, run: string): readonly Activity[] {
	const lines = activityOf(read);
	if (fault === undefined) {
		return lines;
	}

	const at = read.pieces.at(-1)?.at ?? new Date(0).toISOString();
	const broken: Activity = {
		id: `${run} broken ${place.seq}`,
		run,
		project,
		at,
		since: at,
		kind: 'check',
		by: undefined,
		text: `the journal is broken after line ${place.seq}: ${fault}`,
		count: 1,
		tone: 'bad',
	};
	return [broken, ...lines];
}

/** What a run had used before a moment, as its journal says. @param at ISO 8601 */
export function usageBefore(entries: readonly Entry[], at: string): Usage {
	let usage: Usage = noUsage;
	for (const entry of entries) {
		if (entry.type === 'usage.counted' && entry.at < at) {
			({usage} = entry);
		}
	}

	return usage;
}
