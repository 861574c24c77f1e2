import {ruleWords, type GrantRule} from './grants/rules.ts';
import type {People} from './people/people.ts';
import type {Policy} from './policy.ts';

/*
 * What a change of a policy opens and closes, line by line. What is not known to close anything is not said to: where it
 * cannot be told, a change opens, or only changes what runs.
 */

export type PolicyChange = {
	readonly what: 'opens' | 'closes' | 'changes';
	/** The key of the policy, or `people`. */
	readonly key: string;
	readonly text: string;
};

/** A project's policy, and who decides about it. */
export type Deciding = {readonly policy: Policy; readonly people: People};

type List = readonly string[];

/** What a list has more, and less. @param more what one more entry does */
function lists(key: string, more: 'opens' | 'closes', [before, after]: readonly [List, List]): PolicyChange[] {
	const less: PolicyChange['what'] = more === 'opens' ? 'closes' : 'opens';
	return [
		...after.filter(one => !before.includes(one)).map(one => ({what: more, key, text: `+ ${one}`})),
		...before.filter(one => !after.includes(one)).map(one => ({what: less, key, text: `- ${one}`}) as const),
	];
}

/** A value that may be missing: whether the new one lets through more. */
function value<Value>(
	key: string,
	[before, after]: readonly [Value | undefined, Value | undefined],
	judge: {opens(before: Value | undefined, after: Value | undefined): boolean; words(one: Value): string},
): PolicyChange[] {
	if (JSON.stringify(before) === JSON.stringify(after)) {
		return [];
	}

	const words = (one: Value | undefined) => (one === undefined ? 'none' : judge.words(one));
	return [{what: judge.opens(before, after) ? 'opens' : 'closes', key, text: `${words(before)} → ${words(after)}`}];
}

/** A number without which there is no limit. */
const limit = {
	opens: (before: number | undefined, after: number | undefined) =>
		(after ?? Number.POSITIVE_INFINITY) > (before ?? Number.POSITIVE_INFINITY),
};

const saysLess = (before: List | undefined, after: List | undefined) =>
	after === undefined || (before !== undefined && after.some(name => !before.includes(name)));

/** Whether a rule lets through what another one of the same scope did not. */
function opensMore(before: GrantRule, after: GrantRule): boolean {
	return (
		(before.never === true && after.never !== true) ||
		(!after.never &&
			(limit.opens(before.longest, after.longest) ||
				limit.opens(before.uses, after.uses) ||
				(before.by !== undefined && saysLess(before.by, after.by))))
	);
}

function grants(before: readonly GrantRule[], after: readonly GrantRule[]): PolicyChange[] {
	const key = 'grants';
	const said = (rule: GrantRule) => `${rule.scope}: ${ruleWords(rule)}`;
	const gone = before.filter(rule => !after.some(other => said(other) === said(rule)));
	const come = after.filter(rule => !before.some(other => said(other) === said(rule)));
	const pairs = gone.flatMap(rule => {
		const next = come.find(other => other.scope === rule.scope);
		return next ? [{rule, next}] : [];
	});
	const paired = new Set(pairs.flatMap(({rule, next}) => [rule, next]));
	return [
		...pairs.map(({rule, next}) => ({
			what: opensMore(rule, next) ? ('opens' as const) : ('closes' as const),
			key,
			text: `${rule.scope}: ${ruleWords(rule)} → ${ruleWords(next)}`,
		})),
		...come.filter(rule => !paired.has(rule)).map(rule => ({what: 'closes' as const, key, text: `+ ${said(rule)}`})),
		...gone.filter(rule => !paired.has(rule)).map(rule => ({what: 'opens' as const, key, text: `- ${said(rule)}`})),
	];
}

function approve({approve: before}: Policy, {approve: after}: Policy): PolicyChange[] {
	const plain = {words: String};
	const list = {words: (names: List) => names.join(', ')};
	return [
		...value('approve.word', [before.word, after.word], {...plain, opens: (_, now) => now === undefined}),
		...value('approve.sign', [before.sign ?? false, after.sign ?? false], {...plain, opens: (_, now) => now !== true}),
		...value('approve.carry', [before.carry ?? 'never', after.carry ?? 'never'], {
			...plain,
			opens: (_, now) => now !== 'never',
		}),
		...value('approve.people', [before.people ?? 1, after.people ?? 1], {...plain, opens: (was, now) => now! < was!}),
		...value('approve.from', [before.from, after.from], {...list, opens: saysLess}),
		...value('approve.breakGlass', [before.breakGlass ?? [], after.breakGlass ?? []], {
			...list,
			opens: (was, now) => now!.some(name => !was!.includes(name)),
		}),
		...other('approve', [without(before), without(after)]),
	];
}

/** What of `approve` is compared as a whole: less of it may open, and which of it does is not looked into. */
function without({not, protected: own, direct}: Policy['approve']): unknown {
	return {not, protected: own, direct};
}

/** What is compared as a whole. @param said.what what a change of it does */
function other(
	key: string,
	[before, after]: readonly [unknown, unknown],
	{what = 'opens', text = 'not as it was'}: Partial<Pick<PolicyChange, 'what' | 'text'>> = {},
): PolicyChange[] {
	return JSON.stringify(before) === JSON.stringify(after) ? [] : [{what, key, text}];
}

function deploy({deploy: before}: Policy, {deploy: after}: Policy): PolicyChange[] {
	const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
	return names.flatMap((name): PolicyChange[] => {
		const [was, now] = [before[name], after[name]];
		const key = `deploy.${name}`;
		if (!was || !now) {
			return [now ? {what: 'opens', key, text: `+ ${now.command}`} : {what: 'closes', key, text: `- ${was!.command}`}];
		}

		return [
			...other(key, [was.command, now.command], {text: `${was.command} → ${now.command}`}),
			...lists(`${key}.credentials`, 'opens', [was.credentials, now.credentials]),
			...other(key, [
				{...was, command: '', credentials: []},
				{...now, command: '', credentials: []},
			]),
		];
	});
}

/** Keys of people and groups: each may sign something. */
function people(before: People, after: People): PolicyChange[] {
	const flat = (list: People) =>
		list.flatMap(({name, keys, groups}) => [
			...keys.map(key => `${name}: ${key}`),
			...groups.map(group => `${name} in ${group}`),
		]);
	return lists('people', 'opens', [flat(before), flat(after)]);
}

/** What a change does, what opens first. Every key of a policy is in it. */
export function policyDiff(
	{policy: before, people: was}: Deciding,
	{policy: after, people: now}: Deciding,
): PolicyChange[] {
	const {
		network,
		privateHosts,
		verify,
		verifyInclude,
		setup,
		limits,
		grants: _,
		approve: __,
		deploy: ___,
		teardown,
		...rest
	} = before;
	const changes: PolicyChange[] = [
		...lists('network', 'opens', [network, after.network]),
		...lists('privateHosts', 'opens', [privateHosts, after.privateHosts]),
		...grants(before.grants, after.grants),
		...people(was, now),
		...lists('verify', 'closes', [verify.commands, after.verify.commands]),
		...other(
			'verify',
			[
				{...verify, commands: []},
				{...after.verify, commands: []},
			],
			{
				what: 'changes',
				text: 'when it runs by itself, and how often',
			},
		),
		...lists('verifyInclude', 'opens', [verifyInclude, after.verifyInclude]),
		...approve(before, after),
		...deploy(before, after),
		...lists('setup.secrets', 'opens', [setup.secrets, after.setup.secrets]),
		...other(
			'setup',
			[
				{...setup, secrets: []},
				{...after.setup, secrets: []},
			],
			{what: 'changes', text: 'what is run'},
		),
		...other('teardown', [teardown, after.teardown], {what: 'changes', text: 'what is run'}),
		...Object.keys({...limits, ...after.limits}).flatMap(name =>
			value(`limits.${name}`, [limits[name as keyof typeof limits], after.limits[name as keyof typeof limits]], {
				opens: limit.opens,
				words: String,
			}),
		),
		...[...new Set([...Object.keys(rest), ...Object.keys(after)])]
			.filter(key => key in rest || !(key in before))
			.flatMap(key =>
				other(key, [rest[key as keyof typeof rest], after[key as keyof Policy]], {
					what: 'changes',
					text: 'not as it was',
				}),
			),
	];
	const order = ['opens', 'changes', 'closes'];
	return changes.toSorted((one, another) => order.indexOf(one.what) - order.indexOf(another.what));
}

/** A change as a line. */
export function changeLine({what, key, text}: PolicyChange): string {
	return `${what.padEnd(8)}${key}  ${text}`;
}
