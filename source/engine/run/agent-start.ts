import {randomUUID} from 'node:crypto';
import path from 'node:path';
import process from 'node:process';
import type {Invocation, SandboxPlan} from '../../core/plan.ts';
import type {Policy} from '../../core/policy.ts';
import {hitText} from '../../core/limits.ts';
import {readUpstreams} from '../../core/network/upstream.ts';
import {orThrow, Refusal} from '../../core/refusal.ts';
import {serviceVariables, type FoundService} from '../../core/services.ts';
import type {Run} from '../../core/run/run.ts';
import type {Agent, AgentStart, Sandbox} from '../../core/seams.ts';
import {groupName, openCgroup} from '../../host/cgroup.ts';
import {lowerSession} from '../../host/processes.ts';
import {hasLfs} from '../../core/git/filters.ts';
import type {Git} from '../../host/git.ts';
import {lfsMounts} from '../../host/lfs.ts';
import {findOnPath, versionOf, type Program} from '../../host/program.ts';
import {openTerminal} from '../../host/pty.ts';
import {insideHome} from '../../host/toolchain.ts';
import {readTrusted, type Trusted} from '../../host/trusted.ts';
import {markRemoved} from '../../host/worktree.ts';
import {givenFiles} from '../grants/files.ts';
import {LiveFiles} from '../grants/live-files.ts';
import {checkPolicy} from '../grants/terms.ts';
import {storedNotes} from '../handover/stored-notes.ts';
import {makeWork, overLayer} from '../layers/use.ts';
import {readPolicy} from '../project/policy.ts';
import {openRun, rootOf} from '../project/projects.ts';
import {readSettings} from '../project/settings.ts';
import {joined} from '../sandbox/guard.ts';
import {LimitHits} from '../sandbox/limit-hits.ts';
import {sweep} from '../sandbox/jail.ts';
import {limitNotes} from '../sandbox/limits.ts';
import {chooseSandbox, egressState, runPlan} from '../sandbox/plan.ts';
import {findServices} from '../sandbox/services.ts';
import {openSession} from '../sandbox/session.ts';
import {isJvmProject, javaConfigurationOf, jdksOf, programsCalled, toolsOf, type ShellTools} from '../sandbox/tools.ts';
import {hear} from './agent-news.ts';
import {withScripts} from './agent-scripts.ts';
import {finish} from './end.ts';
import {scheduleExpiry} from './expiry.ts';
import {cannotRecord, haltAtStart, stop} from './halt.ts';
import {quietNode} from './injected-files.ts';
import {
	noteAllowed,
	noteDenied,
	noteGateAsked,
	noteRefused,
	rememberAsked,
	rememberLookedUp,
} from './network-events.ts';
import {takeBackUnlawful} from './judge-grant.ts';
import {AgentOutput} from './output.ts';
import {refresh} from './refresh.ts';
import {noteProfile, withProfile} from './own-profile.ts';
import {openBroker, pointerVariables} from './run-broker.ts';
import {openGateway, serversForAgent} from './servers.ts';
import {setUp, setUpNotes, type SetUp} from './setup.ts';
import {note, trustOf, type Supervision} from './supervision.ts';
import {countConnection, endUsedUp} from './uses.ts';
import {watchAgent} from './watch.ts';

/* How an attempt begins: what is read of the project, the plan, the sandbox, the agent in its terminal. */

/** What an attempt finds. `notes`: what a person should know of the start. */
type Found = {
	readonly git: Git;
	readonly commonDir: string;
	readonly policy: Policy;
	readonly trusted: Trusted;
	readonly tools: ShellTools;
	readonly services: readonly FoundService[];
	/** Versions of the Nodes that the run sees. */
	readonly nodes: ReadonlyArray<string | undefined>;
	/** The target's tip, where it is in the run's repository. */
	readonly target: string | undefined;
	readonly notes: {readonly swept: readonly string[]; readonly fresh: readonly string[]};
};

/** Reads the project, and brings what it has today into the run's repository. */
async function readProject({context, journal, places}: Supervision): Promise<Found> {
	const {run} = journal;
	const {git, commonDir} = await openRun(context, run);
	const tools = await toolsOf(context, rootOf(context, run));
	const {policy, text} = await readPolicy(git, run.base);
	checkPolicy(policy, {text});
	markRemoved(run.id, places);
	// Before its first attempt nothing ran in it.
	const [swept, trusted, nodes] = await Promise.all([
		run.attempt === 0 ? [] : sweep(context, run, places),
		readTrusted(git),
		Promise.all(programsCalled('node', tools).map(node => versionOf(node))),
	]);
	const fresh = await refresh(context, run, {git, commonDir, places});
	if (run.rebase && fresh.target === undefined) {
		throw new Refusal(fresh.notes[0]!, `fleet show ${run.id}`);
	}

	const missing = tools.left.flatMap(({because, hint, named}) => (named ? [`${because}: ${hint}`] : []));
	const notes = {swept, fresh: [...fresh.notes, ...missing]};
	const services = findServices(policy.services, tools.path);
	return {git, commonDir, policy, trusted, tools, services, nodes, target: fresh.target, notes};
}

/** The agent, where its program is, and how it is begun. */
type Begun = {readonly agent: Agent; readonly program: Program | undefined; readonly start: AgentStart};

function beginAgent(supervision: Supervision, tools: ShellTools): Begun {
	const {context, journal, secrets, profile} = supervision;
	const {run} = journal;
	const agent = context.agents.find(agent => agent.id === run.agent);
	if (!agent) {
		throw new Refusal(`the agent "${run.agent}" is not known to this version`, 'upgrade fleet');
	}

	const program = agent.program === undefined ? undefined : findOnPath(agent.program);
	if (agent.program !== undefined && !program) {
		throw new Refusal(`${agent.title} is not installed: there is no program "${agent.program}" here`, 'fleet doctor');
	}

	const held = secrets.get(`model:${agent.id}`);
	const start = orThrow(
		agent.start({
			prompt: run.rebase?.prompt ?? run.prompt,
			argv: run.argv,
			cwd: path.join(run.worktree, run.path ?? ''),
			home: insideHome,
			program: program?.inside,
			interactive: run.interactive,
			conversation:
				run.conversation !== undefined || (run.attempt > 0 && run.interactive) ? {id: run.conversation} : undefined,
			pointer: held?.pointer,
			login: held?.login && {account: held.accountPointer, plan: held.login.plan},
			uuid: randomUUID(),
			servers: serversForAgent(supervision),
		}),
	);
	const root = rootOf(context, run);
	const files = {
		...withProfile(agent, start.files ?? {}, profile),
		...(isJvmProject(root) ? javaConfigurationOf(tools) : {}),
	};
	return {agent, program, start: {...start, files}};
}

/** Makes the injected files, the run's control group and its plan. @returns the plan, and the grants that are refused */
async function makePlan(
	supervision: Supervision,
	{git, commonDir, policy, trusted, tools, nodes, target}: Found,
	{program, start, layer}: Pick<Begun, 'program' | 'start'> & Pick<SetUp, 'layer'>,
): Promise<{plan: SandboxPlan; refused: readonly string[]}> {
	const {context, journal, places, injectedFiles, profile, trust, opened} = supervision;
	const {run} = journal;
	trust.trusted = trusted;
	const executable = profile.profile?.files.filter(file => file.executable).map(({path: name}) => name);
	injectedFiles.make(trusted, start.files, executable);
	const injected = injectedFiles.plan(jdksOf(tools));
	const given = await givenFiles(context, run, Date.now());
	for (const {scope, because} of given.refused) {
		note(supervision, {type: 'alarm.raised', target: scope, because, count: 1});
	}

	const settings = await readSettings(context.paths);
	supervision.model.ownPrices = settings.prices;
	supervision.model.budgets = settings.budgets;
	const own = runPlan(run, {
		places,
		commonDir,
		granted: given.mounts,
		policy,
		settings: settings.limits,
		injected: {
			mounts: [
				...injected.mounts,
				...(program?.mounts ?? []),
				...(hasLfs(run.filters) ? await lfsMounts({git, commonDir}) : []),
			],
			env: {
				...serviceVariables(policy.services),
				...injected.env,
				...quietNode(nodes),
				...pointerVariables(supervision),
				...(target === undefined ? {} : {FLEET_TARGET: target}),
				...(run.rebase ? {FLEET_REBASE: '1'} : {}),
			},
			tools,
		},
	});
	opened.group = openCgroup(groupName(places), {
		memory: own.limits.memory,
		processes: own.limits.processes,
		weight: own.limits.weight,
	});
	const plan = layer ? overLayer(own, layer, {inside: run.worktree, work: makeWork(places.layerWork, run.id)}) : own;
	opened.plan = joined(plan, opened.group);
	return {plan: opened.plan, refused: given.refused.map(({scope, because}) => `${scope}: ${because}`)};
}

/** Opens the sandbox, and its one way out. */
async function openBox(
	supervision: Supervision,
	{sandbox, plan, policy}: {readonly sandbox: Sandbox; readonly plan: SandboxPlan; readonly policy: Policy},
): Promise<void> {
	const {journal, places, secrets, hooks, opened} = supervision;
	if (secrets.size > 0) {
		await openBroker(supervision);
	}

	opened.policy = policy;
	const gateway = openGateway(supervision);
	opened.gateway = gateway;
	opened.session = await openSession(sandbox, plan, {
		folder: places.sandbox,
		hooks: {
			state: () => egressState(journal.run, policy, {now: Date.now(), secrets: secrets.rules(journal.run, Date.now())}),
			onDenied: (target, because, kind) => {
				rememberAsked(supervision, target);
				noteDenied(supervision, target, {because, kind});
			},
			onTaken: rule => countConnection(supervision, rule),
			onAllowed: (target, rule) => {
				rememberAsked(supervision, target);
				noteAllowed(supervision, target, rule);
			},
			onAsked: what => noteGateAsked(supervision, what),
			broker: () => opened.broker,
			own: () => gateway,
			pointers: () => secrets.pointers(),
			onRefused: (target, because) => noteRefused(supervision, 'request.refused', {target, because}),
			onAlarm: (target, because) => noteRefused(supervision, 'alarm.raised', {target, because}),
			upstreams: readUpstreams(process.env),
			trust: () => trustOf(supervision),
			...(hooks.resolve ? {resolve: hooks.resolve} : {}),
		},
		onName: name => rememberLookedUp(supervision, name),
	});
}

function openOutput(supervision: Supervision, run: Run, agent: Agent): AgentOutput {
	return new AgentOutput({
		file: supervision.places.output,
		values: supervision.secrets.values(),
		messages: run.interactive || !agent.read ? undefined : {file: supervision.places.messages, read: agent.read},
		onBytes: bytes => supervision.viewers.show(bytes),
		onNews: news => hear(supervision, news),
		onLost: error => cannotRecord(supervision, error),
	});
}

/**
 * Starts the agent, and resolves when it has ended, and how is written down.
 * @param started called once the agent runs
 * @throws Refusal where something of it is not there
 */
export async function runAgent(supervision: Supervision, started: () => void): Promise<void> {
	const {context, journal, opened} = supervision;
	const {sandbox, status} = await chooseSandbox(context);
	const found = await readProject(supervision);
	const takenBack = await takeBackUnlawful(supervision, found.policy);
	endUsedUp(supervision);
	const {git, commonDir, policy, trusted, notes} = found;
	const begun = beginAgent(supervision, found.tools);
	const {files, conversation, ...invocation} = begun.start;
	opened.output = openOutput(supervision, journal.run, begun.agent);
	const prepared = await setUpOrEnd(supervision, {...found, sandbox}, started);
	if (!prepared) {
		return;
	}

	const {plan, refused} = await makePlan(supervision, found, {...begun, ...prepared});
	await openBox(supervision, {sandbox, plan, policy});
	scheduleExpiry(supervision);
	const {run} = journal;
	note(supervision, {
		type: 'run.started',
		attempt: run.attempt + 1,
		pid: process.pid,
		sandbox: `${sandbox.id} ${status.version}`,
		notes: [
			...takenBack,
			...refused,
			...supervision.profile.notes,
			...notes.fresh,
			...trusted.notes,
			...notes.swept,
			...setUpNotes(prepared, run),
			...found.services.map(({name, folder}) => `service ${name}${folder === '' ? '' : ` of ${folder}`}`),
			...limitNotes(plan, opened.group),
			...(await storedNotes({git, commonDir}, run.base, run.filters).catch(() => [])),
		],
	});
	if (conversation !== undefined && conversation !== run.conversation) {
		note(supervision, {type: 'agent.conversation', conversation}, false);
	}

	const session = opened.session!;
	const scripts = {setup: prepared.commands, teardown: policy.teardown, folder: run.path};
	const hasFiles = files !== undefined && Object.keys(files).length > 0;
	const stale = noteProfile(supervision);
	const inner = withScripts({...invocation, cwd: run.worktree}, scripts, {hasFiles, stale, services: found.services});
	await work(supervision, {
		invocation: session.prepared.enter(inner, session.holderPid),
		wallClockMs: plan.limits.wallClock,
		has: {hasSetup: prepared.commands.length > 0, hasServices: found.services.length > 0},
		started,
	});
}

/** The project's setup. Where it fails, or the run is stopped meanwhile, what it wrote is kept, and that is the end. */
async function setUpOrEnd(
	supervision: Supervision,
	project: Parameters<typeof setUp>[1],
	started: () => void,
): Promise<SetUp | undefined> {
	const {opened, halt} = supervision;
	let prepared: SetUp | undefined;
	try {
		prepared = await setUp(supervision, project, started);
		if (!prepared) {
			note(supervision, {type: 'run.exited', code: null, signal: null, because: halt.stopped!});
		}

		return prepared;
	} finally {
		if (!prepared) {
			opened.output!.end();
		}
	}
}

/** Until a person looks at it; a view of what was written begins with the same. */
const firstSize = {columns: 100, rows: 30};

/** The agent's work in its terminal, from the first process to the last. */
function work(
	supervision: Supervision,
	{
		invocation,
		wallClockMs,
		has,
		started,
	}: {
		invocation: Invocation;
		wallClockMs: number;
		has: {hasSetup: boolean; hasServices: boolean};
		started: () => void;
	},
): Promise<void> {
	const {context, opened, watch, changes} = supervision;
	return new Promise(resolve => {
		const timer = setTimeout(() => stop(supervision, hitText('hours', opened.plan!.limits)), wallClockMs);
		const terminal = openTerminal(invocation, firstSize, {
			onData: bytes => {
				changes.hasOutput = true;
				watch.lastOutputAt = Date.now();
				opened.output!.push(bytes);
			},
			onExit: ({code, signal}) => {
				clearTimeout(timer);
				clearTimeout(watch.timer);
				watch.ended = true;
				watch.wake();
				void finish(supervision, {code, signal, has}).then(resolve);
			},
		});
		opened.terminal = terminal;
		if (supervision.journal.run.interactive && supervision.journal.run.attempt > 1) {
			// An earlier attempt may have ended at another size.
			opened.output!.noteSize(firstSize);
		}

		opened.hits = new LimitHits(terminal.pid, {plan: opened.plan!, group: opened.group}, hit =>
			note(supervision, {type: 'limit.hit', ...hit}),
		);
		opened.files = new LiveFiles(context, opened.session!, terminal.pid);
		void lowerSession(terminal.pid);
		haltAtStart(supervision);
		started();
		void watchAgent(supervision);
	});
}
