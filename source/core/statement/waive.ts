import type {Suspect} from '../secrets/suspects.ts';
import {besideThat, type Signed, type Subject} from './accept.ts';

/* Which findings people dismissed by signing that they are no secrets. */

/** A finding as it is signed: what it is and where. */
export function findingText({rule, file, line, span, fingerprint}: Suspect): string {
	return `${file}:${line} (${rule}) ${span} ${fingerprint}`;
}

/**
 * The findings that nobody dismissed. A finding is in a run's own work: it is dismissed in one head of that, by the
 * policy and the people of the target's tip, wherever that tip is.
 * @param order.signed statements whose signatures are good
 * @param order.now milliseconds
 */
export function undismissed(
	findings: readonly Suspect[],
	about: Pick<Subject, 'run' | 'target' | 'head' | 'policy' | 'people'>,
	{signed, now}: {readonly signed: readonly Signed[]; readonly now: number},
): Suspect[] {
	const dismissed = new Set(
		signed
			.filter(one => {
				const {base, tree, verify, decision} = one.statement;
				return decision === 'waive' && besideThat(one, {...about, base, tree, verify}, now) === undefined;
			})
			.flatMap(({statement}) => statement.findings ?? []),
	);
	return findings.filter(finding => !dismissed.has(findingText(finding)));
}
