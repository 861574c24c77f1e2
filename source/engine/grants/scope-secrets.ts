import type {Project} from '../../core/project.ts';
import {termsOf} from '../../core/grants/terms.ts';
import {orThrow, Refusal} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import {isInForce} from '../../core/scope.ts';
import {describeBinding, formatReference, secretName} from '../../core/secrets/secret.ts';
import {openedBy} from '../../scopes/registry.ts';
import type {Context} from '../context.ts';
import {readBoundaries} from './boundary.ts';
import {networkScope} from './terms.ts';
import {handSecret, handSetupSecret, type HandedSecret, type SetupSecret} from './secret-values.ts';
import {findSecret, mustFindSecret, projectOf, type SecretEntry} from './secrets.ts';

/* From a scope to the secret behind it. */

/**
 * `secret:NAME` as it is typed, with the owner that there is: the
 * project's own before the person's. Any other text as it is.
 */
export function completeScope(context: Context, text: string, project: Pick<Project, 'id'>): string {
	const name = /^secret:(?:fleet:\/\/)?([^/]+)$/.exec(text)?.[1];
	if (name === undefined || !secretName.test(name)) {
		return text.replace(/^secret:fleet:\/\//, 'secret:');
	}

	const owner =
		findSecret(context, {owner: 'project', name}, project.id) || !findSecret(context, {owner: 'user', name}, undefined)
			? 'project'
			: 'user';
	return `secret:${owner}/${name}`;
}

/**
 * The secret that a scope is about; undefined for a scope that needs none.
 * @throws Refusal where there is none, or where it is for deploys alone
 */
export function secretOfScope(context: Context, scope: string, project: Pick<Project, 'id'>): SecretEntry | undefined {
	const {secret: reference, agent: agentId} = openedBy(scope);
	let entry: SecretEntry | undefined;
	if (reference) {
		entry = mustFindSecret(context, reference, projectOf(reference, project));
	} else if (agentId !== undefined) {
		const agent = context.agents.find(agent => agent.id === agentId);
		if (!agent?.model) {
			const names = context.agents.filter(agent => agent.model).map(agent => agent.id);
			throw new Refusal(`${agentId} is not an agent with a model of its own`, `agents: ${names.join(', ')}`);
		}

		const {secret: name, login, made} = agent.model;
		// A project's own key is for this project alone; a person who signed in means to use that.
		entry =
			findSecret(context, {owner: 'project', name}, project.id) ??
			(login && findSecret(context, {owner: 'user', name: login.secret}, undefined)) ??
			findSecret(context, {owner: 'user', name}, undefined);
		if (!entry) {
			throw new Refusal(
				`${agent.title} needs the secret "${name}", and there is none; its value: ${made}` +
					(login ? `; or a subscription's login: fleet secret login ${login.name}` : ''),
				`fleet secret add ${name} --user`,
			);
		}

		if (entry.binding.class !== 'model') {
			throw new Refusal(
				`${formatReference(entry.reference)} is a ${entry.binding.class} secret, not one for a model`,
				`fleet secret add ${name} --${entry.reference.owner} --class model`,
			);
		}
	}

	if (entry?.binding.class === 'deploy') {
		throw new Refusal(
			`${formatReference(entry.reference)} is a deploy secret, which no run is ever given`,
			`a person uses it: fleet deploy RUN TARGET --credential NAME=${formatReference(entry.reference)}`,
		);
	}

	if (entry?.binding.class === 'setup') {
		throw new Refusal(
			`${formatReference(entry.reference)} is for the project's setup, and no run is given it`,
			`name it in .fleet/policy.yaml: setup: {secrets: [${entry.reference.name}]}`,
		);
	}

	return entry;
}

/**
 * How long a grant may be, milliseconds: what was asked, or what
 * the secret allows at most. @throws Refusal for more than that
 */
export function grantLength(entry: SecretEntry | undefined, asked: number | undefined): number | undefined {
	const longest = entry?.binding.longest;
	if (longest === undefined) {
		return asked;
	}

	if (asked !== undefined && asked > longest) {
		throw new Refusal(
			`${formatReference(entry!.reference)} is granted for ${Math.floor(longest / 60_000)} minutes at most`,
			`--for ${Math.floor(longest / 60_000)}m`,
		);
	}

	return asked ?? longest;
}

/** What a grant opens, in words for whoever decides. */
export function describeGrant(entry: SecretEntry): string {
	return `${formatReference(entry.reference)}, by pointer: ${describeBinding(entry.binding)}`;
}

/**
 * What a project's setup is handed: the secrets that the policy names, if a person keeps them for that.
 * @throws Refusal where there is none of that name for it, or its value cannot be had
 */
export async function handForSetup(
	context: Context,
	project: Pick<Project, 'id'>,
	names: readonly string[],
): Promise<SetupSecret[]> {
	const handed: SetupSecret[] = [];
	for (const name of names) {
		const entry = findSecret(context, {owner: 'project', name}, project.id);
		if (!entry) {
			throw new Refusal(
				`the policy's setup reads with the secret "${name}", and this project has none`,
				`fleet secret add ${name} --project --class setup --host HOST`,
			);
		}

		orThrow(
			termsOf(
				[`secret:project/${name}`, ...entry.binding.hosts.map(host => networkScope(host, 443))],
				readBoundaries().map(({wall}) => wall),
			),
		);
		handed.push(await handSetupSecret(context, entry));
	}

	return handed;
}

/**
 * What a supervisor is to be handed for the grants that a run has.
 * @throws Refusal where a value cannot be had: nothing starts without it
 */
export async function handFor(context: Context, run: Pick<Run, 'grants' | 'project'>): Promise<HandedSecret[]> {
	const handed: HandedSecret[] = [];
	for (const {scope} of run.grants.filter(grant => isInForce(grant, Date.now()))) {
		const entry = secretOfScope(context, scope, run.project);
		if (entry) {
			handed.push(await handSecret(context, entry, scope));
		}
	}

	return handed;
}
