import type {Run} from '../../core/run/run.ts';
import {isInForce} from '../../core/scope.ts';
import {formatReference} from '../../core/secrets/secret.ts';
import type {SecretEntry, Store} from '../../engine/grants/secrets.ts';

/** Where a value rests, in words. */
export function storeText(store: Store, source: string | undefined): string {
	return {
		keyring: 'in the OS vault',
		age: 'in the vault file',
		session: 'nowhere, typed for each run',
		env: `from the variable ${source}`,
		cmd: `from the command ${source}`,
	}[store];
}

/** The runs that may use a secret now. */
export function holdersOf(
	runs: readonly Run[],
	entry: SecretEntry,
): Array<{run: string; scope: string; until: string | undefined}> {
	const own = `secret:${entry.reference.owner}/${entry.reference.name}`;
	return runs
		.filter(run => entry.project === undefined || entry.project === run.project.id)
		.flatMap(run =>
			run.grants
				.filter(
					grant =>
						isInForce(grant, Date.now()) &&
						(grant.scope === own || grant.reference === formatReference(entry.reference)),
				)
				.map(grant => ({run: run.id, scope: grant.scope, until: grant.until})),
		);
}
