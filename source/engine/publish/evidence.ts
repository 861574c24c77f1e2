import type {ChangedFile, Evidence} from '../../core/publish/text.ts';
import {actorName} from '../../core/actor.ts';
import {isApproved} from '../../core/publish/rules.ts';
import {Refusal} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import type {Git} from '../../host/git.ts';
import {readJournal} from '../../host/journal.ts';
import type {Context} from '../context.ts';
import type {Range} from '../handover/diff.ts';
import {acceptRun} from '../people/statements.ts';

/** What is said of a run beside what its fold knows. */
export async function readEvidence(
	context: Pick<Context, 'paths'>,
	run: Run,
	{git, base, head}: Range,
): Promise<Omit<Evidence, 'approvedBy'>> {
	const text = await git.must([
		'diff-tree',
		'-r',
		'-z',
		'--numstat',
		'--no-renames',
		'--no-ext-diff',
		'--no-textconv',
		base,
		head,
	]);
	const files = text.split('\0').flatMap((line): ChangedFile[] => {
		const [, added = '', removed = '', path = ''] = /^(\d+|-)\t(\d+|-)\t([^]+)$/.exec(line) ?? [];
		return path === '' ? [] : [{path, added, removed}];
	});
	const {entries} = readJournal(context.paths.run(run.id).journal);
	const used = entries.flatMap(entry => (entry.type === 'secret.used' ? [entry.scope] : []));
	return {files, used: [...new Set(used)]};
}

/**
 * Who approved what was verified, as a merge would ask it: where the policy wants signatures, the journal's word alone is
 * none.
 * @param options.tip the target's
 * @returns empty where nobody did; a refusal where what was signed is not enough
 */
export async function approvers(
	context: Context,
	run: Run,
	{git, tip}: {readonly git: Git; readonly tip: string},
): Promise<string | Refusal> {
	const {approval} = run;
	if (!approval || !isApproved(run)) {
		return '';
	}

	const accepted = await acceptRun(context, run, {git, at: tip, facts: approval, verify: approval.verify});
	if (accepted instanceof Refusal) {
		return accepted;
	}

	return accepted ? `${accepted.by.join(', ')}, signed` : actorName(approval.by);
}
