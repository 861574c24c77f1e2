import {Refusal} from '../../core/refusal.ts';
import type {ScopeKind} from '../../core/scope.ts';

/** Let an agent talk to its model: the hosts and paths that it needs for that, and its credential by pointer. */
export const model: ScopeKind = {
	id: 'model',
	title: 'let an agent talk to its model, with a pointer for its credential',
	usage: 'model:AGENT',
	mark: 'model',
	byDefault: false,
	warning: 'what the run can read goes to its model; the credential stays outside',
	parse: subject =>
		/^[a-z][a-z0-9-]{0,40}$/.test(subject)
			? subject
			: new Refusal(`"${subject.slice(0, 60)}" is not an agent`, 'write model:AGENT, such as model:claude-code'),
	available: () => undefined,
	opens: subject => ({agent: subject}),
};
