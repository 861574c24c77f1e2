import type {Facts} from '../../core/run/facts.ts';
import type {Git} from '../../host/git.ts';
import type {Journal} from '../../host/journal.ts';
import type {Context} from '../context.ts';
import {ownKey} from '../people/decisions.ts';
import {auditText, decidersOf, signStatement, subjectOf, whoSigns} from '../people/statements.ts';
import {openRun} from '../project/projects.ts';

/** Who makes a merge real, and what they signed of it, as one word. */
export type Merger = {readonly by: string; readonly word: string};

/**
 * Signs, once all else that it takes is there, that a person makes a merge real, and writes it down.
 * @param order.facts what is merged, on the commit that it is made on
 * @param order.key see `ownKey`
 * @returns undefined where no people are named
 * @throws Refusal where the key cannot be used, or is nobody's
 */
export async function signMerge(
	context: Context,
	journal: Journal,
	order: {
		readonly git: Git;
		readonly facts: Facts;
		readonly because: string;
		readonly requester: string | undefined;
		readonly key?: string | undefined;
	},
): Promise<Merger | undefined> {
	const {git, facts, because, requester = ''} = order;
	const {run} = journal;
	const deciders = await decidersOf(git, facts.base);
	if (!deciders || deciders.blob === 'none') {
		return undefined;
	}

	const {checkout} = await openRun(context, run);
	const key = await ownKey(checkout, order.key);
	const by = await whoSigns(deciders, key, run.target);
	const subject = subjectOf(run, facts, {blob: deciders.blob, verify: run.verification!.digest});
	const word = await signStatement(
		{subject, deciders, by},
		{decision: 'merge', because, audit: auditText(run), requester, key},
	);
	journal.append({type: 'statement.signed', decision: 'merge', by, word, because}, context.actor);
	return {by, word};
}
