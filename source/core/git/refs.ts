/* The names of git's refs: branches, and what fleet keeps under `refs/fleet`. */

const heads = 'refs/heads/';

/** Where branches lie: what `git for-each-ref` takes. */
export const allBranches = 'refs/heads';

/** Where branches, tags and the branches of remotes lie. */
export const sharedRefs = [allBranches, 'refs/tags', 'refs/remotes'] as const;

/** `refs/heads/main` for `main`. */
export function branchRef(branch: string): string {
	return heads + branch;
}

export function isBranchRef(ref: string): boolean {
	return ref.startsWith(heads);
}

/** `main` for `refs/heads/main`; what is no branch stays as it is. */
export function branchName(ref: string): string {
	return isBranchRef(ref) ? ref.slice(heads.length) : ref;
}

/** In the project's repository: all that fleet keeps there. */
export const fleetRefs = 'refs/fleet';

/** In the project's repository: the captured work of a run, `head` and `extra/…`. */
export function runRefs(runId: string): string {
	return `${fleetRefs}/runs/${runId}`;
}

export function runHead(runId: string): string {
	return `${runRefs(runId)}/head`;
}

/** In the project's repository: the same of a run that was discarded. */
export function trashRefs(runId: string): string {
	return `${fleetRefs}/trash/${runId}`;
}

export function trashHead(runId: string): string {
	return `${trashRefs(runId)}/head`;
}

/** In the project's repository: keeps what a run borrows of it from being collected as garbage. */
export function borrowedRef(runId: string): string {
	return `${fleetRefs}/kept/${runId}`;
}

/** In a run's quarantine: the commit that was captured last. */
export const capturedHead = `${fleetRefs}/head`;

/** In a run's quarantine: what was captured besides, each under a name of its own. */
export const capturedExtras = `${fleetRefs}/extra`;

/** In a run's own git folder: the tip of its target, where the agent's branch of that name is another. */
export const targetRef = `${fleetRefs}/target`;

/** In a submodule's git folder: a commit that the project names. */
export function submoduleRef(commit: string): string {
	return `${fleetRefs}/commits/${commit}`;
}

/** Where a request for approvals of a run's work is put, on a remote. */
export function requestRef(runId: string): string {
	return `${allBranches}/fleet-requests/${runId}`;
}

/** Where one person answers it there, so that no two write to the same. */
export function answerRef(runId: string, person: string): string {
	return `${allBranches}/fleet-answers/${runId}/${person}`;
}

/** Where what was fetched of those is kept here: no run sees it. */
export const fetchedRequests = `${fleetRefs}/requests`;
export const fetchedAnswers = `${fleetRefs}/answers`;
