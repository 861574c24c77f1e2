import {branchName} from '../../core/git/refs.ts';
import {
	pageOfList,
	pageSize,
	type CheckResults,
	type ForgeRequest,
	type Remark,
	type Request,
} from '../../core/publish/forge.ts';
import {forges} from '../../core/publish/forges.ts';
import {nounOf} from '../../core/publish/place.ts';
import {countedOf, stateOf, type Heard} from '../../core/publish/remarks.ts';
import type {CarrierName, ForgeState, Published} from '../../core/publish/state.ts';
import {gateRefusal} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import type {Journal} from '../../host/journal.ts';
import type {Context} from '../context.ts';
import {openRun} from '../project/projects.ts';
import {findCarrier, NoAnswer, type Carrier} from './carrier.ts';
import {faultOf} from './fault.ts';
import {findMerged} from './merged.ts';
import {publishPolicy} from './publish.ts';

/* Looks what became of a publication. Nothing is changed there. */

/** Pages of one list that are read. */
const mostPages = 5;

export type LookOrder = {
	readonly by?: CarrierName | undefined;
	readonly token?: string | undefined;
	readonly interactive?: boolean;
};

/** What was read at the forge. */
export type Looked = {readonly state: ForgeState; readonly heard: Heard; readonly checks: CheckResults};

/** What a run published. @throws Refusal where that is nothing */
export function mustBePublished(run: Run): Published {
	if (!run.published) {
		throw gateRefusal(`${run.id} is not published`, `fleet publish ${run.id}`);
	}

	return run.published;
}

/** Asks for one thing that has to be there. */
async function read<Value>(
	{carrier, published: {place}}: {readonly carrier: Carrier; readonly published: Published},
	request: ForgeRequest,
	reader: (json: unknown) => Value | undefined,
): Promise<Value> {
	const answer = await carrier.ask(request);
	const value = answer.status === 200 ? reader(answer.json) : undefined;
	if (value === undefined) {
		throw faultOf(answer, place, 'cannot be looked at');
	}

	return value;
}

const noChecks: CheckResults = {passed: 0, running: 0, failed: [], details: []};

async function readChecks(
	asked: {readonly carrier: Carrier; readonly published: Published},
	request: Request,
): Promise<CheckResults> {
	if (request.state !== 'open' || request.head === '') {
		return noChecks;
	}

	const {place} = asked.published;
	const answers: unknown[] = [];
	for (const one of forges[place.forge].checks(place, request)) {
		answers.push(await read(asked, one, json => json));
	}

	const checks = forges[place.forge].readChecks(answers);
	if (!checks) {
		throw faultOf({status: 200, json: undefined}, place, 'has checks that cannot be read');
	}

	return checks;
}

async function readRemarks(
	asked: {readonly carrier: Carrier; readonly published: Published},
	from: readonly string[] | undefined,
): Promise<Heard> {
	const {place, number} = asked.published;
	const api = forges[place.forge];
	const all: Remark[] = [];
	for (const [list, request] of api.remarks(place, number).entries()) {
		for (let page = 1; page <= mostPages; page++) {
			const found = await read(asked, pageOfList(request, page), json => {
				const remarks = api.readRemarks(json, list);
				return remarks && {remarks, isFull: Array.isArray(json) && json.length >= pageSize};
			});
			all.push(...found.remarks);
			if (!found.isFull) {
				break;
			}
		}
	}

	const ids = [...new Set(all.flatMap(({authorId}) => (authorId === undefined ? [] : [authorId])))].slice(0, pageSize);
	const {members, readMembers} = api;
	const known =
		from === undefined && members && readMembers && ids.length > 0
			? await read(asked, members(place, ids), json => readMembers(json))
			: [];
	return countedOf(all, from, known);
}

/** Reads how it stands. @throws Refusal where the forge does not say */
export async function look(context: Context, run: Run, order: LookOrder): Promise<Looked> {
	const published = mustBePublished(run);
	const {place, number} = published;
	const {git} = await openRun(context, run);
	const policy = await publishPolicy(git, run);
	const carrier = await findCarrier(context, place, {by: order.by, token: order.token, project: run.project.id});
	try {
		const asked = {carrier, published};
		const api = forges[place.forge];
		const request = await read(asked, api.one(place, number), json => api.readOne(json));
		const checks = await readChecks(asked, request);
		const heard = await readRemarks(asked, policy.from);
		const merged = await findMerged(run, published, {
			git,
			policy,
			request,
			target: branchName(run.target),
			interactive: order.interactive ?? false,
		});
		return {state: stateOf(published, request, {heard, checks, merged}), heard, checks};
	} catch (error) {
		throw error instanceof NoAnswer
			? gateRefusal(`the ${nounOf(place.forge)} cannot be looked at: ${error.message}`, 'try again')
			: error;
	} finally {
		carrier.close();
	}
}

/** Reads how it stands, and writes that down where it is news. @returns whether it was */
export async function refresh(context: Context, journal: Journal, order: LookOrder): Promise<boolean> {
	const {state} = await look(context, journal.run, order);
	return writeDown(journal, state);
}

/** Whether two states are the same but for what a person was told. */
export function writeDown(journal: Journal, state: ForgeState): boolean {
	const known = journal.run.published!;
	const {draft, head, checks, approvedBy, changesBy, comments, others, mergeable, merged} = known;
	const before = {
		state: known.state,
		draft,
		head,
		checks,
		approvedBy,
		changesBy,
		comments,
		others,
		mergeable,
		...(merged ? {merged} : {}),
	};
	if (known.seenAt !== undefined && JSON.stringify(before) === JSON.stringify(state)) {
		return false;
	}

	journal.append({type: 'publish.state', ...state}, 'fleet');
	return true;
}
