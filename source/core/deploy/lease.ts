import {isAmong, peopleAmong, type People} from '../people/people.ts';
import {gateRefusal, type Refusal} from '../refusal.ts';
import type {Run} from '../run/run.ts';
import type {ApproveRule} from './policy-keys.ts';
import type {DeployStatement, SignedStatement} from './statement.ts';

/** What is true of a deploy now, and what a statement about it has to say. */
export type DeployFacts = Pick<
	DeployStatement,
	'run' | 'target' | 'commit' | 'command' | 'credentials' | 'people' | 'policy' | 'tip'
>;

/** Who has to say yes, and for how long that counts. */
export type DeployRules = {
	readonly people: People;
	/** Each of them has to be met: of the policy that has the command, and of the target branch's tip. */
	readonly rules: readonly ApproveRule[];
	readonly leaseMs: number;
	readonly expiresMs: number;
};

/** A clock may be this far ahead, milliseconds. */
const skewMs = 60_000;

const ask = ({run, target}: DeployFacts) => `fleet deploy ${run} ${target} --request --because "…"`;

const different: ReadonlyArray<readonly [key: keyof DeployFacts, because: (statement: DeployStatement) => string]> = [
	['run', ({run}) => `is for another run, ${run}`],
	['target', ({target}) => `is for another target, ${target}`],
	['commit', ({commit}) => `is for another commit, ${String(commit).slice(0, 10)}`],
	['command', () => 'is for another command'],
	['credentials', () => 'is for other credentials'],
	['people', () => 'is void: the people file changed since'],
	['policy', () => 'is void: the policy changed since'],
	['tip', () => 'is void: the policy changed since'],
];

/** Whether what was said is about exactly this deploy. @param what the request, or the approval of somebody */
export function decideSame(statement: DeployStatement, facts: DeployFacts, what: string): Refusal | undefined {
	const found = different.find(([key]) => JSON.stringify(statement[key]) !== JSON.stringify(facts[key]));
	return found && gateRefusal(`${what} ${found[1](statement)}`, ask(facts));
}

/** Whether it counts now: neither expired, nor for longer than it may be, nor from the future. @param now milliseconds */
export function decideTime(
	statement: DeployStatement,
	{facts, longestMs, now, what}: {readonly facts: DeployFacts; readonly longestMs: number; now: number; what: string},
): Refusal | undefined {
	const [issued, until] = [Date.parse(statement.issued), Date.parse(statement.until)];
	// Each is false for what is no time at all.
	const counts = issued <= now + skewMs && now < until && until <= issued + longestMs;
	return counts ? undefined : gateRefusal(`${what} expired`, ask(facts));
}

/** Whether a lease was used: it counts for one deploy, whatever came of that. */
export function decideUnused(run: Run, nonce: string, facts: DeployFacts): Refusal | undefined {
	const used = run.deployments.find(({lease}) => lease === nonce);
	return used && gateRefusal(`the approval was used, by the deploy of ${used.at}: it counts once`, ask(facts));
}

/** May this person say yes to what that person asked for? */
export function decideApprover(
	{approver, requester}: {readonly approver: string; readonly requester: string},
	{people, rules}: DeployRules,
	{target, run}: DeployFacts,
): Refusal | undefined {
	if (approver === requester && rules.some(({not}) => not.includes('requester'))) {
		return gateRefusal(
			`${approver} asked for it, and has to be approved by somebody else`,
			`have one of ${[...new Set(rules.flatMap(({from}) => peopleAmong(people, from)))]
				.filter(name => name !== requester)
				.join(', ')} run: fleet deploy ${run} ${target} --approve`,
		);
	}

	const person = people.find(({name}) => name === approver);
	const entitled = person !== undefined && rules.some(({from}) => isAmong(person, from));
	return entitled
		? undefined
		: gateRefusal(
				`${approver} is none of those who may approve a deploy to ${target}`,
				`they are: ${rules.flatMap(({from}) => from).join(', ')}`,
			);
}

/**
 * Whether enough people said yes.
 * @param approvers whose yes was checked
 * @param because why another yes does not count, where there is one
 */
export function decideEnough(
	approvers: readonly string[],
	{people, rules}: DeployRules,
	{facts, because}: {readonly facts: DeployFacts; readonly because: Refusal | undefined},
): Refusal | undefined {
	for (const {people: wanted, from} of rules) {
		const those = peopleAmong(people, from);
		const count = new Set(approvers.filter(name => those.includes(name))).size;
		if (count < wanted) {
			const left = wanted - count;
			return (
				because ??
				gateRefusal(
					`${facts.target} waits for a yes of ${left === those.length ? '' : `${left} of `}${those.join(', ') || 'nobody'}`,
					those.length < wanted
						? `.fleet/people.yaml has ${those.length} of ${from.join(', ')}, and the policy wants ${wanted}`
						: `fleet deploy ${facts.run} ${facts.target} --approve, by them`,
				)
			);
		}
	}

	return undefined;
}

/** What the request and its approvals have in common. */
export const isSameRequest = (one: SignedStatement, other: SignedStatement): boolean =>
	one.nonce === other.nonce && one.requester === other.requester;
