import {createHash} from 'node:crypto';
import {existsSync} from 'node:fs';
import {branchName} from '../../core/git/refs.ts';
import type {Policy} from '../../core/policy.ts';
import {decideVerify} from '../../core/run/rules.ts';
import type {Actor} from '../../core/actor.ts';
import type {Retry, RunEvent, Step} from '../../core/run/event.ts';
import type {Facts} from '../../core/run/facts.ts';
import {exitCodes, gateRefusal, Refusal} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import type {TrainPlace} from '../../core/run/train-place.ts';
import {
	isPassed,
	verdictOf,
	whereFrom,
	type Checked,
	type Earlier,
	type Verdict,
	type VerifyResult,
} from '../../core/run/verdict.ts';
import type {Git} from '../../host/git.ts';
import type {Journal} from '../../host/journal.ts';
import {removeFolder} from '../../host/remove-folder.ts';
import {readTrusted} from '../../host/trusted.ts';
import {capture} from './capture.ts';
import type {Context} from '../context.ts';
import {readFacts} from './facts.ts';
import {ownBase, refuseCrossing} from './own-base.ts';
import {checkCleaned} from './cleaned.ts';
import {chooseSandbox} from '../sandbox/plan.ts';
import {readPolicy} from '../project/policy.ts';
import {readSettings} from '../project/settings.ts';
import {openRun, rootOf} from '../project/projects.ts';
import {record} from '../record.ts';
import {listRuns} from '../runs.ts';
import {checkSuspects} from './suspects.ts';
import {vet} from './vet.ts';
import type {Work} from './merged-tree.ts';
import {runCommands, VerifyLog} from './verify-commands.ts';

/** How the commands ended, and what that amounts to. */
export type Found = {readonly checked: readonly Checked[]; readonly verdict: Verdict};

/**
 * Takes the run's work over, merges it in memory with the target, and runs the target's own verify commands on the
 * result, in a fresh sandbox with no network and no credentials.
 * @param options.by who has it verified: a person, or fleet itself once an agent has ended
 * @param options.signal ends it; its reason is what is said
 * @param options.concluded called with what came of it, before that is written down
 * @param options.goesBack asked whether what failed goes back to the agent by itself
 * @param options.onOutput told what the commands write
 * @param options.allowsSecrets whether setup may read with its secrets over what an agent wrote
 * @param options.commandTimeoutMs what one command may take, in place of the limit's
 * @returns whether it passed; the journal holds the rest
 * @throws Refusal where there is nothing to verify, or nothing to verify it with
 */
export async function verify(
	context: Context,
	journal: Journal,
	{
		onOutput,
		commandTimeoutMs,
		allowsSecrets = false,
		by = context.actor,
		signal,
		concluded,
		goesBack,
	}: {
		readonly onOutput: (text: string) => void;
		readonly by?: Actor;
		readonly signal?: AbortSignal | undefined;
		concluded?(result: VerifyResult): Promise<void>;
		goesBack?(run: Run, result: VerifyResult, policy: Policy): Retry | undefined;
		readonly commandTimeoutMs?: number;
		readonly allowsSecrets?: boolean;
	},
): Promise<boolean> {
	const refusal = decideVerify(journal.run, by);
	if (refusal) {
		throw refusal;
	}

	const {sandbox} = await chooseSandbox(context).catch((error: unknown) => {
		throw error instanceof Refusal ? new Refusal(error.because, error.hint, exitCodes.inconclusive) : error;
	});
	const {git, commonDir} = await openRun(context, journal.run);
	const {facts, policy} = await prepare(context, journal, {git, commonDir});
	const {run} = journal;
	if (policy.verify.commands.length === 0) {
		const because = `the project's policy has no verify commands on ${branchName(run.target)}`;
		finish(journal, {facts, checked: [], verdict: {result: 'inconclusive', doubt: 'no-commands', because}, by});
		return false;
	}

	record(journal, {type: 'verify', facts, commands: policy.verify.commands}, {actor: by});
	const {limits: settings} = await readSettings(context.paths);
	const found = await checkMerge(
		{
			context,
			run,
			git,
			commonDir,
			sandbox,
			policy,
			settings,
			commandTimeoutMs,
			allowsSecrets,
			signal,
			folder: context.paths.run(run.id).verifyWork,
			onLayer({layer: {key, ms, bytes, files, hosts, notes}, isNew}) {
				journal.append(
					{type: 'setup.finished', of: 'verify', layer: key, reused: !isNew, ms, bytes, files, hosts, notes},
					'fleet',
				);
			},
		},
		facts,
		onOutput,
	);
	await concluded?.(found.verdict.result);
	finish(journal, {facts, ...found, by, goesBack: goesBack?.(journal.run, found.verdict.result, policy)});
	return found.verdict.result === 'passed';
}

/**
 * Takes the work over, and looks at it before anything of it runs.
 * @throws Refusal where it is not to be verified
 */
async function prepare(
	context: Context,
	journal: Journal,
	{git, commonDir}: {readonly git: Git; readonly commonDir: string},
): Promise<{readonly facts: Facts; readonly policy: Policy}> {
	await captureWhole(context, journal);
	const {run} = journal;
	const facts = await readFacts(context, journal, {git, gate: 'verify'});
	const {policy} = await readPolicy(git, facts.base);
	const base = await ownBase(git, run, {target: facts.base, head: facts.head});
	if (facts.head === base || facts.head === run.base) {
		throw gateRefusal(`${run.id} changed nothing`, `fleet resume ${run.id}`);
	}

	await refuseCrossing(git, run, {target: facts.base, head: facts.head});

	const forbidden = await vet({git, commonDir, root: rootOf(context, run)}, run, facts);
	if (forbidden) {
		throw forbidden;
	}

	await checkCleaned(context, run, facts);

	await checkSuspects(context, journal, {git, tip: facts.base, ...facts});
	return {facts, policy};
}

/** Captures what there is. @throws Refusal where that is not all, or the agent is in the middle of something */
async function captureWhole(context: Context, journal: Journal): Promise<void> {
	if (!existsSync(context.paths.run(journal.run.id).worktree)) {
		return;
	}

	const captured = await capture(context, journal);
	if (captured.incomplete) {
		throw gateRefusal(
			`the snapshot of ${journal.run.id} is incomplete: ${captured.incomplete}`,
			`fleet show ${journal.run.id}`,
		);
	}

	if (captured.unfinished !== undefined) {
		throw gateRefusal(
			`its folder is in the middle of a ${captured.unfinished}`,
			`fleet resume ${journal.run.id} "finish the ${captured.unfinished}, or abort it"`,
		);
	}
}

/**
 * Runs the commands on the merged tree, and where one of them ran no test, on the target alone as well.
 * Whatever goes wrong with that is a verdict, too.
 */
export async function checkMerge(
	work: Omit<Work, 'log' | 'trusted'>,
	{base, tree, head}: Pick<Facts, 'base' | 'tree'> & {/** Undefined for the base alone. */ readonly head?: string},
	onOutput: (text: string) => void,
): Promise<Found> {
	let checked: readonly Checked[] = [];
	let log: VerifyLog | undefined;
	try {
		// What a run's log says is of the run; of the target alone nothing is kept.
		log = new VerifyLog(head === undefined ? '/dev/null' : work.context.paths.run(work.run.id).verifyLog, onOutput);
		const whole: Work = {...work, log, trusted: await readTrusted(work.git)};
		for (const note of whole.trusted.notes) {
			log.write(`fleet: ${note}\n`);
		}

		checked = await runCommands(whole, head === undefined ? {commit: base} : {tree, parents: [base, head]});
		const verdict = work.signal?.aborted
			? stopped(work.signal)
			: explain(await judge(whole, checked, base), checked, work.policy);
		return {
			checked,
			verdict:
				log.failure === undefined
					? verdict
					: {result: 'inconclusive', doubt: 'log', because: `what it wrote could not be kept: ${log.failure}`},
		};
	} catch (error) {
		if (work.signal?.aborted) {
			return {checked, verdict: stopped(work.signal)};
		}

		const because = `it could not be run: ${(error as Error).message.split('\n')[0]}`;
		return {checked, verdict: {result: 'inconclusive', doubt: 'sandbox', because}};
	} finally {
		log?.close();
		try {
			removeFolder(work.folder);
		} catch {
			// What was found out counts, whatever is left: the next verification begins with an empty folder, or not at all.
		}
	}
}

const stopped = ({reason}: AbortSignal): Verdict => ({
	result: 'inconclusive',
	doubt: 'stopped',
	because: String(reason),
});

/** The verdict, with where what is missing would come from. */
function explain(verdict: Verdict, checked: readonly Checked[], {setup}: Policy): Verdict {
	const missing = checked.at(-1)?.missing;
	return verdict.result === 'passed' ||
		missing === undefined ||
		!(verdict.doubt === undefined || verdict.doubt === 'not-run')
		? verdict
		: {...verdict, because: `${verdict.because}; ${whereFrom(missing, setup.commands.length > 0)}`};
}

/** What the commands' ends and their words amount to, beside how it was before. */
async function judge(work: Work, checked: readonly Checked[], base: string): Promise<Verdict> {
	const {context, run, policy, log} = work;
	const earlier = (command: string) => before(context, run, command);
	const verdict = verdictOf(policy.verify.commands, checked, earlier);
	const silent = (one: Checked, then: Earlier | undefined) =>
		isPassed(one) && (then === undefined ? one.ran === 'none' : one.ran !== 'some' && then.ran === 'some');
	const empty = checked.findLastIndex(one => silent(one, earlier(one.command)));
	if ((verdict.result !== 'passed' && verdict.doubt !== 'no-tests') || empty === -1) {
		return verdict;
	}

	// Whether that is how it always was, the target alone tells: what ran before may be another run's doing.
	const name = branchName(run.target);
	log.write(`no test was run; the same on ${name} alone:\n`);
	const alone = await runCommands(
		{...work, policy: {...policy, verify: {...policy.verify, commands: policy.verify.commands.slice(0, empty + 1)}}},
		{commit: base},
	);
	return verdictOf(policy.verify.commands, checked, command => {
		const [then, now] = [earlier(command), alone.find(one => one.command === command)];
		if (now && isPassed(now)) {
			return now.ran === 'some' && then ? then : earlierOf(now, `on ${name}`);
		}

		return (
			then ?? {
				ran: checked.some(one => one.command === command && silent(one, then)) ? 'unclear' : undefined,
				count: undefined,
				when: `on ${name} alone`,
			}
		);
	});
}

/** What is written down of what was found out, with a digest that an approval is about. */
export function finding(facts: Facts, {checked, verdict}: Found, train?: TrainPlace) {
	const {result, doubt, because} = verdict;
	const steps: Step[] = checked.map(({command, code, ms, timedOut, ran, tests, last}) => ({
		command,
		code: timedOut ? 124 : (code ?? 128),
		ms,
		ran,
		tests,
		...(code === 0 || last === undefined ? {} : {last}),
	}));
	const codes = steps.map(({command, code}) => ({command, code}));
	const digest = createHash('sha256')
		.update(JSON.stringify({...facts, result, steps: codes, ...(train ? {train} : {})}))
		.digest('hex');
	return {
		type: 'verify.finished',
		passed: result === 'passed',
		result,
		doubt,
		...facts,
		digest,
		steps,
		because,
		...(train ? {train} : {}),
	} satisfies RunEvent;
}

/** Writes down what was found out. */
function finish(
	journal: Journal,
	{
		facts,
		checked,
		verdict,
		by,
		goesBack,
	}: {
		readonly facts: Facts;
		readonly checked: readonly Checked[];
		readonly verdict: Verdict;
		readonly by: Actor;
		readonly goesBack?: Retry | undefined;
	},
): void {
	journal.append({...finding(facts, {checked, verdict}), ...(goesBack ? {goesBack} : {})}, by);
}

function earlierOf(one: Pick<Checked, 'ran' | 'tests'> | undefined, when: string): Earlier | undefined {
	return one && {ran: one.ran, count: one.tests && (one.tests.passed ?? 0) + (one.tests.failed ?? 0), when};
}

/** What a command ran the last time that a run of the project passed with it, onto the same target. */
function before(context: Context, run: Work['run'], command: string): Earlier | undefined {
	const same = listRuns(context).filter(
		other => other.project.id === run.project.id && other.target === run.target && other.verification?.passed,
	);
	const steps = same.flatMap(({verification}) =>
		verification!.steps
			.filter(step => step.command === command && step.ran !== undefined)
			.map(step => ({step, at: verification!.at})),
	);
	const last = steps.sort((a, b) => b.at.localeCompare(a.at))[0];
	return last && earlierOf({ran: last.step.ran, tests: last.step.tests}, 'the last time');
}
