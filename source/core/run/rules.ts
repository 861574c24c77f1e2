import type {Facts} from './facts.ts';
import {gateRefusal, Refusal} from '../refusal.ts';
import {isPerson, type Actor, type DecidedBy} from '../actor.ts';
import type {Run} from './run.ts';
import {boundBy} from './train.ts';
import {hasAgent, hasWorker, stageName} from './stages.ts';
import {formatDuration} from '../text/time.ts';
import type {Suspect} from '../secrets/suspects.ts';
import {overBudget} from './usage.ts';
import {verifyHint} from './verdict.ts';
import {clockAfter, parseWindow, windowAt, type WallTime} from '../text/window.ts';

/** Verification, approval and merge are worth this many milliseconds. */
export const validity = 24 * 3_600_000;

/** Agents decide nothing, whatever the state of the run: this check comes before any other. */
export function decideActor(actor: Actor, gate: string): Refusal | undefined {
	return isPerson(actor)
		? undefined
		: gateRefusal(
				`${gate} is a person's decision, and ${actor} is not a person`,
				'nothing inside a sandbox can decide about a run',
			);
}

/** Why nothing more is decided about a run that was discarded or rejected. */
export function ended(run: Run): Refusal | undefined {
	if (run.stage === 'discarded') {
		return gateRefusal(`${run.id} is discarded`, `fleet restore ${run.id}`);
	}

	return run.stage === 'rejected'
		? gateRefusal(`${run.id} was rejected: ${run.because}`, `fleet resume ${run.id} starts another attempt`)
		: undefined;
}

const past = {
	verify: 'verified',
	approve: 'approved',
	merge: 'merged',
	reject: 'rejected',
	retarget: 'retargeted',
} as const;

function refuseAtWork(run: Run, gate: keyof typeof past): Refusal | undefined {
	return hasWorker(run.stage)
		? gateRefusal(
				`${run.id} is ${stageName(run.stage)}: it cannot be ${past[gate]} before it ends`,
				hasAgent(run.stage) ? `fleet stop ${run.id}` : 'wait for it to end',
			)
		: undefined;
}

/** What a plan's run hands over is read, and merged nowhere. */
function refusePlan(run: Run): Refusal | undefined {
	return run.plan
		? gateRefusal(`${run.id} is a plan of tasks, which is accepted and not merged`, `fleet plan show ${run.id}`)
		: undefined;
}

function alreadyMerged(run: Run): Refusal | undefined {
	return run.merge
		? gateRefusal(`${run.id} is merged already, as ${run.merge.commit.slice(0, 10)}`, 'start a new run for more work')
		: undefined;
}

/** May the run be verified? By fleet itself, only where it has begun to check the work. */
export function decideVerify(run: Run, actor: Actor): Refusal | undefined {
	if (run.stage === 'checking' && actor === 'fleet') {
		return alreadyMerged(run);
	}

	return (
		decideActor(actor, 'verify') ?? refusePlan(run) ?? ended(run) ?? alreadyMerged(run) ?? refuseAtWork(run, 'verify')
	);
}

/** Which of the four facts moved since they were written down; empty where none did. */
export function moved(bound: Facts, facts: Facts): string[] {
	const names: Record<keyof Facts, string> = {
		base: 'the target branch',
		head: "the run's branch",
		tree: 'the merged tree',
		policy: 'the policy',
	};
	return (Object.keys(names) as Array<keyof Facts>).filter(key => bound[key] !== facts[key]).map(key => names[key]);
}

function stale(what: string, names: string[], run: Run): Refusal {
	return gateRefusal(`stale: ${names.join(' and ')} moved since ${what}`, `fleet verify ${run.id}`);
}

/** May the run be approved, by this actor, at this moment? */
export function decideApprove(run: Run, facts: Facts, {actor, now}: DecidedBy): Refusal | undefined {
	const refusal =
		decideActor(actor, 'approve') ??
		refusePlan(run) ??
		ended(run) ??
		alreadyMerged(run) ??
		refuseAtWork(run, 'approve');
	if (refusal) {
		return refusal;
	}

	const {verification} = run;
	if (!verification) {
		return gateRefusal(`${run.id} is not verified`, `fleet verify ${run.id}`);
	}

	if (verification.result === 'inconclusive') {
		return gateRefusal(
			`the verification of ${run.id} was inconclusive: ${verification.because}`,
			verifyHint(run, verification.doubt),
		);
	}

	if (!verification.passed) {
		return gateRefusal(`${run.id} failed verification: ${verification.because}`, `fleet resume ${run.id}`);
	}

	if (now - Date.parse(verification.at) > validity) {
		return gateRefusal('the verification is older than 24 hours', `fleet verify ${run.id}`);
	}

	const names = moved(verification, facts);
	return names.length > 0 ? stale('it was verified', names, run) : undefined;
}

/**
 * May the run be merged? Only what was approved, only while nothing under the approval has moved.
 * @param inTrain whether all that it was verified together with is merged at the same time
 */
// oxlint-disable-next-line max-params -- the run, what is true of it, who asks, and how
export function decideMerge(run: Run, facts: Facts, {actor, now}: DecidedBy, inTrain = false): Refusal | undefined {
	const refusal =
		decideActor(actor, 'merge') ?? refusePlan(run) ?? ended(run) ?? alreadyMerged(run) ?? refuseAtWork(run, 'merge');
	if (refusal) {
		return refusal;
	}

	const {approval, verification} = run;
	const {runs = []} = verification?.train ?? {};
	if (!inTrain && verification?.passed && runs.length > 1) {
		const others = runs.map(other => other.run).filter(id => id !== run.id);
		return gateRefusal(`${run.id} was verified together with ${others.join(', ')}`, 'fleet merge --all');
	}

	if (!approval) {
		return gateRefusal(
			`${run.id} is not approved`,
			verification?.passed ? `fleet approve ${run.id}` : `fleet verify ${run.id}`,
		);
	}

	if (
		decideActor(approval.by, 'approve') ||
		!verification?.passed ||
		boundBy(approval).verify !== verification.digest
	) {
		return gateRefusal('the approval is not for this verification', `fleet approve ${run.id}`);
	}

	if (now - Date.parse(approval.at) > validity) {
		return gateRefusal('the approval is older than 24 hours', `fleet approve ${run.id}`);
	}

	const names = moved(boundBy(approval), facts);
	return names.length > 0 ? stale('it was approved', names, run) : undefined;
}

/** May the run's merged commit be deployed? `confirmed` is what the person typed for the target's name. */
export function decideDeploy(
	run: Run,
	actor: Actor,
	{target, confirmed}: {readonly target: string; readonly confirmed: string | undefined},
): Refusal | undefined {
	const refusal = decideActor(actor, 'deploy');
	if (refusal) {
		return refusal;
	}

	if (!run.merge) {
		return gateRefusal(`${run.id} is not merged: merge first`, `fleet merge ${run.id}`);
	}

	// What lies between was merged with the whole, and never verified by itself.
	const {runs = [], place = 1} = run.verification?.train ?? {};
	if (place < runs.length) {
		const last = runs.at(-1)!.run;
		return gateRefusal(
			`${run.id} was verified together with what was merged after it, up to ${last}`,
			`fleet deploy ${last} ${target === '' ? 'TARGET' : target}`,
		);
	}

	if (run.stage === 'deploying') {
		return gateRefusal(`${run.id} is being deployed already`, 'wait for it to end');
	}

	return confirmed === target
		? undefined
		: gateRefusal("the target's name was not confirmed", `type the target's name, or pass --confirm ${target}`);
}

/** Was the word typed that the policy asks for? @param word undefined for none */
export function decideWord(word: string | undefined, confirmed: string | undefined): Refusal | undefined {
	return word === undefined || confirmed === word
		? undefined
		: gateRefusal(
				'the policy asks for a word with an approval, and it was not typed',
				`type it when asked, or pass --confirm ${word}`,
			);
}

/**
 * Is it the time to deploy there? Outside of its window only with a reason.
 * @param deploy.window as the policy has it; undefined for always
 */
export function decideWindow(
	{target, window}: {readonly target: string; readonly window: string | undefined},
	now: WallTime,
	outside: string | undefined,
): Refusal | undefined {
	const {open, minutes} = windowAt(
		parseWindow(window ?? '') ?? {days: new Set([0, 1, 2, 3, 4, 5, 6]), from: 0, to: 0},
		now,
	);
	return open || (outside ?? '').trim() !== ''
		? undefined
		: gateRefusal(
				`outside the deploy window of ${target} (${window}): ` +
					`it opens in ${formatDuration(minutes * 60_000)} (${clockAfter(now, minutes)})`,
				'wait, or --outside-window with --because "…"',
			);
}

/** May the run be rejected? */
export function decideReject(run: Run, actor: Actor): Refusal | undefined {
	return (
		decideActor(actor, 'reject') ??
		(run.stage === 'discarded' ? ended(run) : undefined) ??
		alreadyMerged(run) ??
		refuseAtWork(run, 'reject')
	);
}

/** May the run be merged into another branch than it was to be? */
export function decideRetarget(run: Run, actor: Actor): Refusal | undefined {
	return (
		decideActor(actor, 'another target') ??
		(run.stage === 'discarded' ? ended(run) : undefined) ??
		alreadyMerged(run) ??
		refuseAtWork(run, 'retarget')
	);
}

/** May another attempt be started in the run's worktree? */
export function decideResume(run: Run): Refusal | undefined {
	if (run.stage === 'discarded') {
		return ended(run);
	}

	return (
		alreadyMerged(run) ??
		(hasWorker(run.stage) ? new Refusal(`${run.id} is ${stageName(run.stage)}`, `fleet attach ${run.id}`) : undefined)
	);
}

/** May a scope of the run be changed? */
export function decideScopeChange(run: Run, actor: Actor, because: string): Refusal | undefined {
	return (
		decideActor(actor, 'a scope') ??
		(run.stage === 'discarded' ? ended(run) : undefined) ??
		(because.trim() === '' ? new Refusal('a grant needs a reason', 'say why with --because "…"') : undefined)
	);
}

/** May a run be taken away? Its work is kept. */
export function decideDiscard(run: Run, actor: Actor): Refusal | undefined {
	if (hasWorker(run.stage)) {
		return gateRefusal(`${run.id} is ${run.stage}`, `fleet stop ${run.id}`);
	}

	return (
		decideActor(actor, 'discarding') ??
		(run.stage === 'discarded' ? new Refusal(`${run.id} is discarded already`, `fleet restore ${run.id}`) : undefined)
	);
}

/** May a run that was taken away be brought back? */
export function decideRestore(run: Run, actor: Actor): Refusal | undefined {
	return run.stage === 'discarded'
		? decideActor(actor, 'restoring')
		: new Refusal(`${run.id} is not discarded`, `fleet show ${run.id}`);
}

/** May its agent go on, for what its model costs? */
export function decideSpending(run: Pick<Run, 'id' | 'usage' | 'budget'>): Refusal | undefined {
	const because = overBudget(run.usage, run.budget);
	return because === undefined
		? undefined
		: gateRefusal(because, `fleet budget ${run.id} MORE, or fleet budget ${run.id} none`);
}

/** What looks like a secret in its work, and nobody waived. */
export function openSuspects(run: Pick<Run, 'suspects' | 'waived'>): Suspect[] {
	return run.suspects.filter(({fingerprint}) => !run.waived.includes(fingerprint));
}
