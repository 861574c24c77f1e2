import {grantFault, grantNamespace, grantText, signatureLife, type GrantedRun} from '../../core/grants/statement.ts';
import type {Terms} from '../../core/grants/terms.ts';
import {isAmong, peoplePath, type Person} from '../../core/people/people.ts';
import {gateRefusal, Refusal} from '../../core/refusal.ts';
import {isInForce, type Grant} from '../../core/scope.ts';
import type {Git} from '../../host/git.ts';
import {sign} from '../../host/ssh-keygen.ts';
import {ownKey, whoseSignature} from '../people/decisions.ts';
import type {Rules} from './terms.ts';

/*
 * A grant that its rules want signed. Whoever owns the journal checks the signature before the grant is in force, and
 * again at each start: a line that somebody wrote into the journal opens nothing.
 */

/**
 * Whether those who have to sign did: for each rule one of its people, by the people file that the rule means.
 * @returns who signed, or why it does not count
 */
async function whoSigned(
	run: GrantedRun,
	grant: Grant,
	{terms: {by}, rules}: {readonly terms: Terms; readonly rules: Rules},
): Promise<string | Refusal> {
	const {scope, signed} = grant;
	const [first] = by;
	if (!first) {
		return '';
	}

	const again = `fleet allow ${run.id} ${scope} --because "…", with the key of one of them (--key FILE)`;
	if (!signed) {
		return gateRefusal(
			`${scope} has to be signed by ${first.value.join(' or ')} (${first.at}), and this grant is signed by nobody`,
			again,
		);
	}

	const text = grantText(run, grant);
	const names = new Set<string>();
	for (const {value, at, names: whose} of by) {
		// Each boundary means its own people.
		const lists =
			whose === 'project'
				? [rules.people]
				: rules.boundaries.filter(({wall}) => at.startsWith(`${wall.file}:`)).map(({people}) => people);
		let person: Person | Refusal = gateRefusal('it is signed by nobody', again);
		for (const people of lists) {
			person = await whoseSignature(text, {people, signature: signed.signature, namespace: grantNamespace});
		}

		if (person instanceof Refusal) {
			return gateRefusal(`${scope} has to be signed by ${value.join(' or ')} (${at}): ${person.because}`, again);
		}

		if (!isAmong(person, value)) {
			return gateRefusal(
				`${scope} is for ${value.join(' or ')} to grant (${at}), and ${person.name} is none of them`,
				`ask one of them; ${peoplePath} says who they are`,
			);
		}

		names.add(person.name);
	}

	return [...names].join(', ');
}

/**
 * Whether a grant is as its rules want it: its time, its uses, and who signed.
 * @returns who signed it, empty where nobody has to; or why it does not count
 */
export async function checkGrant(
	run: GrantedRun,
	grant: Grant,
	judged: {readonly terms: Terms; readonly rules: Rules},
): Promise<string | Refusal> {
	return grantFault(grant, judged.terms, Date.now()) ?? whoSigned(run, grant, judged);
}

/** The same for one that is to take effect now: what was signed long ago was meant for then. */
export async function checkFresh(
	run: GrantedRun,
	grant: Grant,
	judged: {readonly terms: Terms; readonly rules: Rules},
): Promise<string | Refusal> {
	const now = Date.now();
	const isNow = Math.abs(Date.parse(grant.at) - now) <= signatureLife;
	return isNow && isInForce(grant, now)
		? checkGrant(run, grant, judged)
		: gateRefusal(
				`the grant of ${grant.scope} was signed for another time`,
				`fleet allow ${run.id} ${grant.scope} --because "…"`,
			);
}

/**
 * A grant with the signature that its rules want; as it is where they want none.
 * @param options.key a file, or a public key; git's `user.signingKey` by default
 * @throws Refusal where the key cannot be used, or is not one of those who may grant it
 */
export async function signGrant(
	run: GrantedRun,
	grant: Grant,
	{
		terms,
		rules,
		checkout,
		key,
	}: {
		readonly terms: Terms;
		readonly rules: Rules;
		readonly checkout: Git;
		readonly key?: string | undefined;
	},
): Promise<Grant> {
	if (terms.by.length === 0) {
		return grant;
	}

	const signature = await sign(grantText(run, grant), await ownKey(checkout, key), grantNamespace);
	const who = await whoSigned(run, {...grant, signed: {signer: '', signature}}, {terms, rules});
	if (who instanceof Refusal) {
		throw who;
	}

	return {...grant, signed: {signer: who, signature}};
}
