import {readdirSync, readFileSync, realpathSync, statSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {isObject} from '../../core/mcp/message.ts';
import {Refusal} from '../../core/refusal.ts';
import type {ReadLogin, StoredLogin} from '../../core/secrets/login.ts';
import type {Reference} from '../../core/secrets/secret.ts';
import type {Agent, LoginNeed} from '../../core/seams.ts';
import {homeFolder} from '../../host/person.ts';
import {findOnPath} from '../../host/program.ts';
import type {Context} from '../context.ts';
import {addSecret, type SecretEntry, type Store} from '../grants/secrets.ts';
import {placeOnHost} from '../profile/read.ts';
import {acquire} from './refresher.ts';
import {loginLock} from './vault-login.ts';

/* The person's own login of an agent: read where the agent keeps it, once they said yes. Nothing of theirs is changed. */

const longestFile = 1024 ** 2;

/** An agent that signs in for a subscription, and how. */
export type LoginAgent = {readonly agent: Agent; readonly need: LoginNeed};

export function loginAgents(context: Pick<Context, 'agents'>): LoginAgent[] {
	return context.agents.flatMap(agent => (agent.model?.login ? [{agent, need: agent.model.login}] : []));
}

/** The login that is called so, or whose agent is. @throws Refusal with those that there are */
export function findLoginAgent(context: Pick<Context, 'agents'>, name: string | undefined): LoginAgent {
	const all = loginAgents(context);
	const found = all.find(({agent, need}) => need.name === name || agent.id === name);
	if (!found) {
		const names = all.map(({need}) => need.name).join(', ');
		throw new Refusal(
			name === undefined ? 'name whose login' : `there is no login called "${name.slice(0, 40)}"`,
			`one of ${names}, such as: fleet secret login ${all[0]!.need.name}`,
		);
	}

	return found;
}

function placesOf({agent, need}: LoginAgent): string[] {
	const where = {home: homeFolder(), environment: process.env};
	return need.files.map(name => {
		const {root, below} = placeOnHost(agent.profile ?? {moved: []}, name, where);
		return path.join(root, below);
	});
}

function readJson(file: string): Record<string, unknown> | undefined {
	try {
		const status = statSync(file);
		const value: unknown = status.isFile() && status.size <= longestFile ? JSON.parse(readFileSync(file, 'utf8')) : {};
		return isObject(value) ? value : undefined;
	} catch {
		// Not there, not readable, or not JSON: there is no login in it.
		return undefined;
	}
}

/** The identity of a program that a refresh of its logins asks for: it lies in the program's own files. */
function identityOf({agent, need}: LoginAgent): {readonly id: string; readonly secret: string} | undefined {
	const program = need.client && agent.program !== undefined ? findOnPath(agent.program) : undefined;
	if (!need.client || !program) {
		return undefined;
	}

	const folder = path.dirname(realpathSync(program.host));
	for (const name of readdirSync(folder).filter(name => /\.[cm]?js$/.test(name))) {
		const text = readFileSync(path.join(folder, name), 'utf8');
		const [secret] = need.client.secret.exec(text) ?? [];
		const [id] = secret === undefined ? [] : (need.client.id.exec(text) ?? []);
		if (id !== undefined && secret !== undefined) {
			return {id, secret};
		}
	}

	return undefined;
}

/**
 * Looks where the person's own login is, and whether there is one.
 * @throws Refusal with what to type where there is none
 */
export function findOwnLogin(one: LoginAgent): {readonly file: string; readonly login: ReadLogin} {
	const {agent, need} = one;
	const places = placesOf(one);
	for (const file of places) {
		const content = readJson(file);
		const login = content && need.read(content, need.client ? identityOf(one) : undefined);
		if (login) {
			if (login.refresh !== undefined && !login.renewal) {
				throw new Refusal(
					`${agent.title} is needed to refresh the login in ${file}, and its program is not found`,
					`install ${agent.title}, so that "${agent.program}" is on PATH`,
				);
			}

			return {file, login};
		}
	}

	throw new Refusal(`there is no login of ${need.title} in ${places.join(' or ')}`, `${need.signIn}`);
}

/** Keeps a login in a vault, in the place of one that was there. */
export async function keepLogin(
	context: Context,
	need: LoginNeed,
	{login: {access, ...rest}, store}: {readonly login: ReadLogin; readonly store: Store},
): Promise<SecretEntry> {
	const reference: Reference = {owner: 'user', name: need.secret};
	const {name, title, signIn, binding} = need;
	const stored: StoredLogin = {...rest, name, title, signIn, made: 0};
	// Nobody refreshes the one that goes while it does.
	const lock = await acquire(loginLock(context, {reference, project: undefined}));
	try {
		return await addSecret(context, {reference, store, binding}, {value: access, login: stored});
	} finally {
		lock.release();
	}
}
