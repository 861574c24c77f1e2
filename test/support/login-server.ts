import {randomBytes} from 'node:crypto';
import type http from 'node:http';

/*
 * A server of tokens that behaves as RFC 6749 and the vendors' documents say: a refresh token works once and is
 * exchanged for the next, and one that is used again ends the whole login (RFC 9700, section 4.14.2).
 */

export type IssuedTokens = {readonly access: string; readonly refresh: string};

export class LoginServer {
	/** Refreshes that were answered with tokens. */
	made = 0;
	/** Refreshes that were refused. */
	refused = 0;
	ended = false;
	/** How long an access token lives, seconds. */
	life: number;
	/** Called with an answer that is about to go out; it waits for that. */
	onAnswer: (() => void | Promise<void>) | undefined;
	/** Every token that was ever given out. */
	readonly all = new Set<string>();
	/** What the requests held, by their names. */
	readonly asked: Array<Record<string, string>> = [];
	readonly #make: (random: string) => string;
	readonly #says: boolean;
	readonly #good = new Map<string, number>();
	#refresh: string | undefined;

	/** @param options.access makes an access token of this vendor's shape; `says`: whether answers hold `expires_in` */
	constructor(options: {life?: number; access?: (random: string) => string; says?: boolean} = {}) {
		this.life = options.life ?? 3600;
		this.#make = options.access ?? (random => `access-${random}`);
		this.#says = options.says ?? true;
	}

	/** A person signs in. @param life of this first access token, seconds */
	signIn(life = this.life): IssuedTokens {
		this.ended = false;
		this.#refresh = undefined;
		this.#good.clear();
		return this.#issue(life);
	}

	/** Whether an access token is taken now. */
	takes(token: string | undefined): boolean {
		return !this.ended && (this.#good.get(token ?? '') ?? 0) > Date.now();
	}

	/** Forgets every access token before its time; the refresh token stays good. */
	forget(): void {
		this.#good.clear();
	}

	/** Answers a request for tokens. */
	answer(request: http.IncomingMessage, body: string, response: http.ServerResponse): void {
		const fields = request.headers['content-type']?.startsWith('application/json')
			? (JSON.parse(body) as Record<string, string>)
			: Object.fromEntries(new URLSearchParams(body));
		this.asked.push(fields);
		const json = async (status: number, value: unknown) => {
			await this.onAnswer?.();
			response.writeHead(status, {'content-type': 'application/json'}).end(JSON.stringify(value));
		};

		if (this.ended || fields['grant_type'] !== 'refresh_token' || fields['refresh_token'] !== this.#refresh) {
			// Whoever uses one again may be a thief, or the one that was robbed.
			this.ended = true;
			this.refused++;
			void json(400, {error: 'invalid_grant', error_description: 'Refresh token not found or invalid'});
			return;
		}

		this.made++;
		const {access, refresh} = this.#issue(this.life);
		void json(200, {
			access_token: access,
			refresh_token: refresh,
			token_type: 'Bearer',
			...(this.#says ? {expires_in: this.life} : {}),
		});
	}

	#issue(life: number): IssuedTokens {
		const access = this.#make(randomBytes(24).toString('hex'));
		this.#refresh = `refresh-${randomBytes(24).toString('hex')}`;
		this.#good.set(access, Date.now() + life * 1000);
		this.all.add(access).add(this.#refresh);
		return {access, refresh: this.#refresh};
	}
}

/** Reads a whole body. */
export function readBody(request: http.IncomingMessage): Promise<string> {
	return new Promise(resolve => {
		const parts: Buffer[] = [];
		request.on('data', part => parts.push(part));
		request.on('end', () => resolve(Buffer.concat(parts).toString('utf8')));
	});
}
