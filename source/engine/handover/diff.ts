import {existsSync} from 'node:fs';
import {runHead, trashHead} from '../../core/git/refs.ts';
import {printable} from '../../core/names.ts';
import {gateRefusal, Refusal} from '../../core/refusal.ts';
import {policyDiff, type PolicyChange} from '../../core/policy-diff.ts';
import type {BinaryChange} from '../../core/review/content.ts';
import {parseDiff} from '../../core/review/diff.ts';
import type {Run} from '../../core/run/run.ts';
import {redactText} from '../../core/secrets/redact.ts';
import type {Git} from '../../host/git.ts';
import type {Context} from '../context.ts';
import {decidingAt} from '../grants/explain.ts';
import {knownValues} from '../grants/secret-values.ts';
import {openRun} from '../project/projects.ts';
import {lookAtBinaries} from './binaries.ts';
import {diffFlags} from './diff-flags.ts';
import {importWork} from './import-work.ts';
import {lookAtPackages} from './packages.ts';

/** Characters of a diff that are read at once. */
const maxDiffChars = 64 * 1024 ** 2;

/** Characters of one file that are read as a whole, and more lines than that can have. */
const maxWholeChars = 8 * 1024 ** 2;
const maxLines = 100_000_000;

/** Two commits, and the repository that knows both. */
export type Range = {readonly git: Git; readonly base: string; readonly head: string};

/**
 * What the run itself changed, from where its own work begins, from captured objects, never from its folder. A run that
 * is at work, or was not captured, is looked at in the jail first; nothing of that is published.
 * @returns unified diff, or with `stat` a summary
 * @throws Refusal where there is none, or more of it than can be read at once
 */
export async function diff(context: Context, run: Run, stat: boolean): Promise<string> {
	return diffText(context, run, {...(await rangeOf(context, run)), stat});
}

/** The same, with what its files that are not text are. */
export async function diffWithBinaries(
	context: Context,
	run: Run,
): Promise<{readonly text: string; readonly binaries: readonly BinaryChange[]}> {
	const range = await rangeOf(context, run);
	const text = await diffText(context, run, range);
	return {text, binaries: text.includes('\nBinary files ') ? await lookAtBinaries(range.git, parseDiff(text)) : []};
}

/**
 * What a run's change of the policy, or of who decides, opens and closes; nothing where it changes neither.
 * @returns a refusal where what it wrote cannot be read as a policy
 */
export async function policyChanges(context: Context, run: Run): Promise<readonly PolicyChange[] | Refusal> {
	const {git, base, head} = await rangeOf(context, run);
	try {
		return policyDiff(await decidingAt(git, base), await decidingAt(git, head));
	} catch (error) {
		if (error instanceof Refusal) {
			return error;
		}

		throw error;
	}
}

/**
 * The diff of one file with every line of it, changed or not, as it is in the objects: no link is followed.
 * @param path as it is called now, or was before it was renamed
 * @throws Refusal where it is no part of the change, or is too long
 */
export async function wholeDiff(context: Context, run: Run, path: string): Promise<string> {
	const range = await rangeOf(context, run);
	const {stdout} = await range.git.run(['diff', ...diffFlags, '--name-status', '-z', range.base, range.head], {
		limit: maxDiffChars,
	});
	const names = readNames(stdout).find(own => own.includes(path));
	if (!names) {
		throw new Refusal(`${printable(path, 200)} is no part of what ${run.id} changed`, `fleet diff ${run.id} --stat`);
	}

	return diffText(context, run, {...range, whole: names});
}

/** The names of each file, from what `git diff --name-status -z` writes: two for one that was renamed. */
function readNames(text: string): string[][] {
	const parts = text.split('\0');
	const names: string[][] = [];
	for (let at = 0; at + 1 < parts.length;) {
		const count = /^[CR]/.test(parts[at]!) ? 2 : 1;
		names.push(parts.slice(at + 1, at + 1 + count));
		at += 1 + count;
	}

	return names;
}

async function rangeOf(context: Context, run: Run): Promise<Range> {
	const places = context.paths.run(run.id);
	if (existsSync(places.worktree) && !run.merge) {
		const {quarantine, captured} = await importWork(context, run);
		return {git: quarantine, base: captured.base, head: captured.head};
	}

	const {git} = await openRun(context, run);
	const head = (await git.resolve(runHead(run.id))) ?? (await git.resolve(trashHead(run.id)));
	if (!head) {
		throw gateRefusal(`there is no snapshot of ${run.id}, and its worktree is gone`, `fleet show ${run.id}`);
	}

	const range = {git, base: run.captured?.base ?? run.base, head};
	await lookAtPackages(context, run, range);
	return range;
}

/** The diff of a range, with the values of secrets taken out: what is shown may be copied, and sent to another agent. */
export async function diffText(
	context: Context,
	run: Run,
	{git, base, head, stat = false, whole}: Range & {readonly stat?: boolean; readonly whole?: readonly string[]},
): Promise<string> {
	const form = [...(stat ? ['--stat=100', '--summary'] : []), ...(whole ? [`--unified=${maxLines}`] : [])];
	const {code, stdout} = await git.run(
		[
			...(whole ? ['--literal-pathspecs'] : []),
			'diff',
			...diffFlags,
			'--full-index',
			...form,
			base,
			head,
			...(whole ? ['--', ...whole] : []),
		],
		{limit: whole ? maxWholeChars : maxDiffChars},
	);
	if (code !== 0 && whole) {
		throw new Refusal(
			`${printable(whole.at(-1)!, 200)} is more than ${maxWholeChars / 1024 ** 2} MiB of text`,
			`fleet diff ${run.id}, which shows what changed of it`,
		);
	}

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
