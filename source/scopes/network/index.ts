import {formatTarget, parseAuthority, type EgressRule} from '../../core/egress.ts';
import {Refusal} from '../../core/refusal.ts';
import {isInForce, type Grant, type ScopeKind} from '../../core/scope.ts';

const hint = 'write network:HOST or network:HOST:PORT, such as network:registry.example.org:443';

/** Reach one host through the run's proxy. Without a port: 443 and 80. */
export const network: ScopeKind = {
	id: 'network',
	title: 'reach one host through the run\'s proxy',
	usage: 'network:HOST[:PORT]',
	byDefault: false,
	effect: 'live',
	warning: 'whatever the run can read can be sent to this host',
	parse(subject) {
		if (subject.includes('*')) {
			return new Refusal('a network scope names one host, not a pattern', hint);
		}

		const target = parseAuthority(subject, 443);
		if ('because' in target) {
			return new Refusal(`"${subject.slice(0, 60)}" is not a host: ${target.because}`, hint);
		}

		const hasPort = /(?:^[^:]*|\]):\d+$/.test(subject);
		return formatTarget({host: target.host, port: hasPort ? target.port : undefined});
	},
	available: () => undefined,
};

/** The proxy's rules that the grants in force amount to. `now` in milliseconds. */
export function networkRules(grants: readonly Grant[], now: number): EgressRule[] {
	return grants.filter(grant => grant.scope.startsWith('network:') && isInForce(grant, now)).flatMap(grant => {
		const subject = grant.scope.slice('network:'.length);
		const target = parseAuthority(subject, 443);
		return 'because' in target ? [] : [{host: target.host, port: /(?:^[^:]*|\]):\d+$/.test(subject) ? target.port : undefined, source: grant.scope}];
	});
}
