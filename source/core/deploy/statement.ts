/** The namespace of a signature about a deploy: one that was made for something else is none. */
export const deployNamespace = 'fleet-deploy';

/** What a person asks for, or says yes to. Nothing else is deployed by it. */
export type DeployStatement = {
	readonly decision: 'request' | 'approve' | 'reject';
	readonly run: string;
	/** Its name in the policy. */
	readonly target: string;
	readonly commit: string;
	readonly command: string;
	/** Names of variables. */
	readonly credentials: readonly string[];
	/** The people file, as its object is called. */
	readonly people: string;
	/** The policy that the run was approved under, which has the command. */
	readonly policy: string;
	/** The policy of the target branch's tip. */
	readonly tip: string;
	/** Who asks, by name in the people file. */
	readonly requester: string;
	/** Who says yes or no; empty in a request. */
	readonly approver: string;
	readonly because: string;
	/** As ISO 8601, both. `until` is empty in a no: it stands until whoever said it says yes. */
	readonly issued: string;
	readonly until: string;
	/** The request's; what is said to it has the same one. It counts for one deploy. */
	readonly nonce: string;
};

/** A statement that somebody signed. `signature`: an armoured SSH signature of its text. */
export type SignedStatement = DeployStatement & {readonly signature: string};

/**
 * A statement as it is signed. This function alone says what that looks like.
 * One JSON document with the same keys in the same order, so that no value can pose as another one.
 */
export function deployStatementText(statement: DeployStatement): string {
	const {decision, run, target, commit, command, credentials, people, policy, tip} = statement;
	const {requester, approver, because, issued, until, nonce} = statement;
	return `${JSON.stringify({
		type: 'fleet deploy 1',
		decision,
		run,
		target,
		commit,
		command,
		credentials,
		people,
		policy,
		tip,
		requester,
		approver,
		because,
		issued,
		until,
		nonce,
	})}\n`;
}
