import type {Run} from '../run/run.ts';

/** A deploy that succeeded. `run`: the run's id. */
export type GoodDeploy = {readonly run: string; readonly commit: string; readonly at: string};

/**
 * The last good deploy of a project to a target, of any run.
 * @param of.than a commit that does not count, since it was found bad
 */
export function lastGood(
	runs: readonly Run[],
	{project, target, than}: {readonly project: string; readonly target: string; readonly than?: string},
): GoodDeploy | undefined {
	return runs
		.filter(run => run.project.id === project)
		.flatMap(run =>
			run.deployments
				.filter(one => one.target === target && one.outcome === 'succeeded' && one.commit !== than)
				.map(({commit, at}) => ({run: run.id, commit, at})),
		)
		.sort((a, b) => (a.at < b.at ? 1 : -1))[0];
}
