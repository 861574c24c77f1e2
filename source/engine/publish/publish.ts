import {branchName, branchRef} from '../../core/git/refs.ts';
import type {Request} from '../../core/publish/forge.ts';
import {forges} from '../../core/publish/forges.ts';
import {pageOf, requestName} from '../../core/publish/place.ts';
import {usualPublish, type PublishPolicy} from '../../core/publish/policy.ts';
import {decidePublish} from '../../core/publish/rules.ts';
import type {CarrierName, Published} from '../../core/publish/state.ts';
import {bodyOf, titleOf, withBody} from '../../core/publish/text.ts';
import {gateRefusal, Refusal} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import type {Git} from '../../host/git.ts';
import type {Journal} from '../../host/journal.ts';
import type {Context} from '../context.ts';
import {refuseSecretText} from '../grants/secret-text.ts';
import {readTips} from '../handover/facts.ts';
import {ownBase} from '../handover/own-base.ts';
import {lookAt, openFindings} from '../handover/suspects.ts';
import {readPolicy} from '../project/policy.ts';
import {openRun} from '../project/projects.ts';
import {record} from '../record.ts';
import {findCarrier, NoAnswer, type Carrier} from './carrier.ts';
import {approvers, readEvidence} from './evidence.ts';
import {faultOf} from './fault.ts';
import {findRemote, push, refuseUnpublished, tipsThere, type Remote} from './remote.ts';

/** How a person asked for it. */
export type PublishOrder = {
	readonly by?: CarrierName | undefined;
	/** Undefined: as the policy says, and else a draft as long as it is not approved. */
	readonly draft?: boolean | undefined;
	/** A secret's reference. */ readonly token?: string | undefined;
	/** What somebody else pushed to the run's branch there, and may be overwritten: full hex, or its beginning. */
	readonly replace?: string | undefined;
	/** Whether git and ssh may ask. */ readonly interactive?: boolean;
};

/** What would be published. */
export type PublishPlan = {
	readonly remote: Remote;
	readonly head: string;
	readonly branch: string;
	readonly base: string;
	readonly draft: boolean;
	readonly title: string;
	readonly body: string;
};

/** What the policy of the target's tip says of publishing. */
export async function publishPolicy(git: Git, run: Run): Promise<PublishPolicy> {
	return (await readPolicy(git, run.target)).policy.publish ?? usualPublish;
}

/** What would be published of a run. Nothing is asked of anybody. @throws Refusal where it may not be */
export async function planPublish(context: Context, run: Run, order: PublishOrder): Promise<PublishPlan> {
	const {git} = await openRun(context, run);
	const policy = await publishPolicy(git, run);
	const {base: tip, head} = await readTips(run, git);
	const refusal = decidePublish(run, {head, when: policy.when}, {actor: context.actor, now: Date.now()});
	if (refusal) {
		throw refusal;
	}

	const open = await openFindings(context, {run, journal: undefined}, await lookAt(git, {tip, head}));
	if (open) {
		throw open;
	}

	const remote = await findRemote(git, policy, order.interactive ?? false);
	const base = await ownBase(git, run, {target: tip, head});
	const approvedBy = await approvers(context, run, {git, tip});
	if (approvedBy instanceof Refusal && policy.when === 'approved') {
		throw approvedBy;
	}

	const evidence = await readEvidence(context, run, {git, base, head});
	const body = bodyOf(run, {...evidence, approvedBy: approvedBy instanceof Refusal ? '' : approvedBy});
	const title = titleOf(run);
	await refuseSecretText(context, {
		text: `${title}\n${body}`,
		what: `the ${requestName(remote.place.forge, 0).replace(/ 0$/, '')}`,
		project: run.project,
		hint: () => `it comes from the task or a file's name: fleet show ${run.id}`,
	});
	return {
		remote,
		head,
		branch: branchName(run.branch),
		base,
		draft: order.draft ?? policy.draft ?? (approvedBy instanceof Refusal || approvedBy === ''),
		title,
		body,
	};
}

/** What the run's branch has to be there, so that nobody's commit is overwritten: null where it must not be there. */
function expectedOf(
	run: Run,
	tip: string | undefined,
	{branch, remote, replace}: {branch: string; remote: string; replace: string | undefined},
): string | null {
	if (tip === undefined) {
		return null;
	}

	if (
		run.pushed?.includes(tip) ||
		(replace !== undefined && /^[\da-f]{7,64}$/.test(replace) && tip.startsWith(replace))
	) {
		return tip;
	}

	throw gateRefusal(
		`${branch} at ${remote} is ${tip.slice(0, 10)}, which fleet did not push`,
		`git fetch ${remote} ${branch} to look at it; fleet publish ${run.id} --replace ${tip.slice(0, 12)} overwrites it`,
	);
}

/**
 * Pushes what was verified, and has it asked for at the forge. What an earlier attempt did is found there, and not done again.
 * @throws Refusal; then nothing was done, or what was done is found the next time
 */
export async function publish(context: Context, journal: Journal, order: PublishOrder): Promise<Published> {
	try {
		return await attempt(context, journal, order);
	} catch (error) {
		if (error instanceof Refusal) {
			const {because} = error;
			journal.append(
				journal.run.publishing ? {type: 'publish.failed', because} : {type: 'gate.refused', gate: 'publish', because},
				context.actor,
			);
		}

		throw error;
	}
}

async function attempt(context: Context, journal: Journal, order: PublishOrder): Promise<Published> {
	const {run} = journal;
	const plan = await planPublish(context, run, order);
	const {remote, head, branch, base, draft} = plan;
	const {place, name, git} = remote;
	const target = branchName(run.target);
	const carrier = await findCarrier(context, place, {by: order.by, token: order.token, project: run.project.id});
	try {
		const tips = await tipsThere(remote, [branch, target]);
		const tip = tips.get(branch);
		if (!tips.has(target)) {
			throw gateRefusal(
				`${name} has no branch ${target} to ask for`,
				`git push ${name} ${target}, or fleet retarget ${run.id} BRANCH`,
			);
		}

		await refuseUnpublished(remote, {base, head, tip: tips.get(target), target});
		const expected = tip === head ? head : expectedOf(run, tip, {branch, remote: name, replace: order.replace});
		const {when} = await publishPolicy(git, run);
		record(
			journal,
			{type: 'publish', when, head, remote: name, place, ref: branchRef(branch), expected, draft, via: carrier.name},
			{actor: context.actor},
		);
		if (tip !== head) {
			await pushOnce(remote, {head, branch, expected});
		}

		const {request, how} = await askFor(carrier, plan, run);
		journal.append(
			{
				type: 'publish.finished',
				place,
				number: request.number,
				url: pageOf(place, request.number),
				head,
				draft: request.draft,
				via: carrier.name,
				how,
			},
			context.actor,
		);
		return journal.run.published!;
	} finally {
		carrier.close();
	}
}

/** Pushes; where the answer was lost, what came of it is looked up. */
async function pushOnce(
	remote: Remote,
	what: {readonly head: string; readonly branch: string; readonly expected: string | null},
): Promise<void> {
	const said = await push(remote, what);
	if (said === undefined) {
		return;
	}

	// A transport that heard nothing may have asked again by itself, and was told no by what it had done.
	if ((await tipsThere(remote, [what.branch])).get(what.branch) !== what.head) {
		throw gateRefusal(
			`${remote.name} did not take ${what.branch}: ${said}`,
			/\bLFS\b/i.test(said) ? `git lfs push ${remote.name} ${what.branch}` : 'look at what it says, then publish again',
		);
	}
}

/** The request that is there for what was pushed: open, or of exactly this commit whatever became of it. */
function pick(found: readonly Request[], head: string): Request | undefined {
	return found.find(({state}) => state === 'open') ?? found.find(one => one.head === head);
}

/** Finds the request of the branch, says its text anew, or makes it. */
async function askFor(
	carrier: Carrier,
	{remote: {place}, head, branch, draft, title, body}: PublishPlan,
	run: Run,
): Promise<{readonly request: Request; readonly how: 'made' | 'found'}> {
	const api = forges[place.forge];
	const base = branchName(run.target);
	const look = async () => {
		const answer = await carrier.ask(api.find(place, branch, base));
		const found = answer.status === 200 ? api.readFound(answer.json, place, branch) : undefined;
		if (!found) {
			throw faultOf(answer, place, 'cannot be looked up');
		}

		return pick(found, head);
	};

	const before = await looked(look, run);
	if (before) {
		return {request: await bringUp(carrier, before, {place, draft, body}), how: 'found'};
	}

	let because = '';
	try {
		const answer = await carrier.ask(api.make(place, {title, body, branch, base, draft}));
		const made = answer.status === 201 ? api.readOne(answer.json) : undefined;
		if (made) {
			return {request: made, how: 'made'};
		}

		const fault = faultOf(answer, place, 'was not made');
		if (answer.status >= 400 && answer.status < 500 && answer.status !== 409 && answer.status !== 422) {
			throw fault;
		}

		({because} = fault);
	} catch (error) {
		if (!(error instanceof NoAnswer)) {
			throw error;
		}

		because = error.message;
	}

	// Made, and nobody heard of it; or there already, by somebody else in the same moment.
	const after = await looked(look, run);
	if (!after) {
		throw gateRefusal(because, `${branch} is pushed; fleet publish ${run.id} asks again`);
	}

	return {request: after, how: 'made'};
}

async function looked(look: () => Promise<Request | undefined>, run: Run): Promise<Request | undefined> {
	try {
		return await look();
	} catch (error) {
		throw error instanceof NoAnswer ? gateRefusal(error.message, `fleet publish ${run.id} asks again`) : error;
	}
}

/** Says the evidence anew, and makes a draft ready. Neither is worth a refusal: the request is there. */
async function bringUp(
	carrier: Carrier,
	request: Request,
	{place, draft, body}: Pick<PublishPlan, 'draft' | 'body'> & Pick<Remote, 'place'>,
): Promise<Request> {
	if (request.state !== 'open') {
		return request;
	}

	const api = forges[place.forge];
	const ask = async (...requests: Parameters<Carrier['ask']>) => {
		try {
			return (await carrier.ask(...requests)).status < 300;
		} catch (error) {
			if (error instanceof NoAnswer) {
				return false;
			}

			throw error;
		}
	};

	const text = withBody(request.body, body);
	if (text !== undefined && text !== request.body) {
		await ask(api.edit(place, request.number, text));
	}

	const isReady = request.draft && !draft && (await ask(api.ready(place, request)));
	return {...request, draft: request.draft && !isReady};
}
