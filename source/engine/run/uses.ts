import {isInForce, type Grant} from '../../core/scope.ts';
import {readJournal} from '../../host/journal.ts';
import {hideRevoked, scheduleExpiry} from './expiry.ts';
import {note, type Supervision} from './supervision.ts';

/*
 * Grants for a number of uses. A use is written down before it goes on, so that a supervisor that is started anew counts
 * on; the last one ends the grant before anything else is asked, and is itself not cut.
 */

/** How often a grant was used, as its run's journal has it. */
function usesSoFar({uses, places}: Supervision, {id}: Grant): number {
	return (
		uses.get(id) ??
		readJournal(places.journal).entries.filter(entry => entry.type === 'scope.used' && entry.grant === id).length
	);
}

/**
 * Counts a use of a scope, where its grant has a number. To be called at once with the decision that lets it through.
 * @returns false where the grant is used up, and it may not go on
 * @throws where it cannot be written down, and it may not either
 */
export function countUse(supervision: Supervision, scope: string): boolean {
	const {journal, uses} = supervision;
	const grant = journal.run.grants.find(grant => grant.scope === scope && isInForce(grant, Date.now()));
	if (grant?.uses === undefined) {
		return grant !== undefined;
	}

	const use = usesSoFar(supervision, grant) + 1;
	if (use <= grant.uses) {
		note(supervision, {type: 'scope.used', scope, grant: grant.id, use, of: grant.uses});
		uses.set(grant.id, use);
	}

	if (use >= grant.uses) {
		note(supervision, {type: 'scope.expired', scope, cut: 0, uses: grant.uses});
		hideRevoked(supervision);
		scheduleExpiry(supervision);
	}

	return use <= grant.uses;
}

/** The same for what the network's rules let through: the rule's source is the grant, or the policy, or a secret's. */
export function countConnection(supervision: Supervision, rule: string): void {
	if (rule.startsWith('network:')) {
		countUse(supervision, rule);
	}
}

/** Grants that are used without being counted, for what has no use that could be: the project's setup. */
export function withoutCounted(grants: readonly Grant[]): Grant[] {
	return grants.filter(({uses}) => uses === undefined);
}

/** Takes back, at a start, what was used up when its supervisor ended between the use and the end of the grant. */
export function endUsedUp(supervision: Supervision): void {
	for (const grant of supervision.journal.run.grants) {
		if (grant.uses !== undefined && usesSoFar(supervision, grant) >= grant.uses) {
			note(supervision, {type: 'scope.expired', scope: grant.scope, cut: 0, uses: grant.uses});
		}
	}
}
