import type {Run} from '../../core/run/run.ts';
import type {Git} from '../../host/git.ts';
import type {Context} from '../context.ts';

/* Who a run's commits are by: the person who asked for them, with the agent as a co-author. */

export type Identity = {readonly name: string; readonly email: string};

/** The person's name and address as their git has them; undefined where it has none. */
export async function personOf(git: Git): Promise<Identity | undefined> {
	const [name, email] = [await git.setting('user.name'), await git.setting('user.email')];
	return name && email ? {name, email} : undefined;
}

/** The agent, as a trailer names it. Its address is nobody's. */
export function coAuthor(context: Pick<Context, 'agents'>, run: Pick<Run, 'agent'>): string {
	const agent = context.agents.find(agent => agent.id === run.agent);
	return agent?.program === undefined
		? 'fleet agent <agent@fleet.invalid>'
		: `${agent.title} <${agent.id}@fleet.invalid>`;
}

/**
 * Variables that have git write a commit of this person's; without one, of the agent's.
 * @param date both dates, as git writes them; now without one
 */
export function identityVariables(person: Identity | undefined, date?: string): Record<string, string> {
	const {name, email} = person ?? {name: 'fleet agent', email: 'agent@fleet.invalid'};
	return {
		GIT_AUTHOR_NAME: name,
		GIT_AUTHOR_EMAIL: email,
		GIT_COMMITTER_NAME: name,
		GIT_COMMITTER_EMAIL: email,
		...(date === undefined ? {} : {GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date}),
	};
}
