import * as v from 'valibot';
import type {ForgePlace} from './place.ts';
import {gitlabPlaces, readGitlab} from './protection-gitlab.ts';
import type {ForgeApi, Remark, Request} from './forge.ts';

/* GitLab's REST API, as https://docs.gitlab.com/api describes it. */

const sha = v.pipe(v.string(), v.regex(/^(?:[\da-f]{40}|[\da-f]{64})$/));
const number = v.pipe(v.number(), v.integer(), v.minValue(1));
const text = v.nullish(v.string(), '');

const mergeRequest = v.object({
	iid: number,
	state: v.picklist(['opened', 'closed', 'merged', 'locked']),
	sha: v.nullish(sha),
	draft: v.nullish(v.boolean(), false),
	title: text,
	description: text,
	source_branch: v.string(),
	source_project_id: v.nullish(v.number()),
	target_project_id: v.nullish(v.number()),
	has_conflicts: v.nullish(v.boolean()),
	merge_commit_sha: v.nullish(sha),
	squash_commit_sha: v.nullish(sha),
});

const states = {opened: 'open', locked: 'open', closed: 'closed', merged: 'merged'} as const;

function requestOf(read: v.InferOutput<typeof mergeRequest>): Request {
	return {
		number: read.iid,
		state: states[read.state],
		head: read.sha ?? '',
		draft: read.draft,
		title: read.title,
		body: read.description,
		mergeable: typeof read.has_conflicts === 'boolean' ? !read.has_conflicts : null,
		commit:
			read.state === 'merged' ? (read.merge_commit_sha ?? read.squash_commit_sha ?? read.sha ?? undefined) : undefined,
		node: '',
	};
}

const project = ({path}: ForgePlace) => `/projects/${encodeURIComponent(path)}`;

const approvals = v.object({
	approved_by: v.array(v.object({user: v.object({id: v.number(), username: v.string()})})),
});
const notes = v.array(
	v.object({
		id: v.number(),
		body: text,
		author: v.nullish(v.object({id: v.number(), username: v.string()})),
		system: v.nullish(v.boolean(), false),
		resolved: v.nullish(v.boolean(), false),
		created_at: text,
		position: v.nullish(v.object({new_path: v.nullish(v.string()), new_line: v.nullish(v.number())})),
	}),
);
const statusList = v.array(
	v.object({
		id: v.number(),
		name: v.string(),
		status: v.string(),
		description: text,
		allow_failure: v.nullish(v.boolean(), false),
	}),
);
const memberList = v.array(v.object({id: v.number(), access_level: v.number()}));

/** Developer: who may push. https://docs.gitlab.com/api/members */
const developer = 30;

export const gitlab: ForgeApi = {
	find: (place, branch, base) => ({
		method: 'GET',
		path:
			`${project(place)}/merge_requests?state=all&source_branch=${encodeURIComponent(branch)}` +
			`&target_branch=${encodeURIComponent(base)}&per_page=100`,
	}),
	readFound(json, _place, branch) {
		const read = v.safeParse(v.array(mergeRequest), json);
		return read.success
			? read.output
					.filter(one => one.source_branch === branch && (one.source_project_id ?? 0) === (one.target_project_id ?? 0))
					.map(one => requestOf(one))
			: undefined;
	},
	make: (place, {title, body, branch, base, draft}) => ({
		method: 'POST',
		path: `${project(place)}/merge_requests`,
		body: {
			source_branch: branch,
			target_branch: base,
			title: draft ? `Draft: ${title}` : title,
			description: body,
		},
	}),
	one: (place, id) => ({method: 'GET', path: `${project(place)}/merge_requests/${id}`}),
	readOne(json) {
		const read = v.safeParse(mergeRequest, json);
		return read.success ? requestOf(read.output) : undefined;
	},
	edit: (place, id, body) => ({
		method: 'PUT',
		path: `${project(place)}/merge_requests/${id}`,
		body: {description: body},
	}),
	ready: (place, {number: id, title}) => ({
		method: 'PUT',
		path: `${project(place)}/merge_requests/${id}`,
		body: {title: title.replace(/^\s*(?:\[draft\]|\(draft\)|draft:|draft -)\s*/i, '')},
	}),
	checks: (place, {head}) => [
		{method: 'GET', path: `${project(place)}/repository/commits/${head}/statuses?per_page=100`},
	],
	readChecks([first]) {
		const read = v.safeParse(statusList, first);
		if (!read.success) {
			return undefined;
		}

		const all = read.output;
		const failed = all.filter(one => ['failed', 'canceled'].includes(one.status) && !one.allow_failure);
		return {
			passed: all.filter(one => ['success', 'skipped'].includes(one.status)).length,
			running: all.filter(one =>
				['created', 'waiting_for_resource', 'preparing', 'pending', 'running', 'scheduled'].includes(one.status),
			).length,
			failed: failed.map(({name}) => name),
			details: failed.map(({id, name, status, description}) => ({
				id: `check-${id}`,
				name,
				text: [status, description].filter(one => one !== '').join('\n'),
			})),
		};
	},
	remarks: (place, id) => [
		{method: 'GET', path: `${project(place)}/merge_requests/${id}/notes?sort=asc&order_by=created_at`},
		{method: 'GET', path: `${project(place)}/merge_requests/${id}/approvals`},
	],
	readRemarks(json, list) {
		if (list === 1) {
			const read = v.safeParse(approvals, json);
			return read.success
				? read.output.approved_by.map(({user}): Remark => ({
						id: `approval-${user.id}`,
						author: user.username,
						authorId: user.id,
						isMember: undefined,
						kind: 'review',
						verdict: 'approved',
						text: '',
						at: '',
					}))
				: undefined;
		}

		const read = v.safeParse(notes, json);
		return read.success
			? read.output
					.filter(({system, resolved}) => !system && !resolved)
					.map((one): Remark => ({
						id: `note-${one.id}`,
						author: one.author?.username ?? '',
						authorId: one.author?.id,
						isMember: undefined,
						kind: typeof one.position?.new_path === 'string' ? 'line' : 'comment',
						path: one.position?.new_path ?? undefined,
						line: one.position?.new_line ?? undefined,
						text: one.body,
						at: one.created_at,
					}))
			: undefined;
	},
	members: (place, ids) => ({
		method: 'GET',
		path: `${project(place)}/members/all?${ids.map(id => `user_ids[]=${id}`).join('&')}&per_page=100`,
	}),
	readMembers(json) {
		const read = v.safeParse(memberList, json);
		return read.success ? read.output.filter(one => one.access_level >= developer).map(({id}) => id) : undefined;
	},
	protection: readGitlab,
	places: gitlabPlaces,
};
