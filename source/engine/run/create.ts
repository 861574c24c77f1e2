import {spawn} from 'node:child_process';
import {randomBytes, randomUUID} from 'node:crypto';
import {closeSync, mkdirSync, openSync, readFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {branchOf, nameFrom, parseName} from '../../core/names.ts';
import type {Project} from '../../core/project.ts';
import {orThrow, Refusal} from '../../core/refusal.ts';
import {decideResume} from '../../core/run/decide.ts';
import type {Invocation} from '../../core/plan.ts';
import type {Grant} from '../../core/scope.ts';
import type {Run} from '../../core/run/run.ts';
import {holdsValue} from '../../core/secrets/redact.ts';
import {formatReference} from '../../core/secrets/secret.ts';
import {findSuspects} from '../../core/secrets/suspects.ts';
import {proxyVariables} from '../../core/network/upstream.ts';
import type {Budget} from '../../core/run/usage.ts';
import {findOnPath} from '../../host/program.ts';
import {insideHome} from '../../host/toolchain.ts';
import {trustEnvironmentOf} from '../../host/trusted.ts';
import {budgetRefusal} from '../grants/budget.ts';
import {checkOverlap, filesPlace} from '../grants/files.ts';
import {fillWorktree} from './fill.ts';
import {copyIncluded} from '../project/include.ts';
import {completeScope, grantLength, handFor, secretOfScope} from '../grants/scope-secrets.ts';
import {knownValue, listSecrets} from '../grants/secrets.ts';
import type {Handover} from './supervise.ts';
import {Journal} from '../../host/journal.ts';
import type {Git} from '../../host/git.ts';
import {createWorktree} from '../../host/worktree.ts';
import {filesOf} from '../../scopes/files/index.ts';
import type {Context} from '../context.ts';
import {chooseSandbox} from '../sandbox/plan.ts';
import {readPolicy} from '../project/policy.ts';
import {makeGrant} from '../grants/scopes.ts';
import {openRepository} from '../project/projects.ts';
import {planRebase} from './rebase.ts';
import {readRun, withJournal, listRunIds} from '../runs.ts';
import {noteStart, startIsNoted, takeBack, takeBackLeftovers} from './take-back.ts';

export type RunRequest = {
	readonly project: Project;
	readonly agent: string;
	readonly argv: readonly string[];
	readonly prompt?: string | undefined;
	readonly name?: string | undefined;
	/** A branch or commit; the project's current branch by default. */
	readonly base?: string | undefined;
	readonly allow: readonly string[];
	readonly because: string;
	/** A person will attach and talk to the agent. */
	readonly interactive?: boolean | undefined;
	readonly budget?: Budget | undefined;
	/** What the runs that are begun together have in common. */
	readonly batch?: string | undefined;
	/** A run whose good end it waits for. */
	readonly after?: string | undefined;
	/** Files that git does not keep, to be copied from the project; a person said yes to them. */
	readonly include?: readonly string[] | undefined;
};

/** Resolves what a run starts from and what it is merged into. */
async function findBase(git: Git, base: string | undefined): Promise<{commit: string; target: string}> {
	const {stdout} = await git.run(['symbolic-ref', '--quiet', 'HEAD']);
	const head = stdout.trim();
	if (base !== undefined) {
		if (base.startsWith('-') || /[\u0000-\u0020\u007F]/.test(base)) {
			throw new Refusal('the base is not a branch or a commit', 'name a branch, a tag or a commit');
		}

		const branch = await git.resolve(`refs/heads/${base}^{commit}`);
		if (branch) {
			return {commit: branch, target: `refs/heads/${base}`};
		}
	}

	const commit = await git.resolve(`${base ?? 'HEAD'}^{commit}`);
	if (!commit) {
		throw new Refusal(`there is no branch or commit "${base ?? 'HEAD'}"`, 'git branch --all');
	}

	if (!head.startsWith('refs/heads/')) {
		throw new Refusal(
			'the project has no branch checked out, so there is nothing to merge into later',
			'check out a branch, or name one with --base',
		);
	}

	return {commit, target: head};
}

/**
 * Makes a run: worktree, private git folder, journal. Its supervisor is not started yet. All or nothing.
 * @throws Refusal for anything that was asked for and cannot be
 */
export async function createRun(context: Context, request: RunRequest): Promise<Run> {
	const agent = context.agents.find(agent => agent.id === request.agent);
	if (!agent) {
		throw new Refusal(
			`there is no agent "${request.agent.slice(0, 60)}"`,
			`agents: ${context.agents.map(agent => agent.id).join(', ')}; any program runs as the agent "command"`,
		);
	}

	checkLength(
		orThrow(
			agent.start({
				prompt: request.prompt,
				argv: request.argv,
				cwd: '/',
				home: insideHome,
				program: agent.program,
				interactive: request.interactive ?? false,
				conversation: undefined,
				pointer: undefined,
				uuid: randomUUID(),
			}),
		),
	);
	if (agent.program !== undefined) {
		if (!findOnPath(agent.program)) {
			throw new Refusal(
				`${agent.title} is not installed: there is no program "${agent.program}" here`,
				`install it, or put the folder that holds ${agent.program} on PATH; fleet doctor`,
			);
		}

		if (request.prompt === undefined && !request.interactive) {
			throw new Refusal(
				`${agent.title} needs a prompt`,
				`fleet run --agent ${agent.id} "what to do", or --interactive and fleet attach`,
			);
		}
	}

	await checkPrompt(context, request.prompt, request.project);
	// The command line goes into the journal, and everybody on the machine may read it in a list of processes.
	await checkPrompt(
		context,
		request.argv.length === 0 ? undefined : request.argv.join(' '),
		request.project,
		'the command line',
	);
	await chooseSandbox(context);
	await takeBackLeftovers(context);
	const ids = new Set(listRunIds(context));
	let id = request.name === undefined ? '' : orThrow(parseName(request.name, 'run name'));
	while (id === '' || (ids.has(id) && request.name === undefined)) {
		const name = nameFrom(request.prompt ?? path.basename(request.argv[0] ?? ''), 'run', 24);
		id = `${name}-${randomBytes(2).toString('hex')}`;
	}

	if (ids.has(id)) {
		throw new Refusal(`there is a run "${id}" already`, 'choose another name with --name');
	}

	const {git, checkout, commonDir} = await openRepository(request.project.root);
	const {commit, target} = await findBase(checkout, request.base);
	const branches = (await git.run(['for-each-ref', '--format=%(refname:lstrip=2)', 'refs/heads/fleet*'])).stdout.split(
		'\n',
	);
	const branch = branchOf(id, new Set(branches));
	const grants: Grant[] = [];
	for (const text of request.allow) {
		const scope = completeScope(context, text, request.project);
		const entry = secretOfScope(context, scope, request.project);
		const grant = makeGrant(
			context.actor,
			scope,
			request.because,
			grantLength(entry, undefined),
			entry,
			await filesPlace(context, scope),
		);
		const files = filesOf(grant.scope);
		if (files) {
			checkOverlap({...files, scope: grant.scope, identity: grant.identity!}, grants, 'leave out');
		}

		grants.push(grant);
	}

	await readPolicy(git, commit);

	const places = context.paths.run(id);
	mkdirSync(path.dirname(places.folder), {recursive: true, mode: 0o700});
	try {
		mkdirSync(places.folder, {mode: 0o700});
	} catch {
		throw new Refusal(`there is a run "${id}" already`, 'choose another name with --name');
	}

	let journal: Journal | undefined;
	const start = {commonDir, branch, base: commit};
	let made = false;
	try {
		journal = Journal.open(places)!;
		noteStart(places, start);
		await createWorktree({
			runId: id,
			commonDir,
			branch,
			base: commit,
			target,
			places,
			brought: request.include,
			fill: index => fillWorktree(context, id, places, {git, commonDir, root: request.project.root}, commit, index),
		});
		made = true;
		await copyIncluded(context, request.project, id, places, request.include ?? []);
		journal.append(
			{
				type: 'run.created',
				id,
				name: id,
				project: {id: request.project.id, name: request.project.name, root: request.project.root},
				agent: agent.id,
				argv: [...request.argv],
				prompt: request.prompt,
				branch,
				base: commit,
				target,
				worktree: places.worktree,
				grants,
				interactive: request.interactive ? true : undefined,
				budget: request.budget,
				batch: request.batch,
				after: request.after,
				included: request.include && [...request.include],
			},
			context.actor,
		);
		startIsNoted(places);
		return journal.run;
	} catch (error) {
		// Without the worktree there is no branch of ours either.
		await takeBack(places, made ? start : undefined);
		throw error;
	} finally {
		journal?.close();
	}
}

/**
 * Makes a run and starts it. Where its agent does not come to run, nothing of it is left.
 * @throws Refusal for anything that was asked for and cannot be
 */
export async function startRun(context: Context, request: RunRequest): Promise<Run> {
	const {id} = await createRun(context, request);
	try {
		return await startSupervisor(context, id);
	} catch (error) {
		const places = context.paths.run(id);
		const journal = Journal.open(places, 5000);
		if (journal) {
			try {
				const {run} = journal;
				if (run.attempt === 0) {
					const {commonDir} = await openRepository(run.project.root);
					await takeBack(places, {commonDir, branch: run.branch, base: run.base});
				}
			} finally {
				journal.close();
			}
		}

		throw error;
	}
}

/** The supervisor needs little of the person's environment, and what it does not have it cannot lose. */
function supervisorEnvironment(): Record<string, string> {
	const passed = [
		'PATH',
		'HOME',
		'USER',
		'LOGNAME',
		'LANG',
		'LC_ALL',
		'TMPDIR',
		'FLEET_HOME',
		'XDG_STATE_HOME',
		'XDG_CONFIG_HOME',
		'XDG_RUNTIME_DIR',
		...proxyVariables,
	];
	return {
		...Object.fromEntries(passed.flatMap(name => (process.env[name] === undefined ? [] : [[name, process.env[name]]]))),
		...trustEnvironmentOf(process.env),
	};
}

/**
 * Starts a run's supervisor, detached, hands it the secrets of its grants, and waits until the agent runs.
 * @throws Refusal with the reason where it does not come up
 */
export async function startSupervisor(context: Context, runId: string): Promise<Run> {
	const places = context.paths.run(runId);
	// Before anything starts: a vault may ask, and a run does not start without what it was granted.
	const run = readRun(places);
	const secrets = run ? await handFor(context, run) : [];
	const log = openSync(path.join(places.folder, 'supervisor.log'), 'a', 0o600);
	const [program, ...argv] = context.supervisor;
	const child = spawn(program!, [...argv, runId], {
		cwd: '/',
		env: supervisorEnvironment(),
		detached: true,
		stdio: ['ignore', log, log, 'ipc'],
	});
	closeSync(log);
	try {
		await new Promise<void>((resolve, reject) => {
			child.once('error', reject);
			child.send({secrets} satisfies Handover, error => {
				if (error) {
					reject(error);
				}
			});
			child.once('message', (message: {started?: boolean; because?: string; hint?: string}) => {
				if (message.started) {
					resolve();
				} else {
					reject(
						new Refusal(
							message.because ?? 'the supervisor could not start the run',
							message.hint ?? `fleet show ${runId}`,
						),
					);
				}
			});
			child.once('exit', (code, signal) => {
				const words = readFileSync(path.join(places.folder, 'supervisor.log'), 'utf8')
					.trim()
					.split('\n')
					.findLast(line => /error/i.test(line))
					?.trim()
					.slice(0, 200);
				reject(
					new Refusal(
						`the supervisor ended before the agent started (${signal ?? code})${words ? `: ${words}` : ''}`,
						'fleet doctor',
					),
				);
			});
		});
	} finally {
		if (child.connected) {
			child.disconnect();
		}

		child.removeAllListeners();
		child.unref();
	}

	return readRun(places)!;
}

/**
 * Bytes that the kernel takes for one argument or variable (MAX_ARG_STRLEN),
 * with its end; and for all together, with room for what a sandbox adds.
 */
const longestArgument = 128 * 1024;
const longestTogether = 1024 ** 2;

/**
 * An agent gets its prompt on its command line. What the kernel
 * would not take there is refused before anything is made.
 */
function checkLength({argv, env}: Pick<Invocation, 'argv' | 'env'>): void {
	const lengths = [
		...argv.map(text => Buffer.byteLength(text) + 1),
		...Object.entries(env).map(([name, text]) => Buffer.byteLength(`${name}=${text}`) + 1),
	];
	const most = Math.max(...lengths);
	const together = lengths.reduce((sum, length) => sum + length, 0);
	if (most > longestArgument || together > longestTogether) {
		const [size, limit] = most > longestArgument ? [most, '128 KiB in one argument'] : [together, '1 MiB in all'];
		throw new Refusal(
			`what the agent is told is ${Math.ceil(size / 1024)} KiB; a command line takes ${limit}`,
			'put what is long into a committed file, and name it in the prompt',
		);
	}
}

/**
 * A prompt goes to a model, and from there who knows where: a
 * value that is known, or looks like one, has no place in it.
 */
async function checkPrompt(
	context: Context,
	prompt: string | undefined,
	project: {readonly id: string},
	what = 'the prompt',
): Promise<void> {
	if (prompt === undefined) {
		return;
	}

	for (const entry of listSecrets(context)) {
		const known = entry.project === undefined || entry.project === project.id ? await knownValue(context, entry) : [];
		if (holdsValue(known, prompt)) {
			throw new Refusal(
				`${what} holds the value of ${formatReference(entry.reference)}`,
				`write ${formatReference(entry.reference)} in its place, and grant it: ` +
					`--allow secret:${entry.reference.owner}/${entry.reference.name}`,
			);
		}
	}

	const [suspect] = findSuspects(
		what,
		prompt.split('\n').map((text, index) => ({number: index + 1, text})),
	);
	if (suspect) {
		throw new Refusal(
			`${what} holds what looks like a secret (${suspect.rule}): ${suspect.span}`,
			'keep it in the vault: fleet secret add NAME, and grant it by its name',
		);
	}
}

/**
 * Starts another attempt in the same worktree; with a prompt, as the next thing that is said in its conversation.
 * @param options.rebase to bring its work onto its target as that is today
 */
export async function resumeRun(
	context: Context,
	runId: string,
	prompt?: string,
	{rebase = false}: {readonly rebase?: boolean} = {},
): Promise<Run> {
	await withJournal(context, runId, async journal => {
		const {run} = journal;
		const refusal = decideResume(run) ?? budgetRefusal(run);
		if (refusal) {
			throw refusal;
		}

		await checkPrompt(context, prompt, run.project);
		// In a conversation that goes on, the task was said already.
		const said = prompt ?? (run.conversation !== undefined && !run.interactive ? 'Go on.' : undefined);
		const next = said === undefined ? undefined : {prompt: said};
		const sent = rebase ? await planRebase(context, journal, prompt) : next;
		if (!sent) {
			return;
		}

		const agent = context.agents.find(agent => agent.id === run.agent);
		if (agent) {
			checkLength(
				orThrow(
					agent.start({
						prompt: sent.prompt,
						argv: run.argv,
						cwd: '/',
						home: insideHome,
						program: agent.program,
						interactive: run.interactive,
						conversation: {id: run.conversation},
						pointer: undefined,
						uuid: randomUUID(),
					}),
				),
			);
		}

		journal.append({type: 'prompt.sent', ...sent}, context.actor);
	});
	return startSupervisor(context, runId);
}
