import {branchName} from '../git/refs.ts';
import {gateRefusal, type Refusal} from '../refusal.ts';
import {isPerson, personOf} from '../actor.ts';
import {waitingDeploy} from './attention.ts';
import {itemIds} from './audit.ts';
import {decideApprove, decideDeploy, decideMerge, decideVerify, ended} from './rules.ts';
import type {Facts} from './facts.ts';
import {approvedBy, checksOf, type Approval, type Deployment, type Run} from './run.ts';
import type {Stage} from './stages.ts';
import {atOnceText} from './viewed.ts';
import {boundBy} from './train.ts';

/** The steps after the agent's work, in their order. */
export const gateIds = ['audit', 'verify', 'review', 'approve', 'merge', 'deploy'] as const;
export type GateId = (typeof gateIds)[number];

export type GateState = {
	readonly id: GateId;
	readonly title: string;
	readonly state: 'done' | 'ready' | 'blocked' | 'failed' | 'inconclusive' | 'busy';
	/** What came of it, or why it cannot be done now. */
	readonly because: string;
};

/** What is known of one gate. The first of `during`, `done`, `refusal` and `failed` that holds decides its state. */
type Standing = {
	readonly title: string;
	/** The stage in which it is being done. */
	readonly during?: Stage;
	/** What came of it. */
	readonly done?: string | undefined;
	/** Why it cannot be done now. */
	readonly refusal?: Refusal | undefined;
	/** Why it came to nothing, the last time. */
	readonly failed?: string | undefined;
	/** What a step that can be done waits for. */
	readonly waits?: string | undefined;
	/** Whether it came to nothing because it could not be told. */
	readonly unclear?: boolean;
};

/** Who asks: the sequence is shown to people. */
const person = personOf('you');

/** What was verified, and when: milliseconds. The engine asks again with what is true by then. */
function lastVerified({verification}: Run): {facts: Facts; now: number} {
	return {
		facts: verification ?? {base: '', head: '', tree: '', policy: ''},
		now: verification ? Date.parse(verification.at) : 0,
	};
}

function checksText(run: Run): string {
	const passed = run.audit?.items.filter(item => item.status === 'PASS').length ?? 0;
	const others = run.audit?.items.filter(item => item.status !== 'PASS').map(item => `${item.id} ${item.status}`) ?? [];
	return `${passed}/${itemIds.length}${others.length > 0 ? `: ${others.join(', ')}` : ''}`;
}

function refuseAudit(run: Run): Refusal | undefined {
	if (run.stage === 'discarded') {
		return ended(run);
	}

	return run.merge
		? gateRefusal('not run before the merge', 'an audit is about the sandbox of a run, which is gone')
		: undefined;
}

function audit(run: Run): Standing {
	const checks = run.audit && !run.audit.stale ? checksText(run) : undefined;
	return {
		title: 'Audit',
		done: checksOf(run).passed === itemIds.length ? checks : undefined,
		failed: checks,
		refusal: refuseAudit(run),
	};
}

function verify(run: Run): Standing {
	const {verification, merge} = run;
	const names = run.conflicts?.map(name => JSON.stringify(name));
	const conflicts =
		names && !merge
			? `conflicts with ${branchName(run.target)} in ${names.slice(0, 3).join(', ')}` +
				`${names.length > 3 ? ` and ${names.length - 3} more` : ''}: fleet resume ${run.id} --rebase`
			: undefined;
	const unclear = verification?.result === 'inconclusive' && !merge;
	return {
		title: 'Verify',
		during: 'verifying',
		done: (verification?.passed && !conflicts) || merge ? `passed: ${verification?.because ?? ''}` : undefined,
		failed:
			conflicts ??
			(verification && !verification.passed ? `${unclear ? 'inconclusive: ' : ''}${verification.because}` : undefined),
		refusal: decideVerify(run, person),
		unclear: unclear && !conflicts,
	};
}

/** Who approved; what fleet or a policy did is not said to be by somebody. */
const byWhom = (approval: Approval) =>
	`${approval.accepted || isPerson(approval.by) ? 'by ' : ''}${approvedBy(approval)}`;

/** What people signed about what is verified now, and is not an approval yet; empty for nothing. */
function signedSoFar({statements, verification}: Run): string {
	const last = new Map(
		statements
			.filter(({at}) => verification && at >= verification.at)
			.map(({by, decision}) => [by, `${by}: ${decision}`] as const),
	);
	return [...last.values()].join(', ');
}

/** What came of the review; undefined where there was none. */
function reviewDone({approval, merge}: Run): string | undefined {
	if (!approval) {
		return merge ? 'merged' : undefined;
	}

	const {viewed} = approval;
	const share = viewed
		? [
				`${viewed.files - viewed.unviewed} of ${viewed.files} ${viewed.files === 1 ? 'file' : 'files'} viewed`,
				atOnceText(viewed),
			]
				.filter(text => text !== '')
				.join(', ')
		: 'files viewed: not recorded';
	return `approved ${byWhom(approval)} (${share})`;
}

function review(run: Run): Standing {
	return {
		title: 'Review',
		done: reviewDone(run),
		failed: run.stage === 'rejected' ? run.because : undefined,
		refusal: run.captured ? undefined : gateRefusal('not verified yet', 'verify first'),
	};
}

function approvedText(approval: Approval): string {
	const {because} = approval;
	return `${byWhom(approval)}${because === '' ? '' : `: ${because}`}`;
}

function approve(run: Run): Standing {
	const {approval} = run;
	const {facts, now} = lastVerified(run);
	return {
		title: 'Approve',
		done: approval && approvedText(approval),
		waits: signedSoFar(run) || undefined,
		refusal: decideApprove(run, facts, {actor: person, now}),
	};
}

function merge(run: Run): Standing {
	const {approval} = run;
	const {facts, now} = lastVerified(run);
	return {
		title: 'Merge',
		during: 'merging',
		done: run.merge ? `merged as ${run.merge.commit.slice(0, 10)}; local checkout ${run.merge.checkout}` : undefined,
		refusal: decideMerge(run, approval ? boundBy(approval) : facts, {
			actor: person,
			now: approval ? Date.parse(approval.at) : now,
		}),
	};
}

function failedDeploy({target, outcome, because, rolledBack}: Deployment): string {
	const back = rolledBack?.outcome === 'succeeded' ? `rolled back to ${rolledBack.commit.slice(0, 7)}; ` : '';
	return `${target}: ${back}${outcome}, ${because}`;
}

function deploy(run: Run): Standing {
	const last = run.deployments.at(-1);
	return {
		title: 'Deploy',
		during: 'deploying',
		waits: waitingDeploy(run),
		done: last?.outcome === 'succeeded' ? `${last.target}: ${last.because}` : undefined,
		failed: last && last.outcome !== 'succeeded' ? failedDeploy(last) : undefined,
		refusal: decideDeploy(run, person, {target: '', confirmed: ''}),
	};
}

const standings: {readonly [Id in GateId]: (run: Run) => Standing} = {audit, verify, review, approve, merge, deploy};

function stateOf(standing: Standing, stage: Stage): GateState['state'] {
	if (standing.during === stage) {
		return 'busy';
	}

	if (standing.waits !== undefined && !standing.refusal) {
		return 'ready';
	}

	if (standing.done !== undefined) {
		return 'done';
	}

	if (standing.refusal) {
		return 'blocked';
	}

	if (standing.failed === undefined) {
		return 'ready';
	}

	return standing.unclear ? 'inconclusive' : 'failed';
}

/** What is known of runs: a frame asks several times, and a run that changes is another object. */
const known = new WeakMap<Run, readonly GateState[]>();

/**
 * The guided sequence, as it stands: each step with its state and the reason.
 * Pure, from the run alone; the engine checks the moving facts again.
 */
export function gatesOf(run: Run): readonly GateState[] {
	const gates = known.get(run) ?? makeGates(run);
	known.set(run, gates);
	return gates;
}

/** What is to be done again once the target has moved since a result was verified, and how each step stands then. */
function outdatedGate(run: Run, gate: GateState): GateState {
	switch (gate.id) {
		case 'verify': {
			return {...gate, state: 'inconclusive', because: `outdated: ${branchName(run.target)} moved`};
		}

		case 'review': {
			return {...gate, state: 'ready', because: ''};
		}

		case 'approve':
		case 'merge': {
			return {...gate, state: 'blocked', because: 'outdated: verify again first'};
		}

		default: {
			return gate;
		}
	}
}

/** The guided sequence of a run; of one that is outdated what was verified and approved is void. */
export function gatesAt(run: Run, isOutdated: boolean): readonly GateState[] {
	const gates = gatesOf(run);
	const isVoid = isOutdated && (run.stage === 'verified' || run.stage === 'approved');
	return isVoid ? gates.map(gate => outdatedGate(run, gate)) : gates;
}

function makeGates(run: Run): GateState[] {
	return gateIds.map(id => {
		const standing = standings[id](run);
		const state = stateOf(standing, run.stage);
		const waits = state === 'ready' ? standing.waits : undefined;
		const because =
			waits ?? standing.done ?? standing.refusal?.because ?? standing.failed ?? (state === 'busy' ? run.because : '');
		return {id, title: standing.title, state, because};
	});
}
