import type {SecureContext} from 'node:tls';
import type {SandboxPlan} from '../../core/plan.ts';
import type {Policy} from '../../core/policy.ts';
import {defaultSettings, type Settings} from '../../core/settings.ts';
import type {RunEvent} from '../../core/run/event.ts';
import type {Usage} from '../../core/run/usage.ts';
import type {Broker} from '../../host/broker.ts';
import type {BrokerHooks} from '../../host/broker-hooks.ts';
import type {Cgroup} from '../../host/cgroup.ts';
import type {Journal} from '../../host/journal.ts';
import type {RunPaths} from '../../host/paths.ts';
import type {PageServer} from '../../host/page-server.ts';
import type {ProxyHooks} from '../../host/proxy-hooks.ts';
import type {Terminal} from '../../host/pty.ts';
import {trustContext, type Trusted} from '../../host/trusted.ts';
import type {Context} from '../context.ts';
import type {LiveFiles} from '../grants/live-files.ts';
import type {HandedSecret, SetupSecret} from '../grants/secret-values.ts';
import type {Refresher} from '../logins/refresher.ts';
import {withoutProfile, type HandedProfile} from '../profile/hand.ts';
import type {LimitHits} from '../sandbox/limit-hits.ts';
import type {Session} from '../sandbox/session.ts';
import type {Gateway} from '../mcp/gateway.ts';
import type {ServerSecret} from '../mcp/secrets.ts';
import {HeldSecrets} from './held-secrets.ts';
import {InjectedFiles} from './injected-files.ts';
import {EventCounter, type AgentOutput} from './output.ts';
import {Viewers} from './viewers.ts';

/*
 * What a supervisor knows while it owns a run: data, in groups. Each group is changed by the file that is named
 * beside it, and read by the others.
 */

/** Where a test has the run's hosts. */
export type TestHooks = Pick<ProxyHooks, 'resolve'> & Pick<BrokerHooks, 'placeOf'>;

/** What is open, from when it is until the supervisor ends: agent-start.ts opens, end.ts closes. */
type Opened = {
	/** While setup runs: what ends it. */
	setup?: AbortController | undefined;
	plan?: SandboxPlan;
	policy?: Policy;
	group?: Cgroup | undefined;
	/** Once there is a secret. */
	broker?: Broker;
	session?: Session;
	/** The way to MCP servers outside. */
	gateway?: Gateway;
	output?: AgentOutput;
	/** Where the agent runs. From then on it can be frozen and talked to. */
	terminal?: Terminal;
	files?: LiveFiles;
	/** Which limits it met. */
	hits?: LimitHits;
};

/** What the run was told, or came to: halt.ts. */
type Halt = {
	/** Why it is to end, once it is. */
	stopped: string | undefined;
	/** Whether a freeze was asked for before there was anything to freeze. */
	freezeAtStart: boolean;
	/** Processes that a freeze stopped by signal. */
	stoppedPids: number[];
};

/** Whom connections to servers trust: agent-start.ts. `context` is made at the first connection. */
type Trust = {trusted: Trusted | undefined; context: SecureContext | undefined};

/** MCP servers outside: what they sign in with, by scope; and those that the agent was told of when it started: servers.ts. */
type Servers = {readonly secrets: Map<string, readonly ServerSecret[]>; told: ReadonlySet<string>};

/** What went by the proxy, and what tried to go past it: network-events.ts. */
type PastProxy = {
	/** Hosts that were asked for by way of the proxy. */
	readonly asked: Set<string>;
	/** Names that were looked up inside and are not told of yet. */
	readonly lookedUp: Set<string>;
	/** How many attempts past the proxy were told of. */
	strays: number;
	timer: NodeJS.Timeout | undefined;
};

/** What the agent's model costs: model-usage.ts. */
type Model = {
	usage: Usage;
	timer: NodeJS.Timeout | undefined;
	/** What the person says that models cost, and may be spent in a day: as it was when the agent started. */
	ownPrices: Settings['prices'];
	budgets: Settings['budgets'];
	/** When the day's spend is added up again, milliseconds. */
	nextDayLook: number;
	/** Requests that are not answered yet: while there are, silence means nothing. */
	unanswered: number;
};

/** How the agent goes on: watch.ts, and for its output agent-start.ts. */
type Watch = {
	lastOutputAt: number;
	/** Whether its process has ended. */
	ended: boolean;
	timer: NodeJS.Timeout | undefined;
	/** Ends the pause between two looks. */
	wake: () => void;
};

/** The count of what the run changed: changes-count.ts. */
type ChangesCount = {
	/** Whether the agent wrote anything since the last count began. */
	hasOutput: boolean;
	/** Whether the last count came to its end. */
	isCounted: boolean;
	going: Promise<number> | undefined;
};

export type Supervision = {
	readonly context: Context;
	readonly places: RunPaths;
	readonly journal: Journal;
	readonly hooks: TestHooks;
	readonly secrets: HeldSecrets;
	/** What the project's setup reads with; never the run's. */
	readonly setupSecrets: readonly SetupSecret[];
	/** The person's profile of the agent, as it was read when the run was started. */
	readonly profile: HandedProfile;
	readonly injectedFiles: InjectedFiles;
	readonly counter: EventCounter;
	readonly viewers: Viewers;
	readonly opened: Opened;
	/** Listeners for the person's browser, by the port inside; those that are about to be, too: open-ports.ts. */
	readonly openPorts: Map<number, Promise<PageServer>>;
	readonly halt: Halt;
	readonly trust: Trust;
	readonly servers: Servers;
	readonly pastProxy: PastProxy;
	readonly model: Model;
	/** What keeps the run's logins good, by scope, and what was told of them: run-logins.ts. */
	readonly logins: {readonly refreshers: Map<string, Refresher>; readonly told: Set<string>};
	readonly watch: Watch;
	readonly changes: ChangesCount;
	/** How often grants for a number of uses were used, by the grant's id: uses.ts. */
	readonly uses: Map<string, number>;
	/** Until what was typed so far has reached the terminal: typing.ts. */
	typing: Promise<void>;
	/** Until the next grant ends: expiry.ts. */
	expiry: NodeJS.Timeout | undefined;
};

/** @param options.secrets what the run's grants need */
export function makeSupervision(
	context: Context,
	journal: Journal,
	options: {
		readonly secrets?: readonly HandedSecret[];
		readonly setupSecrets?: readonly SetupSecret[];
		readonly serverSecrets?: readonly ServerSecret[];
		readonly profile?: HandedProfile | undefined;
		readonly hooks?: TestHooks;
	},
): Supervision {
	const {run} = journal;
	const places = context.paths.run(run.id);
	const secrets = new HeldSecrets();
	for (const secret of options.secrets ?? []) {
		secrets.add(secret);
	}

	return {
		context,
		places,
		journal,
		hooks: options.hooks ?? {},
		secrets,
		setupSecrets: options.setupSecrets ?? [],
		profile: options.profile ?? withoutProfile,
		injectedFiles: new InjectedFiles(run.id, places),
		counter: new EventCounter(),
		viewers: new Viewers(),
		opened: {},
		openPorts: new Map(),
		halt: {stopped: undefined, freezeAtStart: false, stoppedPids: []},
		trust: {trusted: undefined, context: undefined},
		servers: {secrets: byScope(options.serverSecrets ?? []), told: new Set()},
		pastProxy: {asked: new Set(), lookedUp: new Set(), strays: 0, timer: undefined},
		model: {
			usage: run.usage,
			timer: undefined,
			ownPrices: defaultSettings.prices,
			budgets: defaultSettings.budgets,
			nextDayLook: 0,
			unanswered: 0,
		},
		logins: {refreshers: new Map(), told: new Set()},
		watch: {lastOutputAt: Date.now(), ended: false, timer: undefined, wake() {}},
		changes: {hasOutput: true, isCounted: false, going: undefined},
		uses: new Map(),
		typing: Promise.resolve(),
		expiry: undefined,
	};
}

function byScope(secrets: readonly ServerSecret[]): Map<string, readonly ServerSecret[]> {
	return Map.groupBy(secrets, ({scope}) => scope);
}

/** Writes down what happened, as fleet itself. */
export function note({journal}: Supervision, event: RunEvent, durable = true): void {
	journal.append(event, 'fleet', durable);
}

/** Whom connections to servers trust; undefined before the start has read that. */
export function trustOf({trust}: Supervision): SecureContext | undefined {
	trust.context ??= trust.trusted && trustContext(trust.trusted);
	return trust.context;
}
