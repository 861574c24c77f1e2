import * as v from 'valibot';

/*
 * A subscription's login, as a vault keeps it beside its access token: what a new one is made from, and what the run's
 * agent is told. Nothing of it but `plan` gets inside.
 */

/** How a new access token is asked for. */
export type Renewal = {
	/** Where: https alone. */ readonly url: string;
	/** How the request is written. */ readonly body: 'form' | 'json';
	readonly client: string;
	readonly clientSecret?: string | undefined;
	readonly scope?: string | undefined;
};

/** An account's id that goes in a header of its own beside the token. */
export type LoginAccount = {readonly header: string; readonly value: string};

/** What an agent's own file says of its login. `until`: milliseconds since the epoch. */
export type ReadLogin = {
	readonly access: string;
	readonly refresh?: string | undefined;
	readonly until?: number | undefined;
	readonly account?: LoginAccount | undefined;
	/** The subscription's name, one word: an agent chooses its models by it. */
	readonly plan?: string | undefined;
	/** Undefined: the token lives until somebody takes it back. */
	readonly renewal?: Renewal | undefined;
};

/** What a vault keeps of a login; its access token is the secret's value. */
export type StoredLogin = Omit<ReadLogin, 'access'> & {
	/** What a person calls it: `fleet secret login NAME`. */ readonly name: string;
	/** For a person: `Claude`. */ readonly title: string;
	/** The command that signs in. */ readonly signIn: string;
	/** When fleet had the access token made, milliseconds since the epoch; 0: it came with the login. */ readonly made: number;
	/** Since when a refresh is under way whose answer is not kept yet, milliseconds since the epoch. */
	readonly asking?: number | undefined;
	/** Why it is over; undefined while it is not. */ readonly ended?: string | undefined;
};

const renewalSchema: v.GenericSchema<unknown, Renewal> = v.object({
	url: v.string(),
	body: v.picklist(['form', 'json']),
	client: v.string(),
	clientSecret: v.optional(v.string()),
	scope: v.optional(v.string()),
});

export const storedLoginSchema: v.GenericSchema<unknown, StoredLogin> = v.looseObject({
	name: v.string(),
	title: v.string(),
	signIn: v.string(),
	made: v.number(),
	refresh: v.optional(v.string()),
	until: v.optional(v.number()),
	account: v.optional(v.object({header: v.string(), value: v.string()})),
	plan: v.optional(v.string()),
	renewal: v.optional(renewalSchema),
	asking: v.optional(v.number()),
	ended: v.optional(v.string()),
});

/** What a header can carry. */
export const isToken = (value: unknown): value is string =>
	typeof value === 'string' && /^[\u0021-\u007E]{8,8192}$/.test(value);

/** What a JSON Web Token says of itself, unchecked; undefined for anything else. */
export function claimsOf(token: string): Record<string, unknown> | undefined {
	const [, payload] = /^[\w-]+\.([\w-]+)\.[\w-]*$/.exec(token) ?? [];
	if (payload === undefined) {
		return undefined;
	}

	try {
		const bytes = Uint8Array.from(atob(payload.replaceAll('-', '+').replaceAll('_', '/')), char =>
			char.codePointAt(0)!,
		);
		const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
		return typeof claims === 'object' && claims !== null ? (claims as Record<string, unknown>) : undefined;
	} catch {
		// It only looks like one.
		return undefined;
	}
}

/** When a token says that it ends, milliseconds since the epoch; undefined where it does not. */
export function expiryOf(token: string): number | undefined {
	const end = claimsOf(token)?.['exp'];
	return typeof end === 'number' && end > 0 ? end * 1000 : undefined;
}

/** What a person types where a login is over: sign in by the agent itself, then let fleet read it. */
export const signInAgain = ({signIn, name}: Pick<StoredLogin, 'signIn' | 'name'>): string =>
	`${signIn} && fleet secret login ${name}`;
