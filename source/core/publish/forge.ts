import type {ForgePlace} from './place.ts';
import type {Places, Reading} from './protection.ts';
import type {Checks} from './state.ts';

/*
 * What fleet asks of a forge, and reads of its answers: for each forge a file of pure functions. Who carries the requests
 * there, a vendor's program or fleet itself, makes no difference to them.
 */

/** One request. `path` begins with a slash, and behind the API's own prefix. */
export type ForgeRequest = {
	readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT';
	readonly path: string;
	readonly body?: Readonly<Record<string, unknown>> | undefined;
	/** Of the forge's GraphQL, whose address is another. */ readonly graphql?: boolean | undefined;
};

/** A pull request or merge request, as its forge tells it. What is a text in it others may have written. */
export type Request = {
	readonly number: number;
	readonly state: 'open' | 'closed' | 'merged';
	/** The branch's tip there, full hex. */
	readonly head: string;
	readonly draft: boolean;
	readonly title: string;
	readonly body: string;
	readonly mergeable: boolean | null;
	/** What it became in its target; undefined where it is not merged or the forge does not say. */
	readonly commit: string | undefined;
	/** Its id in the forge's GraphQL; empty where there is none. */ readonly node: string;
};

/** A remark of somebody. */
export type Remark = {
	/** Tells it from every other one of the same request. */
	readonly id: string;
	readonly author: string;
	/** Whether the forge says that the author is of the project; undefined where it has to be asked for. */
	readonly isMember: boolean | undefined;
	/** The author's number at the forge, where one is needed to ask. */ readonly authorId?: number | undefined;
	/** `review`: of the whole; `line`: of a place in a file; `comment`: below it. */
	readonly kind: 'review' | 'line' | 'comment';
	readonly verdict?: 'approved' | 'changes' | 'dismissed' | undefined;
	readonly path?: string | undefined;
	readonly line?: number | undefined;
	readonly text: string;
	/** ISO 8601. */ readonly at: string;
};

/** A check that failed, as it can be told. */
export type FailedCheck = {readonly id: string; readonly name: string; readonly text: string};

export type CheckResults = Checks & {readonly details: readonly FailedCheck[]};

/** A new request, as it is to be. */
export type Draft = {
	readonly title: string;
	readonly body: string;
	readonly branch: string;
	readonly base: string;
	readonly draft: boolean;
};

/** How a forge is spoken to. What reads gets JSON as it came, and returns undefined where that is not what is documented. */
export type ForgeApi = {
	/** All requests of a branch of the project's own. */
	find(place: ForgePlace, branch: string, base: string): ForgeRequest;
	readFound(json: unknown, place: ForgePlace, branch: string): readonly Request[] | undefined;
	make(place: ForgePlace, draft: Draft): ForgeRequest;
	one(place: ForgePlace, number: number): ForgeRequest;
	readOne(json: unknown): Request | undefined;
	/** Says it anew. */
	edit(place: ForgePlace, number: number, body: string): ForgeRequest;
	/** Makes a draft ready. */
	ready(place: ForgePlace, request: Request): ForgeRequest;
	/** Lists of what checks say of it, each with its reader; asked one after the other. */
	checks(place: ForgePlace, request: Request): readonly ForgeRequest[];
	/** @param answers of the requests of `checks`, in their order */
	readChecks(answers: readonly unknown[]): CheckResults | undefined;
	/** Lists of remarks; each is asked page by page. */
	remarks(place: ForgePlace, number: number): readonly ForgeRequest[];
	/** @param list which of them */
	readRemarks(json: unknown, list: number): readonly Remark[] | undefined;
	/** Who of the authors is of the project; undefined where each remark says so. */
	members?(place: ForgePlace, ids: readonly number[]): ForgeRequest;
	readMembers?(json: unknown): readonly number[] | undefined;
	/** What holds for a branch there. */
	protection(place: ForgePlace, branch: string): Reading;
	/** Where that is set. */
	places(place: ForgePlace, branch: string): Places;
};

/** How many of a list are asked for at once: the most that both forges give. */
export const pageSize = 100;

/** A list's further page. @param page from 1 */
export function pageOfList(request: ForgeRequest, page: number): ForgeRequest {
	const sign = request.path.includes('?') ? '&' : '?';
	return {...request, path: `${request.path}${sign}per_page=${pageSize}&page=${page}`};
}
