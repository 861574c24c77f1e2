import type {SignedStatement} from './statement.ts';

/** A deploy that was asked for, and what it waits for. What is said here is what the journal says: nothing is checked. */
export type DeployRequest = {
	readonly target: string;
	readonly commit: string;
	/** Names of credentials that were not there. */
	readonly missing: readonly string[];
	/** How many people have to say yes, and those who may; undefined where nobody has to. */
	readonly wants?: {readonly people: number; readonly of: readonly string[]} | undefined;
	/** As the requester signed it, where somebody has to say yes. */
	readonly asked?: SignedStatement | undefined;
	readonly approvals: readonly SignedStatement[];
	/** ISO 8601. */
	readonly at: string;
	/** When it is over, whether anything came of it or not: ISO 8601. */
	readonly until: string;
};

/** Whether enough people said yes, as far as the journal says. */
export function isApproved({wants, approvals}: DeployRequest): boolean {
	return wants !== undefined && new Set(approvals.map(({approver}) => approver)).size >= wants.people;
}

/**
 * A no to deploys of a run to a target that stands: the last that somebody said was no. It is about none of the requests
 * in particular, so asking again takes nothing back.
 * @param answers what people signed about deploys of the run
 */
export function standingNo(
	answers: readonly SignedStatement[] | undefined,
	target: string,
): SignedStatement | undefined {
	const last = new Map<string, SignedStatement>();
	for (const answer of answers ?? []) {
		const before = last.get(answer.approver);
		if (answer.target === target && (!before || Date.parse(before.issued) <= Date.parse(answer.issued))) {
			last.set(answer.approver, answer);
		}
	}

	return [...last.values()].find(({decision}) => decision === 'reject');
}

/** A no in words: `rejected by bo: not on a Friday`. */
export const noText = ({approver, because}: SignedStatement): string => `rejected by ${approver}: ${because}`;

/** What a request waits for, in words: `waits for DEPLOY_TOKEN`, `waits for 1 of ada, bo`. */
export function requestText(request: DeployRequest): string {
	const {missing, wants, approvals} = request;
	if (wants && !isApproved(request)) {
		const left = wants.people - approvals.length;
		const whom = wants.of.length > left ? `${left} of ${wants.of.join(', ')}` : wants.of.join(' and ');
		return `waits for ${whom}`;
	}

	if (missing.length > 0) {
		return `waits for ${missing.join(', ')}`;
	}

	return `approved by ${approvals.map(({approver}) => approver).join(', ')}`;
}

/** A run without a request whose time is over. @param now milliseconds */
export function withoutExpired<Some extends {readonly deployRequest?: DeployRequest | undefined}>(
	run: Some,
	now: number,
): Some {
	return run.deployRequest && !(now < Date.parse(run.deployRequest.until)) ? {...run, deployRequest: undefined} : run;
}
