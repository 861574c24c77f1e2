import {Refusal} from '../refusal.ts';
import type {Grant} from '../scope.ts';
import {escaped} from '../statement/statement.ts';
import {markHidden} from '../text/hidden.ts';
import {formatSpan} from '../text/time.ts';
import type {Terms} from './terms.ts';

/* A grant as a person signs it, and what a signed one has to be to count. */

/** The namespace of the signature: one that was made for something else is none. */
export const grantNamespace = 'fleet-grant';

/** How long a signature waits for whoever owns the journal, and how far two clocks may differ, milliseconds. */
export const signatureLife = 10 * 60_000;

/** The run that is meant: its name may be another's elsewhere, or later. */
export type GrantedRun = {readonly id: string; readonly project: {readonly id: string}; readonly base: string};

/** In quotes, so that no value can pose as another line, and with what is not seen as escapes. */
const quoted = (text: string) => markHidden(JSON.stringify(text), escaped);

/** A grant as it is signed: a line for each of its parts, always the same ones in the same order. */
export function grantText(run: GrantedRun, grant: Omit<Grant, 'signed'>): string {
	const {id, scope, because, by, at, until, uses, identity} = grant;
	return [
		'fleet grant 1',
		`run ${quoted(run.id)}`,
		`project ${quoted(run.project.id)}`,
		`base ${run.base}`,
		`scope ${quoted(scope)}`,
		`until ${until ?? 'the run ends'}`,
		`uses ${uses ?? 'any'}`,
		`because ${quoted(because)}`,
		`by ${quoted(by)}`,
		`at ${at}`,
		`nonce ${id}`,
		`files ${identity ?? 'none'}`,
		'',
	].join('\n');
}

/**
 * What a grant says of itself, held against what it may be at most.
 * @returns why it does not count; undefined where all but its signature is as it has to be
 */
export function grantFault(
	{scope, at, until, uses}: Pick<Grant, 'scope' | 'at' | 'until' | 'uses'>,
	terms: Terms,
	now: number,
): Refusal | undefined {
	const {longest} = terms;
	const again = (because: string) => new Refusal(because, `fleet allow RUN ${scope} --because "…"`);
	const from = Date.parse(at);
	if (longest !== undefined) {
		// A time that is still to come would make it longer.
		const isLonger = until === undefined || !(Date.parse(until) <= Math.min(from, now + signatureLife) + longest.value);
		if (isLonger) {
			return again(
				`${scope} is granted for ${formatSpan(longest.value)} at most (${longest.at}), and this grant is longer`,
			);
		}
	}

	return terms.uses !== undefined && (uses === undefined || uses > terms.uses.value)
		? again(`${scope} is granted for ${terms.uses.value} uses at most (${terms.uses.at}), and this grant is for more`)
		: undefined;
}
