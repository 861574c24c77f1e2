import * as v from 'valibot';
import type {ForgePlace} from './place.ts';
import {placeText} from './place.ts';
import {each, needs, type Need, type Places, type Protection, type Reading, type Source} from './protection.ts';

/*
 * What GitHub enforces on a branch: its branch protection (https://docs.github.com/rest/branches/branch-protection), and the
 * rules of all rulesets together (https://docs.github.com/rest/repos/rules).
 */

const switched = v.nullish(v.object({enabled: v.boolean()}));
const list = v.nullish(v.array(v.unknown()), []);
const count = v.nullish(v.number(), 0);
const flag = v.nullish(v.boolean(), false);

const branchSchema = v.object({protected: v.boolean()});

const protectionSchema = v.object({
	required_status_checks: v.nullish(
		v.object({
			contexts: v.nullish(v.array(v.string()), []),
			checks: v.nullish(v.array(v.object({context: v.string()})), []),
		}),
	),
	enforce_admins: switched,
	required_pull_request_reviews: v.nullish(
		v.object({
			dismiss_stale_reviews: flag,
			required_approving_review_count: count,
			require_last_push_approval: flag,
			bypass_pull_request_allowances: v.nullish(v.object({users: list, teams: list, apps: list})),
		}),
	),
	allow_force_pushes: switched,
	allow_deletions: switched,
});

const pullParameters = v.object({
	required_approving_review_count: count,
	dismiss_stale_reviews_on_push: flag,
	require_last_push_approval: flag,
});
const checkParameters = v.object({required_status_checks: v.array(v.object({context: v.string()}))});
const rulesSchema = v.array(v.object({type: v.string(), ruleset_id: v.number(), parameters: v.optional(v.unknown())}));
const rulesetSchema = v.object({
	name: v.string(),
	bypass_actors: v.nullish(v.array(v.object({actor_type: v.string(), actor_id: v.nullish(v.number())}))),
});

type Holds = Partial<Record<Need, string>>;

const reviewHolds = (approvals: number, stale: boolean, lastPush: boolean): Holds => ({
	request: 'pull requests alone',
	...(approvals > 0 ? {approvals: `${approvals} ${approvals === 1 ? 'approval' : 'approvals'}`} : {}),
	...(stale ? {stale: 'a push takes approvals away'} : {}),
	...(lastPush ? {'last push': 'somebody else approves the last push'} : {}),
});

/** @param contexts the names of checks; `packaging/check` has its job called `fleet check` */
function checkHolds(contexts: readonly string[]): Holds {
	const names = [...new Set(contexts)];
	return {
		...(names.length > 0 ? {checks: names.join(', ')} : {}),
		...(names.some(name => /\bfleet[ -]check\b/i.test(name)) ? {'fleet check': 'has to pass'} : {}),
	};
}

const held: Holds = {'force push': 'no force pushes', deletion: 'no deletion'};
const heldOf = (...which: ReadonlyArray<readonly [Need, boolean]>): Holds =>
	Object.fromEntries(which.flatMap(([need, holds]) => (holds ? [[need, held[need]!]] : [])));

function classicSources(read: v.InferOutput<typeof protectionSchema>): Source[] {
	const reviews = read.required_pull_request_reviews;
	const admins = read.enforce_admins?.enabled === true ? [] : ['administrators'];
	const {users = [], teams = [], apps = []} = reviews?.bypass_pull_request_allowances ?? {};
	const allowed = users.length + teams.length + apps.length;
	const checks = read.required_status_checks;
	return [
		{
			name: 'branch protection',
			holds: reviews
				? reviewHolds(
						reviews.required_approving_review_count,
						reviews.dismiss_stale_reviews,
						reviews.require_last_push_approval,
					)
				: {},
			exempt: [...admins, ...(allowed > 0 ? [`${allowed} who may bypass pull requests`] : [])],
		},
		{
			name: 'branch protection',
			holds: {
				protected: 'is there',
				...checkHolds(checks ? [...checks.contexts, ...checks.checks.map(({context}) => context)] : []),
				...heldOf(
					['force push', read.allow_force_pushes?.enabled === false],
					['deletion', read.allow_deletions?.enabled === false],
				),
			},
			exempt: admins,
		},
	];
}

/** What a rule holds; undefined for one whose parameters are not what is documented. */
function ruleHolds({type, parameters}: v.InferOutput<typeof rulesSchema>[number]): Holds | undefined {
	if (type === 'pull_request') {
		const read = v.safeParse(pullParameters, parameters);
		return read.success
			? reviewHolds(
					read.output.required_approving_review_count,
					read.output.dismiss_stale_reviews_on_push,
					read.output.require_last_push_approval,
				)
			: undefined;
	}

	if (type === 'required_status_checks') {
		const read = v.safeParse(checkParameters, parameters);
		return read.success ? checkHolds(read.output.required_status_checks.map(({context}) => context)) : undefined;
	}

	return heldOf(['force push', type === 'non_fast_forward'], ['deletion', type === 'deletion']);
}

/** How many rules are read: the most that are given at once. */
const mostRules = 100;

/** What holds for a branch, whether it is there yet or not. */
export function* readGithub(place: ForgePlace, branch: string): Reading {
	const repository = `/repos/${place.path}`;
	const name = encodeURIComponent(branch);
	const sources: Source[] = [];
	const unread: string[] = [];

	const rules = yield {method: 'GET', path: `${repository}/rules/branches/${name}?per_page=${mostRules}`};
	const list = v.safeParse(rulesSchema, rules.status === 200 ? rules.json : undefined);
	if (!list.success) {
		unread.push(`its rulesets could not be read: ${rules.said}`);
	} else if (list.output.length >= mostRules) {
		unread.push('it has more rules than are read');
	}

	const found = list.success ? list.output : [];
	for (const id of new Set(found.map(rule => rule.ruleset_id))) {
		const answer = yield {method: 'GET', path: `${repository}/rulesets/${id}`};
		const ruleset = v.safeParse(rulesetSchema, answer.status === 200 ? answer.json : undefined);
		const named = `ruleset ${ruleset.success ? ruleset.output.name.slice(0, 60) : id}`;
		const own = found.filter(rule => rule.ruleset_id === id).map(rule => ruleHolds(rule));
		if (own.includes(undefined)) {
			unread.push(`${named} has a rule that is not documented`);
		}

		// A ruleset may have several rules of one kind: the strictest counts, and all that are alike say the same.
		for (const holds of own) {
			sources.push({
				name: named,
				holds: {protected: 'is there', ...holds},
				// It is told to nobody who may not change it.
				exempt: ruleset.success
					? ruleset.output.bypass_actors?.map(one => `${one.actor_type} ${one.actor_id ?? ''}`.trim())
					: undefined,
			});
		}
	}

	// Whoever may read the project reads this; what the protection says only who may change it.
	const there = yield {method: 'GET', path: `${repository}/branches/${name}`};
	const seen = v.safeParse(branchSchema, there.status === 200 ? there.json : undefined);
	if (!seen.success) {
		unread.push(`its branch protection could not be read: ${there.said}`);
	} else if (seen.output.protected) {
		const answer = yield {method: 'GET', path: `${repository}/branches/${name}/protection`};
		const classic = v.safeParse(protectionSchema, answer.status === 200 ? answer.json : undefined);
		if (classic.success) {
			sources.push(...classicSources(classic.output));
		} else if (answer.status !== 404 || !/branch not protected/i.test(answer.said)) {
			unread.push(`its branch protection could not be read: ${answer.said}`);
		}
	}

	const protection: Protection = {
		sources,
		unread: unread.length === 0 ? {} : each(needs, unread.join('; ')),
		instead: {},
	};
	return protection;
}

/** Where it is set: in a ruleset, which says who is exempt, and holds for branches that are not there yet. */
export function githubPlaces(place: ForgePlace, branch: string): Places {
	const settings = `https://${placeText(place)}/settings/rules, a branch ruleset for ${branch}:`;
	const pulls = `${settings} Require a pull request before merging`;
	return {
		protected: settings.replace(/:$/, ''),
		request: pulls,
		approvals: `${pulls}: Required approvals`,
		stale: `${pulls}: Dismiss stale pull request approvals when new commits are pushed`,
		'last push': `${pulls}: Require approval of the most recent reviewable push`,
		checks: `${settings} Require status checks to pass`,
		'fleet check': `packaging/check/github.yml as a workflow; then ${settings} Require status checks to pass: fleet check`,
		'force push': `${settings} Block force pushes`,
		deletion: `${settings} Restrict deletions`,
		administrators: `${settings} an empty Bypass list; of a branch protection: Do not allow bypassing the above settings`,
	};
}
