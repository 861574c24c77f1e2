import {Refusal} from '../../core/refusal.ts';
import type {ScopeKind} from '../../core/scope.ts';

/** Run the project's build and tests with the machine's toolchains, read-only. */
export const build: ScopeKind = {
	id: 'build',
	title: 'run its build and tests, and reach the hosts its policy lists',
	usage: 'build',
	mark: 'b',
	byDefault: true,
	warning: '',
	parse: subject => (subject === '' ? '' : new Refusal('build takes no subject', 'write: build')),
	available: () => undefined,
	// What every run has is in its plan from the start.
	opens: () => ({}),
};
