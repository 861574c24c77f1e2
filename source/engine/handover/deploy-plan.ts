import {lastGood, type GoodDeploy} from '../../core/deploy/last-good.ts';
import type {Run} from '../../core/run/run.ts';
import type {Context} from '../context.ts';
import {openRun} from '../project/projects.ts';
import {listRuns} from '../runs.ts';
import {findTarget} from './deploy-targets.ts';

/** Subjects of commits that a plan lists; the others are counted. */
const maxSubjects = 20;

/** Commits that a deploy brings to a target, or takes back from it: the newest first. */
export type CommitList = {
	readonly count: number;
	readonly newest: ReadonlyArray<{readonly commit: string; readonly subject: string}>;
};

/** What a deploy to a target would do. Nothing is done by asking. */
export type DeployPlan = {
	readonly target: string;
	readonly command: string;
	/** Names of variables. */
	readonly credentials: readonly string[];
	readonly window: string | undefined;
	/** What would be there afterwards. */
	readonly commit: string;
	/** The last good deploy there, of any run of the project; undefined where there is none. */
	readonly last: GoodDeploy | undefined;
	/** What comes, and what goes, against the last good deploy; undefined where that is not known. */
	readonly added: CommitList | undefined;
	readonly removed: CommitList | undefined;
};

/**
 * What a deploy of a merged run to a target would bring and take back.
 * @throws Refusal where there is no such target
 */
export async function planDeploy(context: Context, run: Run, target: string): Promise<DeployPlan> {
	const {
		target: {command, credentials, window},
	} = await findTarget(context, run, target);
	const {commit} = run.merge!;
	const last = lastGood(listRuns(context), {project: run.project.id, target});
	const {git} = await openRun(context, run);
	const list = async (from: string, to: string): Promise<CommitList | undefined> => {
		const range = [`^${from}`, to];
		const counted = await git.run(['rev-list', '--count', ...range]);
		const named = await git.run(['log', '-z', '--format=%H%x09%s', `--max-count=${maxSubjects}`, ...range, '--']);
		// The commit of the last deploy may be in the repository no more.
		if (counted.code !== 0 || named.code !== 0) {
			return undefined;
		}

		const newest = named.stdout
			.split('\0')
			.filter(line => line !== '')
			.map(line => ({commit: line.slice(0, line.indexOf('\t')), subject: line.slice(line.indexOf('\t') + 1)}));
		return {count: Number(counted.stdout), newest};
	};

	return {
		target,
		command,
		credentials,
		window,
		commit,
		last,
		added: last && (await list(last.commit, commit)),
		removed: last && (await list(commit, last.commit)),
	};
}
