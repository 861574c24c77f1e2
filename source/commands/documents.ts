import type {Changes} from '../core/changes.ts';
import {gatesOf} from '../core/decide.ts';
import {checksOf, type Run} from '../core/run.ts';
import {isInForce} from '../core/scope.ts';

/* The JSON documents of `--json`. Their fields are documented in docs/json.md and kept. */

/** An element of `fleet list --json`. */
export function runDocument(run: Run, changes?: Changes | undefined) {
	return {
		id: run.id, name: run.name, project: run.project.id, branch: run.branch, agent: run.agent, stage: run.stage, because: run.because,
		scopes: scopesOf(run), checks: checksOf(run), worktree: run.worktree, createdAt: run.createdAt, updatedAt: run.updatedAt,
		denials: run.denials.reduce((sum, denial) => sum + denial.count, 0), attempt: run.attempt, changes: changes ?? null,
	};
}

/** `fleet show --json`. */
export function runDetails(run: Run, changes?: Changes | undefined) {
	return {
		...runDocument(run, changes), argv: run.argv, prompt: run.prompt ?? null, base: run.base, target: run.target, sandbox: run.sandbox, notes: run.notes, exit: run.exit ?? null, grants: run.grants,
		denied: run.denials, captured: run.captured ?? null, verification: run.verification ?? null, approval: run.approval ?? null, merge: run.merge ?? null, deployments: run.deployments,
		audit: run.audit ?? null, gates: gatesOf(run),
	};
}

/** What the run may use now: the two scopes that are always on, and the grants in force. */
export function scopesOf(run: Run): string[] {
	return ['repo', 'build', ...run.grants.filter(grant => isInForce(grant, Date.now())).map(grant => grant.scope)];
}
