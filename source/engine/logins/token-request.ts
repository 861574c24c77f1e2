import type {Renewal} from '../../core/secrets/login.ts';
import {expiryOf, isToken} from '../../core/secrets/login.ts';
import {urlTarget} from '../../core/mcp/definition.ts';
import {isObject} from '../../core/mcp/message.ts';
import {LoginEnded, RemoteFault} from './fault.ts';
import {textOf, type HttpsClient} from './https-client.ts';

/* One request for an access token, by a refresh token (RFC 6749, section 6). */

/** What a server that does not say it gives: an hour, milliseconds. */
const usualLifeMs = 3_600_000;

/** No token counts for less than that, milliseconds: else each request would wait for one of its own. */
const shortestLifeMs = 10_000;

/** No token counts for longer than that without being asked for again, milliseconds. */
const longestLifeMs = 30 * 86_400_000;

const maxAnswer = 64 * 1024;

/** A code as servers have it. Nothing else of an answer is repeated: the run's agent reads it, and it may hold a token. */
const codePattern = /^[a-z][a-z_]{2,39}$/;

/** How servers say that a refresh token is worth nothing any more. */
const over = new Set([
	'invalid_grant',
	'refresh_token_expired',
	'refresh_token_reused',
	'refresh_token_invalidated',
	'refresh_token_not_found',
]);

/** What a refresh brought. `until`: milliseconds since the epoch. */
export type FreshTokens = {readonly access: string; readonly refresh: string; readonly until: number};

/**
 * @param words.title whose login it is, such as `Claude`
 * @param words.hint what to type where it is over
 * @param words.cut what may be the reason then
 * @throws LoginEnded where it is over, RemoteFault where the server did not give a token now
 */
export async function askForTokens(
	client: HttpsClient,
	{url, body: form, client: id, clientSecret, scope}: Renewal,
	{refresh, ...words}: {readonly refresh: string; readonly title: string; readonly hint: string; readonly cut?: string},
): Promise<FreshTokens> {
	const target = urlTarget(url)!;
	const fields = {
		grant_type: 'refresh_token',
		refresh_token: refresh,
		client_id: id,
		...(clientSecret === undefined ? {} : {client_secret: clientSecret}),
		...(scope === undefined ? {} : {scope}),
	};
	const answer = await client.ask(target, {
		method: 'POST',
		path: target.path,
		headers: [
			['Content-Type', form === 'json' ? 'application/json' : 'application/x-www-form-urlencoded'],
			['Accept', 'application/json'],
		],
		body: form === 'json' ? JSON.stringify(fields) : new URLSearchParams(fields).toString(),
		signal: AbortSignal.timeout(30_000),
	});
	const said = parseObject(await textOf(answer, maxAnswer));
	const error = errorOf(said);
	if (answer.statusCode! >= 400 && answer.statusCode! < 500 && over.has(error)) {
		throw new LoginEnded(`the login of ${words.title} has ended${words.cut ?? ''}`, words.hint);
	}

	const access = said?.['access_token'];
	const next = said?.['refresh_token'] ?? refresh;
	if (answer.statusCode !== 200 || !isToken(access) || !isToken(next)) {
		throw new RemoteFault(
			`the login of ${words.title} could not be refreshed: ${answer.statusCode} ${codePattern.test(error) ? error : ''}`.trim(),
		);
	}

	return {access, refresh: next, until: endOf(access, said?.['expires_in'])};
}

/** Its end as the server says it, or as the token itself does; milliseconds since the epoch. */
function endOf(access: string, seconds: unknown): number {
	const now = Date.now();
	const end =
		typeof seconds === 'number' && seconds > 0 ? now + seconds * 1000 : (expiryOf(access) ?? now + usualLifeMs);
	return Math.max(Math.min(end, now + longestLifeMs), now + shortestLifeMs);
}

/** The error's code: some servers write it as RFC 6749 says, others within an object. */
function errorOf(said: Record<string, unknown> | undefined): string {
	const error = said?.['error'];
	const code = isObject(error) ? error['code'] : (error ?? said?.['code']);
	return typeof code === 'string' ? code : '';
}

function parseObject(text: string): Record<string, unknown> | undefined {
	try {
		const value: unknown = JSON.parse(text);
		return isObject(value) ? value : undefined;
	} catch {
		// Not JSON.
		return undefined;
	}
}
