import {closePorts} from './open-ports.ts';
import {nameOfSecret} from './held-secrets.ts';
import {note, type Supervision} from './supervision.ts';

/* What ends by itself, and what a run loses with it. */

/** The longest time that setTimeout takes, milliseconds: 24.8 days. */
const maxTimerMs = 2 ** 31 - 1;

/** Ends the grants whose time is up, each at its time. To be called after every change of them. */
export function scheduleExpiry(supervision: Supervision): void {
	const {journal, opened} = supervision;
	clearTimeout(supervision.expiry);
	const ends = journal.run.grants.flatMap(grant => (grant.until === undefined ? [] : [Date.parse(grant.until)]));
	if (ends.length === 0) {
		return;
	}

	supervision.expiry = setTimeout(
		() => {
			for (const grant of journal.run.grants) {
				if (grant.until !== undefined && Date.parse(grant.until) <= Date.now()) {
					note(supervision, {type: 'scope.expired', scope: grant.scope, cut: opened.session?.proxy.cut() ?? 0});
					void opened.files?.take(grant.scope);
				}
			}

			void closePorts(supervision);
			hideRevoked(supervision);
			scheduleExpiry(supervision);
		},
		Math.max(0, Math.min(maxTimerMs, Math.min(...ends) - Date.now())),
	);
}

/** Takes the files of pointers away that mean nothing any more. */
export function hideRevoked({secrets, journal, injectedFiles}: Supervision): void {
	for (const {scope} of secrets.all()) {
		if (!journal.run.grants.some(grant => grant.scope === scope)) {
			injectedFiles.show(nameOfSecret(scope), undefined);
		}
	}
}
