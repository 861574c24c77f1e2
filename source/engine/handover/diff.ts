import {existsSync} from 'node:fs';
import {runHead, trashHead} from '../../core/git/refs.ts';
import {gateRefusal} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import {redactText} from '../../core/secrets/redact.ts';
import type {Git} from '../../host/git.ts';
import type {Context} from '../context.ts';
import {knownValues} from '../grants/secret-values.ts';
import {openRun} from '../project/projects.ts';
import {diffFlags} from './diff-flags.ts';
import {importWork} from './import-work.ts';
import {lookAtPackages} from './packages.ts';

/** Characters of a diff that are read at once. */
const maxDiffChars = 64 * 1024 ** 2;

/** Two commits, and the repository that knows both. */
export type Range = {readonly git: Git; readonly base: string; readonly head: string};

/**
 * What the run itself changed, from where its own work begins, from captured objects, never from its folder. A run that
 * is at work, or was not captured, is looked at in the jail first; nothing of that is published.
 * @returns unified diff, or with `stat` a summary
 * @throws Refusal where there is none, or more of it than can be read at once
 */
export async function diff(context: Context, run: Run, stat: boolean): Promise<string> {
	const places = context.paths.run(run.id);
	if (existsSync(places.worktree) && !run.merge) {
		const {quarantine, captured} = await importWork(context, run);
		return diffText(context, run, {git: quarantine, base: captured.base, head: captured.head, stat});
	}

	const {git} = await openRun(context, run);
	const head = (await git.resolve(runHead(run.id))) ?? (await git.resolve(trashHead(run.id)));
	if (!head) {
		throw gateRefusal(`there is no snapshot of ${run.id}, and its worktree is gone`, `fleet show ${run.id}`);
	}

	const range = {git, base: run.captured?.base ?? run.base, head};
	await lookAtPackages(context, run, range);
	return diffText(context, run, {...range, stat});
}

/** The diff of a range, with the values of secrets taken out: what is shown may be copied, and sent to another agent. */
export async function diffText(
	context: Context,
	run: Run,
	{git, base, head, stat = false}: Range & {readonly stat?: boolean},
): Promise<string> {
	const {code, stdout} = await git.run(
		['diff', ...diffFlags, '--full-index', ...(stat ? ['--stat=100', '--summary'] : []), base, head],
		{limit: maxDiffChars},
	);
	if (code !== 0) {
		// A part would be taken for all of it.
		throw gateRefusal(
			`what ${run.id} changed is more than ${maxDiffChars / 1024 ** 2} MiB of text, ` +
				'and a part of it is not shown as if it were all',
			`fleet diff ${run.id} --stat; after fleet verify ${run.id}, in the project: ` +
				`git diff ${base.slice(0, 10)} ${head.slice(0, 10)} -- FILE`,
		);
	}

	return redactText(await knownValues(context, run.project.id), stdout);
}
