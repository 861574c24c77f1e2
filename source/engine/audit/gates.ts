import {judge, type ItemId, type Probe} from '../../core/run/audit.ts';
import {decideApprove, decideDeploy, decideMerge} from '../../core/run/rules.ts';
import type {Facts} from '../../core/run/facts.ts';
import type {Refusal} from '../../core/refusal.ts';
import type {Approval, Run} from '../../core/run/run.ts';

/** A run as it stands before each gate, with nothing wrong. */
function stagesOf(run: Run, facts: Facts, at: string): Readonly<Record<'verified' | 'approved' | 'merged', Run>> {
	const verified: Run = {
		...run,
		stage: 'verified',
		merge: undefined,
		verification: {passed: true, result: 'passed', doubt: undefined, ...facts, digest: 'e', steps: [], because: '', at},
		approval: undefined,
	};
	const approved: Run = {
		...verified,
		stage: 'approved',
		approval: {...facts, verify: 'e', by: 'person:auditor', because: '', at, accepted: undefined, viewed: undefined},
	};
	const merged: Run = {...approved, stage: 'merged', merge: {target: run.target, commit: 'f'.repeat(40), checkout: ''}};
	return {verified, approved, merged};
}

/**
 * The gates themselves, asked with what an attacker would like them to accept. Only a refusal passes, and only where
 * the same question with nothing wrong is accepted.
 */
export function gateProbes(run: Run): Probe[] {
	const facts: Facts = {base: 'b'.repeat(40), head: 'a'.repeat(40), tree: 'c'.repeat(40), policy: 'd'.repeat(40)};
	const now = Date.now();
	const {verified, approved, merged} = stagesOf(run, facts, new Date(now).toISOString());
	const agent = `agent:${run.id}` as const;
	const person = 'person:auditor' as const;
	const merge = (own: Run, changed: Partial<Facts> = {}) =>
		decideMerge(own, {...facts, ...changed}, {actor: person, now});
	const approvedBut = (changed: Partial<Approval>): Run => ({
		...approved,
		approval: {...approved.approval!, ...changed},
	});
	const controls: Readonly<Record<string, Refusal | undefined>> = {
		approve: decideApprove(verified, facts, {actor: person, now}),
		merge: merge(approved),
		deploy: decideDeploy(merged, person, {target: 'target', confirmed: 'target'}),
	};
	const lastWeek = new Date(now - 7 * 86_400_000).toISOString();
	const other = '9'.repeat(40);
	const rows: ReadonlyArray<readonly [ItemId, string, keyof typeof controls, string, Refusal | undefined]> = [
		['review', 'unapproved', 'merge', 'merge what nobody approved', merge(verified)],
		['review', 'moved', 'merge', 'merge with one commit more than was approved', merge(approved, {head: other})],
		['review', 'base', 'merge', 'merge after the target moved', merge(approved, {base: other})],
		['review', 'policy', 'merge', 'merge after the policy changed', merge(approved, {policy: other})],
		['review', 'expired', 'merge', 'merge with an approval of last week', merge(approvedBut({at: lastWeek}))],
		['review', 'agent', 'approve', 'approve as the agent', decideApprove(verified, facts, {actor: agent, now})],
		['review', 'self', 'merge', 'merge what the agent approved', merge(approvedBut({by: agent}))],
		[
			'deploy',
			'agent',
			'deploy',
			'deploy as the agent',
			decideDeploy(merged, agent, {target: 'target', confirmed: 'target'}),
		],
		[
			'deploy',
			'unmerged',
			'deploy',
			'deploy what is not merged',
			decideDeploy(approved, person, {target: 'target', confirmed: 'target'}),
		],
		[
			'deploy',
			'unconfirmed',
			'deploy',
			"deploy without the target's name typed",
			decideDeploy(merged, person, {target: 'target', confirmed: undefined}),
		],
	];
	return rows.map(([item, id, gate, tried, refusal]) => {
		const control = controls[gate];
		return {
			id: `${item}.gate.${id}`,
			item,
			tried,
			expected: 'refused with exit code 3',
			seen: refusal ? refusal.because : 'accepted',
			host: control
				? `the control was refused too: ${control.because}`
				: 'the same question with nothing wrong is accepted',
			status: judge({
				blocked: refusal ? refusal.exitCode === 3 : false,
				hostAgrees: true,
				control: control === undefined,
			}),
		};
	});
}
