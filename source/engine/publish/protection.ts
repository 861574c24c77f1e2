import {branchName, branchRef, isBranchRef} from '../../core/git/refs.ts';
import {forges} from '../../core/publish/forges.ts';
import {placeText, type ForgePlace} from '../../core/publish/place.ts';
import {usualPublish} from '../../core/publish/policy.ts';
import {growing, judge, needs, type Finding, type Protection} from '../../core/publish/protection.ts';
import type {CarrierName} from '../../core/publish/state.ts';
import type {Project} from '../../core/project.ts';
import {Refusal} from '../../core/refusal.ts';
import type {Context} from '../context.ts';
import {logRef} from '../gate-log/push.ts';
import {readPolicy} from '../project/policy.ts';
import {openRepository} from '../project/projects.ts';
import {findCarrier, NoAnswer, type Carrier} from './carrier.ts';
import {wordsOfAnswer} from './fault.ts';
import {findRemote} from './remote.ts';

/* What a forge enforces on a project's branch, asked there. Nothing is changed. */

export type ProtectionOrder = {
	/** A branch's name; undefined: the one that is checked out. */ readonly branch: string | undefined;
	readonly by: CarrierName | undefined;
	/** A secret's reference. */ readonly token: string | undefined;
};

export type ProtectionReport = {
	readonly place: ForgePlace;
	readonly branch: string;
	readonly rules: readonly Finding[];
};

async function readProtection(carrier: Carrier, place: ForgePlace, branch: string): Promise<Protection> {
	const reading = forges[place.forge].protection(place, branch);
	let step = reading.next();
	while (!step.done) {
		try {
			const answer = await carrier.ask(step.value);
			step = reading.next({...answer, said: wordsOfAnswer(answer)});
		} catch (error) {
			if (!(error instanceof NoAnswer)) {
				throw error;
			}

			step = reading.next({status: 0, json: undefined, said: error.message});
		}
	}

	return step.value;
}

/**
 * What the rules of a project's branch at its forge have and lack; of the gate log's, too, where the policy has one.
 * @throws Refusal where the remote is at no forge, or nobody can ask there
 */
export async function findProtection(
	context: Context,
	project: Project,
	{branch: named, by, token}: ProtectionOrder,
): Promise<ProtectionReport> {
	const {git, checkout} = await openRepository(project.root);
	const head = (await checkout.run(['symbolic-ref', '--quiet', 'HEAD'])).stdout.trim();
	const ref = named === undefined ? head : branchRef(named);
	if (!isBranchRef(ref) || (await git.resolve(`${ref}^{commit}`)) === undefined) {
		throw new Refusal(
			named === undefined ? 'the project has no branch checked out' : `there is no branch "${named}"`,
			'fleet doctor --forge BRANCH',
		);
	}

	const {policy} = await readPolicy(git, ref);
	const {place, name} = await findRemote(git, policy.publish ?? usualPublish, false);
	const branch = branchName(ref);
	const carrier = await findCarrier(context, place, {by, token, project: project.id});
	try {
		const {places} = forges[place.forge];
		const rules = judge(await readProtection(carrier, place, branch), {of: needs, places: places(place, branch)});
		if (policy.journal.push !== name) {
			return {place, branch, rules};
		}

		const log = branchName(logRef());
		const grown = judge(await readProtection(carrier, place, log), {
			of: growing,
			// One rule for the logs of all machines.
			places: places(place, `${log.slice(0, log.lastIndexOf('/'))}/*`),
			before: `${log}: `,
		});
		return {place, branch, rules: [...rules, ...grown]};
	} finally {
		carrier.close();
	}
}

/** What a report is of, in words: `main of github.com/ada/web`. */
export const reportName = ({place, branch}: ProtectionReport) => `${branch} of ${placeText(place)}`;
