import {printable} from '../../core/names.ts';
import type {DeployTarget} from '../../core/deploy/policy-keys.ts';
import {termsOf} from '../../core/grants/terms.ts';
import {gateRefusal, Refusal} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import type {Git} from '../../host/git.ts';
import type {Context} from '../context.ts';
import {readBoundaries} from '../grants/boundary.ts';
import {readPolicy} from '../project/policy.ts';
import {openRun} from '../project/projects.ts';

/** A target, and the object name of the policy that it is in. */
export type FoundTarget = {readonly target: DeployTarget; readonly policy: string; readonly git: Git};

/**
 * The target of that name: of the policy that the run was approved under, not of one that it may have brought along.
 * @throws Refusal with the names there are
 */
export async function findTarget(context: Context, run: Run, name: string): Promise<FoundTarget> {
	const {git} = await openRun(context, run);
	const {
		policy: {deploy: targets},
		blob,
	} = await readPolicy(git, run.approval?.base ?? run.target);
	const target = Object.hasOwn(targets, name) ? targets[name] : undefined;
	if (!target) {
		const names = Object.keys(targets);
		throw new Refusal(
			`there is no deploy target "${printable(name)}"`,
			names.length === 0 ? "the project's policy names none under deploy" : `targets: ${names.join(', ')}`,
		);
	}

	return {target, policy: blob, git};
}

/** Why the boundary of this machine lets nobody deploy there, whatever a policy says; undefined where it does. */
export function decideBoundary(name: string): Refusal | undefined {
	const walls = readBoundaries().map(({wall}) => ({...wall, only: undefined}));
	const forbidden = termsOf([`deploy:${name}`], walls);
	return forbidden instanceof Refusal ? gateRefusal(forbidden.because, forbidden.hint) : undefined;
}
