import {execFileSync} from 'node:child_process';
import {createHash, randomUUID} from 'node:crypto';
import {closeSync, existsSync, mkdirSync, openSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {StringDecoder} from 'node:string_decoder';
import {branchName} from '../../core/git/refs.ts';
import {decideVerify} from '../../core/run/rules.ts';
import type {Step} from '../../core/run/event.ts';
import type {Facts} from '../../core/run/facts.ts';
import {limitsOf, type Policy} from '../../core/policy.ts';
import {exitCodes, gateRefusal, Refusal} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import type {PreparedSandbox, Sandbox} from '../../core/seams.ts';
import {
	isPassed,
	shellName,
	verdictOf,
	VerifyReader,
	type Checked,
	type Earlier,
	type Verdict,
} from '../../core/run/verdict.ts';
import {groupName} from '../../host/cgroup.ts';
import type {Git} from '../../host/git.ts';
import {makeGitFolder, type Looked} from '../../host/git-folder.ts';
import type {Journal} from '../../host/journal.ts';
import {writeAll} from '../../host/write.ts';
import {readTrusted, type Trusted} from '../../host/trusted.ts';
import {baseMounts} from '../../host/borrowed.ts';
import {giveToRun} from '../../host/run-owner.ts';
import {capture} from './capture.ts';
import type {Context} from '../context.ts';
import {readFacts} from './facts.ts';
import {makeTrust} from '../run/injected-files.ts';
import {ownBase, refuseCrossing} from './own-base.ts';
import {grouped, lookName, runLimited, type Folders, type Limited} from '../sandbox/guard.ts';
import {diskUse} from '../sandbox/limits.ts';
import {basicPlan, chooseSandbox} from '../sandbox/plan.ts';
import {readPolicy} from '../project/policy.ts';
import {openRun, rootOf} from '../project/projects.ts';
import {record} from '../record.ts';
import {listRuns} from '../runs.ts';
import {fillSubmodules} from '../run/submodules.ts';
import {checkSuspects} from './suspects.ts';
import {vet} from './vet.ts';

/** One command's time, milliseconds. */
const longestCommand = 30 * 60_000;

/**
 * Takes the run's work over, merges it in memory with the target, and runs the target's own verify commands on the
 * result, in a fresh sandbox with no network and no credentials.
 * @param options.commandTime milliseconds that one command may take
 * @returns whether it passed; the journal holds the rest
 * @throws Refusal where there is nothing to verify, or nothing to verify it with
 */
export async function verify(
	context: Context,
	journal: Journal,
	onOutput: (text: string) => void,
	{commandTime = longestCommand}: {readonly commandTime?: number} = {},
): Promise<boolean> {
	const refusal = decideVerify(journal.run);
	if (refusal) {
		throw refusal;
	}

	const {sandbox} = await chooseSandbox(context).catch((error: unknown) => {
		throw error instanceof Refusal ? new Refusal(error.because, error.hint, exitCodes.inconclusive) : error;
	});
	const {git, commonDir} = await openRun(context, journal.run);
	const places = context.paths.run(journal.run.id);
	const captured = existsSync(places.worktree) ? await capture(context, journal) : undefined;
	if (captured?.incomplete) {
		throw gateRefusal(
			`the snapshot of ${journal.run.id} is incomplete: ${captured.incomplete}`,
			`fleet show ${journal.run.id}`,
		);
	}

	if (captured?.unfinished !== undefined) {
		throw gateRefusal(
			`its folder is in the middle of a ${captured.unfinished}`,
			`fleet resume ${journal.run.id} "finish the ${captured.unfinished}, or abort it"`,
		);
	}

	const {run} = journal;
	const facts = await readFacts(context, journal, git, 'verify');
	const {policy} = await readPolicy(git, facts.base);
	const base = await ownBase(git, run, facts.base, facts.head);
	if (facts.head === base || facts.head === run.base) {
		throw gateRefusal(`${run.id} changed nothing`, `fleet resume ${run.id}`);
	}

	await refuseCrossing(git, run, facts.base, facts.head);

	const forbidden = await vet(git, commonDir, rootOf(context, run), run, facts);
	if (forbidden) {
		throw forbidden;
	}

	await checkSuspects(context, journal, git, base, facts.head);
	if (policy.verify.length === 0) {
		finish(context, journal, facts, [], {
			result: 'inconclusive',
			doubt: 'no-commands',
			because: `the project's policy has no verify commands on ${branchName(run.target)}`,
		});
		return false;
	}

	record(journal, {type: 'verify', facts, commands: policy.verify}, {actor: context.actor});
	const folder = places.verifyWork;
	let checked: Checked[] = [];
	let verdict: Verdict;
	let log: VerifyLog | undefined;
	try {
		const open = (log = new VerifyLog(places.verifyLog, onOutput));
		const work: Work = {
			context,
			run,
			git,
			commonDir,
			sandbox,
			policy,
			folder,
			log: open,
			commandTime,
			trusted: await readTrusted(git),
		};
		for (const note of work.trusted.notes) {
			open.write(`fleet: ${note}\n`);
		}

		checked = await runCommands(work, {tree: facts.tree, parents: [facts.base, facts.head]});
		verdict = verdictOf(policy.verify, checked, command => before(context, run, command));
		const silent = (one: Checked, earlier: Earlier | undefined) =>
			isPassed(one) && (earlier === undefined ? one.ran === 'none' : one.ran !== 'some' && earlier.ran === 'some');
		const empty = checked.findLastIndex(one => silent(one, before(context, run, one.command)));
		if ((verdict.result === 'passed' || verdict.doubt === 'no-tests') && empty !== -1) {
			// Whether that is how it always was, the target alone tells: what ran before may be another run's doing.
			const name = branchName(run.target);
			open.write(`no test was run; the same on ${name} alone:\n`);
			const alone = await runCommands(
				{...work, policy: {...policy, verify: policy.verify.slice(0, empty + 1)}},
				{commit: facts.base},
			);
			verdict = verdictOf(policy.verify, checked, command => {
				const [then, now] = [before(context, run, command), alone.find(one => one.command === command)];
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

		if (open.failure !== undefined) {
			verdict = {result: 'inconclusive', doubt: 'log', because: `what it wrote could not be kept: ${open.failure}`};
		}
	} catch (error) {
		verdict = {
			result: 'inconclusive',
			doubt: 'sandbox',
			because: `it could not be run: ${(error as Error).message.split('\n')[0]}`,
		};
	} finally {
		log?.close();
		try {
			removeFolder(folder);
		} catch {
			// What was found out counts, whatever is left: the next verification begins with an empty folder, or not at all.
		}
	}

	finish(context, journal, facts, checked, verdict);
	return verdict.result === 'passed';
}

function finish(
	context: Context,
	journal: Journal,
	facts: Facts,
	checked: readonly Checked[],
	{result, doubt, because}: Verdict,
): void {
	const steps: Step[] = checked.map(({command, code, ms, timedOut, ran, tests}) => ({
		command,
		code: timedOut ? 124 : (code ?? 128),
		ms,
		ran,
		tests,
	}));
	const digest = createHash('sha256')
		.update(JSON.stringify({...facts, result, steps: steps.map(({command, code}) => ({command, code}))}))
		.digest('hex');
	journal.append(
		{type: 'verify.finished', passed: result === 'passed', result, doubt, ...facts, digest, steps, because},
		context.actor,
	);
}

/** What the commands write, kept and told. Neither a full disk nor a reader that is gone ends the work. */
class VerifyLog {
	readonly #file: number;
	readonly #tell: (text: string) => void;
	/** Why not all of it is kept. */
	failure: string | undefined;

	constructor(file: string, tell: (text: string) => void) {
		this.#file = openSync(file, 'w', 0o600);
		this.#tell = tell;
	}

	write(text: string): void {
		try {
			writeAll(this.#file, Buffer.from(text));
		} catch (error) {
			this.failure ??= (error as Error).message;
		}

		this.#tell(text);
	}

	close(): void {
		closeSync(this.#file);
	}
}

/** Removes what commands made of the folder that they were given. */
function removeFolder(folder: string): void {
	if (existsSync(folder)) {
		execFileSync('chmod', ['-R', 'u+rwX', '--', folder], {stdio: 'ignore'});
		execFileSync('rm', ['-rf', '--one-file-system', '--', folder], {stdio: 'pipe'});
	}
}

type Work = {
	readonly context: Context;
	readonly run: Run;
	readonly git: Git;
	readonly commonDir: string;
	readonly sandbox: Sandbox;
	readonly policy: Policy;
	readonly folder: string;
	readonly log: VerifyLog;
	/** Milliseconds for each command. */
	readonly commandTime: number;
	readonly trusted: Trusted;
};

/** Says on stdout that the sandbox is up, before anything of the project's runs: no exit code tells that. */
const startScript = 'printf "%s\\n" "$1"; shift; exec "$@"';

/** Runs the policy's commands, one after another while they pass, in a fresh checkout with a git folder beside it. */
async function runCommands(
	{context, run, git, commonDir, sandbox, policy, folder, log, commandTime, trusted}: Work,
	what: Looked['what'],
): Promise<Checked[]> {
	removeFolder(folder);
	const [tree, gitFolder] = [path.join(folder, 'tree'), path.join(folder, 'git')];
	for (const made of [tree, gitFolder, path.join(tree, '.git')]) {
		mkdirSync(made, {recursive: true, mode: 0o700});
	}

	const mounts = baseMounts(commonDir);
	await makeGitFolder({
		git,
		commonDir,
		folder: gitFolder,
		tree,
		what,
		branch: run.target,
		depth: policy.verifyDepth,
		objectsSeenAt: at => mounts[at]!.target,
	});
	await fillSubmodules(git, commonDir, rootOf(context, run), 'commit' in what ? what.commit : what.tree, tree);
	giveToRun(run.id, tree, gitFolder);
	const trust = makeTrust(path.join(folder, 'trust'), trusted);
	const plan = basicPlan(run.id, path.join(folder, 'sandbox'), {
		mounts: [
			...mounts,
			...trust.mounts,
			{source: tree, target: run.worktree, mode: 'write'},
			{source: gitFolder, target: path.join(run.worktree, '.git'), mode: 'read'},
		],
		cwd: run.worktree,
		env: {...trust.env, CI: 'true', FLEET_VERIFY: '1', GIT_OPTIONAL_LOCKS: '0'},
	});
	const checked: Checked[] = [];
	for (const command of policy.verify) {
		log.write(`$ ${command}\n`);
		// Each has a control group of its own: what one leaves behind is not the next one's.
		const limited = grouped(
			{...plan, limits: limitsOf(policy, plan.limits)},
			lookName(groupName(context.paths.run(run.id)), `verify-${process.pid}`),
		);
		const folders = {names: [tree], count: () => diskUse(context, context.paths.run(run.id), [tree])};
		const one = await runCommand(
			{
				context,
				prepared: sandbox.prepare(limited.plan, path.join(folder, 'sandbox')),
				limited,
				folders,
				timeout: commandTime,
			},
			command,
			text => log.write(text),
		);
		checked.push(one);
		if (!isPassed(one)) {
			log.write(one.code === 0 ? '' : `exit code ${one.timedOut ? 124 : (one.code ?? 128)}\n`);
			break;
		}
	}

	return checked;
}

async function runCommand(
	{
		context,
		prepared,
		limited,
		folders,
		timeout,
	}: {context: Context; prepared: PreparedSandbox; limited: Limited; folders: Folders; timeout: number},
	command: string,
	tell: (text: string) => void,
): Promise<Checked> {
	const began = Date.now();
	const reader = new VerifyReader();
	const decoders = {stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8')};
	const mark = `${randomUUID()}\n`;
	let first: string | undefined = '';
	const take = (text: string, stream: 'stdout' | 'stderr') => {
		reader.push(text, stream);
		tell(text);
	};

	const outcome = await runLimited(
		context,
		prepared.alone({
			argv: ['/bin/sh', '-c', startScript, 'sh', mark.trim(), '/bin/sh', '-c', command, shellName],
			cwd: limited.plan.cwd,
			env: {},
		}),
		limited,
		{
			timeout,
			folders,
			onOutput(bytes, stream) {
				const text = decoders[stream].write(Buffer.from(bytes));
				if (stream === 'stderr' || first === undefined) {
					take(text, stream);
					return;
				}

				first += text;
				if (first.length >= mark.length) {
					const started = first.startsWith(mark);
					take(started ? first.slice(mark.length) : first, stream);
					first = started ? undefined : '';
				}
			},
		},
	);
	if (first !== undefined) {
		take(first, 'stdout');
	}

	if (outcome.over !== undefined) {
		tell(`\nfleet: ended: ${outcome.over}\n`);
	}

	reader.end();
	const {tests, ran, foundNone, doubt} = reader;
	return {
		command,
		code: outcome.code,
		ms: Date.now() - began,
		started: first === undefined,
		timedOut: outcome.timedOut,
		over: outcome.over,
		tests,
		ran,
		foundNone,
		doubt,
	};
}

function earlierOf(one: Pick<Checked, 'ran' | 'tests'> | undefined, when: string): Earlier | undefined {
	return one && {ran: one.ran, count: one.tests && (one.tests.passed ?? 0) + (one.tests.failed ?? 0), when};
}

/** What a command ran the last time that a run of the project passed with it, onto the same target. */
function before(context: Context, run: Run, command: string): Earlier | undefined {
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
