import {proxyPort} from '../../core/plan.ts';
import {Refusal} from '../../core/refusal.ts';
import type {ScopeKind} from '../../core/scope.ts';

const hint = 'write port:N, with a number from 1 to 65535, such as port:3000';

/** Let the person's browser on this machine see what a program of the run serves. Opens nothing outward for the run. */
export const port: ScopeKind = {
	id: 'port',
	title: 'let your browser reach one port inside the run',
	usage: 'port:N',
	mark: 'port',
	byDefault: false,
	warning:
		'the page runs in your browser: it may use what the run may use of the network, and shows what the agent wrote',
	parse(subject) {
		const number = /^\d{1,5}$/.test(subject) ? Number(subject) : 0;
		return number >= 1 && number <= 65_535
			? String(number)
			: new Refusal(`"${subject.slice(0, 60)}" is not a port`, hint);
	},
	available: subject =>
		Number(subject) === proxyPort
			? new Refusal(`port ${proxyPort} is fleet's own inside a run`, 'have the server listen on another port')
			: undefined,
	opens: subject => ({port: Number(subject)}),
};
