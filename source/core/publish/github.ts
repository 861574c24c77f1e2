import * as v from 'valibot';
import type {ForgePlace} from './place.ts';
import {githubPlaces, readGithub} from './protection-github.ts';
import type {FailedCheck, ForgeApi, Remark, Request} from './forge.ts';

/* GitHub's REST API, as https://docs.github.com/rest describes it. */

const sha = v.pipe(v.string(), v.regex(/^(?:[\da-f]{40}|[\da-f]{64})$/));
const number = v.pipe(v.number(), v.integer(), v.minValue(1));
const text = v.nullish(v.string(), '');
const user = v.nullish(v.object({login: v.string()}));

const pull = v.object({
	number,
	state: v.picklist(['open', 'closed']),
	merged_at: v.nullish(v.string()),
	merge_commit_sha: v.nullish(sha),
	mergeable: v.nullish(v.boolean()),
	draft: v.nullish(v.boolean(), false),
	title: text,
	body: text,
	node_id: text,
	head: v.object({ref: v.string(), sha, repo: v.nullish(v.object({full_name: v.string()}))}),
});

function requestOf(read: v.InferOutput<typeof pull>): Request {
	const isMerged = typeof read.merged_at === 'string';
	return {
		number: read.number,
		state: isMerged ? 'merged' : read.state,
		head: read.head.sha,
		draft: read.draft,
		title: read.title,
		body: read.body,
		mergeable: read.mergeable ?? null,
		commit: isMerged ? (read.merge_commit_sha ?? undefined) : undefined,
		node: read.node_id,
	};
}

/** `OWNER/NAME` needs no escape: a place has no other characters. */
const repository = ({path}: ForgePlace) => `/repos/${path}`;

/** Whom GitHub calls a part of the project: https://docs.github.com/graphql/reference/enums#commentauthorassociation */
const members = new Set(['OWNER', 'MEMBER', 'COLLABORATOR']);

const remark = {
	id: v.pipe(v.number(), v.integer()),
	user,
	author_association: v.nullish(v.string(), 'NONE'),
	body: text,
};
const review = v.object({...remark, state: v.string(), submitted_at: text});
const lineComment = v.object({
	...remark,
	path: v.string(),
	line: v.nullish(v.number()),
	original_line: v.nullish(v.number()),
	created_at: text,
});
const comment = v.object({...remark, created_at: text});

const said = ({
	user: author,
	author_association: association,
	body,
}: v.InferOutput<v.ObjectSchema<typeof remark, undefined>>) => ({
	author: author?.login ?? '',
	isMember: members.has(association),
	text: body,
});

const verdicts: Readonly<Record<string, Remark['verdict']>> = {
	APPROVED: 'approved',
	CHANGES_REQUESTED: 'changes',
	DISMISSED: 'dismissed',
};

const readers: ReadonlyArray<(json: unknown) => Remark[] | undefined> = [
	json => {
		const read = v.safeParse(v.array(review), json);
		return read.success
			? read.output
					.filter(({state}) => state !== 'PENDING')
					.map(one => ({
						id: `review-${one.id}`,
						kind: 'review',
						verdict: verdicts[one.state],
						...said(one),
						at: one.submitted_at,
					}))
			: undefined;
	},
	json => {
		const read = v.safeParse(v.array(lineComment), json);
		return read.success
			? read.output.map(one => ({
					id: `line-${one.id}`,
					kind: 'line',
					...said(one),
					path: one.path,
					line: one.line ?? one.original_line ?? undefined,
					at: one.created_at,
				}))
			: undefined;
	},
	json => {
		const read = v.safeParse(v.array(comment), json);
		return read.success
			? read.output.map(one => ({id: `comment-${one.id}`, kind: 'comment', ...said(one), at: one.created_at}))
			: undefined;
	},
];

const checkRuns = v.object({
	check_runs: v.array(
		v.object({
			id: v.number(),
			name: v.string(),
			status: v.string(),
			conclusion: v.nullish(v.string()),
			output: v.nullish(v.object({title: text, summary: text})),
		}),
	),
});
const statuses = v.object({
	statuses: v.array(v.object({id: v.number(), context: v.string(), state: v.string(), description: text})),
});

/** https://docs.github.com/rest/checks/runs: how one ends that stands in nobody's way. */
const good = new Set(['success', 'neutral', 'skipped']);

export const github: ForgeApi = {
	find: (place, branch, base) => ({
		method: 'GET',
		path:
			`${repository(place)}/pulls?state=all&head=${encodeURIComponent(`${place.path.split('/')[0]!}:${branch}`)}` +
			`&base=${encodeURIComponent(base)}&per_page=100`,
	}),
	readFound(json, place, branch) {
		const read = v.safeParse(v.array(pull), json);
		return read.success
			? read.output
					// One of a fork may have a branch of the same name.
					.filter(({head}) => head.ref === branch && head.repo?.full_name.toLowerCase() === place.path.toLowerCase())
					.map(one => requestOf(one))
			: undefined;
	},
	make: (place, {title, body, branch, base, draft}) => ({
		method: 'POST',
		path: `${repository(place)}/pulls`,
		body: {title, body, head: branch, base, draft},
	}),
	one: (place, id) => ({method: 'GET', path: `${repository(place)}/pulls/${id}`}),
	readOne(json) {
		const read = v.safeParse(pull, json);
		return read.success ? requestOf(read.output) : undefined;
	},
	edit: (place, id, body) => ({method: 'PATCH', path: `${repository(place)}/pulls/${id}`, body: {body}}),
	// REST has no way to do it: https://docs.github.com/graphql/reference/mutations#markpullrequestreadyforreview
	ready: (_place, {node}) => ({
		method: 'POST',
		path: '/graphql',
		graphql: true,
		body: {
			query:
				'mutation($id: ID!) { markPullRequestReadyForReview(input: {pullRequestId: $id}) { pullRequest { number } } }',
			variables: {id: node},
		},
	}),
	checks: (place, {head}) => [
		{method: 'GET', path: `${repository(place)}/commits/${head}/check-runs?per_page=100`},
		{method: 'GET', path: `${repository(place)}/commits/${head}/status?per_page=100`},
	],
	readChecks([first, second]) {
		const runs = v.safeParse(checkRuns, first);
		const others = v.safeParse(statuses, second);
		if (!runs.success || !others.success) {
			return undefined;
		}

		const details: FailedCheck[] = [];
		let [passed, running] = [0, 0];
		for (const {id, name, status, conclusion, output} of runs.output.check_runs) {
			if (status !== 'completed') {
				running++;
			} else if (good.has(conclusion ?? '')) {
				passed++;
			} else {
				const words = [conclusion ?? '', output?.title ?? '', output?.summary ?? ''].filter(one => one !== '');
				details.push({id: `check-${id}`, name, text: words.join('\n')});
			}
		}

		for (const {id, context, state, description} of others.output.statuses) {
			if (state === 'success') {
				passed++;
			} else if (state === 'pending') {
				running++;
			} else {
				details.push({id: `status-${id}`, name: context, text: [state, description].join('\n')});
			}
		}

		return {passed, running, failed: details.map(({name}) => name), details};
	},
	remarks: (place, id) => [
		{method: 'GET', path: `${repository(place)}/pulls/${id}/reviews`},
		{method: 'GET', path: `${repository(place)}/pulls/${id}/comments`},
		{method: 'GET', path: `${repository(place)}/issues/${id}/comments`},
	],
	readRemarks: (json, list) => readers[list]!(json),
	protection: readGithub,
	places: githubPlaces,
};
