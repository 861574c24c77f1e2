import {changesText} from '../../core/profile.ts';
import {Refusal} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import type {Context} from '../context.ts';
import {stateOf} from './approved.ts';
import {readProfile, type Profile, type ProfileContent, type ProfileHome} from './read.ts';

/*
 * What whoever starts a run hands its supervisor of the person's profile. It is read here, where the vault can be asked
 * for the values that no file may hold, and handed over as it was read: what was approved is what goes in.
 */

export type HandedProfile = {
	/** Undefined where the run starts without; then what an earlier attempt was given stays, where `keeps` says so. */
	readonly profile: (Pick<Profile, 'digest' | 'settings'> & {readonly files: readonly ProfileContent[]}) | undefined;
	readonly keeps: boolean;
	/** What a person should know of it. */
	readonly notes: readonly string[];
};

/** Nothing, and nothing to say. */
export const withoutProfile: HandedProfile = {profile: undefined, keeps: false, notes: []};

/** What a person would miss: a file that looks like a secret, a link that is not followed. */
function missed({left}: Profile, agentId: string): string[] {
	const all = left.filter(({expected}) => !expected);
	return all.length === 0
		? []
		: [
				`left out of your profile: ${all[0]!.path}, ${all[0]!.because}` +
					`${all.length > 1 ? `, and ${all.length - 1} more` : ''}: fleet profile ${agentId}`,
			];
}

/** Never rejects: a profile that cannot be read is one that the run starts without, and that is said. */
export async function handProfile(
	context: Context,
	run: Pick<Run, 'agent' | 'profile' | 'withoutProfile'>,
	where?: ProfileHome,
): Promise<HandedProfile> {
	const agent = context.agents.find(({id}) => id === run.agent);
	if (!agent?.profile || run.withoutProfile) {
		return withoutProfile;
	}

	try {
		const profile = await readProfile(context, agent, where);
		const now = stateOf(context, agent.id, profile);
		const earlier = run.profile === undefined ? '' : ', and what the run was given before stays';
		switch (now.state) {
			case 'none': {
				return withoutProfile;
			}

			case 'approved': {
				return {
					profile: {digest: profile!.digest, settings: profile!.settings, files: profile!.files},
					keeps: false,
					notes: missed(profile!, agent.id),
				};
			}

			case 'new': {
				const count = profile!.files.length;
				return {
					...withoutProfile,
					notes: [
						`without your profile of ${agent.title} (${count} ${count === 1 ? 'file' : 'files'}), which is not approved: ` +
							`fleet profile ${agent.id} --approve`,
					],
				};
			}

			case 'changed': {
				return {
					profile: undefined,
					keeps: true,
					notes: [
						`without your profile of ${agent.title}, which changed since it was approved (${changesText(now.changes)})` +
							`${earlier}: fleet profile ${agent.id} --approve`,
					],
				};
			}
		}
	} catch (error) {
		if (error instanceof Refusal) {
			return {profile: undefined, keeps: true, notes: [`without your profile: ${error.because}: ${error.hint}`]};
		}

		throw error;
	}
}
