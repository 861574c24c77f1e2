import type {Actor} from '../actor.ts';
import {gateRefusal, type Refusal} from '../refusal.ts';
import {decideActor, ended, openSuspects, validity} from '../run/rules.ts';
import type {Run} from '../run/run.ts';
import {hasAgent, hasWorker, stageName} from '../run/stages.ts';
import {requestName} from './place.ts';
import type {PublishPolicy} from './policy.ts';

/**
 * May what was verified be published?
 * @param head the tip of the run's branch now
 * @param by who, and when: milliseconds
 */
export function decidePublish(
	run: Run,
	{head, when}: {readonly head: string; readonly when: PublishPolicy['when']},
	{actor, now}: {readonly actor: Actor; readonly now: number},
): Refusal | undefined {
	const {verification, published} = run;
	const refusal = decideActor(actor, 'publish');
	if (refusal) {
		return refusal;
	}

	if (run.plan) {
		return gateRefusal(
			`${run.id} is a plan of tasks, which is accepted and not published`,
			`fleet plan show ${run.id}`,
		);
	}

	if (hasWorker(run.stage)) {
		return gateRefusal(
			`${run.id} is ${stageName(run.stage)}: it cannot be published before it ends`,
			hasAgent(run.stage) ? `fleet stop ${run.id}` : 'wait for it to end',
		);
	}

	if (run.merge || (published?.state === 'merged' && published.commit === head)) {
		return gateRefusal(`${run.id} is merged already`, 'start a new run for more work');
	}

	if (published?.state === 'closed' && published.commit === head) {
		return gateRefusal(
			`${requestName(published.place.forge, published.number)} was closed there, and nothing changed since`,
			`open it again there, then fleet publish ${run.id} --refresh; or fleet resume ${run.id} "PROMPT"`,
		);
	}

	const over = ended(run);
	if (over && published?.state !== 'closed') {
		return over;
	}

	if (!verification?.passed) {
		return gateRefusal(`${run.id} is not verified`, `fleet verify ${run.id}`);
	}

	if (verification.head !== head) {
		return gateRefusal("stale: the run's branch moved since it was verified", `fleet verify ${run.id}`);
	}

	if (now - Date.parse(verification.at) > validity) {
		return gateRefusal('the verification is older than 24 hours', `fleet verify ${run.id}`);
	}

	if (when === 'approved' && !isApproved(run)) {
		return gateRefusal('the policy has only what is approved be published', `fleet approve ${run.id}`);
	}

	return openSuspects(run).length > 0
		? gateRefusal('a possible secret in its work is open', `fleet verify ${run.id} --waive-secrets --because "…"`)
		: undefined;
}

/** Whether a person approved what was verified. */
export function isApproved({approval, verification}: Pick<Run, 'approval' | 'verification'>): boolean {
	return approval !== undefined && (approval.carried ?? approval).head === verification?.head;
}
