import {randomBytes, randomUUID} from 'node:crypto';
import {mkdirSync} from 'node:fs';
import path from 'node:path';
import type {Filter} from '../../core/git/filters.ts';
import {branchRef, isBranchRef} from '../../core/git/refs.ts';
import {conePatterns, parsePart} from '../../core/git/part.ts';
import {branchOf, nameFrom, parseName, policyPath} from '../../core/names.ts';
import {quoteWord} from '../../core/text/shell-words.ts';
import type {Policy} from '../../core/policy.ts';
import type {Project} from '../../core/project.ts';
import {orThrow, Refusal} from '../../core/refusal.ts';
import {grantOf} from '../../core/run/decide.ts';
import type {Run} from '../../core/run/run.ts';
import type {Budget} from '../../core/run/usage.ts';
import type {Grant} from '../../core/scope.ts';
import type {Agent} from '../../core/seams.ts';
import type {Git} from '../../host/git.ts';
import {Journal} from '../../host/journal.ts';
import type {RunPaths} from '../../host/paths.ts';
import {complete} from '../../host/partial.ts';
import {findOnPath} from '../../host/program.ts';
import {insideHome} from '../../host/toolchain.ts';
import {createWorktree} from '../../host/worktree.ts';
import {filesOf} from '../../scopes/registry.ts';
import type {Context} from '../context.ts';
import {checkOverlap, filesPlace} from '../grants/files.ts';
import type {SetupSecret} from '../grants/secret-values.ts';
import {prepareGrant, type GrantedBy} from '../grants/prepare.ts';
import {completeScope, secretOfScope} from '../grants/scope-secrets.ts';
import {checkPolicy, rulesFor, type Rules} from '../grants/terms.ts';
import type {Proposed} from '../mcp/definitions.ts';
import {serverOfScope} from '../mcp/secrets.ts';
import {copyIncluded} from '../project/include.ts';
import {readPolicy} from '../project/policy.ts';
import {refuseAgentsPolicy} from './agents-policy.ts';
import {openRepository} from '../project/projects.ts';
import {listRunIds} from '../runs.ts';
import {chooseSandbox} from '../sandbox/plan.ts';
import {checkLength, checkPrompt} from './check-prompt.ts';
import {refuseOverDay} from './day-budget.ts';
import {fillWorktree} from './fill.ts';
import {setupSecretsOf, startSupervisor} from './start-supervisor.ts';
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
	/** The SSH key to sign its first scopes with, where a rule wants that; git's `user.signingKey` by default. */
	readonly key?: string | undefined;
	/** A person will attach and talk to the agent. */
	readonly interactive?: boolean | undefined;
	readonly budget?: Budget | undefined;
	/** What the runs that are begun together have in common. */
	readonly batch?: string | undefined;
	/** A run whose good end it waits for. */
	readonly after?: string | undefined;
	/** Files that git does not keep, to be copied from the project; a person said yes to them. */
	readonly include?: readonly string[] | undefined;
	/** A folder of the repository that the agent works in. */
	readonly path?: string | undefined;
	/** `false`: without the person's profile of its agent. */
	readonly profile?: boolean | undefined;
	/** What it is about, for a name that nobody gave; by default its prompt. */
	readonly subject?: string | undefined;
	/** It is asked for a plan of tasks. */
	readonly plan?: boolean | undefined;
	/** The accepted plan that it does a task of. */
	readonly of?: {readonly plan: string; readonly task: string} | undefined;
	/** Filters that its files pass; a person said yes to their commands. */
	readonly filters?: readonly Filter[] | undefined;
};

/** Resolves what a run starts from and what it is merged into. */
async function findBase(git: Git, base: string | undefined): Promise<{commit: string; target: string}> {
	const {stdout} = await git.run(['symbolic-ref', '--quiet', 'HEAD']);
	const head = stdout.trim();
	if (base !== undefined) {
		if (base.startsWith('-') || /[\u0000-\u0020\u007F]/.test(base)) {
			throw new Refusal('the base is not a branch or a commit', 'name a branch, a tag or a commit');
		}

		const branch = await git.resolve(`${branchRef(base)}^{commit}`);
		if (branch) {
			return {commit: branch, target: branchRef(base)};
		}
	}

	const commit = await git.resolve(`${base ?? 'HEAD'}^{commit}`);
	if (!commit) {
		throw new Refusal(`there is no branch or commit "${base ?? 'HEAD'}"`, 'git branch --all');
	}

	if (!isBranchRef(head)) {
		throw new Refusal(
			'the project has no branch checked out, so there is nothing to merge into later',
			'check out a branch, or name one with --base',
		);
	}

	return {commit, target: head};
}

/**
 * The folder that the agent is to work in, and what is checked out for it.
 * @returns `sparse`: patterns of a sparse checkout, where the policy shows a run nothing else
 */
async function findPart(
	git: Git,
	{commit, policy}: {readonly commit: string; readonly policy: Policy},
	asked: string | undefined,
): Promise<{path?: string; sparse?: string | undefined}> {
	if (asked === undefined) {
		return {};
	}

	const part = orThrow(parsePart(asked));
	// A path takes all that follows it: what it names is asked for what it is by itself.
	const object = await git.resolve(`${commit}:${part}`);
	if (object === undefined || (await git.resolve(`${object}^{tree}`)) === undefined) {
		throw new Refusal(
			`there is no folder ${JSON.stringify(part)} in ${commit.slice(0, 10)}`,
			`git ls-tree -d --name-only ${commit.slice(0, 10)} ${quoteWord(`${path.dirname(part)}/`)}`,
		);
	}

	const shown = [part, path.posix.dirname(policyPath), ...policy.path.with];
	return {
		path: part,
		sparse: policy.path.only ? conePatterns(shown) : undefined,
	};
}

/** The agent that was asked for, if it can be told what it is to be told. */
function findAgent(context: Context, request: RunRequest): Agent {
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
				servers: [],
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

	return agent;
}

/** The run's id: the name that was asked for, or one from the prompt. */
function chooseId(context: Context, request: RunRequest): string {
	const ids = new Set(listRunIds(context));
	let id = request.name === undefined ? '' : orThrow(parseName(request.name, 'run name'));
	while (id === '' || (ids.has(id) && request.name === undefined)) {
		const name = nameFrom(request.subject ?? request.prompt ?? path.basename(request.argv[0] ?? ''), 'run', 24);
		id = `${name}-${randomBytes(2).toString('hex')}`;
	}

	if (ids.has(id)) {
		throw new Refusal(`there is a run "${id}" already`, 'choose another name with --name');
	}

	return id;
}

/** A name for the run's branch that no branch has. */
async function freeBranch(git: Git, id: string): Promise<string> {
	const {stdout} = await git.run(['for-each-ref', '--format=%(refname:lstrip=2)', branchRef('fleet*')]);
	return branchOf(id, new Set(stdout.split('\n')));
}

/** What the run may do from its start on. Nothing of it is in force before the run is. */
async function makeGrants(
	context: Context,
	request: RunRequest,
	{id, from, by}: {readonly id: string; readonly from: Proposed; readonly by: GrantedBy},
): Promise<Grant[]> {
	const grants: Grant[] = [];
	const run = {id, project: request.project, base: from.commit};
	for (const text of request.allow) {
		const scope = completeScope(context, text, request.project);
		const entry = secretOfScope(context, scope, request.project);
		const {command} = await prepareGrant(context, run, {
			asked: {scope, because: request.because, files: await filesPlace(context, scope)},
			entry,
			server: await serverOfScope(context, scope, from),
			by,
		});
		const grant = grantOf(command, context.actor, Date.now());
		const files = filesOf(grant.scope);
		if (files) {
			checkOverlap({...files, scope: grant.scope, identity: grant.identity!}, grants, 'leave out');
		}

		grants.push(grant);
	}

	return grants;
}

/** What the project demands of a run, and who may grant what. @throws Refusal where it is outside of the machine's boundary */
async function policyOf(git: Git, commit: string): Promise<{readonly policy: Policy; readonly rules: Rules}> {
	const {policy, text} = await readPolicy(git, commit);
	const rules = await rulesFor(policy, {git, commit});
	checkPolicy(policy, {text, boundaries: rules.boundaries});
	return {policy, rules};
}

/** Takes the id: of two that want it, one makes the folder. */
function makeFolder(places: RunPaths, id: string): void {
	mkdirSync(path.dirname(places.folder), {recursive: true, mode: 0o700});
	try {
		mkdirSync(places.folder, {mode: 0o700});
	} catch {
		throw new Refusal(`there is a run "${id}" already`, 'choose another name with --name');
	}
}

/**
 * Makes a run: worktree, private git folder, journal. Its supervisor is not started yet. All or nothing.
 * @throws Refusal for anything that was asked for and cannot be
 */
export async function createRun(context: Context, request: RunRequest): Promise<Run> {
	return (await makeRun(context, request)).run;
}

/** What is asked for, before anything is made. @throws Refusal where it holds a secret, or nothing more is to be spent */
async function checkAsked(context: Context, {project, prompt, argv}: RunRequest): Promise<void> {
	await refuseOverDay(context, project.id);
	await checkPrompt(context, prompt, {project});
	// The command line goes into the journal, and everybody on the machine may read it in a list of processes.
	await checkPrompt(context, argv.length === 0 ? undefined : argv.join(' '), {project, what: 'the command line'});
}

/** The same, with what its project's setup reads with, which is asked for before anything is made. */
async function makeRun(
	context: Context,
	request: RunRequest,
): Promise<{readonly run: Run; readonly setupSecrets: readonly SetupSecret[]}> {
	const agent = findAgent(context, request);
	await checkAsked(context, request);
	await chooseSandbox(context);
	await takeBackLeftovers(context);
	const id = chooseId(context, request);
	const {git, checkout, commonDir} = await openRepository(request.project.root);
	const {commit, target} = await findBase(checkout, request.base);
	const branch = await freeBranch(git, id);
	await refuseAgentsPolicy(context, git, {target, commit});
	const {policy, rules} = await policyOf(git, commit);
	const {project, key} = request;
	const from = {project, git, commit};
	const grants = await makeGrants(context, request, {id, from, by: {rules, checkout, key}});
	const part = await findPart(git, {commit, policy}, request.path);
	await complete({git, root: project.root}, commit);
	const setupSecrets = await setupSecretsOf(context, {git, project, base: commit, target});
	const filters = request.filters?.length === 0 ? undefined : request.filters;
	const places = context.paths.run(id);
	makeFolder(places, id);
	const start = {commonDir, branch, base: commit};
	let journal: Journal | undefined;
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
			filters,
			sparse: part.sparse,
			fill: index => fillWorktree(context, id, {git, commonDir, places, commit, filters, project, index}),
		});
		made = true;
		await copyIncluded(context, {project, runId: id, folder: places.worktree}, request.include ?? []);
		journal.append(
			{
				type: 'run.created',
				id,
				name: id,
				project: {id: request.project.id, name: request.project.name, root: project.root},
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
				path: part.path,
				filters: filters && [...filters],
				profile: request.profile === false ? false : undefined,
				plan: request.plan ? true : undefined,
				of: request.of,
			},
			context.actor,
		);
		startIsNoted(places);
		return {run: journal.run, setupSecrets};
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
	const {
		run: {id},
		setupSecrets,
	} = await makeRun(context, request);
	try {
		return await startSupervisor(context, id, setupSecrets);
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
