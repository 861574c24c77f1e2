import os from 'node:os';
import {allBranches, fleetRefs} from '../../core/git/refs.ts';
import {nameFrom} from '../../core/names.ts';
import {digestsOf, gateLines, gateLogBranches} from '../../core/record/gate-lines.ts';
import {gateRefusal, Refusal} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import type {Git} from '../../host/git.ts';
import {readJournal} from '../../host/journal.ts';
import type {Context} from '../context.ts';
import {readPolicy} from '../project/policy.ts';
import {openRun} from '../project/projects.ts';
import {addTo, carrierOf, fetchIfThere, type Carrier} from '../requests/carry.ts';

/** This machine's branch for its gate log, at a remote. */
export const logRef = () => `${allBranches}/${gateLogBranches}/${nameFrom(os.hostname(), 'machine', 60)}`;

const keptRef = (remote: string) => `${fleetRefs}/log/${remote}`;

/** A run's lines as they were pushed last; empty for none. */
async function pushed(git: Git, commit: string | undefined, run: string): Promise<string> {
	if (commit === undefined) {
		return '';
	}

	const {code, stdout} = await git.run(['cat-file', 'blob', `${commit}:runs/${run}.jsonl`], {limit: 64 * 1024 ** 2});
	return code === 0 ? stdout : '';
}

/**
 * Adds a run's decisive lines to this machine's gate log at a remote. The branch only grows: nothing that was pushed is
 * ever taken back by this.
 * @returns how many lines were new
 * @throws Refusal where the journal lacks, or has otherwise, what was pushed earlier: somebody changed it
 */
export async function pushGateLog(
	context: Context,
	run: Run,
	{remote, interactive}: {readonly remote: string; readonly interactive: boolean},
): Promise<number> {
	const {git} = await openRun(context, run);
	const carrier = await carrierOf(git, remote, interactive);
	// Another process of this machine may push at the same time: then once more, on what is there by now.
	for (let round = 1; ; round++) {
		const {count, error} = await pushOnce(context, run, carrier);
		if (error === undefined || round === 3) {
			if (error) {
				throw error;
			}

			return count;
		}
	}
}

async function pushOnce(context: Context, run: Run, carrier: Carrier): Promise<{count: number; error?: Refusal}> {
	const {git, remote} = carrier;
	const kept = keptRef(remote);
	await fetchIfThere(carrier, logRef(), kept);
	const base = await git.resolve(`${kept}^{commit}`);
	const {entries, head} = readJournal(context.paths.run(run.id).journal);
	const lines = gateLines(entries, digestsOf(entries, head));
	const text = lines.map(line => `${line}\n`).join('');
	const before = await pushed(git, base, run.id);
	if (!text.startsWith(before)) {
		throw gateRefusal(
			`the journal of ${run.id} is not what was written down of it at ${remote}`,
			`git show ${kept}:runs/${run.id}.jsonl has what was`,
		);
	}

	if (text === before) {
		return {count: 0};
	}

	const commit = await commitLines(git, {base, run: run.id, text});
	const error = await addTo(carrier, {commit, ref: logRef()});
	if (error === undefined) {
		await git.run(['update-ref', kept, commit]);
	}

	return {count: lines.length - before.split('\n').filter(line => line !== '').length, ...(error ? {error} : {})};
}

async function commitLines(
	git: Git,
	{base, run, text}: {readonly base: string | undefined; readonly run: string; readonly text: string},
): Promise<string> {
	const blob = (await git.must(['hash-object', '-w', '--stdin'], {input: text})).trim();
	const name = `${run}.jsonl`;
	const there = base === undefined ? '' : await git.must(['ls-tree', `${base}:runs`]);
	const others = there.split('\n').filter(line => line !== '' && !line.endsWith(`\t${name}`));
	const runs = (await git.must(['mktree'], {input: [...others, `100644 blob ${blob}\t${name}`, ''].join('\n')})).trim();
	const tree = (await git.must(['mktree'], {input: `040000 tree ${runs}\truns\n`})).trim();
	const env = {
		GIT_AUTHOR_NAME: 'fleet',
		GIT_AUTHOR_EMAIL: 'fleet@fleet.invalid',
		GIT_COMMITTER_NAME: 'fleet',
		GIT_COMMITTER_EMAIL: 'fleet@fleet.invalid',
	};
	const parents = base === undefined ? [] : ['-p', base];
	return (await git.must(['commit-tree', tree, ...parents, '-m', `What was decided about ${run}`], {env})).trim();
}

/**
 * Adds to the gate log where the policy of the target's tip says so.
 * @returns what went wrong, in words; undefined where nothing did
 */
export async function pushByPolicy(context: Context, run: Run, interactive: boolean): Promise<string | undefined> {
	try {
		const {git} = await openRun(context, run);
		const {policy} = await readPolicy(git, run.target);
		if (policy.journal.push !== undefined) {
			await pushGateLog(context, run, {remote: policy.journal.push, interactive});
		}

		return undefined;
	} catch (error) {
		return (error as Error).message;
	}
}
