import {randomUUID} from 'node:crypto';
import {chmodSync, rmSync} from 'node:fs';
import net from 'node:net';
import process from 'node:process';
import type {SecureContext} from 'node:tls';
import {setTimeout as pause} from 'node:timers/promises';
import {decideActor} from '../../core/run/decide.ts';
import {orThrow, Refusal} from '../../core/refusal.ts';
import type {DenialKind, RunEvent} from '../../core/run/event.ts';
import type {SandboxPlan} from '../../core/plan.ts';
import type {Actor} from '../../core/scope.ts';
import type {AgentNews} from '../../core/seams.ts';
import {readUpstreams} from '../../core/network/upstream.ts';
import {addUsage, overBudget, UsageReader, type ReplyUsage, type Usage} from '../../core/run/usage.ts';
import {
	continueProcesses,
	groupName,
	lowerSession,
	measureTree,
	openCgroup,
	stopTree,
	type Cgroup,
} from '../../host/cgroup.ts';
import type {Broker, BrokerHooks, Exchange} from '../../host/broker.ts';
import {Journal} from '../../host/journal.ts';
import {openRuntime, tidyLooks, type RunPaths} from '../../host/paths.ts';
import {openTerminal, signalName, type Terminal} from '../../host/pty.ts';
import {findOnPath, versionOf} from '../../host/program.ts';
import type {ProxyHooks} from '../../host/proxy.ts';
import {insideHome, visibleNodes} from '../../host/toolchain.ts';
import {readTrusted, trustContext, type Trusted} from '../../host/trusted.ts';
import {markRemoved} from '../../host/worktree.ts';
import {machineRefusal} from '../../host/write.ts';
import {LineSplitter, parseRequest, type Request, type Response} from '../../protocol/messages.ts';
import {storedNotes} from '../handover/attributes.ts';
import {acknowledgeIn, dismissIn} from '../grants/alarms.ts';
import {budgetRefusal, setBudgetIn} from '../grants/budget.ts';
import {countChanges} from '../handover/changes.ts';
import {rememberChanges} from '../handover/changes-file.ts';
import type {Context} from '../context.ts';
import {howItEnded, withScripts} from './agent-scripts.ts';
import {HeldSecrets} from './held-secrets.ts';
import {sweep} from '../sandbox/jail.ts';
import {Guard, removeGroup} from '../sandbox/guard.ts';
import {diskUse, limitNotes} from '../sandbox/limits.ts';
import {LiveFiles} from '../grants/live-files.ts';
import {cameBelow, filesPlace, givenFiles, grantedScope} from '../grants/files.ts';
import {InjectedFiles, quietNode} from './injected-files.ts';
import {AgentOutput, EventCounter} from './output.ts';
import {chooseSandbox, egressState, runPlan} from '../sandbox/plan.ts';
import {readPolicy} from '../project/policy.ts';
import {refresh} from './refresh.ts';
import {waitForTurn} from './queue.ts';
import {openRun} from '../project/projects.ts';
import {checkGrant, grantIn, revokeIn} from '../grants/scopes.ts';
import type {HandedSecret} from '../grants/secrets.ts';
import {openSession, type Session} from '../sandbox/session.ts';

const ringSize = 256 * 1024;

/**
 * How often usage is written down while it grows, and how long an
 * agent may be silent before it is said to wait, milliseconds.
 */
const usagePause = 3000;
const silence = 20_000;

/** How long the end of a run waits for a count of its changes, milliseconds. */
const longestCount = 10_000;
/** How long a run has to end in order after a failure of fleet itself, milliseconds. */
const faultPause = 120_000;

/** Where a test has the run's hosts. */
export type TestHooks = Pick<ProxyHooks, 'resolve'> & Pick<BrokerHooks, 'placeOf'>;

/** What a supervisor is told from outside; SIGUSR2 is what `fleet freeze` falls back to where Node cannot start. */
export const ownSignals = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2'] as const;
const toldToFreeze = 'its supervisor was told to freeze it';

/**
 * Owns one run from its start to its end: the sandbox, the pty, the proxy, the journal and the socket.
 * Resolves when the run has ended and everything it started is gone.
 * @param report tells whoever started the supervisor whether the agent runs
 * @param options.secrets what the run's grants need; held in memory alone
 * @param options.hooks for tests: where the proxy finds its hosts
 * @param options.early signals that came before this was called
 * @param options.patience how long it waits at the end for a disk that takes what could not be written, milliseconds
 */
export async function supervise(
	context: Context,
	runId: string,
	report: (message: {started: boolean; because?: string; hint?: string}) => void,
	options: {
		openJournal?: typeof Journal.open;
		secrets?: readonly HandedSecret[];
		hooks?: TestHooks;
		patience?: number;
		early?: () => readonly NodeJS.Signals[];
	} = {},
): Promise<void> {
	const places = context.paths.run(runId);
	const journal = (options.openJournal ?? Journal.open)(places, 5000);
	if (!journal?.state) {
		journal?.close();
		report({started: false, because: `${runId} is not a run that can be started now`, hint: 'fleet list'});
		return;
	}

	const fail = (error: unknown) => {
		const refusal =
			error instanceof Refusal
				? error
				: (machineRefusal(error) ??
					new Refusal(`the sandbox did not start: ${(error as Error).message.split('\n')[0]}`, 'fleet doctor'));
		journal.append({type: 'run.failed', because: refusal.because, hint: refusal.hint}, 'fleet');
		report({started: false, because: refusal.because, hint: refusal.hint});
	};

	try {
		await new Supervision(context, places, journal, options).run(() => report({started: true}), fail);
		await lastWords(journal, options.patience ?? 10_000);
	} finally {
		journal.close();
	}
}

/** Waits a while for a disk that takes what is not written yet, such as how the run ended. */
async function lastWords(journal: Journal, patience: number): Promise<void> {
	for (const end = Date.now() + patience; !journal.flush() && Date.now() < end;) {
		await new Promise(resolve => {
			setTimeout(resolve, 500);
		});
	}
}

class Supervision {
	readonly #context: Context;
	readonly #places: RunPaths;
	readonly #journal: Journal;
	readonly #counter = new EventCounter();
	readonly #viewers = new Set<(response: Response) => void>();
	#ring: Uint8Array[] = [];
	#ringLength = 0;
	#terminal: Terminal | undefined;
	#session: Session | undefined;
	#stopped: string | undefined;
	/** Whether a freeze was asked for before there was anything to freeze. */
	#freezeAtStart = false;
	readonly #early: () => readonly NodeJS.Signals[];
	#expiry: NodeJS.Timeout | undefined;
	#timer: NodeJS.Timeout | undefined;
	#wake: () => void = () => {};
	#ended = false;
	#hasOutput = true;
	/** How long the last count took, milliseconds. */
	#counting = 0;
	#countGoingOn: Promise<number> | undefined;
	#group: Cgroup | undefined;
	/** Processes that a freeze stopped by signal. */
	#held: number[] = [];
	#plan: SandboxPlan | undefined;
	#files: LiveFiles | undefined;

	readonly #hooks: TestHooks;
	readonly #secrets = new HeldSecrets();
	readonly #injectedFiles: InjectedFiles;
	#broker: Broker | undefined;
	readonly #asked = new Set<string>();
	/** Names that were looked up inside and are not told of yet. */
	readonly #lookedUp = new Set<string>();
	#strayTimer: NodeJS.Timeout | undefined;
	#strays = 0;
	#trusted: Trusted | undefined;
	#trustContext: SecureContext | undefined;
	#output: AgentOutput | undefined;
	#usage: Usage;
	#usageTimer: NodeJS.Timeout | undefined;
	#lastOutput = Date.now();
	/** Requests to the model that are not answered yet: while there are, silence means nothing. */
	#asking = 0;

	constructor(
		context: Context,
		places: RunPaths,
		journal: Journal,
		options: {secrets?: readonly HandedSecret[]; hooks?: TestHooks; early?: () => readonly NodeJS.Signals[]},
	) {
		this.#context = context;
		this.#places = places;
		this.#journal = journal;
		this.#hooks = options.hooks ?? {};
		this.#early = options.early ?? (() => []);
		this.#injectedFiles = new InjectedFiles(journal.run.id, places);
		this.#usage = journal.run.usage;
		journal.keepFacts(error => this.#cannotRecord(error));
		for (const secret of options.secrets ?? []) {
			this.#secrets.add(secret);
		}
	}

	#write(event: RunEvent, durable = true): void {
		this.#journal.append(event, 'fleet', durable);
	}

	async run(started: () => void, fail: (error: unknown) => void): Promise<void> {
		let server: net.Server | undefined;
		const onFault = (error: unknown) => this.#fault(error);
		process.on('uncaughtException', onFault);
		const onSignal = (name: NodeJS.Signals) => this.#signal(name);
		for (const name of ownSignals) {
			process.on(name, onSignal);
		}

		for (const name of this.#early()) {
			this.#signal(name);
		}

		try {
			server = await this.#listen();
			if (!(await waitForTurn(this.#context, this.#journal, {queued: started, stopped: () => this.#stopped}))) {
				this.#write({type: 'run.exited', code: null, signal: null, because: this.#stopped!});
				return;
			}

			const {run} = this.#journal;
			const {sandbox, status} = await chooseSandbox(this.#context);
			const {git, commonDir} = await openRun(this.#context, run);
			const {policy} = await readPolicy(git, run.base);
			markRemoved(run.id, this.#places);
			// Before its first attempt nothing ran in it.
			const [swept, trusted, nodes] = await Promise.all([
				run.attempt === 0 ? [] : sweep(this.#context, run.id, this.#places),
				readTrusted(git),
				Promise.all(visibleNodes().map(node => versionOf(node))),
			]);
			const fresh = await refresh(this.#context, run, this.#places, git, commonDir);
			if (run.rebase && fresh.target === undefined) {
				throw new Refusal(fresh.notes[0]!, `fleet show ${run.id}`);
			}

			const agent = this.#context.agents.find(agent => agent.id === run.agent);
			if (!agent) {
				throw new Refusal(`the agent "${run.agent}" is not known to this version`, 'upgrade fleet');
			}

			const program = agent.program === undefined ? undefined : findOnPath(agent.program);
			if (agent.program !== undefined && !program) {
				throw new Refusal(
					`${agent.title} is not installed: there is no program "${agent.program}" here`,
					'fleet doctor',
				);
			}

			const pointer = this.#secrets.get(`model:${agent.id}`)?.pointer;
			const {files, conversation, ...invocation} = orThrow(
				agent.start({
					prompt: run.rebase?.prompt ?? run.prompt,
					argv: run.argv,
					cwd: run.worktree,
					home: insideHome,
					program: program?.inside,
					interactive: run.interactive,
					conversation:
						run.conversation !== undefined || (run.attempt > 0 && run.interactive) ? {id: run.conversation} : undefined,
					pointer,
					uuid: randomUUID(),
				}),
			);
			this.#trusted = trusted;
			this.#injectedFiles.make(trusted, program !== undefined, files);
			const injectedFiles = this.#injectedFiles.plan(program !== undefined);
			const given = await givenFiles(this.#context, run, Date.now());
			for (const {scope, because} of given.refused) {
				this.#write({type: 'alarm.raised', target: scope, because, count: 1});
			}

			const own = runPlan(run, this.#places, commonDir, given.mounts, policy, {
				mounts: [...injectedFiles.mounts, ...(program?.mounts ?? [])],
				env: {
					...injectedFiles.env,
					...quietNode(nodes),
					...this.#pointerVariables(),
					...(fresh.target === undefined ? {} : {FLEET_TARGET: fresh.target}),
					...(run.rebase ? {FLEET_REBASE: '1'} : {}),
				},
			});
			this.#group = openCgroup(groupName(this.#places), {
				memory: own.limits.memory,
				processes: own.limits.processes,
				weight: own.limits.weight,
			});
			const plan = {...own, joins: this.#group?.joins};
			this.#plan = plan;
			if (this.#secrets.size > 0) {
				await this.#openBroker();
			}

			this.#session = await openSession(
				sandbox,
				plan,
				this.#places.sandbox,
				{
					state: () =>
						egressState(this.#journal.run, policy, Date.now(), this.#secrets.rules(this.#journal.run, Date.now())),
					onDenied: (target, because, kind) => {
						this.#noteAsked(target);
						this.#denied(target, because, kind);
					},
					onAllowed: (target, rule) => {
						this.#noteAsked(target);
						if (this.#counter.count(`allowed ${target} ${rule}`).write) {
							this.#write({type: 'egress.allowed', target, rule}, false);
						}
					},
					onAsked: what => {
						if (this.#counter.count(`asked ${what}`).write) {
							this.#journal.append(
								{type: 'gate.refused', gate: what, because: 'agents decide nothing'},
								`agent:${run.id}`,
								false,
							);
						}
					},
					broker: () => this.#broker,
					pointers: () => this.#secrets.pointers(),
					onRefused: (target, because) => this.#refused('request.refused', target, because),
					onAlarm: (target, because) => this.#refused('alarm.raised', target, because),
					upstreams: readUpstreams(process.env),
					trust: () => this.#trust(),
					...(this.#hooks.resolve ? {resolve: this.#hooks.resolve} : {}),
				},
				undefined,
				name => {
					if (this.#lookedUp.size < 100) {
						this.#lookedUp.add(name);
						this.#strayTimer ??= setTimeout(() => this.#tellStrays(), 1000);
					}
				},
			);
			this.#scheduleExpiry();
			const inner = withScripts(invocation, policy, files !== undefined && Object.keys(files).length > 0);
			this.#output = new AgentOutput({
				file: this.#places.output,
				values: this.#secrets.values(),
				messages: run.interactive || !agent.read ? undefined : {file: this.#places.messages, read: agent.read},
				onBytes: bytes => {
					this.#remember(bytes);
					this.#tell({output: Buffer.from(bytes).toString('base64')});
				},
				onNews: news => this.#hear(news),
				onLost: error => this.#cannotRecord(error),
			});
			this.#write({
				type: 'run.started',
				attempt: run.attempt + 1,
				pid: process.pid,
				sandbox: `${sandbox.id} ${status.version}`,
				notes: [
					...given.refused.map(({scope, because}) => `${scope}: ${because}`),
					...fresh.notes,
					...trusted.notes,
					...swept,
					...limitNotes(plan, this.#group),
					...(await storedNotes(git, commonDir, run.base).catch(() => [])),
				],
			});
			if (conversation !== undefined && conversation !== run.conversation) {
				this.#write({type: 'agent.conversation', conversation}, false);
			}

			await this.#work(
				this.#session.prepared.enter(inner, this.#session.holderPid),
				plan.limits.wallClock,
				policy.setup.length > 0,
				started,
			);
		} catch (error) {
			fail(error);
		} finally {
			clearTimeout(this.#expiry);
			clearTimeout(this.#usageTimer);
			server?.close();
			rmSync(this.#places.socket, {force: true});
			await this.#session?.close();
			await removeGroup(this.#group);
			this.#injectedFiles.remove();
			tidyLooks(this.#places, process.pid);
			process.off('uncaughtException', onFault);
			for (const name of ownSignals) {
				process.off(name, onSignal);
			}
		}
	}

	/** A signal from outside, at any time from the supervisor's start on: a run that waits for its turn takes it, too. */
	#signal(name: NodeJS.Signals): void {
		if (name !== 'SIGUSR2') {
			this.#stop('its supervisor was told to end');
		} else if (this.#terminal === undefined) {
			this.#freezeAtStart = true;
		} else if (this.#journal.run.stage === 'running' && !this.#ended) {
			this.#freeze(toldToFreeze, 'fleet');
		}
	}

	#work(
		invocation: Parameters<typeof openTerminal>[0],
		wallClock: number,
		hasSetup: boolean,
		started: () => void,
	): Promise<void> {
		return new Promise(resolve => {
			const timer = setTimeout(() => this.#stop('its time was up'), wallClock);
			this.#terminal = openTerminal(
				invocation,
				{columns: 100, rows: 30},
				{
					onData: bytes => {
						this.#hasOutput = true;
						this.#lastOutput = Date.now();
						this.#output!.push(bytes);
					},
					onExit: ({code, signal}) => {
						clearTimeout(timer);
						clearTimeout(this.#timer);
						this.#ended = true;
						this.#wake();
						void this.#finish(code, signal, hasSetup).then(resolve);
					},
				},
			);
			this.#files = new LiveFiles(this.#context, this.#session!, this.#terminal.pid);
			void lowerSession(this.#terminal.pid);
			if (this.#stopped !== undefined) {
				this.#terminal.kill('SIGKILL');
			} else if (this.#freezeAtStart) {
				this.#freeze(toldToFreeze, 'fleet');
			}

			started();
			void this.#watch();
		});
	}

	/**
	 * Writes down how the agent ended, once all that belongs to
	 * its end is done: who reads "stopped" waits for nothing more.
	 */
	async #finish(code: number, signal: number, hasSetup: boolean): Promise<void> {
		if (this.#counting < 500) {
			// One that goes on may wait for something of the agent's.
			await Promise.race([this.#countChanges(), pause(longestCount, undefined, {ref: false})]);
		}

		this.#output!.end();
		this.#injectedFiles.remove();
		this.#tellStrays();
		this.#writeUsage();
		const name = this.#stopped === undefined ? signalName(signal) : undefined;
		const because = this.#stopped ?? howItEnded(code, name, hasSetup);
		this.#write({
			type: 'run.exited',
			code: name || this.#stopped !== undefined ? null : code,
			signal: name ?? null,
			because,
		});
		this.#tell({ended: because});
	}

	/**
	 * Looks from time to time at what no kernel limit covers here: the memory of all processes together, where there is
	 * no control group, what the kernel counts for the account alone, and what the run's folders grew by. Often while
	 * something is near its limit, seldom while the run does nothing.
	 */
	async #watch(): Promise<void> {
		const names = [this.#places.worktree, this.#places.privateGit];
		const guard = new Guard(this.#terminal!.pid, this.#plan!, this.#group, {
			names,
			count: () => diskUse(this.#context, this.#places, names),
			kept: () => this.#output!.kept,
		});
		let nextLook = 0;
		let nextCount = 0;
		let worked = -1;
		for (let pause = 500; ; pause = guard.near ? 200 : Math.min(3000, pause * 2)) {
			await new Promise<void>(resolve => {
				this.#wake = resolve;
				this.#timer = setTimeout(resolve, pause);
			});
			if (this.#ended) {
				return;
			}

			this.#journal.flush();
			this.#tellStrays();
			// What did not work since the last look did not grow either.
			const tree = measureTree(this.#terminal!.pid);
			const rests = tree.processor === worked;
			worked = tree.processor;
			this.#notice(tree.reads, rests);
			if (rests) {
				continue;
			}

			pause = 500;
			const over = await guard.look();
			if (this.#ended) {
				return;
			}

			if (over?.how === 'end') {
				this.#stop(over.because);
				return;
			}

			if (over && this.#journal.run.stage === 'running') {
				this.#freeze(over.because, 'fleet');
			}

			// Both beside the looks: an agent could make either of them long.
			if (this.#hasOutput && Date.now() >= nextCount) {
				nextCount = Number.POSITIVE_INFINITY;
				void this.#countChanges().then(wait => {
					nextCount = Date.now() + wait;
				});
			}

			if (Date.now() >= nextLook) {
				const began = Date.now();
				nextLook = Number.POSITIVE_INFINITY;
				void this.#lookBelow().finally(() => {
					nextLook = Date.now() + 100 * (Date.now() - began);
				});
			}
		}
	}

	/**
	 * Takes a folder that the run may change away where a socket or a
	 * FIFO came to be in it: behind it a program of the host's listens.
	 */
	async #lookBelow(): Promise<void> {
		for (const {scope, because} of cameBelow(this.#journal.run.grants, Date.now())) {
			const left = await this.#files?.take(scope);
			this.#write({type: 'alarm.raised', target: scope, because: `${because}; the folder is taken away`, count: 1});
			this.#write({type: 'scope.revoked', scope, because, cut: 0});
			if (left !== undefined && this.#journal.run.stage === 'running') {
				this.#freeze(`${scope} could not be taken away: ${left}`, 'fleet');
			}
		}
	}

	#denied(target: string, because: string, kind: DenialKind): void {
		const {count, write} = this.#counter.count(target);
		if (write) {
			this.#write({type: 'egress.denied', target, because, count, kind}, false);
		}
	}

	/** Hosts that were asked for by way of the proxy: who looks one of these up besides does nothing odd. */
	#noteAsked(target: string): void {
		if (this.#asked.size < 2000) {
			this.#asked.add(target.replace(/:\d+$/, ''));
		}
	}

	/** Says that programs tried to go out past the proxy: they read no proxy variable, and would fail without a word. */
	#tellStrays(): void {
		clearTimeout(this.#strayTimer);
		this.#strayTimer = undefined;
		for (const name of this.#lookedUp) {
			if (!this.#asked.has(name)) {
				this.#denied(
					name,
					'a program looked up its address by itself: it reads no proxy variable (HTTPS_PROXY), ' +
						'and there is no other way out',
					'past-proxy',
				);
			}
		}

		this.#lookedUp.clear();
		const strays = this.#session?.strays() ?? 0;
		if (strays > this.#strays) {
			this.#denied(
				'past-the-proxy',
				`${strays} attempts to reach an address past the proxy: such a program reads no proxy variable ` +
					'(HTTPS_PROXY), and there is no other way out',
				'past-proxy',
			);
			this.#strays = strays;
		}
	}

	/**
	 * Says that somebody is waited for, by what is seen from outside: a program
	 * that reads the keyboard, or an agent that could and does nothing else.
	 */
	#notice(reads: boolean, rests: boolean): void {
		const {run} = this.#journal;
		if (run.stage !== 'running') {
			return;
		}

		const silent = Date.now() - this.#lastOutput > silence && rests && this.#asking === 0;
		const canWait = run.interactive || !this.#context.agents.find(agent => agent.id === run.agent)?.read;
		let because: string | undefined;
		if (reads && rests && Date.now() - this.#lastOutput > 1500) {
			because = 'waiting for input';
		} else if (silent && canWait && run.agent !== 'command') {
			because = 'idle: no output, and no program runs';
		}

		if (because !== undefined && run.status?.state !== 'waiting') {
			this.#write({type: 'agent.status', state: 'waiting', because}, false);
		} else if (because === undefined && run.status?.state === 'waiting' && Date.now() - this.#lastOutput < silence) {
			this.#write({type: 'agent.status', state: 'working', because: 'it goes on'}, false);
		}
	}

	/**
	 * What the agent's own words say. They come as fast as it likes to write them, so they are counted as requests are.
	 */
	#hear({status, conversation}: AgentNews): void {
		const {run} = this.#journal;
		if (
			conversation !== undefined &&
			conversation !== run.conversation &&
			typeof conversation === 'string' &&
			/^[\w:.-]{1,100}$/.test(conversation) &&
			this.#counter.count('conversation').write
		) {
			this.#write({type: 'agent.conversation', conversation}, false);
		}

		if (
			status &&
			(status.state !== run.status?.state || status.because !== run.status.because) &&
			this.#counter.count(`status ${status.state}`).write
		) {
			this.#write({type: 'agent.status', state: status.state, because: status.because.slice(0, 300)}, false);
		}
	}

	/** The variables that hold pointers. */
	#pointerVariables(): Record<string, string> {
		return Object.fromEntries(
			this.#secrets
				.all()
				.flatMap(({binding, pointer}) => (binding.environment === undefined ? [] : [[binding.environment, pointer]])),
		);
	}

	/** Makes the broker, with an authority that only this run trusts, once there is a secret. */
	async #openBroker(): Promise<void> {
		if (!this.#broker) {
			const {Broker} = await import('../../host/broker.ts');
			this.#broker = new Broker(this.#journal.run.id, {
				rules: () => this.#secrets.rules(this.#journal.run, Date.now()),
				held: () => this.#secrets.inForce(this.#journal.run, Date.now()),
				pointers: () => this.#secrets.pointers(),
				values: () => this.#secrets.values(),
				onUsed: (scope, target) => {
					if (this.#counter.count(`used ${scope} ${target}`).write) {
						this.#write({type: 'secret.used', scope, target}, false);
					}
				},
				onRefused: (target, because, alarm) =>
					this.#refused(alarm ? 'alarm.raised' : 'secret.refused', target, because),
				onExchange: scopes => this.#followModel(scopes),
				...(this.#hooks.placeOf ? {placeOf: this.#hooks.placeOf} : {}),
				trust: () => this.#trust(),
			});
			this.#injectedFiles.trust(this.#broker.authority.certificate);
		}

		for (const {scope, pointer} of this.#secrets.all()) {
			this.#injectedFiles.show(scope.split(':').at(-1)!.split('/').at(-1)!, pointer);
		}
	}

	/** Whom connections to servers trust: made at the first one. */
	#trust(): SecureContext | undefined {
		this.#trustContext ??= this.#trusted && trustContext(this.#trusted);
		return this.#trustContext;
	}

	#refused(type: 'request.refused' | 'secret.refused' | 'alarm.raised', target: string, because: string): void {
		const {count, write} = this.#counter.count(`${type} ${target} ${because}`);
		if (write) {
			this.#write({type, target, because, count}, type === 'alarm.raised');
		}
	}

	/** Reads what a model's replies say that they cost, and knows while it is asked. */
	#followModel(scopes: readonly string[]): Exchange {
		const isModel = scopes.some(scope => this.#secrets.get(scope)?.binding.class === 'model');
		let reader: UsageReader | undefined;
		let socket = false;
		this.#asking++;
		return {
			reply: contentType => {
				if (!isModel || !/json|event-stream|websocket/.test(contentType)) {
					return undefined;
				}

				if (contentType === 'websocket') {
					// It stays open between the turns.
					socket = true;
					this.#asking--;
				}

				const own = new UsageReader(reply => this.#count(reply));
				reader = own;
				return piece => own.push(piece);
			},
			end: () => {
				this.#asking -= socket ? 0 : 1;
				reader?.end();
			},
		};
	}

	#count(reply: ReplyUsage): void {
		this.#usage = addUsage(
			this.#usage,
			reply,
			this.#context.agents.flatMap(({model}) => model?.prices ?? []),
		);
		this.#usageTimer ??= setTimeout(() => this.#writeUsage(), usagePause);
		const over = overBudget(this.#usage, this.#journal.run.budget);
		if (over !== undefined && this.#journal.run.stage === 'running') {
			this.#writeUsage();
			this.#freeze(over, 'fleet');
		}
	}

	#writeUsage(): void {
		clearTimeout(this.#usageTimer);
		this.#usageTimer = undefined;
		if (this.#usage.requests !== this.#journal.run.usage.requests) {
			this.#write({type: 'usage.counted', usage: this.#usage}, false);
		}
	}

	/**
	 * Counts what the run changed, for the list.
	 * @returns how long to wait until the next time, so that it costs little: milliseconds
	 */
	#countChanges(): Promise<number> {
		this.#countGoingOn ??= this.#countNow().finally(() => {
			this.#countGoingOn = undefined;
		});
		return this.#countGoingOn;
	}

	async #countNow(): Promise<number> {
		const began = Date.now();
		this.#hasOutput = false;
		try {
			const changes = await countChanges(this.#context, this.#journal.run);
			if (changes) {
				rememberChanges(this.#places, changes);
			}
		} catch {
			// The list shows what was known before.
		}

		this.#counting = Date.now() - began;
		return Math.max(5000, 100 * this.#counting);
	}

	/**
	 * A run whose record cannot be written is frozen: nothing of it
	 * goes on unseen. A person thaws it when there is room again.
	 */
	#cannotRecord(error: Error): void {
		if (this.#terminal && !this.#ended && this.#journal.run.stage === 'running') {
			this.#freeze(
				`what it does cannot be written down: ${machineRefusal(error)?.because.split(/[,;]/, 1)[0] ?? error.message}`,
				'fleet',
			);
		}
	}

	/** Stops every process of the run where it stands, from outside, and closes its way out. */
	#freeze(because: string, actor: Actor): void {
		const pid = this.#terminal!.pid;
		let whole = this.#group?.freeze(true) ?? false;
		if (!whole) {
			const tree = stopTree(pid);
			this.#held = tree.stopped;
			whole = tree.whole;
		}

		this.#journal.append({type: 'run.frozen', because, whole}, actor);
		this.#session!.proxy.cut();
	}

	#thaw(): void {
		this.#group?.freeze(false);
		continueProcesses(this.#held);
		this.#held = [];
	}

	/** The monitor's death takes the whole pid namespace with it: a frozen or hostile process inside has no say. */
	#stop(because: string): void {
		if (this.#stopped === undefined) {
			this.#stopped = because;
			this.#terminal?.kill('SIGKILL');
		}
	}

	/**
	 * Something failed that no connection's own guard held. What it left half done is not known, and the check of what
	 * leaves the run may be among it: so the way out is closed
	 * first, and then the run ends as by a stop, with its journal.
	 */
	#fault(error: unknown): void {
		const {
			name = 'Error',
			code,
			stack = String(error),
		} = Object(error) as {name?: string; code?: string; stack?: string};
		process.stderr.write(`${stack}\n`);
		try {
			this.#session?.proxy.close();
		} finally {
			// Where even the end fails, the process goes, and the sandbox with it.
			setTimeout(() => process.exit(1), faultPause).unref();
			this.#stop(`fleet itself failed (${code ?? name}), so its way out was closed and it was stopped`);
		}
	}

	#remember(bytes: Uint8Array): void {
		this.#ring.push(bytes);
		this.#ringLength += bytes.length;
		while (this.#ringLength > ringSize && this.#ring.length > 1) {
			this.#ringLength -= this.#ring.shift()!.length;
		}
	}

	#tell(response: Response): void {
		for (const viewer of this.#viewers) {
			viewer(response);
		}
	}

	#scheduleExpiry(): void {
		clearTimeout(this.#expiry);
		const ends = this.#journal.run.grants.flatMap(grant =>
			grant.until === undefined ? [] : [Date.parse(grant.until)],
		);
		if (ends.length === 0) {
			return;
		}

		// setTimeout's longest wait is 24.8 days.
		this.#expiry = setTimeout(
			() => {
				for (const grant of this.#journal.run.grants) {
					if (grant.until !== undefined && Date.parse(grant.until) <= Date.now()) {
						this.#write({type: 'scope.expired', scope: grant.scope, cut: this.#session?.proxy.cut() ?? 0});
						void this.#files?.take(grant.scope);
					}
				}

				this.#hideRevoked();

				this.#scheduleExpiry();
			},
			Math.max(0, Math.min(2 ** 31 - 1, Math.min(...ends) - Date.now())),
		);
	}

	/** Takes the files of pointers away that mean nothing any more. */
	#hideRevoked(): void {
		for (const {scope} of this.#secrets.all()) {
			if (!this.#journal.run.grants.some(grant => grant.scope === scope)) {
				this.#injectedFiles.show(scope.split(':').at(-1)!.split('/').at(-1)!, undefined);
			}
		}
	}

	async #listen(): Promise<net.Server> {
		openRuntime(this.#context.paths);
		rmSync(this.#places.socket, {force: true});
		const server = net.createServer(socket => this.#serve(socket));
		await new Promise<void>((resolve, reject) => {
			server.once('error', reject);
			server.listen(this.#places.socket, resolve);
		});
		chmodSync(this.#places.socket, 0o600);
		return server;
	}

	#serve(socket: net.Socket): void {
		const splitter = new LineSplitter();
		let slow = false;
		const send = (response: Response) => {
			// A viewer that does not read must not make the supervisor remember for it.
			if ('output' in response && slow) {
				return;
			}

			slow = !socket.write(`${JSON.stringify(response)}\n`) && socket.writableLength > 4 * 1024 ** 2;
		};

		socket.setEncoding('utf8');
		socket.on('drain', () => {
			slow = false;
		});
		socket.on('error', () => socket.destroy());
		socket.on('close', () => this.#viewers.delete(send));
		socket.on('data', (text: string) => {
			try {
				for (const line of splitter.push(text)) {
					const request = parseRequest(line);
					if (!request) {
						socket.destroy();
						return;
					}

					void this.#answer(request, send);
				}
			} catch {
				socket.destroy();
			}
		});
	}

	async #answer(request: Request, send: (response: Response) => void): Promise<void> {
		const {id} = request;
		try {
			send({id, ok: true, result: await this.#perform(request, send)});
		} catch (error) {
			const refusal =
				error instanceof Refusal
					? error
					: (machineRefusal(error) ?? new Refusal((error as Error).message, 'look at the run with fleet show', 1));
			send({id, ok: false, because: refusal.because, hint: refusal.hint, exitCode: refusal.exitCode});
		}
	}

	async #perform(request: Request, send: (response: Response) => void): Promise<Record<string, unknown>> {
		const {id, stage} = this.#journal.run;
		if (!this.#terminal && request.method !== 'stop') {
			throw new Refusal(
				`${id} is ${stage}: ${this.#journal.run.because}`,
				stage === 'queued' ? `fleet stop ${id} takes it out of the queue` : 'wait until it runs',
			);
		}

		switch (request.method) {
			case 'allow': {
				const {secret} = request;
				const files = await filesPlace(this.#context, request.scope);
				const {scope} = checkGrant(this.#journal, request.actor, request.scope, request.because, request.duration, {
					reference: secret?.reference,
					files,
				});
				if (/^(?:secret|model):/.test(scope) && secret?.scope !== scope) {
					throw new Refusal(`the value for ${scope} was not handed over`, 'fleet allow, from this version');
				}

				if (secret) {
					this.#secrets.add(secret);
					this.#output?.blank(this.#secrets.values());
					await this.#openBroker();
				}

				const waits = files && (await this.#files?.give(files));
				let effect: string;
				try {
					effect = grantIn(
						this.#journal,
						request.actor,
						request.scope,
						request.because,
						request.duration,
						waits ?? 'now',
						{reference: secret?.reference, files},
					);
				} catch (error) {
					// Nothing is on that is not written down.
					await this.#files?.take(scope);
					throw error;
				}

				this.#scheduleExpiry();
				return {effect};
			}

			case 'revoke': {
				const scope = grantedScope(request.scope, this.#journal.run.grants);
				const cut = revokeIn(
					this.#journal,
					request.actor,
					scope,
					request.because,
					() => this.#session?.proxy.cut() ?? 0,
				);
				this.#scheduleExpiry();
				this.#hideRevoked();
				const left = this.#ended ? undefined : await this.#files?.take(scope);
				return {cut, ...(left === undefined ? {} : {left})};
			}

			case 'stop': {
				const refusal = decideActor(request.actor, 'stopping a run');
				if (refusal) {
					throw refusal;
				}

				this.#stop(request.because === '' ? `stopped by ${request.actor.replace('person:', '')}` : request.because);
				return {};
			}

			case 'freeze':
			case 'thaw': {
				const frozen = this.#journal.run.stage === 'frozen';
				const refusal =
					decideActor(request.actor, `to ${request.method} a run`) ??
					(frozen === (request.method === 'freeze')
						? new Refusal(
								`${this.#journal.run.id} is ${frozen ? 'frozen already' : 'not frozen'}`,
								frozen ? `fleet thaw or fleet stop ${this.#journal.run.id}` : `fleet show ${this.#journal.run.id}`,
							)
						: undefined);
				if (refusal) {
					throw refusal;
				}

				const because = request.because === '' ? `by ${request.actor.replace('person:', '')}` : request.because;
				if (request.method === 'freeze') {
					this.#freeze(because, request.actor);
				} else {
					const over = budgetRefusal(this.#journal.run);
					if (over) {
						throw over;
					}

					this.#journal.append({type: 'run.thawed', because}, request.actor);
					this.#thaw();
				}

				return {};
			}

			case 'budget': {
				setBudgetIn(this.#journal, request.actor, request.budget ?? undefined, request.because);
				return {};
			}

			case 'dismiss': {
				dismissIn(this.#journal, request.actor, request.target, request.because);
				return {};
			}

			case 'acknowledge': {
				acknowledgeIn(this.#journal, request.actor, request.because);
				return {};
			}

			case 'attach': {
				this.#terminal?.resize(request.columns, request.rows);
				send({output: Buffer.concat(this.#ring).toString('base64')});
				this.#viewers.add(send);
				return {};
			}

			case 'input': {
				this.#terminal?.write(Buffer.from(request.data, 'base64'));
				return {};
			}

			case 'resize': {
				this.#terminal?.resize(request.columns, request.rows);
				return {};
			}

			case 'audited': {
				for (const gate of request.asked) {
					this.#journal.append(
						{type: 'gate.refused', gate, because: 'agents decide nothing'},
						`agent:${this.#journal.run.id}`,
						false,
					);
				}

				this.#journal.append({type: 'audit.finished', items: request.items, because: request.because}, request.actor);
				return {};
			}
		}
	}
}
