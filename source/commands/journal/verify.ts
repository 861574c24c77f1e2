import {exitCodes} from '../../core/refusal.ts';
import {escapeLine} from '../../core/text/escape-controls.ts';
import type {Context} from '../../engine/context.ts';
import {heldAgainstMerge} from '../../engine/gate-log/witness.ts';
import {findRun} from '../../engine/runs.ts';
import {readJournal, type JournalReading} from '../../host/journal.ts';
import type {Io} from '../../terminal/program.ts';

/** How a journal is, in one word, and where and why it is not whole. */
function verdictOf({entries, torn, fault}: JournalReading): {
	readonly status: string;
	readonly line: number | null;
	readonly because: string;
} {
	if (fault) {
		return {status: 'broken', line: fault.line, because: fault.because};
	}

	if (torn) {
		const because = 'the last line was cut off: its writer was ended';
		return {status: 'torn', line: entries.length + 1, because};
	}

	return entries.length === 0
		? {status: 'empty', line: null, because: 'no line at all'}
		: {status: 'whole', line: null, because: ''};
}

/** The same, held against what the run's merge commit witnesses. */
async function verdict(context: Context, id: string, reading: JournalReading): Promise<ReturnType<typeof verdictOf>> {
	const own = verdictOf(reading);
	const because = own.status === 'whole' ? await heldAgainstMerge(context, findRun(context, id), reading) : undefined;
	return because === undefined ? own : {status: 'broken', line: 1, because};
}

/** Says of each run whether its journal is whole. @returns the exit code */
export async function verify(
	context: Context,
	io: Io,
	{ids, json}: {readonly ids: readonly string[]; readonly json: boolean},
): Promise<number> {
	const results = await Promise.all(
		ids.map(async id => {
			const reading = readJournal(context.paths.run(id).journal);
			const {status, line, because} = await verdict(context, id, reading);
			return {run: id, status, entries: reading.entries.length, head: reading.head, line, because};
		}),
	);
	if (json) {
		io.json(results);
	} else {
		for (const {run, status, entries, line, because, head} of results) {
			const more = line === null ? `, head ${head.slice(0, 16)}` : `; line ${line}: ${escapeLine(because)}`;
			io.out(`${run} ${status}, ${entries} lines${more}\n`);
		}
	}

	return results.some(result => result.status !== 'whole') ? exitCodes.gate : exitCodes.ok;
}
