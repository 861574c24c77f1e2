import path from 'node:path';
import {urlTarget} from '../../core/mcp/definition.ts';
import {orThrow, Refusal} from '../../core/refusal.ts';
import {signInAgain, type StoredLogin} from '../../core/secrets/login.ts';
import {formatReference} from '../../core/secrets/secret.ts';
import {localStamp} from '../../core/text/time.ts';
import {readTrusted, trustContext} from '../../host/trusted.ts';
import type {Context} from '../context.ts';
import {changeStored, readStored, replaced, type SecretEntry} from '../grants/secrets.ts';
import {LoginEnded, RemoteFault} from './fault.ts';
import {HttpsClient, type ClientHooks} from './https-client.ts';
import {Refresher, type LoginPlace} from './refresher.ts';
import {askForTokens} from './token-request.ts';

/* A subscription's login in a vault: the access token is a secret's value, and what it is made from lies beside it. */

/** The lock of a login: whoever refreshes or replaces it holds it. */
export function loginLock(
	{paths}: Pick<Context, 'paths'>,
	{reference, project}: Pick<SecretEntry, 'reference' | 'project'>,
): string {
	return path.join(paths.config, `login-${project ?? reference.owner}-${reference.name}.lock`);
}

/** What keeps a login good. @param options.onTrouble hears what a person should know though a token was had */
export function vaultLogin(
	context: Context,
	entry: SecretEntry,
	options: {
		readonly title: string;
		readonly hooks?: ClientHooks | undefined;
		readonly onTrouble?: (because: string) => void;
	},
): Refresher {
	return new Refresher(
		{lock: loginLock(context, entry), title: options.title, ...placeOf(context, entry, options.hooks)},
		options.onTrouble,
	);
}

/**
 * Has a login's token be good for a while, in the process of a verb.
 * @throws Refusal where the login is over, or its server does not answer
 */
export async function freshen(context: Context, entry: SecretEntry, title: string): Promise<void> {
	const refresher = vaultLogin(context, entry, {title});
	try {
		await refresher.token();
	} catch (error) {
		if (!(error instanceof RemoteFault)) {
			throw error;
		}

		throw error instanceof LoginEnded
			? new Refusal(error.because, error.hint)
			: new Refusal(error.message, `fleet secret check ${entry.reference.name}`);
	}
}

function placeOf(
	context: Context,
	entry: SecretEntry,
	hooks: ClientHooks | undefined,
): Omit<LoginPlace, 'lock' | 'title'> {
	const read = async () => {
		const stored = await readStored(context, entry);
		if (!stored?.login) {
			throw new RemoteFault(`${formatReference(entry.reference)} is not a login any more`);
		}

		return {...stored, login: stored.login};
	};

	const change = (next: (login: StoredLogin) => StoredLogin, value?: string) =>
		changeStored(context, entry, stored => ({
			...stored,
			...(value === undefined ? {} : {value, previous: replaced(stored.value)}),
			login: next(stored.login!),
		}));
	let client: HttpsClient | undefined;
	let asked: StoredLogin | undefined;
	return {
		async read() {
			const {value, login} = await read();
			asked = login;
			return {
				...login,
				access: value,
				refresh: login.renewal && login.refresh,
				ended: login.ended === undefined ? undefined : new LoginEnded(login.ended, signInAgain(login)),
			};
		},
		begin: () => change(login => ({...login, asking: Date.now()})),
		async exchange(refresh) {
			const login = asked!;
			const renewal = login.renewal!;
			client ??= new HttpsClient([orThrow(targetOf(renewal.url))], {
				trust: trustContext(await readTrusted(undefined)),
				...(hooks ? {hooks} : {}),
			});
			const cut =
				login.asking === undefined
					? ''
					: ` (a refresh of ${localStamp(new Date(login.asking).toISOString())} was cut off before its answer was kept)`;
			return askForTokens(client, renewal, {refresh, title: login.title, hint: signInAgain(login), cut});
		},
		write: ({access, refresh, until}) =>
			change(login => ({...login, refresh, until, made: Date.now(), asking: undefined, ended: undefined}), access),
		end: because => change(login => ({...login, ended: because, asking: undefined})),
	};
}

function targetOf(url: string) {
	return urlTarget(url) ?? new Refusal('the login names no address where it is refreshed', 'fleet secret login NAME');
}
