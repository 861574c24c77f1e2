/* What may leave a run, decided in one order: canonicalise, match, and only then resolve and check the address. */

import {classifyAddress, hostAddresses} from './addresses.ts';
import type {EgressRule} from './rules.ts';
import {formatTarget, hostName, plainUrlPath, type Target} from './target.ts';

/**
 * What a plain HTTP request asks for; a tunnel has none, since nobody
 * can look into it. `other`: what in it may mean another method or path.
 */
export type Asked = {readonly method: string; readonly path: string; readonly other?: string | undefined};

export type Verdict = {readonly allow: boolean; readonly because: string};

/** The ports of a rule that names none. */
export const defaultPorts: readonly number[] = [443, 80];

/**
 * Whether a rule's host is this one. `*.example.org` is
 * `a.example.org`, and neither `example.org` nor `a.b.example.org`.
 */
export function matchesHost(pattern: string, host: string): boolean {
	if (!pattern.startsWith('*.')) {
		return pattern === host;
	}

	const dot = host.indexOf('.');
	return dot > 0 && host.slice(dot) === pattern.slice(1) && !/^[\d.]+$/.test(host) && host !== hostName;
}

/** Whether a rule is about this host and port, whatever else it asks for. */
export function matchesTarget(rule: Pick<EgressRule, 'host' | 'port'>, target: Target): boolean {
	return (
		matchesHost(rule.host, target.host) &&
		(rule.port === undefined
			? defaultPorts.includes(target.port) && target.host !== hostName
			: rule.port === target.port)
	);
}

/** Whether a rule's path is this one: whole, or a beginning where it ends with `*`. */
export function matchesPath(pattern: string, path: string): boolean {
	return pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern;
}

/** Whether a rule that names the target lets through what is asked of it, by its methods and its path. */
function decideLimits(rule: EgressRule, asked: Asked | undefined): Verdict {
	const no = (because: string): Verdict => ({allow: false, because});
	if (rule.methods === undefined && rule.path === undefined) {
		return {allow: true, because: rule.source};
	}

	if (!asked) {
		const limits = [rule.methods?.join(','), rule.path].filter(part => part !== undefined).join(' ');
		return no(`${rule.source} is limited to ${limits}, which cannot be seen inside an encrypted tunnel`);
	}

	if (asked.other !== undefined) {
		return no(`${asked.other} may mean another method or path`);
	}

	if (rule.methods && !rule.methods.includes(asked.method)) {
		return no(`${asked.method} is not granted`);
	}

	const path = plainUrlPath(asked.path);
	if (rule.path !== undefined && (path === undefined || !matchesPath(rule.path, path))) {
		return no(path === undefined ? 'the path can be read in two ways' : 'the path is not granted');
	}

	return {allow: true, because: rule.source};
}

/**
 * Whether any rule names the target, and what is asked of it. No rule at all: no. `asked` is undefined for a tunnel.
 */
export function decideEgress(target: Target, rules: readonly EgressRule[], asked?: Asked): Verdict {
	if (rules.length === 0) {
		return {allow: false, because: 'no network access'};
	}

	const sameHost = rules.filter(rule => matchesHost(rule.host, target.host));
	if (sameHost.length === 0) {
		return {allow: false, because: 'the host is not granted'};
	}

	const samePort = sameHost.filter(rule => matchesTarget(rule, target));
	if (samePort.length === 0) {
		return {allow: false, because: `port ${target.port} is not granted`};
	}

	let because = '';
	for (const rule of samePort) {
		const verdict = decideLimits(rule, asked);
		if (verdict.allow) {
			return verdict;
		}

		because ||= verdict.because;
	}

	return {allow: false, because};
}

/**
 * Whether a resolved address may be dialled for a target that was already matched.
 * An address that is not public needs the project's policy to name the
 * host. This machine's loopback has one name, and no other leads there.
 */
export function decideAddress(target: Target, address: string, privateHosts: readonly EgressRule[]): Verdict {
	const addressClass = classifyAddress(address);
	if (target.host === hostName) {
		return {allow: hostAddresses.includes(address), because: 'this machine'};
	}

	switch (addressClass) {
		case 'public': {
			return {allow: true, because: 'public address'};
		}

		case 'loopback':
		case 'unspecified': {
			return {
				allow: false,
				because:
					`the address of ${target.host} is this machine's own: ` +
					`what is granted of it is network:${hostName}:${target.port}, and asked for by that name`,
			};
		}

		case 'private':
		case 'reserved': {
			const named = privateHosts.some(
				rule => matchesHost(rule.host, target.host) && (rule.port === undefined || rule.port === target.port),
			);
			return named
				? {allow: true, because: `${addressClass} address, named in the policy`}
				: {
						allow: false,
						because:
							`the address of ${target.host} is ${addressClass} (${address}), which takes the policy besides: ` +
							`commit the line privateHosts: ["${formatTarget(target)}"] in .fleet/policy.yaml, and start a new run`,
					};
		}

		default: {
			return {
				allow: false,
				because: `the address of ${target.host} (${address}) is ${addressClass}, and never dialled`,
			};
		}
	}
}
