import {urlTarget, type Definition} from '../../core/mcp/definition.ts';
import {isObject} from '../../core/mcp/message.ts';
import {printable} from '../../core/names.ts';
import type {Project} from '../../core/project.ts';
import {orThrow} from '../../core/refusal.ts';
import {parseReference} from '../../core/secrets/secret.ts';
import {Lock} from '../../host/lock.ts';
import type {Context} from '../context.ts';
import {resolveSecret} from '../grants/secret-values.ts';
import {addSecret, mustFindSecret, projectOf, vaultOf, type SecretEntry} from '../grants/secrets.ts';
import {ServerFault} from './connection.ts';
import type {KnownServer} from './definitions.ts';
import {textOf, type HttpsClient} from './https-client.ts';
import {digestOf} from './served.ts';

/*
 * A login by OAuth: an access token that lives for an hour, made from a refresh token of the vault (RFC 6749, section 6).
 * A refresh token may work once, so one process at a time makes one, and the next token is in the vault before the
 * access token is used. What was made is in the vault, too: thirty runs refresh once.
 */

/** How long another process that refreshes is waited for, milliseconds. */
const lockMs = 60_000;

/** An access token is not used in the last of its time, milliseconds. */
const spareMs = 60_000;

/** What a server that does not say it gives: an hour, milliseconds. */
const usualLifeMs = 3_600_000;

const maxAnswer = 64 * 1024;

/** What is kept of an access token. `of`: the digest of the refresh token that it came with. */
type Kept = {readonly access: string; readonly until: number; readonly of: string};

export type LoginDefinition = NonNullable<Definition['login']>;

type Made = {
	readonly server: KnownServer;
	readonly login: LoginDefinition;
	readonly client: HttpsClient;
	readonly project: Pick<Project, 'id'> | undefined;
};

export class Login {
	readonly #context: Context;
	readonly #made: Made;
	readonly #values = new Set<string>();
	#kept: Kept | undefined;
	#refused: string | undefined;
	#going: Promise<string> | undefined;

	constructor(context: Context, made: Made) {
		this.#context = context;
		this.#made = made;
	}

	/** An access token that is good for a while. @throws ServerFault where the login is over, and what to do then */
	async token(): Promise<string> {
		if (this.#kept && this.#isGood(this.#kept)) {
			return this.#kept.access;
		}

		this.#going ??= this.#fetch().finally(() => {
			this.#going = undefined;
		});
		return this.#going;
	}

	/** Every token that it had: none of them is shown. */
	values(): string[] {
		return [...this.#values];
	}

	/** The server does not take the token that is known. */
	refuse(): void {
		this.#refused = this.#kept?.access;
	}

	#isGood({access, until}: Kept): boolean {
		return access !== this.#refused && until - spareMs > Date.now();
	}

	#entry(reference: string): SecretEntry {
		const parsed = orThrow(parseReference(reference));
		return mustFindSecret(this.#context, parsed, projectOf(parsed, this.#made.project));
	}

	async #fetch(): Promise<string> {
		const {server, login} = this.#made;
		const entry = this.#entry(login.refresh);
		const vault = vaultOf(this.#context, entry.store);
		if (!vault) {
			throw new ServerFault(`${login.refresh} is not in a vault: a login that is refreshed has to be kept in one`);
		}

		const account = `mcp-login/${server.owner}/${server.name}`;
		const lock = await acquire(`${this.#context.paths.config}/mcp-login-${digestOf(account).slice(0, 16)}.lock`);
		try {
			const {value: refresh} = await resolveSecret(this.#context, entry);
			const kept = parseKept(await vault.read(account));
			if (kept && kept.of === digestOf(refresh) && this.#isGood(kept)) {
				this.#kept = kept;
				this.#values.add(kept.access).add(refresh);
				return kept.access;
			}

			const fresh = await this.#refresh(refresh);
			this.#values.add(refresh).add(fresh.refresh).add(fresh.access);
			// A refresh token that works once is written down before anything is done with what it brought.
			if (fresh.refresh !== refresh) {
				await addSecret(this.#context, entry, fresh.refresh);
			}

			this.#kept = {access: fresh.access, until: fresh.until, of: digestOf(fresh.refresh)};
			await vault.write(account, JSON.stringify(this.#kept));
			return fresh.access;
		} finally {
			lock.release();
		}
	}

	async #refresh(refresh: string): Promise<{access: string; refresh: string; until: number}> {
		const {login, client, server} = this.#made;
		const target = urlTarget(login.token)!;
		const secret = login.clientSecret && (await resolveSecret(this.#context, this.#entry(login.clientSecret))).value;
		const body = new URLSearchParams({
			grant_type: 'refresh_token',
			refresh_token: refresh,
			client_id: login.client,
			...(secret === undefined ? {} : {client_secret: secret}),
			...(login.scope === undefined ? {} : {scope: login.scope}),
		});
		const answer = await client.ask(target, {
			method: 'POST',
			path: target.path,
			headers: [
				['Content-Type', 'application/x-www-form-urlencoded'],
				['Accept', 'application/json'],
			],
			body: body.toString(),
			signal: AbortSignal.timeout(30_000),
		});
		const said = parseObject(await textOf(answer, maxAnswer));
		if (answer.statusCode === 400 && said?.['error'] === 'invalid_grant') {
			throw new ServerFault(
				`the login of ${server.name} has ended: sign in again, and fleet secret add ${login.refresh.split('/').at(-1)!}`,
			);
		}

		const access = said?.['access_token'];
		const next = said?.['refresh_token'] ?? refresh;
		if (answer.statusCode !== 200 || !isToken(access) || !isToken(next)) {
			const error = printable(typeof said?.['error'] === 'string' ? said['error'] : '', 60);
			throw new ServerFault(`the login of ${server.name} could not be refreshed: ${answer.statusCode} ${error}`.trim());
		}

		const seconds = said?.['expires_in'];
		const lifeMs = typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : usualLifeMs;
		return {access, refresh: next, until: Date.now() + Math.min(lifeMs, 24 * usualLifeMs)};
	}
}

/** What a header can carry. */
const isToken = (value: unknown): value is string =>
	typeof value === 'string' && /^[\u0021-\u007E]{8,8192}$/.test(value);

function parseObject(text: string): Record<string, unknown> | undefined {
	try {
		const value: unknown = JSON.parse(text);
		return isObject(value) ? value : undefined;
	} catch {
		// Not JSON.
		return undefined;
	}
}

function parseKept(text: string | undefined): Kept | undefined {
	const {access, until, of} = (text === undefined ? undefined : parseObject(text)) ?? {};
	return isToken(access) && typeof until === 'number' && typeof of === 'string' ? {access, until, of} : undefined;
}

/** Waits without standing in the way: the process has other runs' requests to answer. */
async function acquire(file: string): Promise<Lock> {
	for (const end = Date.now() + lockMs; ;) {
		const lock = Lock.acquire(file);
		if (lock) {
			return lock;
		}

		if (Date.now() > end) {
			throw new ServerFault('another process refreshes the login, and does not end');
		}

		await new Promise(resolve => {
			setTimeout(resolve, 100);
		});
	}
}
