import {randomBytes} from 'node:crypto';
import {mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import type {SecureContext} from 'node:tls';
import {parseEgressRule, type EgressRule} from '../../core/network/rules.ts';
import type {Mount} from '../../core/plan.ts';
import {Refusal} from '../../core/refusal.ts';
import {makePointer} from '../../core/secrets/pointer.ts';
import type {HeldSecret} from '../../core/secrets/swap.ts';
import type {Broker} from '../../host/broker.ts';
import type {BrokerHooks} from '../../host/broker-hooks.ts';
import type {HandedSecret, SetupSecret} from '../grants/secret-values.ts';

/* What a setup, or a server outside of runs, reads private registries with: pointers inside, a broker of its own on the way out. */

export type SetupSecrets = {
	readonly held: readonly HeldSecret[];
	/** The hosts that they open. */
	readonly rules: readonly EgressRule[];
	readonly broker: Broker | undefined;
	/** Variables that hold pointers. */
	readonly env: Readonly<Record<string, string>>;
};

/** Opens the way for what the policy's setup reads with. @param rules hosts besides those of the secrets */
export async function openSecrets(
	handed: ReadonlyArray<HandedSecret | SetupSecret>,
	{
		rules: others,
		trust,
		onRefused,
		placeOf,
	}: {
		readonly rules: readonly EgressRule[];
		trust(): SecureContext | undefined;
		onRefused(target: string, because: string): void;
		readonly placeOf?: BrokerHooks['placeOf'];
	},
): Promise<SetupSecrets> {
	const held = handed.map(({scope, shape, value, binding}) => ({
		scope,
		value,
		binding,
		pointer: makePointer(shape, randomBytes(256)),
	}));
	const rules = held.flatMap(({scope, binding}) =>
		binding.hosts.flatMap((host): EgressRule[] => {
			const rule = parseEgressRule(host);
			return rule instanceof Refusal ? [] : [{host: rule.host, port: rule.port ?? 443, source: scope}];
		}),
	);
	if (held.length === 0) {
		return {held, rules, broker: undefined, env: {}};
	}

	// Most setups have no secret, and the module is not small.
	const {Broker: Opened} = await import('../../host/broker.ts');
	const broker = new Opened('setup', {
		rules: () => [...others, ...rules],
		held: () => held,
		pointers: () => held.map(({pointer}) => pointer),
		values: () => handed.flatMap(({value, previous}) => [value, ...(previous === undefined ? [] : [previous])]),
		onUsed() {},
		onRefused: (target, because) => onRefused(target, because),
		trust,
		...(placeOf ? {placeOf} : {}),
	});
	const env = held.flatMap(({binding, pointer}) =>
		binding.environment === undefined ? [] : [[binding.environment, pointer] as const],
	);
	return {held, rules, broker, env: Object.fromEntries(env)};
}

/** Pointers as files, as a run has them. @param folder made here */
export function pointerMount(folder: string, {held}: SetupSecrets): Mount {
	mkdirSync(folder, {mode: 0o755});
	for (const {scope, pointer} of held) {
		writeFileSync(path.join(folder, scope.split('/').at(-1)!), pointer, {mode: 0o644});
	}

	return {source: folder, target: '/run/fleet/pointers', mode: 'read', within: folder};
}
