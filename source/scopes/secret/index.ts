import {Refusal} from '../../core/refusal.ts';
import type {ScopeKind} from '../../core/scope.ts';

/** Use one secret through the broker, by pointer. Not in this version. */
export const secret: ScopeKind = {
	id: 'secret',
	title: 'use one secret of the vault, by pointer',
	usage: 'secret:NAME',
	byDefault: false,
	effect: 'live',
	warning: 'the run can act with this secret on the hosts it is bound to',
	parse: subject => /^[a-z0-9][a-z0-9-]{0,60}$/.test(subject) ? subject : new Refusal(`"${subject.slice(0, 60)}" is not a secret's name`, 'write secret:NAME'),
	available: () => new Refusal('secret scopes cannot be granted: this version has no broker that would keep the value out of the sandbox', 'give the run a task that needs no secret'),
};
