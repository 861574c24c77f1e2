/*
 * Settings of a forge that lack nothing, as its documentation has the answers: "Get branch protection", "Get rules for a
 * branch" and "Get a repository ruleset" of GitHub, "List protected branches", "Get a project", "Get file from repository",
 * and "Get configuration" and "rules" of merge request approvals of GitLab. No forge was asked.
 */

type Json = Record<string, any>;
export type Settings = Record<string, readonly [status: number, answer: any]>;

/** Of a branch with a branch protection and without a ruleset. */
export const classic = (): Settings => ({
	'/rules/branches/main': [200, []],
	'/branches/main': [200, {name: 'main', protected: true, protection_url: 'https://elsewhere.example/not-used'}],
	'/branches/main/protection': [
		200,
		{
			url: 'https://elsewhere.example/not-used',
			required_status_checks: {
				strict: true,
				contexts: ['test', 'fleet check'],
				checks: [
					{context: 'test', app_id: null},
					{context: 'fleet check', app_id: 15_368},
				],
			},
			enforce_admins: {url: 'https://elsewhere.example/not-used', enabled: true},
			required_pull_request_reviews: {
				dismiss_stale_reviews: true,
				require_code_owner_reviews: true,
				required_approving_review_count: 2,
				require_last_push_approval: true,
			},
			restrictions: null,
			required_linear_history: {enabled: true},
			allow_force_pushes: {enabled: false},
			allow_deletions: {enabled: false},
			required_signatures: {enabled: true},
		},
	],
});

const ruleset = {ruleset_source_type: 'Repository', ruleset_source: 'ada/project', ruleset_id: 42};
export const growingRules: Json[] = [
	{type: 'deletion', ...ruleset},
	{type: 'non_fast_forward', ...ruleset},
];

/** Of a branch with one ruleset, which whoever asks may change. */
export const rulesets = (): Settings => ({
	'/rules/branches/main': [
		200,
		[
			...growingRules,
			{
				type: 'pull_request',
				...ruleset,
				parameters: {
					required_approving_review_count: 1,
					dismiss_stale_reviews_on_push: true,
					require_code_owner_review: false,
					require_last_push_approval: true,
					required_review_thread_resolution: true,
				},
			},
			{
				type: 'required_status_checks',
				...ruleset,
				parameters: {
					strict_required_status_checks_policy: false,
					required_status_checks: [{context: 'fleet check', integration_id: 15_368}],
				},
			},
		],
	],
	'/rulesets/42': [
		200,
		{
			id: 42,
			name: 'main',
			target: 'branch',
			source_type: 'Repository',
			source: 'ada/project',
			enforcement: 'active',
			bypass_actors: [],
			current_user_can_bypass: 'never',
		},
	],
	'/branches/main': [200, {name: 'main', protected: true}],
	'/branches/main/protection': [404, {message: 'Branch not protected', status: '404'}],
});

export const maintainers = {id: 1, access_level: 40, access_level_description: 'Maintainers', deploy_key_id: null};

export const gitlabSettings = (): Settings => ({
	'/protected_branches': [
		200,
		[
			{
				id: 1,
				name: 'ma*',
				push_access_levels: [{id: 1, access_level: 0, access_level_description: 'No one', deploy_key_id: null}],
				merge_access_levels: [maintainers],
				allow_force_push: false,
				code_owner_approval_required: false,
			},
			{
				id: 2,
				name: 'other',
				push_access_levels: [maintainers],
				merge_access_levels: [maintainers],
				allow_force_push: true,
				code_owner_approval_required: false,
			},
		],
	],
	'': [
		200,
		{id: 1, only_allow_merge_if_pipeline_succeeds: true, allow_merge_on_skipped_pipeline: false, ci_config_path: ''},
	],
	'/repository/files/.gitlab-ci.yml': [
		200,
		{
			file_name: '.gitlab-ci.yml',
			encoding: 'base64',
			content: Buffer.from('fleet-check:\n  script: [npx fleet check HEAD]\n').toString('base64'),
		},
	],
	'/approvals': [
		200,
		{
			reset_approvals_on_push: true,
			selective_code_owner_removals: false,
			disable_overriding_approvers_per_merge_request: true,
			merge_requests_author_approval: false,
			merge_requests_disable_committers_approval: true,
		},
	],
	'/approval_rules': [
		200,
		[
			{id: 1, rule_type: 'any_approver', approvals_required: 0, protected_branches: []},
			{
				id: 2,
				rule_type: 'regular',
				approvals_required: 2,
				applies_to_all_protected_branches: false,
				protected_branches: [{id: 1, name: 'ma*'}],
			},
		],
	],
});
