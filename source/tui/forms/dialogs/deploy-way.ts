import {isApproved, requestText, standingNo, type DeployRequest} from '../../../core/deploy/request.ts';
import type {Run} from '../../../core/run/run.ts';
import {escapeLine} from '../../../core/text/escape-controls.ts';
import {formatDuration} from '../../../core/text/time.ts';
import type {DialogLine} from '../../dialog.ts';
import type {State} from '../../state.ts';
import {fact, reasonArguments} from './dialog.ts';

/* What a person can do about a deploy: begin it, or first ask others for their yes, or give one's own. */

/** What is done next about a deploy to a target. */
export type DeployWay = 'deploy' | 'request' | 'approve';

/** What enter does, in a word or two, and what the word is typed for. */
export const wayWords: Readonly<Record<DeployWay, {readonly verb: string; readonly types: string}>> = {
	deploy: {verb: 'deploy', types: 'to deploy'},
	request: {verb: 'ask', types: 'to ask for a yes'},
	approve: {verb: 'approve', types: 'to approve this one deploy'},
};

/** What waits of a deploy there, whose time is not over. */
function requestOf(state: State, {deployRequest}: Run, target: string): DeployRequest | undefined {
	return deployRequest?.target === target && state.now < Date.parse(deployRequest.until) ? deployRequest : undefined;
}

export function wayOf(state: State, run: Run, target: string): DeployWay {
	const request = requestOf(state, run, target);
	if (request?.asked) {
		return isApproved(request) && !standingNo(run.deployAnswers, target) ? 'deploy' : 'approve';
	}

	return state.offers[run.project.id]?.deploy[target]?.approve ? 'request' : 'deploy';
}

/** Whose yes a deploy there needs, and what became of that. */
function yesLines(state: State, run: Run, target: string): DialogLine[] {
	const request = requestOf(state, run, target);
	if (!request?.asked) {
		const rule = state.offers[run.project.id]?.deploy[target]?.approve;
		return rule ? [fact('Approval', `needs a yes of ${rule.people} of ${rule.from.join(', ')}: ask for it`)] : [];
	}

	const {requester, because} = request.asked;
	const left = formatDuration(Date.parse(request.until) - state.now);
	const no = standingNo(run.deployAnswers, target);
	return [
		...(no
			? [
					fact(
						'Rejected',
						`by ${escapeLine(no.approver)}: ${escapeLine(no.because)}; ${escapeLine(no.approver)} alone takes that back`,
						'bad',
					),
				]
			: []),
		fact('Asked', `by ${escapeLine(requester)}: ${escapeLine(because)}`),
		fact('Approval', `${escapeLine(requestText(request))}, ${left} left`, isApproved(request) ? 'good' : undefined),
	];
}

/** What a deploy there waits for, and what comes after its command. */
export function wayLines(state: State, run: Run, target: string): DialogLine[] {
	const {wait, health, rollback} = state.offers[run.project.id]?.deploy[target] ?? {};
	const then = [
		...(wait ? [`waits until it is done (${escapeLine(wait.command)})`] : []),
		...(health ? [`looks whether it works (${escapeLine(health.command)})`] : []),
	];
	const back = rollback === 'auto' ? ['and rolls back if not'] : [];
	const missing = requestOf(state, run, target)?.missing ?? [];
	return [
		...(then.length === 0 ? [] : [fact('Then', [...then, ...back].join(', '))]),
		...(missing.length === 0 ? [] : [fact('Waits', `for ${missing.join(', ')}`, 'warn')]),
		...yesLines(state, run, target),
	];
}

/** The verb of a yes that is asked for or given, which is signed; undefined where the deploy itself begins. */
export function wayArguments(
	state: State,
	run: Run,
	{target, reason}: {readonly target: string; readonly reason: string | undefined},
): readonly string[] | undefined {
	const way = wayOf(state, run, target);
	return way === 'deploy' ? undefined : ['deploy', run.id, target, `--${way}`, ...reasonArguments(reason)];
}
