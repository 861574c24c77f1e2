import {besideThat, isYes, type Accepted, type Signed, type Subject} from './accept.ts';

/*
 * Who made a merge real, by what they signed. A yes says itself that it takes that, so that nobody can leave it out
 * afterwards, and an approval from before there was that is as good as it was.
 */

/** What was signed of a merge, at a time (milliseconds). */
type Told = {readonly signed: readonly Signed[]; readonly now: number};

/** Whether those whose yes counted said it to a merge that is signed, too. */
export function takesSignature(subject: Subject, {by}: Accepted, {signed, now}: Told): boolean {
	return signed.some(
		one =>
			isYes(one.statement) &&
			by.includes(one.signer) &&
			one.statement.merge === 'signed' &&
			besideThat(one, subject, now) === undefined,
	);
}

/**
 * Who signed that they make this merge: any of the people, since who may say yes did.
 * @param subject with the commit that it is made on, whatever an approval was about
 */
export function mergedBy(subject: Subject, {signed, now}: Told): string | undefined {
	return signed.find(one => one.statement.decision === 'merge' && besideThat(one, subject, now) === undefined)?.signer;
}
