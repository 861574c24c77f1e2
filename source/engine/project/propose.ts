import type {Project} from '../../core/project.ts';
import {isSetupInput} from '../../core/setup-inputs.ts';
import {joinParts, type Part} from '../../kinds/detect.ts';
import {publicRegistries} from '../../kinds/hosts.ts';
import type {Context} from '../context.ts';
import {tryPolicy, type Found, type Step, type Trial} from './try-policy.ts';

/** What came of trying a proposal. */
export type Tried = {
	/** What passed; empty where nothing did. */
	readonly policy: Trial;
	/** The last trial of each command. */
	readonly steps: readonly Step[];
	/** Hosts that were asked for in the last trial and are not in the policy. */
	readonly denied: readonly string[];
	/** Those of them at an address that is no public one. */
	readonly nearby: readonly string[];
	/** What setup left that a person should know of. */
	readonly notes: readonly string[];
};

/** What parts propose, as a policy. @param hosts besides those of the parts */
export function policyOf(parts: readonly Part[], hosts: readonly string[]): Trial {
	const {setup: commands, verify, network, inputs} = joinParts(parts);
	const isKnown = (file: string) => isSetupInput(file, {besides: [], commands});
	return {
		setup: {commands, inputs: inputs.filter(file => !isKnown(file)), secrets: [], reuse: true},
		verify,
		network: [...new Set([...network, ...hosts])],
	};
}

/**
 * Tries what is proposed, and leaves out what does not pass: a command that verifies, or, where its setup fails, all
 * that a part proposes.
 * @param options.hosts that a person named besides those of the parts
 * @param options.mayReach asked about hosts that were denied to a trial that did not pass: whether it is tried again
 * with them. A part of the project asked for them, so that nobody but a person says yes; the second list is those at an
 * address that is no public one, whatever the project's files name.
 */
export async function tryParts(
	context: Context,
	project: Project,
	{
		parts,
		hosts,
		tell,
		mayReach,
	}: {
		readonly parts: readonly Part[];
		readonly hosts: readonly string[];
		readonly tell: Parameters<typeof tryPolicy>[2]['tell'];
		mayReach(hosts: readonly string[], nearby: readonly string[]): Promise<boolean>;
	},
): Promise<Tried> {
	const steps = new Map<string, Step>();
	const allowed = [...hosts];
	let rest = [...parts];
	let trial: Found = {steps: [], denied: [], nearby: [], notes: []};
	const asked = new Set<string>();
	while (rest.length > 0) {
		const policy = policyOf(rest, allowed);
		trial = await tryPolicy(context, project, {policy, named: [...publicRegistries, ...allowed], tell});
		for (const step of trial.steps) {
			steps.set(`${step.phase} ${step.command}`, step);
		}

		const fresh = trial.denied.filter(host => !asked.has(host));
		if (trial.steps.some(({result}) => result !== 'passed') && fresh.length > 0) {
			fresh.forEach(host => asked.add(host));
			if (await mayReach(fresh, trial.nearby)) {
				allowed.push(...fresh);
				continue;
			}
		}

		const failed = trial.steps.find(({phase, result}) => phase === 'setup' && result !== 'passed');
		if (failed === undefined) {
			const passed = trial.steps.filter(({result}) => result === 'passed');
			const of = (wanted: Step['phase']) => passed.filter(({phase}) => phase === wanted).map(({command}) => command);
			// What is not public and nobody said yes to is not in the policy either, where it would be open to every run.
			const closed = new Set(trial.nearby.filter(host => !allowed.includes(host)));
			const network = policy.network.filter(host => !closed.has(host));
			return {...trial, policy: {...policy, verify: of('verify'), network}, steps: [...steps.values()]};
		}

		rest = rest.filter(part => !part.setup.includes(failed.command));
	}

	return {...trial, policy: policyOf([], []), steps: [...steps.values()]};
}
