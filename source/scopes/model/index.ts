import {Refusal} from '../../core/refusal.ts';
import type {ScopeKind} from '../../core/scope.ts';

/** Let an agent talk to its model: the hosts and paths that it needs for that, and its credential by pointer. */
export const model: ScopeKind = {
	id: 'model',
	title: 'let an agent talk to its model, with a pointer for its credential',
	usage: 'model:AGENT',
	byDefault: false,
	effect: 'live',
	warning: 'what the run can read goes to its model; the credential stays outside',
	parse: subject =>
		/^[a-z][a-z0-9-]{0,40}$/.test(subject)
			? subject
			: new Refusal(`"${subject.slice(0, 60)}" is not an agent`, 'write model:AGENT, such as model:claude-code'),
	available: () => undefined,
};

/** The agent in a `model:` scope; undefined for another scope. */
export function agentOfScope(scope: string): string | undefined {
	return scope.startsWith('model:') ? scope.slice('model:'.length) : undefined;
}
