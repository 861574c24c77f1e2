import {createHash} from 'node:crypto';
import {closeSync, existsSync, mkdirSync, openSync, rmSync, writeSync} from 'node:fs';
import path from 'node:path';
import {decideVerify} from '../core/decide.ts';
import type {Step} from '../core/event.ts';
import {neutralise} from '../core/neutralise.ts';
import {gateRefusal} from '../core/refusal.ts';
import {policyPath} from '../core/policy.ts';
import {formatTests, summariseTests} from '../core/test-summary.ts';
import {Git} from '../host/git.ts';
import type {Journal} from '../host/journal.ts';
import {giveToRun} from '../host/worktree.ts';
import {capture, vet} from './capture.ts';
import type {Context} from './context.ts';
import {readFacts} from './facts.ts';
import {basicPlan, chooseSandbox} from './plan.ts';
import {readPolicy} from './policy.ts';
import {openRepository} from './projects.ts';
import {checkSuspects} from './suspects.ts';

/** Characters of what a command wrote last, in which its tests' own summary is looked for. */
const longestSummary = 16_384;

/** One command's time, milliseconds. */
const commandTime = 30 * 60_000;

/**
 * Takes the run's work over, merges it in memory with the target, and runs the target's own verify commands on the
 * result, in a fresh sandbox with no network and no credentials.
 * @returns whether it passed; the journal holds the rest
 * @throws Refusal where there is nothing to verify, or nothing to verify it with
 */
export async function verify(context: Context, journal: Journal, onOutput: (text: string) => void): Promise<boolean> {
	const refusal = decideVerify(journal.run);
	if (refusal) {
		throw refusal;
	}

	const {sandbox} = await chooseSandbox(context);
	const {git} = await openRepository(journal.run.project.root);
	const places = context.paths.run(journal.run.id);
	const captured = existsSync(places.worktree) ? await capture(context, journal) : undefined;
	if (captured?.incomplete) {
		throw gateRefusal(`not all of the run's work could be captured: ${captured.notes.at(-1) ?? ''}`, 'look at the run\'s notes with fleet show');
	}

	const {run} = journal;
	const facts = await readFacts(context, run, git);
	const {policy} = await readPolicy(git, facts.base);
	if (facts.head === run.base) {
		throw gateRefusal(`${run.id} changed nothing`, `fleet resume ${run.id}, or fleet discard ${run.id}`);
	}

	const problems = await vet(git, run.base, facts.head);
	if (problems.length > 0) {
		throw gateRefusal(`its branch holds what is never merged: ${problems.slice(0, 3).join('; ')}`, `fleet resume ${run.id}, and have it removed`);
	}

	await checkSuspects(context, journal, git, facts.head);
	if (policy.verify.length === 0) {
		throw gateRefusal(`the project's policy has no verify commands on ${run.target.replace('refs/heads/', '')}`, `fleet project init ${run.project.id} --verify "npm test", or commit a ${policyPath} that has them`);
	}

	journal.append({type: 'verify.started', ...facts, commands: policy.verify}, context.actor);
	const folder = path.join(places.folder, 'verify');
	const tree = path.join(folder, 'tree');
	rmSync(folder, {recursive: true, force: true});
	mkdirSync(tree, {recursive: true, mode: 0o700});
	const log = openSync(path.join(places.folder, 'verify.log'), 'w', 0o600);
	const tell = (text: string) => {
		writeSync(log, text);
		onOutput(text);
	};

	const steps: Step[] = [];
	/** The end of what the last command wrote. */
	let words = '';
	try {
		await checkout(git, places.quarantine, facts.tree, tree, path.join(folder, 'index'));
		giveToRun(run.id, tree);
		const plan = basicPlan(run.id, path.join(folder, 'sandbox'), {mounts: [{source: tree, target: run.worktree, mode: 'write'}], cwd: run.worktree, env: {CI: 'true', FLEET_VERIFY: '1'}});
		const prepared = sandbox.prepare(plan, path.join(folder, 'sandbox'));
		for (const command of policy.verify) {
			const began = Date.now();
			tell(`$ ${command}\n`);
			words = '';
			const outcome = await context.executor.run(prepared.alone({argv: ['/bin/sh', '-c', command], cwd: run.worktree, env: {}}), {
				timeout: commandTime,
				onOutput(bytes) {
					const text = Buffer.from(bytes).toString('utf8');
					words = (words + text).slice(-longestSummary);
					tell(text);
				},
			});
			const code = outcome.timedOut ? 124 : outcome.code ?? 128;
			if (code !== 0) {
				tell(`exit code ${code}\n`);
			}

			steps.push({command, code, ms: Date.now() - began});
			if (code !== 0) {
				break;
			}
		}
	} finally {
		closeSync(log);
		rmSync(folder, {recursive: true, force: true});
	}

	const last = steps.at(-1)!;
	const passed = last.code === 0 && steps.length === policy.verify.length;
	const tests = summariseTests(neutralise(words));
	const because = passed ? `${steps.length} ${steps.length === 1 ? 'command' : 'commands'} passed${tests ? `, ${formatTests(tests)}` : ''}` : `${(tests?.failed ?? 0) > 0 ? `${formatTests(tests!)}: ` : ''}${last.command} ended with ${last.code === 124 ? 'a timeout' : `exit code ${last.code}`}`;
	const digest = createHash('sha256').update(JSON.stringify({...facts, steps: steps.map(({command, code}) => ({command, code}))})).digest('hex');
	journal.append({type: 'verify.finished', passed, ...facts, digest, steps, because}, context.actor);
	return passed;
}

/** Writes a tree of the repository into an empty folder, with no git folder and no filters of anybody's. */
export async function checkout(git: Git, ownGitDir: string, tree: string, folder: string, index: string): Promise<void> {
	const objects = path.join(git.repository.gitDir, 'objects');
	const own = new Git({gitDir: ownGitDir, workTree: folder, own: true});
	const env = {GIT_INDEX_FILE: index, GIT_OBJECT_DIRECTORY: objects};
	await own.must(['read-tree', tree], {env, cwd: folder});
	await own.must(['checkout-index', '--all', '--force', '--quiet'], {env, cwd: folder});
}
