import {Refusal} from '../refusal.ts';
import {isLoopback} from './addresses.ts';
import {formatTarget, hostName, parseAuthority, plainUrlPath} from './target.ts';

/* The rules of a run's network, as a person, a policy or a grant writes them. Pure. */

/**
 * A place that a run may reach. No port: 443 and 80. A host that begins with `*.` stands for exactly one label there.
 * `methods` and `path` narrow a rule to plain HTTP requests: a
 * path that ends with `*` is a beginning, any other is whole.
 */
export type EgressRule = {
	readonly host: string;
	readonly port?: number | undefined;
	readonly methods?: readonly string[] | undefined;
	readonly path?: string | undefined;
	readonly source: string;
};

const noRule = (because: string) =>
	new Refusal(because, 'write HOST, HOST:PORT, *.HOST, or METHODS@HOST/PATH* for plain HTTP');

/**
 * Reads `[METHOD,…@]HOST[:PORT][/PATH]`, where HOST may begin with
 * `*.` and PATH may end with `*`, as a rule without its source.
 */
export function parseEgressRule(text: string): Omit<EgressRule, 'source'> | Refusal {
	const match = /^(?:([A-Za-z]+(?:,[A-Za-z]+)*)@)?(\[[^\]]*\]|[^:/@]*)(?::(\d{1,5}))?(\/.*)?$/.exec(text);
	if (!match) {
		return noRule('not a host');
	}

	const [, methods, written = '', port, path] = match;
	const wild = written.startsWith('*.');
	const name = wild ? written.slice(2) : written;
	const target = parseAuthority(port === undefined ? name : `${name}:${port}`, 443);
	if (name.includes('*')) {
		return noRule('only the first label may be *');
	}

	if (target instanceof Refusal) {
		return noRule(target.because);
	}

	if (wild && (!target.host.includes('.') || /^[\d.]+$/.test(target.host) || target.host.includes(':'))) {
		return noRule('a pattern needs two labels after the *');
	}

	const beginning = path?.endsWith('*') ? path.slice(0, -1) : path;
	if (beginning !== undefined && (plainUrlPath(beginning) !== beginning || beginning.includes('*'))) {
		return noRule('the path is not a plain one, with * only at its end');
	}

	return {
		host: wild ? `*.${target.host}` : target.host,
		...(port === undefined ? {} : {port: target.port}),
		...(methods === undefined ? {} : {methods: [...new Set(methods.toUpperCase().split(','))].sort()}),
		...(path === undefined ? {} : {path}),
	};
}

/**
 * Why no rule may be about this place, and the rule to write in its stead; undefined where one may. A caller refuses
 * with a hint of its own around it: a scope, an option and a policy spell a rule differently.
 */
export function ruleFault(
	rule: Omit<EgressRule, 'source'>,
): {readonly because: string; readonly instead: string} | undefined {
	const name = rule.host.replace(/^\*\./, '');
	if (isLoopback(name)) {
		return {
			because: `${name} is the run's own, inside; a port of this machine is ${hostName}:PORT`,
			instead: formatEgressRule({...rule, host: hostName, port: rule.port ?? 80}),
		};
	}

	if (rule.host === hostName) {
		return rule.port === undefined
			? {
					because: `${hostName} is this machine, of which one port is opened at a time`,
					instead: formatEgressRule({...rule, port: 8080}),
				}
			: undefined;
	}

	return name === 'fleet.internal' || name.endsWith('.fleet.internal')
		? {because: `${name} is a name of fleet's own`, instead: `${hostName}:8080`}
		: undefined;
}

/** A rule in its one spelling, which `parseEgressRule` reads back. */
export function formatEgressRule(rule: Omit<EgressRule, 'source'>): string {
	return `${rule.methods ? `${rule.methods.join(',')}@` : ''}${formatTarget(rule)}${rule.path ?? ''}`;
}
