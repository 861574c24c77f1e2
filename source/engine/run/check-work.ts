import {itemTitles} from '../../core/run/audit.ts';
import {Refusal} from '../../core/refusal.ts';
import {retryOf} from '../../core/run/retry.ts';
import type {Run} from '../../core/run/run.ts';
import type {Git} from '../../host/git.ts';
import {audit} from '../audit/audit.ts';
import type {Context} from '../context.ts';
import {verify} from '../handover/verify.ts';
import {readPolicy} from '../project/policy.ts';
import {openRun} from '../project/projects.ts';
import {readSettings} from '../project/settings.ts';
import {record} from '../record.ts';
import {daySpent} from './day-budget.ts';
import {note, type Supervision} from './supervision.ts';
import {whatFailed} from './what-failed.ts';

/* What happens by itself once an agent has ended well: the verification, what that found goes back, and the audit. */

/**
 * Whether the work of an attempt that has just ended is checked by itself. The target's policy says so, and the person's
 * settings may say no. What ended badly, raised an alarm or changed nothing is for a person to look at first.
 * @param files how many it changed; undefined where that is not known
 */
export async function isChecked(
	{context, journal, halt}: Supervision,
	{code, signal, files}: {readonly code: number; readonly signal: number; readonly files: number | undefined},
): Promise<boolean> {
	const {run} = journal;
	if (
		run.plan !== undefined ||
		code !== 0 ||
		signal !== 0 ||
		halt.stopped !== undefined ||
		files === 0 ||
		run.alarms.length > 0 ||
		run.status?.state === 'failed'
	) {
		return false;
	}

	try {
		const {git} = await openRun(context, run);
		const {commands, auto} = await policyNow(git, run);
		return auto && commands.length > 0 && (await readSettings(context.paths)).autoVerify;
	} catch {
		// Whoever verifies it by hand is told why.
		return false;
	}
}

async function policyNow(git: Git, run: Run) {
	const tip = await git.resolve(run.target);
	return (await readPolicy(git, tip ?? run.base)).policy.verify;
}

/**
 * Checks the work.
 * @returns whether the agent is to go on with what was found: then that is written down
 */
export async function checkWork(supervision: Supervision): Promise<boolean> {
	const {context, journal, opened, halt} = supervision;
	const controller = new AbortController();
	opened.setup = controller;
	if (halt.stopped !== undefined) {
		controller.abort(halt.stopped);
	}

	try {
		let failed: string | undefined;
		const {budgets} = await readSettings(context.paths);
		const isOver = daySpent(context, journal.run.project.id, budgets) !== undefined;
		await verify(context, journal, {
			by: 'fleet',
			signal: controller.signal,
			onOutput() {},
			async concluded(result) {
				// An attempt that goes back, or that a person has to look at first, is not worth the time.
				failed = result === 'passed' && !controller.signal.aborted ? await auditWork(context, supervision) : undefined;
			},
			goesBack: (run, result, {verify: {retries}}) =>
				controller.signal.aborted || isOver ? undefined : retryOf(run, result, retries),
		});
		if (failed !== undefined) {
			note(supervision, {type: 'checks.ended', because: failed});
		}

		return journal.run.retry !== undefined && (await sendBack(supervision));
	} catch (error) {
		const because =
			error instanceof Refusal ? error.because : `it could not be checked: ${(error as Error).message.split('\n')[0]}`;
		note(supervision, {type: 'checks.ended', because});
		return false;
	} finally {
		opened.setup = undefined;
	}
}

/** @returns what of it did not hold, in words; undefined where all did, or it could not be told */
async function auditWork(context: Context, {journal}: Supervision): Promise<string | undefined> {
	const {items, asked} = await audit(context, journal.run);
	const summary = items.map(({id, status}) => ({id, status}));
	record(journal, {type: 'audit', items: summary, asked, because: ''}, {actor: 'fleet'});
	const failed = items.filter(({status}) => status === 'FAIL').map(({id}) => itemTitles[id]);
	return failed.length === 0 ? undefined : `the audit failed: ${failed.join(', ')}`;
}

/** Says to the agent what was found. */
async function sendBack({context, journal}: Supervision): Promise<boolean> {
	const {run} = journal;
	journal.append({type: 'prompt.sent', prompt: await whatFailed(context, run), retry: run.retry!}, 'fleet');
	return true;
}
