import {Refusal} from '../../core/refusal.ts';
import type {ScopeKind} from '../../core/scope.ts';
import {parseReference} from '../../core/secrets/secret.ts';

/** Use one secret through the run's broker, by pointer, on the hosts that it is bound to. */
export const secret: ScopeKind = {
	id: 'secret',
	title: 'use one secret of the vault, by pointer, on the hosts it is bound to',
	usage: 'secret:user/NAME or secret:project/NAME',
	mark: 'secret',
	byDefault: false,
	warning: 'the run can act with this secret on the hosts it is bound to; its value stays outside',
	parse(subject) {
		const reference = parseReference(subject);
		return reference instanceof Refusal
			? new Refusal(`"${subject.slice(0, 60)}" is not a secret`, 'write secret:user/NAME or secret:project/NAME')
			: `${reference.owner}/${reference.name}`;
	},
	available: () => undefined,
	opens(subject) {
		const reference = parseReference(subject);
		return reference instanceof Refusal ? {} : {secret: reference};
	},
};
