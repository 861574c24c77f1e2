import {randomBytes} from 'node:crypto';
import {usualExpiryMs, type DeployTarget} from '../../core/deploy/policy-keys.ts';
import {lastGood} from '../../core/deploy/last-good.ts';
import {decideDeploy, decideWindow} from '../../core/run/rules.ts';
import type {DeployOutcome} from '../../core/run/event.ts';
import {personRefusal, Refusal} from '../../core/refusal.ts';
import {localMinute} from '../../core/text/time.ts';
import {wallTime} from '../../core/text/window.ts';
import type {Journal} from '../../host/journal.ts';
import {LogWriter} from '../../host/log-writer.ts';
import type {Context} from '../context.ts';
import {openRun} from '../project/projects.ts';
import {record} from '../record.ts';
import {listRuns} from '../runs.ts';
import {checkLease, refuse, refusing, type Lease} from './deploy-lease.ts';
import {DeployShell, type ShellOptions} from './deploy-shell.ts';
import {runSteps, type DeployEnd} from './deploy-steps.ts';
import {decideBoundary, findTarget} from './deploy-targets.ts';

/** How a person asked for a deploy. */
export type Order = {readonly confirmed: string | undefined; readonly because?: string; readonly outside?: boolean};

/** A deploy as it was asked for. */
export type DeployRequest = {
	/** Its name in the policy. */ readonly target: string;
	readonly order: Order;
	/** Values by the names of variables; one that nobody was there to give is not in it. */
	readonly credentials: ReadonlyMap<string, string>;
	/** Told its output as it comes, with the credentials blanked. */ readonly onOutput: (text: string) => void;
};

/**
 * Runs a target's command in a clean checkout of the merged commit, with the credentials of this one deploy.
 * They live in this process's memory and the command's environment, nowhere else, and are blanked from the output.
 * It is never repeated by itself. What the command writes is kept in the run's folder, as `deploy.log`.
 *
 * @param order.confirmed the target's name, typed once more
 * @param order.because a person's reason; needed for `outside`, which does not wait for the target's window
 * @throws Refusal where it may not begin, or waits for a credential: that is written down
 */
export async function deploy(
	context: Context,
	journal: Journal,
	{target: name, order, credentials: given, onOutput}: DeployRequest,
): Promise<DeployOutcome> {
	const {run} = journal;
	const {confirmed, because = '', outside = false} = order;
	const refusal = decideDeploy(run, context.actor, {target: name, confirmed});
	if (refusal) {
		refuse(context, journal, refusal);
	}

	const {target} = await findTarget(context, run, name);
	const {command, window} = target;
	const forbidden = decideBoundary(name);
	if (forbidden) {
		refuse(context, journal, forbidden);
	}

	const early = decideWindow({target: name, window}, wallTime(Date.now()), outside ? because : undefined);
	if (early) {
		refuse(context, journal, early);
	}

	const lease = await refusing(context, journal, () => checkLease(context, run, name));
	const credentials = takeCredentials(context, journal, {name, target, given, lease, because});
	const log = new LogWriter(context.paths.run(run.id).deployLog, {anew: true});
	const tell = (text: string) => {
		log.write(text);
		onOutput(text);
	};

	const options: ShellOptions = {
		target: name,
		commit: run.merge!.commit,
		credentials,
		tell,
		id: lease?.nonce ?? randomBytes(16).toString('hex'),
	};
	try {
		const end = await DeployShell.with(context, run, {
			options,
			work(shell) {
				record(
					journal,
					{
						type: 'deploy',
						target: name,
						confirmed,
						window,
						outside,
						because,
						command,
						credentials: target.credentials,
						lease: lease?.nonce,
					},
					{actor: context.actor},
				);
				return runSteps(shell, target);
			},
		});
		finish(context, journal, {options, end});
		if (end.isBad && target.rollback === 'auto') {
			await rollBack(context, journal, {options, target, lease});
		}

		return end.outcome;
	} finally {
		log.close();
	}
}

/** Writes down how a deploy ended. @param ended.rollbackOf the commit in whose place it was */
function finish(
	context: Context,
	journal: Journal,
	{
		options: {target, commit},
		end: {outcome, because},
		rollbackOf,
	}: {readonly options: ShellOptions; readonly end: DeployEnd; readonly rollbackOf?: string},
): void {
	journal.append({type: 'deploy.finished', target, commit, outcome, because, rollbackOf}, context.actor);
}

/**
 * Brings the last good deploy back, since what came was found bad: the same command on that commit, with the same
 * credentials, under the same approval. What nobody saw the end of never comes here.
 */
async function rollBack(
	context: Context,
	journal: Journal,
	{
		options,
		target,
		lease,
	}: {readonly options: ShellOptions; readonly target: DeployTarget; readonly lease: Lease | undefined},
): Promise<void> {
	const {run} = journal;
	const {target: name, commit: rollbackOf, tell} = options;
	const good = lastGood(listRuns(context), {project: run.project.id, target: name, than: rollbackOf});
	const not = (because: string) => tell(`fleet: not rolled back: ${because}\n`);
	if (!good) {
		not(`there is no good deploy to ${name} before it`);
		return;
	}

	if (lease && !(Date.now() < Date.parse(lease.until))) {
		not(`the approval is over, since ${lease.until}`);
		return;
	}

	const {git} = await openRun(context, run);
	if ((await git.resolve(`${good.commit}^{commit}`)) === undefined) {
		not(`${good.commit} is not in the repository any more`);
		return;
	}

	const back = {...options, commit: good.commit};
	const end = await DeployShell.with(context, run, {
		options: back,
		work(shell) {
			shell.say(`rolls back to ${good.commit}, of ${good.run}`);
			journal.append(
				{
					type: 'deploy.started',
					target: name,
					commit: good.commit,
					command: target.command,
					credentials: [...target.credentials],
					lease: lease?.nonce,
					rollbackOf,
				},
				context.actor,
			);
			return runSteps(shell, target);
		},
	});
	finish(context, journal, {options: back, end, rollbackOf});
}

/**
 * The credentials that a target's command gets.
 * @throws Refusal where one is so short that it could not be blanked from the output, or is not there: then the deploy
 * waits for it, and that is written down
 */
function takeCredentials(
	context: Context,
	journal: Journal,
	{
		name,
		target,
		given,
		lease,
		because,
	}: {
		readonly name: string;
		readonly target: DeployTarget;
		readonly given: ReadonlyMap<string, string>;
		readonly lease: Lease | undefined;
		readonly because: string;
	},
): Map<string, string> {
	const missing = target.credentials.filter(wanted => !given.has(wanted));
	if (missing.length > 0) {
		const {id, merge} = journal.run;
		const until = lease?.until ?? new Date(Date.now() + (target.expires ?? usualExpiryMs)).toISOString();
		journal.append(
			{
				type: 'deploy.requested',
				target: name,
				commit: merge!.commit,
				until,
				missing,
				because,
				...(lease ? {lease: lease.nonce} : {}),
			},
			context.actor,
		);
		throw personRefusal(
			`the deploy to ${name} waits for ${missing.join(', ')}, until ${localMinute(until)}`,
			`fleet deploy ${id} ${name} ${missing.map(wanted => `--credential ${wanted}=-`).join(' ')}, its value on stdin`,
		);
	}

	for (const wanted of target.credentials) {
		const value = given.get(wanted)!;
		if (value.length < 4) {
			throw new Refusal(
				value === ''
					? `the deploy needs ${wanted}, which was not given`
					: `${wanted} is too short to be blanked from the output`,
				`type it when asked, or pass --credential ${wanted}=- and write it to stdin`,
			);
		}
	}

	return new Map(target.credentials.map(wanted => [wanted, given.get(wanted)!]));
}
