import {branchName} from '../git/refs.ts';
import {isAmong, peopleAmong, type People} from '../people/people.ts';
import {gateRefusal, type Refusal} from '../refusal.ts';
import type {Facts} from '../run/facts.ts';
import {statementLife, type Statement} from './statement.ts';

/*
 * Whether what people signed is enough. The same function says so before a merge, and afterwards of a commit: what it
 * accepts depends on nothing but statements, the people and the policy of the commit that is merged onto.
 */

/** A statement whose signature is good. `signer`: whose key it was, by the people of the commit that is merged onto. */
export type Signed = {readonly statement: Statement; readonly signer: string};

/** How many have to say yes, and who counts. */
export type ApprovalRule = {
	readonly people: number;
	/** Whether whoever had the work done does not count. */
	readonly notRequester: boolean;
	/** People and groups whose yes counts; undefined for all. */
	readonly from: readonly string[] | undefined;
	/** People and groups one of whom may merge alone, with a reason. */
	readonly breakGlass: readonly string[];
};

/** What an acceptance is about. */
export type Subject = Facts & {
	readonly run: string;
	readonly target: string;
	readonly people: string;
	readonly verify: string;
};

/** Who said yes to what is merged. */
export type Accepted = {
	readonly by: readonly string[];
	readonly requester: string | undefined;
	/** Whether somebody else than who had the work done said yes. */
	readonly fourEyes: boolean;
	/** Set where one person merged without the others. */
	readonly breakGlass: {readonly by: string; readonly because: string} | undefined;
};

/** Clocks of two machines may differ by so much, milliseconds. */
const skew = 5 * 60_000;

const named: Record<Exclude<keyof Subject, 'run'>, string> = {
	base: 'another tip of the target',
	head: 'another head',
	tree: 'another merged tree',
	policy: 'another policy',
	target: 'another branch',
	people: 'another list of people',
	verify: 'another verification',
};

/** Why a statement is none about that, at that time (milliseconds); undefined where it is one. */
export function besideThat({statement, signer}: Signed, subject: Subject, now: number): string | undefined {
	if (statement.by !== signer) {
		return `${statement.by} did not sign it: ${signer} did`;
	}

	if (statement.run !== subject.run) {
		return 'is about another run';
	}

	const other = (Object.keys(named) as Array<keyof typeof named>).find(key => statement[key] !== subject[key]);
	if (other) {
		return `is about ${named[other]}`;
	}

	const [at, until] = [Date.parse(statement.at), Date.parse(statement.until)];
	if (until < now) {
		return 'is over';
	}

	return at > now + skew || until - at > statementLife ? 'is not from a time that can be' : undefined;
}

/** Whether it says yes to a merge. */
export const isYes = ({decision}: Pick<Statement, 'decision'>): boolean =>
	decision === 'approve' || decision === 'break-glass';

/** The last decision of each person, by when they signed it. */
function lastOf(all: readonly Signed[]): Signed[] {
	const last = new Map<string, Signed>();
	for (const one of all) {
		const before = last.get(one.signer);
		if (!before || before.statement.at <= one.statement.at) {
			last.set(one.signer, one);
		}
	}

	return [...last.values()];
}

function missing(
	rule: ApprovalRule,
	{
		yes,
		people,
		requester,
		hint,
	}: {
		readonly yes: readonly string[];
		readonly people: People;
		readonly requester: string | undefined;
		readonly hint: string;
	},
): Refusal {
	const able = (rule.from ? peopleAmong(people, rule.from) : people.map(person => person.name)).filter(
		name => !yes.includes(name) && !(rule.notRequester && name === requester),
	);
	const have = yes.length === 0 ? '' : `: ${yes.join(', ')} did`;
	const whom = able.length === 0 ? 'nobody else may' : `may: ${able.slice(0, 5).join(', ')}`;
	return gateRefusal(
		`${rule.people} ${rule.people === 1 ? 'person has' : 'people have'} to approve it${have}; ${whom}`,
		hint,
	);
}

/**
 * Whether what was signed is enough for a merge.
 * @param order.signed statements whose signatures are good
 * @param order.now when it is merged, milliseconds
 * @returns who said yes, or why that is not enough
 */
export function accept(
	subject: Subject,
	order: {
		readonly signed: readonly Signed[];
		readonly rule: ApprovalRule;
		readonly people: People;
		readonly now: number;
	},
): Accepted | Refusal {
	const {signed, rule, people, now} = order;
	const hint = `fleet approve ${subject.run}`;
	const personOf = (name: string) => people.find(person => person.name === name);
	const mayApprove = (name: string) => {
		const person = personOf(name);
		return person !== undefined && (rule.from === undefined || isAmong(person, rule.from));
	};

	// A no is about the run, whatever became of its work since: it stands until whoever said it says yes.
	const decided = lastOf(
		signed.filter(
			({statement: {by, run, decision}, signer}) =>
				by === signer && run === subject.run && (decision === 'approve' || decision === 'reject'),
		),
	);
	const no = decided.find(({statement, signer}) => statement.decision === 'reject' && mayApprove(signer));
	if (no) {
		return gateRefusal(
			`${no.signer} rejected it: ${no.statement.because}`,
			`it stands until ${no.signer} approves it: fleet approve ${subject.run}`,
		);
	}

	const about = signed.filter(one => besideThat(one, subject, now) === undefined);
	const requests = about.filter(({statement}) => statement.decision === 'request');
	const requester = requests.at(-1)?.signer;
	const glass = about.find(
		({statement, signer}) =>
			statement.decision === 'break-glass' &&
			statement.because.trim() !== '' &&
			personOf(signer) !== undefined &&
			isAmong(personOf(signer)!, rule.breakGlass),
	);
	if (glass) {
		const {signer, statement} = glass;
		return {by: [signer], requester, fourEyes: false, breakGlass: {by: signer, because: statement.because}};
	}

	if (rule.notRequester && requester === undefined) {
		return gateRefusal(
			`nobody has said whose work this is, and whoever asked for it does not approve it on ${branchName(subject.target)}`,
			`fleet request ${subject.run}`,
		);
	}

	const yes = [
		...new Set(
			about
				.filter(
					({statement, signer}) =>
						statement.decision === 'approve' &&
						mayApprove(signer) &&
						!(
							rule.notRequester &&
							(requests.some(request => request.signer === signer) || statement.requester !== requester)
						),
				)
				.map(({signer}) => signer),
		),
	];
	return yes.length >= rule.people
		? {
				by: yes,
				requester,
				fourEyes: requester !== undefined && yes.some(name => name !== requester),
				breakGlass: undefined,
			}
		: missing(rule, {yes, people, requester, hint});
}
