import {Refusal} from '../../core/refusal.ts';
import type {ScopeKind} from '../../core/scope.ts';

/** Read and edit this project, in the run's own worktree and on its own branch. */
export const repo: ScopeKind = {
	id: 'repo',
	title: "read and edit this project, on the run's own branch",
	usage: 'repo',
	mark: 'r',
	byDefault: true,
	warning: '',
	parse: subject => (subject === '' ? '' : new Refusal('repo takes no subject', 'write: repo')),
	available: () => undefined,
	// What every run has is in its plan from the start.
	opens: () => ({}),
};
