import {digestsOf, witnessIn} from '../../core/record/gate-lines.ts';
import type {Run} from '../../core/run/run.ts';
import type {JournalReading} from '../../host/journal.ts';
import type {Context} from '../context.ts';
import {openRun} from '../project/projects.ts';

/**
 * Holds a run's journal against what its merge commit witnesses: a journal that was cut off or written anew is whole in
 * itself, and is not the one that was there then.
 * @returns why it is not; undefined where it is, or nothing witnesses it, or the repository cannot be read
 */
export async function heldAgainstMerge(
	context: Context,
	run: Run,
	{entries, head}: JournalReading,
): Promise<string | undefined> {
	if (!run.merge) {
		return undefined;
	}

	let message = '';
	try {
		const {git} = await openRun(context, run);
		message = await git.raw('log', '-1', '--format=%B', run.merge.commit);
	} catch {
		return undefined;
	}

	const witness = witnessIn(message);
	return witness === undefined || digestsOf(entries, head)(witness.seq) === witness.line
		? undefined
		: `its first ${witness.seq} lines are not those that the merge ${run.merge.commit.slice(0, 10)} was made by`;
}
