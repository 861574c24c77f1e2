import {matchesTarget} from '../network/egress.ts';
import {parseEgressRule} from '../network/rules.ts';
import {parseAuthority} from '../network/target.ts';
import type {AgentState} from '../seams.ts';
import type {Suspect} from '../secrets/suspects.ts';
import {noUsage, type Budget, type Usage} from './usage.ts';
import {viewedText, type Signed, type Viewed} from './statement.ts';
import type {DeployOutcome, Entry, Step} from './event.ts';
import type {Actor, Grant} from '../scope.ts';
import {itemIds, type ItemId, type Status} from './audit.ts';
import type {Doubt, VerifyResult} from './verdict.ts';
import {Refusal} from '../refusal.ts';

/** Where a run is on its way. Kept as one word, since people filter lists by it. */
export type Stage =
	| 'queued'
	| 'starting'
	| 'running'
	| 'frozen'
	| 'stopped'
	| 'failed'
	| 'crashed'
	| 'captured'
	| 'verifying'
	| 'verified'
	| 'verify-failed'
	| 'inconclusive'
	| 'approved'
	| 'rejected'
	| 'merging'
	| 'merged'
	| 'deploying'
	| 'deployed'
	| 'deploy-failed'
	| 'deploy-unknown'
	| 'discarded';

/** `since`: the first of these; `at`: the last. */
export type Denial = {
	readonly target: string;
	readonly because: string;
	readonly count: number;
	readonly since: string;
	readonly at: string;
};
export type Verification = {
	readonly passed: boolean;
	/** `inconclusive`: it could not be told, and `doubt` is why. */ readonly result: VerifyResult;
	readonly doubt: Doubt | undefined;
	readonly base: string;
	readonly head: string;
	readonly tree: string;
	readonly policy: string;
	readonly digest: string;
	readonly steps: readonly Step[];
	readonly because: string;
	readonly at: string;
};
export type Approval = {
	readonly base: string;
	readonly head: string;
	readonly tree: string;
	readonly policy: string;
	readonly verify: string;
	readonly by: Actor;
	readonly because: string;
	readonly at: string;
	readonly signed: Signed | undefined;
	/** How many files it was about, and how many of them were not marked as viewed; undefined where that was not told. */
	readonly viewed: Viewed | undefined;
};
export type Deployment = {
	readonly target: string;
	readonly commit: string;
	readonly outcome: DeployOutcome | 'running';
	readonly because: string;
	readonly at: string;
};

/** What a journal amounts to. */
export type Run = {
	readonly id: string;
	readonly name: string;
	readonly project: {readonly id: string; readonly name: string; readonly root: string};
	readonly agent: string;
	readonly argv: readonly string[];
	readonly prompt: string | undefined;
	readonly branch: string;
	/** The commit the run started from. */
	readonly base: string;
	/** The full ref that the result is to be merged into. */
	readonly target: string;
	readonly worktree: string;
	readonly createdAt: string;
	readonly updatedAt: string;
	readonly attempt: number;
	readonly stage: Stage;
	/** Why it is in that stage, in one line. */
	readonly because: string;
	/** When that stage began. */
	readonly since: string;
	/**
	 * How long its agent was at work, over all attempts and without
	 * the time it was frozen: milliseconds, and since when it is now.
	 */
	readonly worked: {readonly ms: number; readonly since: string | undefined};
	/** Whether what it waits for in the queue will not come by itself. */
	readonly stuck: boolean;
	readonly exit: {readonly code: number | null; readonly signal: string | null} | undefined;
	readonly sandbox: string;
	readonly notes: readonly string[];
	readonly grants: readonly Grant[];
	/** Denials since the last change of scope that could have answered them, newest first. */
	readonly denials: readonly Denial[];
	/** Targets of which a person does not want to hear again; they stay denied. */
	readonly dismissed: readonly string[];
	/** Pointers that were where they do not belong, newest first, until a person acknowledged them. */
	readonly alarms: readonly Denial[];
	/**
	 * What the agent itself says, and what the supervisor sees, of this attempt; undefined where neither says anything.
	 */
	readonly status:
		| {
				readonly state: AgentState;
				readonly because: string;
				/** When it came to that state. */ readonly since: string;
				readonly at: string;
		  }
		| undefined;
	/** The conversation, as the agent knows it. */
	readonly conversation: string | undefined;
	/** Whether a person talks to the agent, in place of a prompt that is worked off. */
	readonly interactive: boolean;
	readonly usage: Usage;
	readonly budget: Budget | undefined;
	/** What looked like a secret in the work, the last time it was looked at, and what a person waived. */
	readonly suspects: readonly Suspect[];
	readonly waived: readonly string[];
	/** `base`: where its own work begins. */
	readonly captured:
		| {
				readonly head: string;
				readonly base: string;
				readonly commits: number;
				readonly files: number;
				readonly wip: boolean;
				readonly notes: readonly string[];
		  }
		| undefined;
	/** Files in which it conflicts with its target, the last time that the two were to be merged. */
	readonly conflicts: readonly string[] | undefined;
	/** What its next attempt is for: to be brought onto its target. */
	readonly rebase: {readonly prompt: string; readonly onto: string} | undefined;
	readonly verification: Verification | undefined;
	readonly approval: Approval | undefined;
	readonly merge: {readonly target: string; readonly commit: string; readonly checkout: string} | undefined;
	/** A merge that was begun, and of which no end is written down. */
	readonly merging?: {readonly base: string; readonly commit: string} | undefined;
	readonly deployments: readonly Deployment[];
	/** The last audit; `stale` once a scope or an attempt changed after it. */
	readonly audit:
		| {
				readonly items: ReadonlyArray<{readonly id: ItemId; readonly status: Status}>;
				readonly at: string;
				readonly stale: boolean;
		  }
		| undefined;
	/** What the runs that were begun together have in common. */
	readonly batch: string | undefined;
	/** The run whose good end it waits for before it starts. */
	readonly after: string | undefined;
	/** Files that were copied from the project besides what git keeps: they are in no commit. */
	readonly included?: readonly string[] | undefined;
	/** The process that owns it, as of its last start. */
	readonly pid: number | undefined;
	readonly seq: number;
};

/** Stages in which a supervisor, or a gate's own process, must be alive. */
export const liveStages: ReadonlySet<Stage> = new Set<Stage>([
	'queued',
	'starting',
	'running',
	'frozen',
	'verifying',
	'merging',
	'deploying',
]);

/** Whether somebody is at work on it now: an agent that is not frozen, or a gate. */
export function isAtWork(run: Run): boolean {
	return liveStages.has(run.stage) && run.stage !== 'queued' && run.stage !== 'frozen';
}

/** Whether a scope such as `network:example.com:443` lets through what was denied. */
function answers(scope: string, target: string): boolean {
	const rule = parseEgressRule(scope.slice('network:'.length));
	const wanted = parseAuthority(target, 443);
	return (
		scope.startsWith('network:') &&
		!(rule instanceof Refusal) &&
		!(wanted instanceof Refusal) &&
		matchesTarget(rule, wanted)
	);
}

function withoutScope(grants: readonly Grant[], scope: string): Grant[] {
	return grants.filter(grant => grant.scope !== scope);
}

/**
 * One more event. Pure, total, used by the engine and by the screen, so that they cannot disagree.
 * The first event must be `run.created`; an event that the state does not expect changes only what it says.
 */
export function evolve(run: Run | undefined, entry: Entry): Run {
	if (entry.type === 'run.created') {
		return {
			id: entry.id,
			name: entry.name,
			project: entry.project,
			agent: entry.agent,
			argv: entry.argv,
			prompt: entry.prompt,
			branch: entry.branch,
			base: entry.base,
			target: entry.target,
			worktree: entry.worktree,
			createdAt: entry.at,
			updatedAt: entry.at,
			attempt: 0,
			stage: 'starting',
			because: 'preparing the sandbox',
			since: entry.at,
			worked: {ms: 0, since: undefined},
			stuck: false,
			exit: undefined,
			sandbox: '',
			notes: [],
			grants: entry.grants,
			denials: [],
			dismissed: [],
			alarms: [],
			status: undefined,
			conversation: undefined,
			interactive: entry.interactive ?? false,
			usage: noUsage,
			budget: entry.budget,
			suspects: [],
			waived: [],
			captured: undefined,
			conflicts: undefined,
			rebase: undefined,
			verification: undefined,
			approval: undefined,
			merge: undefined,
			deployments: [],
			audit: undefined,
			batch: entry.batch,
			after: entry.after,
			included: entry.included,
			pid: undefined,
			seq: entry.seq,
		};
	}

	if (!run) {
		throw new Error(`a journal starts with run.created, not with ${entry.type}`);
	}

	const next = changes(run, entry);
	const stage = next.stage ?? run.stage;
	const stuck = stage === 'queued' && (next.stuck ?? run.stuck);
	// Only what changed the stage began it: a refusal or a second line about the same is no new wait.
	return {
		...run,
		...next,
		since: stage === run.stage && stuck === run.stuck ? run.since : entry.at,
		stuck,
		// A supervisor that is found dead was at work until its last line at the least, and nobody knows more.
		worked: workedAfter(run, stage, entry.type === 'run.crashed' ? run.updatedAt : entry.at),
		updatedAt: entry.at,
		seq: entry.seq,
	};
}

function workedAfter({worked}: Run, stage: Stage, at: string): Run['worked'] {
	if (stage === 'running') {
		return worked.since === undefined ? {...worked, since: at} : worked;
	}

	return worked.since === undefined
		? worked
		: {ms: worked.ms + Math.max(0, Date.parse(at) - Date.parse(worked.since)), since: undefined};
}

/** How long a run's agent was at work, milliseconds. @param now milliseconds */
export function timeWorked({worked}: Run, now: number): number {
	return worked.ms + (worked.since === undefined ? 0 : Math.max(0, now - Date.parse(worked.since)));
}

const personOf = (actor: Actor) => actor.replace('person:', '');

/** What a person did, with the reason where one was given. */
function done(what: string, because: string, actor: Actor): string {
	if (because === '') {
		return `${what} by ${personOf(actor)}`;
	}

	return because.startsWith('by ') ? `${what} ${because}` : `${what}: ${because}`;
}

function capturedText({commits, files, wip}: Extract<Entry, {type: 'run.captured'}>): string {
	if (commits === 0 && files === 0) {
		return 'it changed nothing';
	}

	const work = `${commits} ${commits === 1 ? 'commit' : 'commits'}, ${files} ${files === 1 ? 'file' : 'files'}`;
	return `${work}${wip ? ', uncommitted work kept' : ''}`;
}

function verifiedStage(passed: boolean, result: VerifyResult): Stage {
	if (result === 'passed' && passed) {
		return 'verified';
	}

	return result === 'inconclusive' ? 'inconclusive' : 'verify-failed';
}

function deployedStage(outcome: DeployOutcome): Stage {
	if (outcome === 'succeeded') {
		return 'deployed';
	}

	return outcome === 'failed' ? 'deploy-failed' : 'deploy-unknown';
}

function changes(run: Run, entry: Exclude<Entry, {type: 'run.created'}>): Partial<Run> {
	switch (entry.type) {
		case 'run.queued': {
			return {stage: 'queued', because: entry.because, stuck: entry.stuck ?? false};
		}

		case 'run.dequeued': {
			return {stage: 'starting', because: entry.because};
		}

		case 'run.started': {
			return {
				status: undefined,
				pid: entry.pid,
				stage: 'running',
				because: entry.attempt > 1 ? `attempt ${entry.attempt}` : 'the agent is at work',
				attempt: entry.attempt,
				sandbox: entry.sandbox,
				notes: entry.notes,
				exit: undefined,
				// A new attempt may change anything, so nothing that was decided about the last one holds.
				verification: undefined,
				approval: undefined,
				conflicts: undefined,
				rebase: undefined,
				audit: run.audit && {...run.audit, stale: true},
			};
		}

		case 'run.exited': {
			return {stage: 'stopped', because: entry.because, exit: {code: entry.code, signal: entry.signal}};
		}

		case 'run.failed': {
			return {stage: 'failed', because: entry.because};
		}

		case 'run.crashed': {
			return {
				stage: run.stage === 'deploying' ? 'deploy-unknown' : 'crashed',
				because: entry.because,
				deployments: run.deployments.map(deployment =>
					deployment.outcome === 'running' ? {...deployment, outcome: 'unknown', because: entry.because} : deployment,
				),
			};
		}

		case 'run.frozen': {
			return {stage: 'frozen', because: entry.because};
		}

		case 'run.thawed': {
			return {stage: 'running', because: done('thawed', entry.because, entry.actor)};
		}

		case 'scope.granted': {
			return {
				grants: [...withoutScope(run.grants, entry.grant.scope), entry.grant],
				denials: run.denials.filter(denial => !answers(entry.grant.scope, denial.target)),
				audit: run.audit && {...run.audit, stale: true},
			};
		}

		case 'scope.revoked':
		case 'scope.expired': {
			return {grants: withoutScope(run.grants, entry.scope), audit: run.audit && {...run.audit, stale: true}};
		}

		case 'egress.denied': {
			if (run.dismissed.includes(entry.target)) {
				return {};
			}

			const rest = run.denials.filter(denial => denial.target !== entry.target);
			return {
				denials: [
					{
						target: entry.target,
						because: entry.because,
						count: entry.count,
						since: run.denials.find(denial => denial.target === entry.target)?.since ?? entry.at,
						at: entry.at,
					},
					...rest,
				].slice(0, 50),
			};
		}

		case 'denial.dismissed': {
			return {
				denials: run.denials.filter(denial => denial.target !== entry.target),
				dismissed: [...new Set([...run.dismissed, entry.target])].slice(-200),
			};
		}

		case 'egress.allowed':
		case 'secret.used':
		case 'request.refused':
		case 'secret.refused': {
			return {};
		}

		case 'gate.refused': {
			return entry.conflicts === undefined ? {} : {conflicts: entry.conflicts};
		}

		case 'alarm.raised': {
			const isSame = (alarm: Denial) => alarm.target === entry.target && alarm.because === entry.because;
			return {
				alarms: [
					{
						target: entry.target,
						because: entry.because,
						count: entry.count,
						since: run.alarms.find(alarm => isSame(alarm))?.since ?? entry.at,
						at: entry.at,
					},
					...run.alarms.filter(alarm => !isSame(alarm)),
				].slice(0, 50),
			};
		}

		case 'alarm.acknowledged': {
			return {alarms: []};
		}

		case 'agent.status': {
			return {
				status: {
					state: entry.state,
					because: entry.because,
					since: run.status?.state === entry.state ? run.status.since : entry.at,
					at: entry.at,
				},
			};
		}

		case 'agent.conversation': {
			return {conversation: entry.conversation};
		}

		case 'prompt.sent': {
			// What it is for is not what it was asked for in the first place.
			return entry.onto === undefined
				? {prompt: entry.prompt, rebase: undefined}
				: {rebase: {prompt: entry.prompt, onto: entry.onto}};
		}

		case 'usage.counted': {
			return {usage: entry.usage};
		}

		case 'budget.set': {
			return {budget: entry.budget ?? undefined};
		}

		case 'suspects.found': {
			return {suspects: entry.suspects};
		}

		case 'suspects.waived': {
			return {waived: [...new Set([...run.waived, ...entry.fingerprints])]};
		}

		case 'run.captured': {
			return {
				stage: 'captured',
				because: capturedText(entry),
				captured: {
					head: entry.head,
					base: entry.base ?? run.base,
					commits: entry.commits,
					files: entry.files,
					wip: entry.wip,
					notes: entry.notes,
				},
			};
		}

		case 'verify.started': {
			return {conflicts: undefined, stage: 'verifying', because: entry.commands.join(' && '), approval: undefined};
		}

		case 'verify.finished': {
			const {passed, base, head, tree, policy, digest, steps, because, at} = entry;
			const result = entry.result ?? (passed ? 'passed' : 'failed');
			return {
				stage: verifiedStage(passed, result),
				because,
				verification: {
					passed: passed && result === 'passed',
					result,
					doubt: entry.doubt,
					base,
					head,
					tree,
					policy,
					digest,
					steps,
					because,
					at,
				},
				approval: undefined,
			};
		}

		case 'review.approved': {
			const {base, head, tree, policy, verify, actor, because, at, signed, viewed} = entry;
			return {
				stage: 'approved',
				because: [because === '' ? `by ${personOf(actor)}` : because, viewedText(viewed)]
					.filter(text => text !== '')
					.join('; '),
				approval: {base, head, tree, policy, verify, by: actor, because, at, signed, viewed},
			};
		}

		case 'review.rejected': {
			return {stage: 'rejected', because: entry.because, approval: undefined};
		}

		case 'merge.started': {
			const {base, commit} = entry;
			return {
				stage: 'merging',
				because: `into ${entry.target.replace('refs/heads/', '')}`,
				merging: commit === undefined ? undefined : {base, commit},
			};
		}

		case 'merge.finished': {
			return {
				stage: 'merged',
				because: `${entry.target.replace('refs/heads/', '')} is ${entry.commit.slice(0, 10)}`,
				merge: {target: entry.target, commit: entry.commit, checkout: entry.checkout},
				merging: undefined,
			};
		}

		case 'deploy.started': {
			return {
				stage: 'deploying',
				because: entry.target,
				deployments: [
					...run.deployments,
					{target: entry.target, commit: entry.commit, outcome: 'running', because: entry.command, at: entry.at},
				],
			};
		}

		case 'deploy.finished': {
			const earlier = run.deployments.filter(deployment => deployment.outcome !== 'running');
			return {
				stage: deployedStage(entry.outcome),
				because: `${entry.target}: ${entry.because}`,
				deployments: [
					...earlier,
					{target: entry.target, commit: entry.commit, outcome: entry.outcome, because: entry.because, at: entry.at},
				],
			};
		}

		case 'audit.finished': {
			return {audit: {items: entry.items, at: entry.at, stale: false}};
		}

		case 'run.discarded': {
			return {
				stage: 'discarded',
				because: entry.because === '' ? 'its work is kept' : entry.because,
				approval: undefined,
			};
		}

		case 'run.retargeted': {
			const decided =
				run.stage === 'verified' ||
				run.stage === 'verify-failed' ||
				run.stage === 'inconclusive' ||
				run.stage === 'approved';
			return {
				target: entry.target,
				verification: undefined,
				approval: undefined,
				conflicts: undefined,
				because: `to be merged into ${entry.target.replace('refs/heads/', '')}`,
				...(decided ? {stage: 'captured'} : {}),
			};
		}

		case 'run.restored': {
			const because = done('restored', entry.because, entry.actor);
			return run.merge
				? {stage: 'merged', because}
				: {stage: 'stopped', because, verification: undefined, approval: undefined};
		}
	}
}

/** Folds a whole journal. Undefined for an empty one. */
export function foldRun(entries: readonly Entry[]): Run | undefined {
	let run: Run | undefined;
	for (const entry of entries) {
		run = evolve(run, entry);
	}

	return run;
}

/** What is true of a run whose journal says that somebody works on it although nobody does. */
export function withoutWorker(run: Run): Run {
	if (!liveStages.has(run.stage)) {
		return run;
	}

	const because = {
		queued: 'the supervisor ended while it waited for its turn; nothing was started',
		starting: 'the supervisor ended before the agent started',
		running: 'the supervisor ended without a word; the sandbox died with it',
		frozen: 'the supervisor ended without a word; the sandbox died with it',
		verifying: 'verification was interrupted',
		merging: 'the merge was interrupted; merge again: it is finished, or begun anew',
		deploying: 'the deploy was interrupted; look at the target before trying again',
	}[run.stage as 'starting'];
	return evolve(run, {type: 'run.crashed', because, seq: run.seq, at: run.updatedAt, actor: 'fleet', prev: ''});
}

/** Passed and total items of the last audit; a stale one has passed nothing. */
export function checksOf(run: Run): {passed: number; total: number} {
	return {
		passed: run.audit && !run.audit.stale ? run.audit.items.filter(item => item.status === 'PASS').length : 0,
		total: itemIds.length,
	};
}
