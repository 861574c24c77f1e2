import {isApproved, type DeployRequest} from '../deploy/request.ts';
import type {Changes} from './evolve-text.ts';
import type {DeployOutcome, EntryOf} from './event.ts';
import type {Deployment, Run} from './run.ts';
import type {Stage} from './stages.ts';

function deployedStage(outcome: DeployOutcome): Stage {
	if (outcome === 'succeeded') {
		return 'deployed';
	}

	return outcome === 'failed' ? 'deploy-failed' : 'deploy-unknown';
}

/** With another last deploy. */
const withLast = ({deployments}: Run, change: (last: Deployment) => Deployment) =>
	deployments.map((one, index) => (index === deployments.length - 1 ? change(one) : one));

/** A deploy with what it brought back, which nobody saw the end of. */
export function interrupted(deployment: Deployment, because: string): Deployment {
	const {rolledBack} = deployment;
	return rolledBack?.outcome === 'running'
		? {...deployment, rolledBack: {...rolledBack, outcome: 'unknown', because}}
		: deployment;
}

function requested(run: Run, entry: EntryOf<'deploy.requested'>): DeployRequest {
	const {target, commit, missing, wants, asked, lease, at, until} = entry;
	const before = run.deployRequest;
	// What was approved stays approved while it waits for credentials.
	return lease !== undefined && before?.asked?.nonce === lease
		? {...before, missing}
		: {target, commit, missing, wants, asked, approvals: [], at, until};
}

function approved(request: DeployRequest, entry: EntryOf<'deploy.approved'>): DeployRequest {
	const {approvals} = request;
	const next = {...request, approvals: [...approvals.filter(({approver}) => approver !== entry.approver), entry]};
	return isApproved(next) ? {...next, until: next.approvals.map(({until}) => until).sort()[0]!} : next;
}

/** How the end of bringing the last good commit back reads. */
function rolledBackText(commit: string, outcome: DeployOutcome, because: string): string {
	return outcome === 'succeeded'
		? `rolled back to ${commit.slice(0, 7)}`
		: `rolling back to ${commit.slice(0, 7)} ${outcome === 'failed' ? 'failed' : 'ended nobody knows how'}: ${because}`;
}

/** What an event of a deploy changes. */
export const deployChanges = {
	'deploy.requested': (run, entry) => ({deployRequest: requested(run, entry)}),
	'deploy.approved': ({deployRequest, deployAnswers = []}, entry) => ({
		...(deployRequest ? {deployRequest: approved(deployRequest, entry)} : {}),
		deployAnswers: [...deployAnswers, entry],
	}),
	'deploy.rejected': ({deployAnswers = []}, entry) => ({deployAnswers: [...deployAnswers, entry]}),
	'deploy.started': (run, entry) => {
		const {target, commit, command, lease, rollbackOf, at} = entry;
		if (rollbackOf !== undefined) {
			return {
				stage: 'deploying',
				because: `${target}: rolls back to ${commit.slice(0, 7)}`,
				deployments: withLast(run, last => ({
					...last,
					rolledBack: {commit, outcome: 'running', because: command, at},
				})),
			};
		}

		return {
			stage: 'deploying',
			because: target,
			deployRequest: undefined,
			deployments: [...run.deployments, {target, commit, outcome: 'running', because: command, at, lease}],
		};
	},
	'deploy.finished': (run, entry) => {
		const {target, commit, outcome, because, rollbackOf, at} = entry;
		if (rollbackOf !== undefined) {
			const text = `${rolledBackText(commit, outcome, because)}; ${run.deployments.at(-1)?.because ?? ''}`;
			return {
				// What was to be there is not, however well the last good one came back.
				stage: outcome === 'unknown' ? 'deploy-unknown' : 'deploy-failed',
				because: `${target}: ${text}`,
				deployments: withLast(run, last => ({...last, rolledBack: {commit, outcome, because, at}})),
			};
		}

		const running = run.deployments.find(deployment => deployment.outcome === 'running');
		const earlier = run.deployments.filter(deployment => deployment.outcome !== 'running');
		return {
			stage: deployedStage(outcome),
			because: `${target}: ${because}`,
			deployments: [...earlier, {target, commit, outcome, because, at, lease: running?.lease}],
		};
	},
} satisfies Partial<Changes>;
