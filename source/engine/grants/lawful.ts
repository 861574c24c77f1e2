import {Refusal} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import {isInForce, type Grant} from '../../core/scope.ts';
import {openedBy} from '../../scopes/registry.ts';
import type {Context} from '../context.ts';
import {findServer, type Proposed} from '../mcp/definitions.ts';
import {behindOf} from './prepare.ts';
import {secretOfScope} from './scope-secrets.ts';
import {checkGrant} from './signed.ts';
import {termsFor, type BehindScope, type Rules} from './terms.ts';

/*
 * The grants that a run has, held against its rules anew before anything starts: the boundary may be another since, and
 * a line that somebody wrote into the journal opens nothing.
 */

/** What stands behind a scope that a run has. @throws Refusal where that is gone */
export async function behindScope(
	context: Context,
	scope: string,
	{project, from}: {readonly project: Run['project']; from(): Promise<Proposed>},
): Promise<BehindScope> {
	const {server} = openedBy(scope);
	return behindOf(
		secretOfScope(context, scope, project),
		server === undefined ? undefined : await findServer(context, server, {from: await from()}),
	);
}

/**
 * Which of a run's grants in force its rules do not allow, and why.
 * @param from where its project proposes MCP servers
 */
export async function unlawful(
	context: Context,
	run: Pick<Run, 'id' | 'project' | 'base' | 'grants'>,
	{rules, from}: {readonly rules: Rules; from(): Promise<Proposed>},
): Promise<ReadonlyArray<{readonly grant: Grant; readonly because: string}>> {
	if (rules.walls.length === 0) {
		return [];
	}

	const found: Array<{grant: Grant; because: string}> = [];
	for (const grant of run.grants.filter(grant => isInForce(grant, Date.now()))) {
		const terms = termsFor(rules, grant.scope, await behindScope(context, grant.scope, {project: run.project, from}));
		const refusal = terms instanceof Refusal ? terms : await checkGrant(run, grant, {terms, rules});
		if (refusal instanceof Refusal) {
			found.push({grant, because: refusal.because});
		}
	}

	return found;
}
