import {Refusal} from '../../core/refusal.ts';
import type {ScopeKind} from '../../core/scope.ts';

/** Read and edit this project, in the run's own worktree and on its own branch. */
export const repo: ScopeKind = {
	id: 'repo',
	title: "read and edit this project, on the run's own branch",
	usage: 'repo',
	byDefault: true,
	effect: 'never',
	warning: '',
	parse: subject => (subject === '' ? '' : new Refusal('repo takes no subject', 'write: repo')),
	available: () => undefined,
};
