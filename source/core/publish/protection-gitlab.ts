import * as v from 'valibot';
import type {ForgePlace} from './place.ts';
import {placeText} from './place.ts';
import {each, type Asking, type Need, type Places, type Reading, type Source} from './protection.ts';

/*
 * What GitLab enforces on a branch: https://docs.gitlab.com/api/protected_branches, of a project
 * https://docs.gitlab.com/api/projects, and its approvals https://docs.gitlab.com/api/merge_request_approvals.
 */

const access = v.object({
	access_level: v.nullish(v.number()),
	access_level_description: v.nullish(v.string(), ''),
	user_id: v.nullish(v.number()),
	group_id: v.nullish(v.number()),
	deploy_key_id: v.nullish(v.number()),
});
const branches = v.array(
	v.object({name: v.string(), push_access_levels: v.array(access), allow_force_push: v.boolean()}),
);
const projectSchema = v.object({
	only_allow_merge_if_pipeline_succeeds: v.boolean(),
	allow_merge_on_skipped_pipeline: v.nullish(v.boolean(), false),
	ci_config_path: v.nullish(v.string(), ''),
});
const file = v.object({content: v.string(), encoding: v.literal('base64')});
const approvalSettings = v.object({
	reset_approvals_on_push: v.boolean(),
	merge_requests_author_approval: v.boolean(),
	merge_requests_disable_committers_approval: v.boolean(),
	disable_overriding_approvers_per_merge_request: v.boolean(),
});
const approvalRules = v.array(
	v.object({
		approvals_required: v.number(),
		applies_to_all_protected_branches: v.nullish(v.boolean(), false),
		protected_branches: v.nullish(v.array(v.object({name: v.string()})), []),
	}),
);

/** Whether a protected branch's name, in which `*` stands for anything, is that of a branch. */
function matches(pattern: string, branch: string): boolean {
	const parts = pattern.split('*').map(part => part.replaceAll(/[\\^$.|?+()[\]{}]/g, String.raw`\$&`));
	return new RegExp(`^${parts.join('.*')}$`, 's').test(branch);
}

const isNobody = (one: v.InferOutput<typeof access>) =>
	one.access_level === 0 && (one.user_id ?? one.group_id ?? one.deploy_key_id ?? null) === null;

/** As many as one page has; who has more is told that not all was read. */
const most = 100;

type Notes = Partial<Record<Need, string>>;

/** What holds for a branch, whether it is there yet or not. */
export function* readGitlab(place: ForgePlace, branch: string): Reading {
	const project = `/projects/${encodeURIComponent(place.path)}`;
	const sources: Source[] = [];
	const [unread, instead]: [Notes, Notes] = [{}, {}];

	const list = yield {method: 'GET', path: `${project}/protected_branches?per_page=${most}`};
	const all = v.safeParse(branches, list.status === 200 ? list.json : undefined);
	if (!all.success || all.output.length >= most) {
		const why = all.success ? 'there are more than are read' : list.said;
		Object.assign(
			unread,
			each(['protected', 'request', 'force push', 'deletion'], `protected branches could not be read: ${why}`),
		);
	} else {
		// Of several that match, the one that allows most counts.
		const own = all.output.filter(({name}) => matches(name, branch));
		const pushers = own.flatMap(one => one.push_access_levels).filter(one => !isNobody(one));
		const mayForce = own.some(one => one.allow_force_push);
		if (own.length > 0) {
			sources.push({
				name: `protected branch ${own.map(({name}) => name).join(', ')}`,
				holds: {
					protected: 'is there',
					...(pushers.length === 0 ? {request: 'merge requests alone'} : {}),
					...(mayForce ? {} : {'force push': 'no force pushes'}),
					deletion: 'not by a push; maintainers can on the pages, which GitLab has no setting for',
				},
				exempt: [],
			});
			const who = [...new Set(pushers.map(one => one.access_level_description || 'somebody'))];
			instead.request = `it can be pushed to without a request: ${who.join(', ')}`;
		}
	}

	yield* readMerging(project, branch, {sources, unread, instead});
	yield* readApprovals(project, branch, {sources, unread});
	return {sources, unread, instead};
}

/** Whether pipelines have to pass, and whether fleet's check is in them. */
function* readMerging(
	project: string,
	branch: string,
	{sources, unread, instead}: {sources: Source[]; unread: Notes; instead: Notes},
): Asking<void> {
	const answer = yield {method: 'GET', path: project};
	const read = v.safeParse(projectSchema, answer.status === 200 ? answer.json : undefined);
	if (!read.success) {
		Object.assign(unread, each(['checks', 'fleet check'], `settings of merges could not be read: ${answer.said}`));
		return;
	}

	if (!read.output.only_allow_merge_if_pipeline_succeeds) {
		return;
	}

	if (read.output.allow_merge_on_skipped_pipeline) {
		instead.checks = 'a pipeline has to pass, but one that was skipped counts as well';
		return;
	}

	const holds: Notes = {checks: 'the pipeline has to pass'};
	const config = read.output.ci_config_path || '.gitlab-ci.yml';
	const path = `${project}/repository/files/${encodeURIComponent(config)}?ref=${encodeURIComponent(branch)}`;
	const content = yield {method: 'GET', path};
	const text = v.safeParse(file, content.status === 200 ? content.json : undefined);
	const script = text.success ? Buffer.from(text.output.content, 'base64').toString('utf8') : '';
	if (/\bfleet(?:\.cjs)?["']? check\b/.test(script)) {
		holds['fleet check'] = `in ${config}`;
	} else if (!text.success) {
		unread['fleet check'] = `${config} could not be read: ${content.said}`;
	} else if (/^include:/m.test(script)) {
		unread['fleet check'] = `${config} includes other files, which were not read`;
	}

	sources.push({name: 'settings of merges', holds, exempt: []});
}

function* readApprovals(
	project: string,
	branch: string,
	{sources, unread}: {sources: Source[]; unread: Notes},
): Asking<void> {
	const answer = yield {method: 'GET', path: `${project}/approvals`};
	const read = v.safeParse(approvalSettings, answer.status === 200 ? answer.json : undefined);
	const wanted = yield {method: 'GET', path: `${project}/approval_rules?per_page=${most}`};
	const rules = v.safeParse(approvalRules, wanted.status === 200 ? wanted.json : undefined);
	const premium = 'GitLab asks for approvals from Premium on';
	if (!rules.success) {
		unread.approvals = `rules of approvals could not be read: ${wanted.said}; ${premium}`;
	}

	if (!read.success) {
		Object.assign(
			unread,
			each(['stale', 'last push'], `settings of approvals could not be read: ${answer.said}; ${premium}`),
		);
	}

	// Several rules may be met by the same people, so that the largest is what is sure.
	const own = (rules.success ? rules.output : []).filter(
		one =>
			one.applies_to_all_protected_branches ||
			one.protected_branches.length === 0 ||
			one.protected_branches.some(({name}) => matches(name, branch)),
	);
	const count = Math.max(0, ...own.map(one => one.approvals_required));
	const settings = read.success ? read.output : undefined;
	const others = settings?.merge_requests_disable_committers_approval && !settings.merge_requests_author_approval;
	sources.push({
		name: 'settings of approvals',
		holds: {
			...(count > 0 ? {approvals: `${count} ${count === 1 ? 'approval' : 'approvals'}`} : {}),
			...(settings?.reset_approvals_on_push ? {stale: 'a push takes approvals away'} : {}),
			...(others ? {'last push': 'neither author nor committers approve'} : {}),
		},
		exempt:
			settings &&
			(settings.disable_overriding_approvers_per_merge_request ? [] : ['who edits the rules of a merge request']),
	});
}

/** Where it is set. */
export function gitlabPlaces(place: ForgePlace, branch: string): Places {
	const settings = `https://${placeText(place)}/-/settings`;
	const protectedBranch = `${settings}/repository, Protected branches, ${branch}:`;
	const merges = `${settings}/merge_requests,`;
	return {
		protected: `${settings}/repository, Protected branches: Add protected branch ${branch}`,
		request: `${protectedBranch} Allowed to push and merge: No one`,
		approvals: `${merges} Approval rules: a rule for ${branch} with at least one approval`,
		stale: `${merges} Approval settings: When a commit is added, Remove all approvals`,
		'last push': `${merges} Approval settings: Prevent approval by merge request creator, and by users who add commits`,
		checks: `${merges} Merge checks: Pipelines must succeed, and no skipped ones`,
		'fleet check': 'packaging/check/gitlab.yml into .gitlab-ci.yml',
		'force push': `${protectedBranch} Allowed to force push: off`,
		deletion: `${settings}/repository, Protected branches: Add protected branch ${branch}`,
		administrators: `${merges} Approval settings: Prevent editing approval rules in merge requests`,
	};
}
