import {urlTarget, type Definition} from '../../core/mcp/definition.ts';
import {isObject} from '../../core/mcp/message.ts';
import type {Project} from '../../core/project.ts';
import {orThrow} from '../../core/refusal.ts';
import {isToken} from '../../core/secrets/login.ts';
import {parseReference} from '../../core/secrets/secret.ts';
import type {Context} from '../context.ts';
import {resolveSecret} from '../grants/secret-values.ts';
import {addSecret, mustFindSecret, projectOf, vaultOf, type SecretEntry} from '../grants/secrets.ts';
import {RemoteFault} from '../logins/fault.ts';
import type {HttpsClient} from '../logins/https-client.ts';
import {Refresher, type LoginPlace} from '../logins/refresher.ts';
import {askForTokens} from '../logins/token-request.ts';
import type {KnownServer} from './definitions.ts';
import {digestOf} from './served.ts';

/*
 * The login of a server at an address: its refresh token is a secret like others, and the access token that was made
 * from it is kept beside it.
 */

export type LoginDefinition = NonNullable<Definition['login']>;

type Made = {
	readonly server: KnownServer;
	readonly login: LoginDefinition;
	readonly client: HttpsClient;
	readonly project: Pick<Project, 'id'> | undefined;
};

/** What is kept of an access token. `of`: the digest of the refresh token that it came with. */
type Kept = {readonly access: string; readonly until: number; readonly of: string};

/** What keeps a server's login good. */
export function serverLogin(context: Context, made: Made): Refresher {
	const account = `mcp-login/${made.server.owner}/${made.server.name}`;
	return new Refresher({
		lock: `${context.paths.config}/mcp-login-${digestOf(account).slice(0, 16)}.lock`,
		title: made.server.name,
		...placeOf(context, {...made, account}),
	});
}

function placeOf(
	context: Context,
	{server, login, client, project, account}: Made & {readonly account: string},
): Omit<LoginPlace, 'lock' | 'title'> {
	const entryOf = (reference: string): SecretEntry => {
		const parsed = orThrow(parseReference(reference));
		return mustFindSecret(context, parsed, projectOf(parsed, project));
	};

	const place = () => {
		const entry = entryOf(login.refresh);
		const vault = vaultOf(context, entry.store);
		if (!vault) {
			throw new RemoteFault(`${login.refresh} is not in a vault: a login that is refreshed has to be kept in one`);
		}

		return {entry, vault};
	};

	return {
		async read() {
			const {entry, vault} = place();
			const {value: refresh} = await resolveSecret(context, entry);
			const kept = parseKept(await vault.read(account));
			return kept && kept.of === digestOf(refresh) ? {...kept, refresh} : {refresh};
		},
		async exchange(refresh) {
			const clientSecret = login.clientSecret && (await resolveSecret(context, entryOf(login.clientSecret))).value;
			return askForTokens(
				client,
				{url: login.token, body: 'form', client: login.client, clientSecret, scope: login.scope},
				{
					refresh,
					title: server.name,
					hint: `sign in again, and fleet secret add ${login.refresh.split('/').at(-1)!}`,
				},
			);
		},
		async write({access, refresh, until}) {
			const {entry, vault} = place();
			if ((await resolveSecret(context, entry)).value !== refresh) {
				await addSecret(context, entry, refresh);
			}

			await vault.write(account, JSON.stringify({access, until, of: digestOf(refresh)} satisfies Kept));
		},
	};
}

/** Where a login's access token is had. */
export const tokenTarget = (login: LoginDefinition) => urlTarget(login.token)!;

function parseKept(text: string | undefined): Kept | undefined {
	try {
		const value: unknown = text === undefined ? undefined : JSON.parse(text);
		const {access, until, of} = isObject(value) ? value : {};
		return isToken(access) && typeof until === 'number' && typeof of === 'string' ? {access, until, of} : undefined;
	} catch {
		// Not JSON: as if nothing were kept.
		return undefined;
	}
}
