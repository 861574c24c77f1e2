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
