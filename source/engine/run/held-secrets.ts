import {randomBytes} from 'node:crypto';
import type {EgressRule} from '../../core/network/rules.ts';
import {makePointer} from '../../core/secrets/pointer.ts';
import {isInForce} from '../../core/scope.ts';
import type {Run} from '../../core/run/run.ts';
import {parseEgressRule} from '../../core/network/rules.ts';
import type {HeldSecret} from '../../core/secrets/swap.ts';
import type {HandedSecret} from '../grants/secret-values.ts';
import {Refusal} from '../../core/refusal.ts';

type Kept = HandedSecret & {
	readonly pointer: string;
	/** What stands for the id of a login's account, which goes in a header of its own. */
	readonly accountPointer?: string | undefined;
};

/** The name of a secret, as its pointer's file has it: the last part of `secret:project/stripe`. */
export function nameOfSecret(scope: string): string {
	return scope.split(':').at(-1)!.split('/').at(-1)!;
}

/** The secrets that one supervisor was handed. In memory alone; what of them is in force, the journal says. */
export class HeldSecrets {
	readonly #kept = new Map<string, Kept>();
	readonly #values = new Set<string>();

	/**
	 * Takes a secret in. One that comes back in the same attempt keeps its pointer: the program that has it in its
	 * environment goes on with it, and while nothing is granted it is worth nothing.
	 */
	add(secret: HandedSecret): Kept {
		const before = this.#kept.get(secret.scope);
		const kept = {
			...secret,
			pointer: before && before.shape === secret.shape ? before.pointer : makePointer(secret.shape, randomBytes(256)),
			accountPointer: secret.login?.account && (before?.accountPointer ?? makePointer('plain', randomBytes(256))),
		};
		this.#kept.set(secret.scope, kept);
		this.hide([secret.value, secret.previous, secret.login?.account?.value]);
		return kept;
	}

	/** A login has another access token now. Its pointer stays: the program that has it goes on with it. */
	renew(scope: string, value: string): void {
		const kept = this.#kept.get(scope);
		if (kept) {
			this.#kept.set(scope, {...kept, value, previous: kept.value});
			this.hide([value]);
		}
	}

	/** Values that must not be shown, and that no run uses. */
	hide(values: ReadonlyArray<string | undefined>): void {
		for (const value of values) {
			if (value !== undefined) {
				this.#values.add(value);
			}
		}
	}

	get size(): number {
		return this.#kept.size;
	}

	get(scope: string): Kept | undefined {
		return this.#kept.get(scope);
	}

	all(): Kept[] {
		return [...this.#kept.values()];
	}

	/** Every value that was handed over, and those before them. */
	values(): string[] {
		return [...this.#values];
	}

	pointers(): string[] {
		return this.all().flatMap(({pointer, accountPointer}) => [
			pointer,
			...(accountPointer === undefined ? [] : [accountPointer]),
		]);
	}

	/** What may be used at a moment, milliseconds: nothing while the run is frozen. */
	inForce(run: Run, now: number): HeldSecret[] {
		return run.stage === 'frozen'
			? []
			: this.all()
					.filter(({scope}) => run.grants.some(grant => grant.scope === scope && isInForce(grant, now)))
					.flatMap(kept => [kept, ...accountOf(kept)]);
	}

	/** The hosts that they open, with or without a request that uses them. */
	rules(run: Run, now: number): EgressRule[] {
		return this.inForce(run, now).flatMap(({scope, binding}) =>
			binding.hosts.flatMap(host => {
				const rule = parseEgressRule(host);
				return rule instanceof Refusal ? [] : [{host: rule.host, port: rule.port ?? 443, source: scope}];
			}),
		);
	}
}

/** The account of a login, as what it is for the broker: one more value, in a header of its own. */
function accountOf({scope, login, accountPointer, binding}: Kept): HeldSecret[] {
	return login?.account && accountPointer !== undefined
		? [
				{
					scope,
					pointer: accountPointer,
					value: login.account.value,
					binding: {...binding, headers: [login.account.header]},
				},
			]
		: [];
}
