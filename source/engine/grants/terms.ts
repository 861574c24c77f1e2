import {realpathSync} from 'node:fs';
import {policyPath, type Policy} from '../../core/policy.ts';
import type {Boundary} from '../../core/grants/boundary.ts';
import type {GrantRule} from '../../core/grants/rules.ts';
import {free, termsOf, type Terms, type Wall} from '../../core/grants/terms.ts';
import type {Definition} from '../../core/mcp/definition.ts';
import {urlTarget, referencesOf} from '../../core/mcp/definition.ts';
import {formatEgressRule, parseEgressRule} from '../../core/network/rules.ts';
import {formatTarget} from '../../core/network/target.ts';
import {peoplePath, unknownAmong, type People} from '../../core/people/people.ts';
import {gateRefusal, Refusal} from '../../core/refusal.ts';
import {formatScope} from '../../core/scope.ts';
import {formatReference, parseReference} from '../../core/secrets/secret.ts';
import {linesOf} from '../../core/text/yaml.ts';
import type {Git} from '../../host/git.ts';
import {homeFolder} from '../../host/person.ts';
import {aliasesOf, listMounts} from '../../host/mounts.ts';
import {filesOf, parseScope} from '../../scopes/registry.ts';
import {readPeople} from '../people/decisions.ts';
import {readPolicy} from '../project/policy.ts';
import {readBoundaries} from './boundary.ts';

/* What a grant may be at most, by the policy of the commit that a run started from and by the machine's boundary. */

/** Everything that decides about the grants of a run. */
export type Rules = {
	readonly walls: readonly Wall[];
	readonly boundaries: readonly Boundary[];
	/** The project's people, where a rule of its policy names any. */
	readonly people: People;
};

/** @throws Refusal where a rule names nobody who could sign: it would be met by none */
function checkPeople(named: readonly GrantRule[], people: People, where: string): void {
	const [first] = named;
	if (first && people.length === 0) {
		throw new Refusal(
			`${first.at}: by names people, and ${where} has no ${peoplePath} that says who they are`,
			`commit ${peoplePath}, people: {NAME: {keys: [ssh-ed25519 …], groups: [${first.by![0]!}]}}, and start a new run`,
		);
	}

	for (const {by, at} of named) {
		const [nobody] = unknownAmong(people, by!);
		if (nobody !== undefined) {
			throw new Refusal(
				`${at}: ${nobody} is nobody in ${peoplePath}`,
				`there are: ${[...new Set(people.flatMap(({name, groups}) => [name, ...groups]))].join(', ')}`,
			);
		}
	}
}

const namesPeople = ({by}: GrantRule) => by !== undefined;

/** Where a place is by its own path: what a rule names by a link is meant by its other name, too. */
function realPlace(place: string): string {
	try {
		return realpathSync(place);
	} catch {
		// What is not there leads nowhere.
		return place;
	}
}

/** A wall whose rules about files also mean what their paths lead to. What allows is taken as it is written. */
function withRealPlaces(wall: Wall): Wall {
	const more = wall.rules.flatMap(rule => {
		const {pattern} = rule;
		const path = pattern.kind === 'files' ? realPlace(pattern.path) : '';
		return pattern.kind === 'files' && path !== pattern.path ? [{...rule, pattern: {...pattern, path}}] : [];
	});
	return more.length === 0 ? wall : {...wall, rules: [...wall.rules, ...more]};
}

/**
 * The rules of a policy, with the machine's.
 * @param where what has the people, for an error
 * @throws Refusal where they name people who are not there
 */
export function rulesWith({grants}: Pick<Policy, 'grants'>, people: People, where = 'the checkout'): Rules {
	checkPeople(grants.filter(namesPeople), people, where);
	const boundaries = readBoundaries();
	return {walls: wallsOf({grants}, boundaries), boundaries, people};
}

/** The walls of the machine and of a policy. */
export function wallsOf(
	{grants}: Pick<Policy, 'grants'>,
	boundaries: readonly Boundary[] = readBoundaries(),
): readonly Wall[] {
	return [
		...boundaries.map(({wall}) => wall),
		...(grants.length === 0 ? [] : [{names: 'project' as const, rules: grants, file: policyPath}]),
	].map(wall => withRealPlaces(wall));
}

/**
 * The rules of a policy that was read from a commit.
 * @param from the commit; not needed where none of them names people
 * @throws Refusal where they name people who are not there
 */
export async function rulesFor(
	policy: Pick<Policy, 'grants'>,
	from: {readonly git: Git; readonly commit: string} | undefined,
): Promise<Rules> {
	const needsPeople = policy.grants.some(namesPeople);
	const {people} = needsPeople ? await readPeople(from!.git, from!.commit) : {people: []};
	return rulesWith(policy, people, from?.commit.slice(0, 10));
}

/** The same, by the policy of a commit: the one that a run started from, never one that it wrote. */
export async function rulesAt(git: Git, commit: string): Promise<Rules> {
	return rulesFor((await readPolicy(git, commit)).policy, {git, commit});
}

/** What stands behind a scope, as whoever decides about it knows it. */
export type BehindScope = {
	readonly secret?: {readonly reference: string; readonly hosts: readonly string[]} | undefined;
	readonly server?: Definition | undefined;
};

/** A host of a list as the scope that opens it. @param port where the host names none */
export const networkScope = (host: string, port?: number): string => {
	const rule = parseEgressRule(host);
	return `network:${rule instanceof Refusal ? host : formatEgressRule({...rule, port: rule.port ?? port})}`;
};

const secretScope = (reference: string): string => {
	const parsed = parseReference(reference);
	return parsed instanceof Refusal
		? `secret:${reference}`
		: `secret:${formatReference(parsed).slice('fleet://'.length)}`;
};

function fileScope(place: string, mode: 'read' | 'write'): string {
	const read = parseScope(`files:${place}${mode === 'write' ? ':rw' : ''}`);
	return read instanceof Refusal ? `files:${place}` : formatScope(read);
}

/**
 * What a grant opens, each as a scope in its one spelling, the scope itself first; and under which other names that is
 * known, to which what restricts them counts, too.
 */
export function openedBy(
	scope: string,
	{secret, server}: BehindScope,
): {readonly opened: readonly string[]; readonly aliases: readonly string[]} {
	const opened = [scope];
	const aliases: string[] = [];
	const files = filesOf(scope);
	if (files) {
		const suffix = files.mode === 'write' ? ':rw' : '';
		aliases.push(...aliasesOf(files.path, listMounts()).map(place => `files:${place}${suffix}`));
	}

	if (secret) {
		aliases.push(secretScope(secret.reference));
		// The broker asks a bound host over TLS alone.
		opened.push(...secret.hosts.map(host => networkScope(host, 443)));
	}

	if (server) {
		const at = server.url === undefined ? undefined : urlTarget(server.url);
		const token = server.login && urlTarget(server.login.token);
		opened.push(
			...server.network.map(host => networkScope(host)),
			...[at, token].flatMap(target => (target ? [`network:${formatTarget(target)}`] : [])),
			...server.files.map(({path, mode}) =>
				fileScope(
					path.replace(/^~(?=\/)/, () => homeFolder()),
					mode,
				),
			),
		);
		aliases.push(
			...server.files.map(({path, mode}) => fileScope(realPlace(path.replace(/^~(?=\/)/, () => homeFolder())), mode)),
			...referencesOf(server).map(reference => secretScope(reference)),
		);
	}

	return {opened, aliases};
}

/** What a grant of a scope may be at most. @returns a refusal where it can be granted to no run */
export function termsFor({walls}: Pick<Rules, 'walls'>, scope: string, behind: BehindScope): Terms | Refusal {
	if (walls.length === 0) {
		return free;
	}

	const {opened, aliases} = openedBy(scope, behind);
	return termsOf(opened, walls, aliases);
}

/**
 * Holds what a policy opens by itself against the boundary: no project widens it, so what the boundary would have
 * signed, ended or counted, a policy's list cannot open for every run.
 * @param text of the policy file, for the line; without it the file alone is named
 * @throws Refusal for the first that is outside of it
 */
export function checkPolicy(
	policy: Pick<Policy, 'network' | 'privateHosts' | 'setup'>,
	{text, boundaries = readBoundaries()}: {readonly text?: string; readonly boundaries?: readonly Boundary[]} = {},
): void {
	if (boundaries.length === 0) {
		return;
	}

	const walls = boundaries.map(({wall}) => wall);
	const asked = [
		...policy.network.map((host, index) => ({path: ['network', index], scope: networkScope(host), opens: true})),
		...policy.privateHosts.map((host, index) => ({
			path: ['privateHosts', index],
			scope: networkScope(host),
			opens: false,
		})),
		...policy.setup.secrets.map((name, index) => ({
			path: ['setup', 'secrets', index],
			scope: `secret:project/${name}`,
			opens: true,
		})),
	];
	for (const {path, scope, opens} of asked) {
		const fault = listFault(scope, walls, opens);
		if (fault !== undefined) {
			const line = text === undefined ? '' : `:${linesOf(text, [path])[0]!}`;
			throw gateRefusal(
				`${policyPath}${line}: ${fault}`,
				`take it out of ${policyPath} and commit that; the boundary is root's`,
			);
		}
	}
}

/** Why a policy cannot list what a scope opens, for every run; undefined where it can. @param opens whether the list itself does */
function listFault(scope: string, walls: readonly Wall[], opens = true): string | undefined {
	const terms = termsOf([scope], walls);
	if (terms instanceof Refusal) {
		return terms.because;
	}

	const limit = opens && [terms.longest, terms.uses, ...terms.by].find(said => said !== undefined);
	return limit ? `${scope} is granted to one run at a time, and not to all (${limit.at})` : undefined;
}

/** Why a policy cannot list a host: what is proposed to a person is held against the rules before. */
export function proposalFault(host: string, policy: Pick<Policy, 'grants'>): string | undefined {
	const scope = networkScope(host);
	const own = termsOf([scope], wallsOf(policy));
	const walls = readBoundaries().map(({wall}) => wall);
	return own instanceof Refusal ? own.because : listFault(scope, walls);
}
