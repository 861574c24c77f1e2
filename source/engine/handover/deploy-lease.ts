import {randomBytes} from 'node:crypto';
import {
	decideApprover,
	decideEnough,
	decideSame,
	decideTime,
	decideUnused,
	isSameRequest,
	type DeployFacts,
	type DeployRules,
} from '../../core/deploy/lease.ts';
import {noText, standingNo} from '../../core/deploy/request.ts';
import {usualExpiryMs, usualLeaseMs} from '../../core/deploy/policy-keys.ts';
import {deployNamespace, deployStatementText, type SignedStatement} from '../../core/deploy/statement.ts';
import {peopleAmong, peoplePath} from '../../core/people/people.ts';
import {branchName} from '../../core/git/refs.ts';
import {gateRefusal, Refusal} from '../../core/refusal.ts';
import {decideDeploy} from '../../core/run/rules.ts';
import type {Run} from '../../core/run/run.ts';
import type {Journal} from '../../host/journal.ts';
import type {Context} from '../context.ts';
import {ownKey, personOfKey, readPeople, signDecision, whoseSignature} from '../people/decisions.ts';
import {readPolicy} from '../project/policy.ts';
import {openRun} from '../project/projects.ts';
import {refuseSecretReason} from '../grants/secret-text.ts';
import {decideBoundary, findTarget} from './deploy-targets.ts';

/*
 * Whether other people said yes to a deploy. What the journal says of that is read, and believed only as far as their
 * signatures bear it out: a line that somebody wrote into it decides nothing.
 */

/** What a deploy is about, as of now, and who has to say yes to it. */
export type Terms = {readonly facts: DeployFacts; readonly rules: DeployRules};

/** Reads what a deploy of a merged run to a target needs. @throws Refusal where there is no such target */
export async function readTerms(context: Context, run: Run, name: string): Promise<Terms> {
	const {target, policy, git} = await findTarget(context, run, name);
	const branch = run.merge!.target;
	const tip = await readPolicy(git, branch);
	// A rule that was made since counts, and one that the run itself took away does.
	const now = Object.hasOwn(tip.policy.deploy, name) ? tip.policy.deploy[name] : undefined;
	const targets = [target, ...(now && tip.blob !== policy ? [now] : [])];
	const rules = targets.flatMap(({approve}) => approve ?? []);
	const {people, blob} = rules.length === 0 ? {people: [], blob: 'none'} : await readPeople(git, branch);
	return {
		facts: {
			run: run.id,
			target: name,
			commit: run.merge!.commit,
			command: target.command,
			credentials: target.credentials,
			people: blob,
			policy,
			tip: tip.blob,
		},
		rules: {
			people,
			rules,
			leaseMs: Math.min(...targets.map(({lease}) => lease ?? usualLeaseMs)),
			expiresMs: target.expires ?? usualExpiryMs,
		},
	};
}

/** Refuses what nobody could approve. */
function refuseWithoutPeople(run: Run, {facts, rules}: Terms): void {
	if (rules.people.length === 0) {
		throw gateRefusal(
			`a deploy to ${facts.target} needs a yes, and nobody is named who may say it`,
			`commit ${peoplePath} on ${branchName(run.merge!.target)}: people: {NAME: {keys: [ssh-ed25519 …], groups: […]}}`,
		);
	}
}

/** Whether a statement is signed by whom it names. @param of in its text */
async function decideSigned(
	statement: SignedStatement,
	{terms, of, what}: {readonly terms: Terms; readonly of: string; readonly what: string},
): Promise<Refusal | undefined> {
	const {facts, rules} = terms;
	const hint = `fleet deploy ${facts.run} ${facts.target} --request --because "…"`;
	if (typeof statement.signature !== 'string') {
		return gateRefusal(`${what} is not signed`, hint);
	}

	const person = await whoseSignature(deployStatementText(statement), {
		people: rules.people,
		signature: statement.signature,
		namespace: deployNamespace,
	});
	if (person instanceof Refusal) {
		return gateRefusal(`${what}: ${person.because}`, hint);
	}

	return person.name === of ? undefined : gateRefusal(`${what} is signed by ${person.name}, not by ${of}`, hint);
}

/** Why a request does not count (any more), apart from its time. */
async function decideRequest(run: Run, asked: SignedStatement, terms: Terms): Promise<Refusal | undefined> {
	const {facts} = terms;
	const what = 'the request';
	return (
		decideSame(asked, facts, what) ??
		decideUnused(run, asked.nonce, facts) ??
		(asked.decision === 'request' ? undefined : gateRefusal('the request is none', `fleet show ${run.id}`)) ??
		(await decideSigned(asked, {terms, of: asked.requester, what}))
	);
}

/** Whether a request is over. @param now milliseconds */
const requestTime = (asked: SignedStatement, {terms, now}: {readonly terms: Terms; readonly now: number}) =>
	decideTime(asked, {facts: terms.facts, longestMs: terms.rules.expiresMs, now, what: 'the request'});

/** Why somebody's yes does not count. @param now milliseconds */
async function decideApproval(
	approval: SignedStatement,
	{asked, terms, now}: {readonly asked: SignedStatement; readonly terms: Terms; readonly now: number},
): Promise<Refusal | undefined> {
	const {facts, rules} = terms;
	const what = `the approval of ${approval.approver}`;
	const isOther = approval.decision !== 'approve' || !isSameRequest(approval, asked);
	return (
		decideSame(approval, facts, what) ??
		(isOther ? gateRefusal(`${what} is for another request`, `fleet show ${facts.run}`) : undefined) ??
		decideTime(approval, {facts, longestMs: rules.leaseMs, now, what}) ??
		decideApprover(approval, rules, facts) ??
		(await decideSigned(approval, {terms, of: approval.approver, what}))
	);
}

/**
 * Somebody's no that stands, of those who may say yes: by their signature, whatever the commit or the policy is by now.
 * What a journal says of a yes after it is believed as little.
 */
async function findNo(run: Run, terms: Terms): Promise<Refusal | undefined> {
	const {facts, rules} = terms;
	const signed: SignedStatement[] = [];
	for (const answer of run.deployAnswers ?? []) {
		const counts =
			answer.run === run.id &&
			answer.target === facts.target &&
			decideApprover(answer, rules, facts) === undefined &&
			(await decideSigned(answer, {terms, of: answer.approver, what: 'the answer'})) === undefined;
		signed.push(...(counts ? [answer] : []));
	}

	const no = standingNo(signed, facts.target);
	return no && gateRefusal(`${facts.target}: ${noText(no)}`, untilYes(no));
}

/** How a no is taken back. */
const untilYes = ({approver, run, target}: SignedStatement): string =>
	`it stands until ${approver} approves: fleet deploy ${run} ${target} --approve`;

/** What a deploy needs that nobody asked for. */
function unapproved(run: Run, {facts, rules}: Terms): Refusal {
	const used = run.deployments.find(({target, lease}) => target === facts.target && lease !== undefined);
	const names = [...new Set(rules.rules.flatMap(({from}) => peopleAmong(rules.people, from)))];
	return gateRefusal(
		`a deploy to ${facts.target} needs a yes of ${names.join(', ') || 'nobody'}, and has none` +
			`${used ? '; the last one was used' : ''}`,
		`fleet deploy ${facts.run} ${facts.target} --request --because "…"`,
	);
}

/** An approval that a deploy may use up. `until`: ISO 8601. */
export type Lease = {readonly nonce: string; readonly until: string};

/**
 * Whether enough people said yes to exactly this deploy, by their signatures.
 * @returns undefined where nobody has to
 * @throws Refusal where they did not
 */
export async function checkLease(context: Context, run: Run, name: string): Promise<Lease | undefined> {
	const now = Date.now();
	const terms = await readTerms(context, run, name);
	const {facts, rules} = terms;
	if (rules.rules.length === 0) {
		return undefined;
	}

	refuseWithoutPeople(run, terms);
	const no = await findNo(run, terms);
	if (no) {
		throw no;
	}

	const {asked, approvals} = run.deployRequest ?? {};
	if (!asked || !approvals || run.deployRequest!.target !== name) {
		throw unapproved(run, terms);
	}

	const refusal = await decideRequest(run, asked, terms);
	if (refusal) {
		throw refusal;
	}

	const good: SignedStatement[] = [];
	let because: Refusal | undefined;
	for (const approval of approvals) {
		const refused = await decideApproval(approval, {asked, terms, now});
		because ??= refused;
		good.push(...(refused ? [] : [approval]));
	}

	const few = decideEnough(
		good.map(({approver}) => approver),
		rules,
		{facts, because: because ?? requestTime(asked, {terms, now})},
	);
	if (few) {
		throw few;
	}

	return {nonce: asked.nonce, until: good.map(({until}) => until).sort()[0]!};
}

/** Writes down that something was refused. @throws the refusal */
export function refuse(context: Context, journal: Journal, refusal: Refusal): never {
	journal.append({type: 'gate.refused', gate: 'deploy', because: refusal.because}, context.actor);
	throw refusal;
}

/** Does something whose refusal is written down. */
export async function refusing<Result>(
	context: Context,
	journal: Journal,
	work: () => Promise<Result>,
): Promise<Result> {
	try {
		return await work();
	} catch (error) {
		return error instanceof Refusal ? refuse(context, journal, error) : Promise.reject(error);
	}
}

/** How somebody decides about a deploy. */
export type Decision = {
	/** The target's name. */ readonly target: string;
	readonly because: string;
	/** The SSH key to sign with; git's `user.signingKey` by default. */ readonly key: string | undefined;
};

/** Reads what is decided about, once it is known that this may be decided at all. */
async function termsOf(context: Context, run: Run, {target, because}: Decision): Promise<Terms> {
	const refusal = decideDeploy(run, context.actor, {target, confirmed: target}) ?? decideBoundary(target);
	if (refusal) {
		throw refusal;
	}

	await refuseSecretReason(context, run.project, because);
	const terms = await readTerms(context, run, target);
	if (terms.rules.rules.length === 0) {
		throw new Refusal(`a deploy to ${target} needs nobody's yes`, `fleet deploy ${run.id} ${target}`);
	}

	refuseWithoutPeople(run, terms);
	return terms;
}

/** Signs a statement, with the name of whoever does in it. */
async function signed(
	context: Context,
	run: Run,
	{
		statement,
		terms,
		key,
	}: {
		/** @param name undefined while it is not known yet */
		readonly statement: (name: string) => Omit<SignedStatement, 'signature'>;
		readonly terms: Terms;
		readonly key: string | undefined;
	},
): Promise<SignedStatement> {
	const {checkout} = await openRun(context, run);
	const {people} = terms.rules;
	const by = {people, key: await ownKey(checkout, key), namespace: deployNamespace, target: run.merge!.target};
	const {name} = await personOfKey(by);
	const own = statement(name);
	const {signature, person} = await signDecision(deployStatementText(own), by);
	if (person.name !== name) {
		throw gateRefusal(`it was signed by ${person.name}, and ${by.key} is a key of ${name}`, 'name one with --key FILE');
	}

	return {...own, signature};
}

/** Asks for a deploy that other people have to say yes to. The request before it is over. */
export function requestDeploy(context: Context, journal: Journal, decision: Decision): Promise<SignedStatement> {
	const {target, because, key} = decision;
	return refusing(context, journal, async () => {
		const {run} = journal;
		const terms = await termsOf(context, run, decision);
		const {facts, rules} = terms;
		const issued = Date.now();
		const until = new Date(issued + rules.expiresMs).toISOString();
		const asked = await signed(context, run, {
			terms,
			key,
			statement: requester => ({
				...facts,
				decision: 'request',
				requester,
				approver: '',
				because,
				issued: new Date(issued).toISOString(),
				until,
				nonce: randomBytes(16).toString('hex'),
			}),
		});
		const of = [...new Set(rules.rules.flatMap(({from}) => peopleAmong(rules.people, from)))].filter(
			name => name !== asked.requester || rules.rules.every(({not}) => !not.includes('requester')),
		);
		const wants = {people: Math.max(...rules.rules.map(rule => rule.people)), of};
		journal.append(
			{type: 'deploy.requested', target, commit: facts.commit, until, missing: [], because, wants, asked},
			context.actor,
		);
		return asked;
	});
}

/** Says yes to what somebody asked for, for some minutes and one deploy; a no of theirs is taken back by it. */
export const approveDeploy = (context: Context, journal: Journal, decision: Decision) =>
	answerDeploy(context, journal, {...decision, decision: 'approve'});

/** Says no to deploys of a run to a target: it stands, also where it is asked for again, until they say yes. */
export const rejectDeploy = (context: Context, journal: Journal, decision: Decision) =>
	answerDeploy(context, journal, {...decision, decision: 'reject'});

function answerDeploy(
	context: Context,
	journal: Journal,
	order: Decision & {readonly decision: 'approve' | 'reject'},
): Promise<SignedStatement> {
	const {target, because, key, decision} = order;
	return refusing(context, journal, async () => {
		const {run} = journal;
		const terms = await termsOf(context, run, order);
		const {facts, rules} = terms;
		const {asked, approvals = []} = run.deployRequest ?? {};
		if (!asked || run.deployRequest!.target !== target) {
			throw gateRefusal(
				`nobody asked for a deploy of ${run.id} to ${target}`,
				`fleet deploy ${run.id} ${target} --request --because "…"`,
			);
		}

		const now = Date.now();
		const refusal = (await decideRequest(run, asked, terms)) ?? requestTime(asked, {terms, now});
		if (refusal) {
			throw refusal;
		}

		const answer = await signed(context, run, {
			terms,
			key,
			statement(approver) {
				const wrong = decideApprover({approver, requester: asked.requester}, rules, facts);
				if (wrong) {
					throw wrong;
				}

				return {
					...facts,
					decision,
					requester: asked.requester,
					approver,
					because,
					issued: new Date(now).toISOString(),
					until: decision === 'approve' ? new Date(now + rules.leaseMs).toISOString() : '',
					nonce: asked.nonce,
				};
			},
		});
		const {approver} = answer;
		const isAfterNo = standingNo(
			run.deployAnswers?.filter(one => one.approver === approver),
			target,
		);
		if (decision === 'approve' && !isAfterNo && approvals.some(one => one.approver === approver)) {
			throw gateRefusal(`${approver} approved it already`, `fleet show ${run.id}`);
		}

		journal.append({type: decision === 'approve' ? 'deploy.approved' : 'deploy.rejected', ...answer}, context.actor);
		return answer;
	});
}
