import {Refusal} from '../../core/refusal.ts';
import type {ScopeKind} from '../../core/scope.ts';

const never = 'deploy scopes cannot be granted: the agents that wrote the code never deploy it';

/** Ask for a deploy. Never a run's own act: deploying is a gate that a person opens. */
export const deploy: ScopeKind = {
	id: 'deploy',
	title: 'deploy to a target',
	usage: 'deploy:TARGET',
	mark: 'deploy',
	byDefault: false,
	never,
	warning: "a deploy is a person's act",
	parse: subject =>
		/^[a-z0-9][a-z0-9-]{0,60}$/.test(subject)
			? subject
			: new Refusal(`"${subject.slice(0, 60)}" is not a target's name`, 'write deploy:TARGET'),
	available: subject => new Refusal(never, `a person runs: fleet deploy RUN ${subject}`),
	opens: () => ({}),
};
