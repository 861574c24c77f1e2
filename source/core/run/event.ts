import type {SignedStatement} from '../deploy/statement.ts';
import type {Task, Terms} from '../tasks/plan.ts';
import type {PackageSummary} from '../packages/summary.ts';
import type {Accepted} from '../statement/accept.ts';
import type {Decision} from '../statement/decision.ts';
import type {Viewed} from './viewed.ts';
import type {Actor} from '../actor.ts';
import type {ToldTerms} from '../grants/terms.ts';
import type {LimitName} from '../limits.ts';
import type {Filter} from '../git/filters.ts';
import type {Grant} from '../scope.ts';
import type {ItemId, Status} from './audit.ts';
import type {AgentState} from '../seams.ts';
import type {Suspect} from '../secrets/suspects.ts';
import type {TestSummary} from './test-summary.ts';
import type {Budget, Usage} from './usage.ts';
import type {TrainMove, TrainPlace} from './train-place.ts';
import type {PublishEvent} from '../publish/event.ts';
import type {Doubt, VerifyResult} from './verdict.ts';

/** One verify command. `ran`, `tests`: what it said of tests. */
export type Step = {
	readonly command: string;
	readonly code: number;
	readonly ms: number;
	readonly ran?: 'some' | 'none' | undefined;
	readonly tests?: TestSummary | undefined;
	/** What it wrote last, where it failed: others' words. */ readonly last?: string | undefined;
};
/** Which time it is that a verification's findings go back to the agent, from 1, and of how many. */
export type Retry = {readonly round: number; readonly of: number};
export type DeployOutcome = 'succeeded' | 'failed' | 'unknown';

/**
 * Why the network was denied. `not-granted`: a grant, or a line of the policy, would let it through. `address`: what the
 * name leads to is not dialled. `request`: what was asked would pass no rule. `past-proxy`: it never asked the proxy.
 */
export type DenialKind = 'not-granted' | 'address' | 'request' | 'past-proxy';

/**
 * What became of a call to a server outside of the run's sandbox. `failed`: the server said so, or is gone. `late`: it did
 * not answer in time. `cut`: the scope was taken back, or the agent did not wait.
 */
export type McpOutcome = 'answered' | 'failed' | 'refused' | 'late' | 'too-large' | 'cut';

/** What can happen to a run. The journal holds these; everything shown is computed from them. */
export type RunEvent =
	| {
			type: 'run.created';
			id: string;
			name: string;
			project: {id: string; name: string; root: string};
			agent: string;
			argv: string[];
			prompt?: string | undefined;
			branch: string;
			base: string;
			target: string;
			worktree: string;
			grants: Grant[];
			interactive?: boolean | undefined;
			budget?: Budget | undefined;
			/** Of runs that were begun together. */ batch?: string | undefined;
			/** The run that it waits for. */ after?: string | undefined;
			/** Files that were copied from the project besides what git keeps. */ included?: string[] | undefined;
			/** The folder that its agent works in, from the top. */ path?: string | undefined;
			/** Filters that its files pass. */ filters?: Filter[] | undefined;
			/** `false`: it is not given the person's profile of its agent. */ profile?: false | undefined;
			/** It is asked for a plan of tasks: its work is that file, and is merged nowhere. */ plan?: true | undefined;
			/** The accepted plan that it does a task of: the id of the run that proposed it. */
			of?: {plan: string; task: string} | undefined;
	  }
	/** A plan file was read from what the run handed over. */
	| {type: 'plan.proposed'; head: string; tasks: Task[]}
	/** What it handed over holds none that can be accepted. */
	| {type: 'plan.refused'; head: string; because: string}
	/** A person changed it. */
	| {type: 'plan.edited'; tasks: Task[]}
	| ({type: 'plan.accepted'} & Terms)
	| {type: 'task.started'; task: string; run: string}
	| {type: 'task.merged'; task: string}
	/** It does not wait any longer for what it came after. */
	| {type: 'task.released'; task: string; because: string}
	| {type: 'task.dropped'; task: string; because: string}
	/** It does not start by itself; null where that is over. */
	| {type: 'task.held'; task: string; because: string | null}
	| {type: 'run.queued'; because: string; /** Whether what it waits for will not come by itself. */ stuck?: boolean}
	| {type: 'run.dequeued'; because: string}
	/** A person starts it, whatever comes of the run that it waited for. */
	| {type: 'run.released'; because: string}
	/** Setup runs: what its commands leave is not there yet. */
	| {type: 'setup.started'; commands: string[]}
	| {
			type: 'setup.finished';
			/** Whose it is: the run's, or the merged tree's that is verified. */ of: 'run' | 'verify';
			/** The key of its result. */ layer: string;
			/** Whether it was there already. */ reused: boolean;
			/** How long the commands took, whenever that was, milliseconds. */ ms: number;
			bytes: number;
			files: number;
			/** Hosts that were fetched from. */ hosts: string[];
			notes: string[];
	  }
	| {type: 'run.started'; attempt: number; pid: number; sandbox: string; notes: string[]}
	| {
			type: 'run.exited';
			code: number | null;
			signal: string | null;
			because: string;
			/** Set where fleet itself checks the work next. */ checks?: true | undefined;
	  }
	/** What fleet did by itself after the agent's end came to nothing. */
	| {type: 'checks.ended'; because: string}
	/** What of the person's profile of the agent was copied into its HOME; no digest where an earlier one was taken out. */
	| {
			type: 'profile.given';
			digest: string | null;
			files: Array<{path: string; sha256: string}>;
	  }
	| {type: 'run.failed'; because: string; hint: string}
	| {type: 'run.crashed'; because: string}
	/** A limit was met that ends nothing by itself: a full /tmp, a process that the kernel ended for memory. */
	| {type: 'limit.hit'; limit: LimitName; because: string}
	| {type: 'run.frozen'; because: string; whole: boolean}
	| {type: 'run.thawed'; because: string}
	| {type: 'scope.granted'; grant: Grant; effect: string}
	| {type: 'scope.revoked'; scope: string; because: string; cut: number}
	| {
			type: 'scope.expired';
			scope: string;
			cut: number;
			/** Set where it was used as often as it was granted for. */ uses?: number;
	  }
	/** A use of a grant that is for a number of them. `grant`: its id. */
	| {type: 'scope.used'; scope: string; grant: string; use: number; of: number}
	| {
			type: 'egress.denied';
			target: string;
			because: string;
			count: number;
			/** Not there in older journals. */
			kind?: DenialKind | undefined;
			/** What the rules say of a grant of it; not there where they say nothing. */
			terms?: ToldTerms | undefined;
	  }
	| {type: 'denial.dismissed'; target: string; because: string}
	| {type: 'egress.allowed'; target: string; rule: string}
	| {type: 'secret.used'; scope: string; target: string}
	/** Programs inside listen on other ports than before. */
	| {type: 'ports.listening'; ports: number[]}
	/** A port inside can be reached from a browser of this machine, at `address`. */
	| {type: 'port.opened'; port: number; address: string}
	/** A page was loaded through it. */
	| {type: 'port.used'; port: number; count: number}
	| {type: 'port.closed'; port: number; because: string; cut: number}
	| {
			type: 'mcp.called';
			server: string;
			tool: string;
			outcome: McpOutcome;
			/** Why it was not answered; never what was asked or said. */ because?: string | undefined;
			/** Bytes of the agent's message. */ sent: number;
			/** Bytes of the server's. */ received: number;
			ms: number;
	  }
	| {type: 'request.refused'; target: string; because: string; count: number}
	| {type: 'secret.refused'; target: string; because: string; count: number}
	| {type: 'alarm.raised'; target: string; because: string; count: number}
	| {type: 'alarm.acknowledged'; because: string}
	| {type: 'agent.status'; state: AgentState; because: string}
	| {type: 'agent.conversation'; conversation: string}
	| {
			type: 'prompt.sent';
			prompt: string;
			/** The target's tip, where the run is to be brought onto it in its next attempt. */ onto?: string | undefined;
			/** Set where fleet itself sent it, with what a verification found. */ retry?: Retry | undefined;
	  }
	/** A person typed into its terminal. What was typed is not kept: it may be a password. */
	| {type: 'reply.sent'; characters: number}
	| {type: 'usage.counted'; usage: Usage}
	| {type: 'budget.set'; budget: Budget | null; because: string}
	/** `reopened`: fingerprints of those that nobody's signature dismisses. */
	| {type: 'suspects.found'; suspects: Suspect[]; reopened?: string[] | undefined}
	| {type: 'suspects.waived'; fingerprints: string[]; because: string}
	| {
			type: 'gate.refused';
			gate: string;
			because: string;
			/** Files in which the run and its target conflict, where that is why. */ conflicts?: string[] | undefined;
	  }
	| {
			type: 'run.captured';
			head: string;
			/** Where its own work begins; in older journals the commit it started from. */ base?: string | undefined;
			commits: number;
			files: number;
			wip: boolean;
			extra: string[];
			notes: string[];
			/** What in its commits' messages and names is to be looked at first; not there in older journals. */
			commitFlags?: string[] | undefined;
			/** What became of packages; not there where no lock file changed, and in older journals. */
			packages?: PackageSummary | undefined;
	  }
	| {type: 'verify.started'; base: string; head: string; tree: string; policy: string; commands: string[]}
	| {
			type: 'verify.finished';
			passed: boolean;
			/** Not there in older journals: by `passed`. */ result?: VerifyResult | undefined;
			doubt?: Doubt | undefined;
			base: string;
			head: string;
			tree: string;
			policy: string;
			digest: string;
			steps: Step[];
			because: string;
			/** Set where what was found goes back to the agent by itself. */ goesBack?: Retry | undefined;
			/** Set where it was verified together with others. */ train?: TrainPlace | undefined;
			/** Set where the approval goes on to hold: for the same facts, or for the same patch on another base. */
			keeps?: {patch?: string | undefined} | undefined;
	  }
	/** It is being verified together with others, as the run in that place. */
	| {type: 'train.joined'; train: string; place: number; of: number; runs: string[]}
	/** Nothing was found out: it is as it was before. */
	| {type: 'train.left'; train: string}
	| {
			type: 'review.approved';
			base: string;
			head: string;
			tree: string;
			policy: string;
			verify: string;
			because: string;
			/** Who signed, where approvals are. */ accepted?: Accepted;
			viewed?: Viewed;
	  }
	/** Others were asked to approve it, over a remote of the project. */
	| {type: 'request.sent'; remote: string}
	/** Somebody signed a decision about it: `word`, an envelope as one word, says what exactly. */
	| {type: 'statement.signed'; decision: Decision; by: string; word: string; because: string}
	| {type: 'review.rejected'; because: string}
	| {
			type: 'merge.started';
			target: string;
			base: string;
			head: string;
			tree: string;
			/** What the target becomes. Not there in older journals. */
			commit?: string | undefined;
			/** Set where the target moves over several runs at once. */ train?: TrainMove | undefined;
	  }
	/** The target moved between the decision and the merge: nothing was merged. */
	| {type: 'merge.aborted'; target: string; because: string}
	| {type: 'merge.finished'; target: string; commit: string; checkout: string}
	| PublishEvent
	/** What was verified or merged runs, for a person to look at. */
	| {type: 'preview.started'; commit: string; command: string; port: number}
	| {type: 'preview.finished'; because: string}
	/** A deploy that cannot begin yet. */
	| {
			type: 'deploy.requested';
			target: string;
			commit: string;
			/** When that is over: ISO 8601. */ until: string;
			/** Credentials that were not there. */ missing: string[];
			because: string;
			/** How many people have to say yes, and who may. */ wants?: {people: number; of: string[]} | undefined;
			/** As the requester signed it. */ asked?: SignedStatement | undefined;
			/** Of a request that was approved, and waits for credentials now. */ lease?: string | undefined;
	  }
	| ({type: 'deploy.approved'} & SignedStatement)
	| ({type: 'deploy.rejected'} & SignedStatement)
	| {
			type: 'deploy.started';
			target: string;
			commit: string;
			command: string;
			credentials: string[];
			/** The approval that it uses up. */ lease?: string | undefined;
			/** The commit that was found bad there, where the last good one is brought back by itself. */
			rollbackOf?: string | undefined;
			/** A person's reason, where one was given. */ because?: string;
			/** Set where it was begun outside of its window. */ outside?: string;
	  }
	| {
			type: 'deploy.finished';
			target: string;
			commit: string;
			outcome: DeployOutcome;
			because: string;
			rollbackOf?: string | undefined;
	  }
	| {type: 'audit.finished'; items: Array<{id: ItemId; status: Status}>; because: string}
	| {type: 'run.discarded'; because: string; kept: string[]}
	| {type: 'run.restored'; because: string}
	| {type: 'run.retargeted'; target: string; because: string};

/** One line of a journal. `prev` is the SHA-256 of the line before, `seq` counts from 1, `at` is ISO 8601. */
export type Entry = RunEvent & {
	readonly seq: number;
	readonly at: string;
	readonly actor: Actor;
	readonly prev: string;
};

/** One kind of event. */
export type EventOf<Type extends RunEvent['type']> = Extract<RunEvent, {readonly type: Type}>;

/** A line of a journal about one kind of event. */
export type EntryOf<Type extends RunEvent['type']> = Extract<Entry, {readonly type: Type}>;

/** A type that is missing here would make journals unreadable: the compiler asks for each. */
const known: Readonly<Record<RunEvent['type'], true>> = {
	'run.created': true,
	'plan.proposed': true,
	'plan.refused': true,
	'plan.edited': true,
	'plan.accepted': true,
	'task.started': true,
	'task.merged': true,
	'task.released': true,
	'task.dropped': true,
	'task.held': true,
	'run.queued': true,
	'run.dequeued': true,
	'run.released': true,
	'setup.started': true,
	'setup.finished': true,
	'run.started': true,
	'profile.given': true,
	'run.exited': true,
	'checks.ended': true,
	'run.failed': true,
	'run.crashed': true,
	'limit.hit': true,
	'run.frozen': true,
	'run.thawed': true,
	'scope.granted': true,
	'scope.revoked': true,
	'scope.expired': true,
	'scope.used': true,
	'egress.denied': true,
	'denial.dismissed': true,
	'egress.allowed': true,
	'mcp.called': true,
	'request.refused': true,
	'secret.used': true,
	'ports.listening': true,
	'port.opened': true,
	'port.used': true,
	'port.closed': true,
	'secret.refused': true,
	'alarm.raised': true,
	'alarm.acknowledged': true,
	'agent.status': true,
	'agent.conversation': true,
	'prompt.sent': true,
	'reply.sent': true,
	'usage.counted': true,
	'budget.set': true,
	'suspects.found': true,
	'suspects.waived': true,
	'gate.refused': true,
	'run.captured': true,
	'verify.started': true,
	'verify.finished': true,
	'train.joined': true,
	'train.left': true,
	'review.approved': true,
	'statement.signed': true,
	'request.sent': true,
	'review.rejected': true,
	'merge.started': true,
	'merge.aborted': true,
	'merge.finished': true,
	'publish.started': true,
	'publish.failed': true,
	'publish.finished': true,
	'publish.state': true,
	'publish.told': true,
	'preview.started': true,
	'preview.finished': true,
	'deploy.requested': true,
	'deploy.approved': true,
	'deploy.rejected': true,
	'deploy.started': true,
	'deploy.finished': true,
	'audit.finished': true,
	'run.discarded': true,
	'run.restored': true,
	'run.retargeted': true,
};

/** Every event type, for readers that must refuse what they do not know. */
export const eventTypes: ReadonlySet<string> = new Set(Object.keys(known));
