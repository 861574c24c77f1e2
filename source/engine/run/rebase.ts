import {branchName} from '../../core/git/refs.ts';
import {escapeLine} from '../../core/text/escape-controls.ts';
import {Refusal} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import type {Journal} from '../../host/journal.ts';
import {capture} from '../handover/capture.ts';
import type {Context} from '../context.ts';
import type {Range} from '../handover/diff.ts';
import {Conflict, mergedTree, readTips} from '../handover/facts.ts';
import {openRun} from '../project/projects.ts';

/** Files and commits that a prompt names. */
const named = 20;

/** The commits of a range that changed one of these files, a line for each. */
async function commits({git, base, head}: Range, files: readonly string[]): Promise<string[]> {
	const text = await git.raw(
		'log',
		`--max-count=${named}`,
		'--no-merges',
		'--format=%h %s',
		`${base}..${head}`,
		'--',
		...files.map(file => `:(top,literal)${file}`),
	);
	return text
		.split('\n')
		.filter(line => line !== '')
		.map(line => escapeLine(line).slice(0, 120));
}

const list = (title: string, lines: readonly string[]) =>
	lines.length === 0 ? '' : `\n\n${title}\n${lines.map(line => `- ${line}`).join('\n')}`;

/** What an agent is told that is to bring its branch onto its target. */
async function rebasePrompt(run: Run, {git, base, head}: Range, files: readonly string[]): Promise<string> {
	const name = branchName(run.target);
	const [from = ''] = (await git.raw('merge-base', base, head)).split('\n');
	const count = Number(await git.line('rev-list', '--count', `${from}..${base}`));
	const task =
		`${name} has moved on since your work began, by ${count} ${count === 1 ? 'commit' : 'commits'}. ` +
		`Bring your branch ${run.branch} onto it: git rebase "$FLEET_TARGET" (it names today's ${name}), or merge that.`;
	return `${task}${
		files.length === 0
			? ' Git finds no conflict.'
			: ` Git finds ${files.length === 1 ? 'a conflict in one file' : `conflicts in ${files.length} files`}.`
	} Keep what both sides meant, run the tests, and commit.${list(
		'In conflict:',
		files.slice(0, named).map(file => JSON.stringify(file)),
	)}${files.length > named ? `\n- and ${files.length - named} more` : ''}${
		files.length === 0
			? ''
			: list(`What ${name} did there:`, await commits({git, base: from, head: base}, files.slice(0, named))) +
				list('What you did there:', await commits({git, base: from, head}, files.slice(0, named)))
	}`;
}

/**
 * What a run's next attempt is for where it is to be brought onto its target: its work is taken over first, so that it
 * is known what conflicts.
 * @param more what a person says besides
 * @throws Refusal where there is nothing to bring
 */
export async function planRebase(
	context: Context,
	journal: Journal,
	more: string | undefined,
): Promise<{prompt: string; onto: string}> {
	const {git} = await openRun(context, journal.run);
	const {unfinished} = await capture(context, journal);
	const {run} = journal;
	const {base, head} = await readTips(run, git);
	if ((await git.run(['merge-base', '--is-ancestor', base, head])).code === 0) {
		throw new Refusal(`${run.id} is on today's ${branchName(run.target)} already`, `fleet verify ${run.id}`);
	}

	let files: readonly string[] = [];
	try {
		await mergedTree(run, {git, base, head});
	} catch (error) {
		if (!(error instanceof Conflict)) {
			throw error;
		}

		files = error.files;
	}

	const first =
		unfinished === undefined ? '' : `Your folder is in the middle of a ${unfinished}: finish or abort that first. `;
	const prompt = first + (await rebasePrompt(run, {git, base, head}, files));
	return {prompt: more === undefined ? prompt : `${prompt}\n\n${more}`, onto: base};
}
