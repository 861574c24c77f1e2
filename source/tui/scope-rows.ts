import type {Entry} from '../core/run/event.ts';
import {escapeLine} from '../core/text/escape-controls.ts';
import type {Run} from '../core/run/run.ts';
import {isInForce} from '../core/scope.ts';
import {formatDuration} from '../core/text/time.ts';
import type {SecretView} from '../protocol/client.ts';
import type {State} from './state.ts';
import {scopeKinds} from '../scopes/registry.ts';

/** A line of the scopes tab. `scope` is undefined for the line that asks for one. */
export type ScopeRow = {
	readonly scope: string | undefined;
	readonly state: 'on' | 'off' | 'fixed' | 'never' | 'new';
	readonly note: string;
};

/** What an entry says a scope was used for. */
function targetOf(entry: Entry, scope: string): string | undefined {
	if (entry.type === 'secret.used' && entry.scope === scope) {
		return entry.target;
	}

	return entry.type === 'egress.allowed' && entry.rule.includes(scope) ? entry.target : undefined;
}

/** Where a scope was used, as far as the journal says. */
function usedText(scope: string, journal: readonly Entry[]): string {
	const targets = new Set(journal.flatMap(entry => targetOf(entry, scope) ?? []));
	return targets.size === 0
		? ''
		: ` · used for ${[...targets]
				.slice(0, 3)
				.map(target => escapeLine(target))
				.join(', ')}${targets.size > 3 ? ` and ${targets.size - 3} more` : ''}`;
}

/** The secret behind a grant, and where it may go. */
function secretText(reference: string, bound: SecretView | undefined): string {
	if (!bound) {
		return ` · ${reference}`;
	}

	const paths = bound.paths.length === 0 ? '' : ` ${bound.paths.join(' ')}`;
	return ` · ${reference} → ${bound.hosts.join(' ')}${paths}`;
}

/**
 * The scopes that a run has, those it was denied, and those that cannot be granted. Pure.
 * `journal` only adds what a scope was used for.
 */
export function scopeRows(
	run: Run,
	{now, vault, journal}: Pick<State, 'now' | 'vault'> & {readonly journal?: readonly Entry[]},
): ScopeRow[] {
	const secrets = vault?.secrets ?? [];
	const rows: ScopeRow[] = scopeKinds
		.filter(kind => kind.byDefault)
		.map(kind => ({scope: kind.id, state: 'fixed', note: kind.title}));
	for (const grant of run.grants) {
		const bound = secrets.find(
			secret => secret.reference === grant.reference && (secret.project === null || secret.project === run.project.id),
		);
		const opens = grant.reference === undefined ? '' : secretText(grant.reference, bound);
		const left =
			grant.until === undefined ? 'until the run ends' : `${formatDuration(Date.parse(grant.until) - now)} left`;
		rows.push(
			isInForce(grant, now)
				? {
						scope: grant.scope,
						state: 'on',
						note: `${left}: ${escapeLine(grant.because)}${opens}${usedText(grant.scope, journal ?? [])}`,
					}
				: {scope: grant.scope, state: 'off', note: 'expired'},
		);
	}

	const named = new Set(rows.map(({scope}) => scope));
	for (const denial of run.denials) {
		const scope = `network:${denial.target}`;
		if (!named.has(scope)) {
			named.add(scope);
			rows.push({
				scope,
				state: 'off',
				note: `blocked ${denial.count}×: ${escapeLine(denial.because)}`,
			});
		}
	}

	for (const {scope, how} of run.endedGrants) {
		if (!named.has(scope)) {
			named.add(scope);
			rows.push({scope, state: 'off', note: how === 'revoked' ? 'switched off' : 'expired'});
		}
	}

	for (const port of run.listening) {
		const scope = `port:${port}`;
		if (!named.has(scope)) {
			rows.push({scope, state: 'off', note: 'a program inside listens on it: your browser could show what it serves'});
		}
	}

	for (const secret of secrets) {
		const scope = `secret:${secret.reference.replace('fleet://', '')}`;
		if (
			secret.class === 'task' &&
			(secret.project === null || secret.project === run.project.id) &&
			!named.has(scope)
		) {
			rows.push({scope, state: 'off', note: `for ${secret.hosts.join(' ')}; its value never enters the sandbox`});
		}
	}

	rows.push({scope: undefined, state: 'new', note: 'network:HOST[:PORT], port:N, files:PATH, secret:NAME'});
	for (const kind of scopeKinds.filter(kind => kind.never !== undefined)) {
		rows.push({scope: kind.usage, state: 'never', note: kind.never!});
	}

	return rows;
}
