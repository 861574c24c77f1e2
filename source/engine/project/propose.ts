import type {Project} from '../../core/project.ts';
import {policyText} from '../../core/policy.ts';
import {Refusal} from '../../core/refusal.ts';
import {isSetupInput} from '../../core/setup-inputs.ts';
import {joinParts, type Part} from '../../kinds/detect.ts';
import {publicRegistries} from '../../kinds/hosts.ts';
import type {Context} from '../context.ts';
import type {Step, Tell} from './trial-steps.ts';
import {tryPolicy, type Found, type Trial} from './try-policy.ts';

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
	/** Commands that fail with the policy's file there and pass without it: they look at every file of the project. */
	readonly stopped: readonly string[];
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
		again,
	}: {
		readonly parts: readonly Part[];
		readonly hosts: readonly string[];
		readonly tell: Tell;
		mayReach(hosts: readonly string[], nearby: readonly string[]): Promise<boolean>;
		/** Called before what failed is tried without the policy's file. */
		again?(): void;
	},
): Promise<Tried> {
	const steps = new Map<string, Step>();
	const allowed = [...hosts];
	let rest = [...parts];
	let trial: Found = {steps: [], denied: [], nearby: [], unreached: [], notes: []};
	const asked = new Set<string>();
	const stopped: string[] = [];
	while (rest.length > 0) {
		const policy = policyOf(rest, allowed);
		const named = [...publicRegistries, ...allowed];
		trial = await tryPolicy(context, project, {policy, file: fileOf(policy), named, tell});
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

		stopped.push(...(await stoppedByFile(context, project, {policy, trial, named, tell, again})));
		const failed = trial.steps.find(({phase, result}) => phase === 'setup' && result !== 'passed');
		if (failed === undefined) {
			const passed = trial.steps.filter(({result}) => result === 'passed');
			const of = (wanted: Step['phase']) => passed.filter(({phase}) => phase === wanted).map(({command}) => command);
			// What is not public and nobody said yes to is not in the policy either, where it would be open to every run.
			const closed = new Set(trial.nearby.filter(host => !allowed.includes(host)));
			const network = policy.network.filter(host => !closed.has(host));
			return {...trial, policy: {...policy, verify: of('verify'), network}, stopped, steps: [...steps.values()]};
		}

		rest = rest.filter(part => !part.setup.includes(failed.command));
	}

	return {...trial, policy: policyOf([], []), stopped, steps: [...steps.values()]};
}

/** The text of a policy; undefined where there can be none. */
function fileOf(policy: Trial): string | undefined {
	const text = policyText(policy);
	return text instanceof Refusal ? undefined : text;
}

/**
 * Which of the commands that failed pass without the policy's file. Where setup lacked a host, that is not asked.
 */
async function stoppedByFile(
	context: Context,
	project: Project,
	{
		policy,
		trial,
		named,
		tell,
		again,
	}: {
		readonly policy: Trial;
		readonly trial: Found;
		readonly named: readonly string[];
		readonly tell: Tell;
		again?: (() => void) | undefined;
	},
): Promise<string[]> {
	const failed = trial.steps.filter(({result}) => result === 'failed');
	const isSetup = failed.some(({phase}) => phase === 'setup');
	if (failed.length === 0 || (isSetup && trial.denied.length + trial.unreached.length > 0)) {
		return [];
	}

	again?.();
	const verify = isSetup ? [] : failed.map(({command}) => command);
	const {steps} = await tryPolicy(context, project, {policy: {...policy, verify}, named, tell});
	return failed
		.filter(one =>
			steps.some(({phase, command, result}) => phase === one.phase && command === one.command && result === 'passed'),
		)
		.map(({command}) => command);
}
