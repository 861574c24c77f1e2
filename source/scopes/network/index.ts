import {formatEgressRule, parseEgressRule, ruleFault} from '../../core/network/rules.ts';
import {Refusal} from '../../core/refusal.ts';
import type {ScopeKind} from '../../core/scope.ts';

const hint = 'write network:HOST, network:HOST:PORT, network:*.HOST, or network:GET,HEAD@HOST/PATH* for plain HTTP';

/** Reach one host through the run's proxy. Without a port: 443 and 80. */
export const network: ScopeKind = {
	id: 'network',
	title: "reach one host through the run's proxy",
	usage: 'network:[METHODS@]HOST[:PORT][/PATH]',
	mark: 'net',
	byDefault: false,
	warning: 'whatever the run can read can be sent to this host',
	parse(subject) {
		const rule = parseEgressRule(subject);
		return rule instanceof Refusal
			? new Refusal(`"${subject.slice(0, 60)}" is not a host: ${rule.because}`, hint)
			: formatEgressRule(rule);
	},
	available(subject) {
		const rule = parseEgressRule(subject);
		const fault = rule instanceof Refusal ? undefined : ruleFault(rule);
		return (
			fault && new Refusal(fault.because, `write network:${fault.instead}, and have the run ask for it by that name`)
		);
	},
	opens(subject) {
		const rule = parseEgressRule(subject);
		return rule instanceof Refusal ? {} : {rules: [rule]};
	},
};
