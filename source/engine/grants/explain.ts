import {termsOf, type Terms, type Wall} from '../../core/grants/terms.ts';
import {overlaps, readScope} from '../../core/grants/pattern.ts';
import type {GrantRule} from '../../core/grants/rules.ts';
import {parsePeople, peopleAmong, peoplePath, type People} from '../../core/people/people.ts';
import type {Deciding} from '../../core/policy-diff.ts';
import {parsePolicy} from '../../core/policy.ts';
import type {Project} from '../../core/project.ts';
import {orThrow, Refusal} from '../../core/refusal.ts';
import type {Git} from '../../host/git.ts';
import {openedBy as openedByKind, parseGrantable} from '../../scopes/registry.ts';
import type {Context} from '../context.ts';
import {findServer} from '../mcp/definitions.ts';
import {readPeople} from '../people/decisions.ts';
import {readOwn} from '../project/policy-file.ts';
import {readPolicy} from '../project/policy.ts';
import {filesPlace} from './files.ts';
import {behindOf} from './prepare.ts';
import {completeScope, secretOfScope} from './scope-secrets.ts';
import {openedBy, rulesFor, rulesWith, type BehindScope, type Rules} from './terms.ts';

/* What the rules say of a scope, for a person who asks before anything is granted. */

/** A project's policy and people, as a commit has them. */
export async function decidingAt(git: Git, commit: string): Promise<Deciding> {
	return {policy: (await readPolicy(git, commit)).policy, people: (await readPeople(git, commit)).people};
}

/** The same as they lie in the checkout, committed or not: for who is changing them. No run is decided about by these. */
export function decidingIn(root: string): Deciding {
	const people = readOwn(root, peoplePath);
	return {
		policy: orThrow(parsePolicy(readOwn(root) ?? '')),
		people: people === undefined ? [] : orThrow(parsePeople(people)),
	};
}

/** The rules of what a checkout has. @throws Refusal where they name people who are not there */
export function rulesIn({policy, people}: Deciding): Rules {
	return rulesWith(policy, people);
}

/** What stands behind a scope, as far as it is there: rules can be asked about before a secret is. */
async function behind(
	context: Context,
	scope: string,
	from: {readonly project: Project; readonly git: Git; readonly commit: string},
): Promise<BehindScope> {
	const {server} = openedByKind(scope);
	const orNothing = async <Value>(work: () => Value | Promise<Value>): Promise<Value | undefined> => {
		try {
			return await work();
		} catch (error) {
			if (error instanceof Refusal) {
				return undefined;
			}

			throw error;
		}
	};

	return behindOf(
		await orNothing(() => secretOfScope(context, scope, from.project)),
		server === undefined ? undefined : await orNothing(() => findServer(context, server, {from})),
	);
}

/** What the rules say of one scope. */
export type Explained = {
	/** In its one spelling; a folder by its own path. */
	readonly scope: string;
	readonly terms: Terms | Refusal;
	/** The rules that count for it, and with which of what it opens they meet. */
	readonly rules: ReadonlyArray<{readonly rule: GrantRule; readonly of: string; readonly wall: Wall}>;
	/** Names of the people that a demand means. */
	peopleOf(demand: Terms['by'][number]): People;
	/** Those of them who could sign, by name. */
	whoOf(demand: Terms['by'][number]): readonly string[];
};

/** Whom a rule's names mean: the project's people, or those of the boundary that the rule is in. */
export function peopleOfDemand({people, boundaries}: Rules, {at, names}: Terms['by'][number]): People {
	return names === 'project' ? people : (boundaries.find(({wall}) => at.startsWith(`${wall.file}:`))?.people ?? []);
}

/**
 * What the rules of a commit say of a scope.
 * @param from.rules in place of those of the commit
 * @throws Refusal for what is no scope that a run could be granted
 */
export async function explain(
	context: Context,
	text: string,
	from: {readonly project: Project; readonly git: Git; readonly commit: string; readonly rules?: Rules},
): Promise<Explained> {
	const completed = completeScope(context, text, from.project);
	const parsed = orThrow(parseGrantable(completed)).scope;
	const place = await filesPlace(context, parsed).catch((error: unknown) => {
		if (error instanceof Refusal) {
			return undefined;
		}

		throw error;
	});
	const scope = place?.scope ?? parsed;
	const rules = from.rules ?? (await rulesFor((await readPolicy(from.git, from.commit)).policy, from));
	const {opened, aliases} = openedBy(scope, await behind(context, scope, from));
	const known = [...opened, ...aliases];
	return {
		scope,
		terms: termsOf(opened, rules.walls, aliases),
		rules: rules.walls.flatMap(wall =>
			wall.rules.flatMap(rule => {
				const of = known.find(one => overlaps(rule.pattern, readScope(one)));
				return of === undefined ? [] : [{rule, of, wall}];
			}),
		),
		peopleOf: demand => peopleOfDemand(rules, demand),
		whoOf: demand => peopleAmong(peopleOfDemand(rules, demand), demand.value),
	};
}
