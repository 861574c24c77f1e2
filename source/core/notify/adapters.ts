import {Refusal} from '../refusal.ts';
import {formatReference, parseReference} from '../secrets/secret.ts';
import {messageOf, subjectOf, type NeedFact} from './facts.ts';

/** Where a person is told, as the settings have it. */
export type NotifyTarget = {
	readonly kind: 'webhook' | 'slack' | 'ntfy' | 'sendmail';
	/** An address, or the secret that is one: `fleet://user/NAME`. */ readonly address: string;
	/** The secret that is sent along as a bearer's token. */ readonly token?: string | undefined;
};

/** What is sent: a request, or a mail for sendmail. */
export type Delivery =
	| {
			readonly how: 'post';
			readonly url: URL;
			readonly headers: ReadonlyArray<readonly [string, string]>;
			readonly body: string;
	  }
	| {readonly how: 'sendmail'; readonly argv: readonly string[]; readonly input: string};

/**
 * A way to tell a person. The contract: `address` is total and says nothing of a bad address in its refusal, since it may
 * hold a token; `make` has nothing in it but the facts, the address and the token.
 */
type NotifyAdapter = {
	/** Whether the address itself lets whoever knows it send: then it is a secret. */ readonly isSecret: boolean;
	readonly takesToken: boolean;
	/** Why an address is none; undefined for a good one. */ address(address: string): Refusal | undefined;
	make(facts: readonly NeedFact[], to: {readonly address: string; readonly token: string | undefined}): Delivery;
};

const loopback = new Set(['localhost', '127.0.0.1', '[::1]']);

function urlFault(address: string): Refusal | undefined {
	let url: URL;
	try {
		url = new URL(address);
	} catch {
		return new Refusal('the address is none', 'write https://HOST/PATH');
	}

	if (url.protocol !== 'https:' && !(url.protocol === 'http:' && loopback.has(url.hostname))) {
		return new Refusal('the address is not https', 'write https://HOST/PATH; http is for this machine alone');
	}

	return url.username === '' && url.password === ''
		? undefined
		: new Refusal('the address has a login in it', 'put the token into the vault, and name it with token');
}

const json = ['Content-Type', 'application/json'] as const;
const bearer = (token: string | undefined) =>
	token === undefined ? [] : [['Authorization', `Bearer ${token}`] as const];

/** Characters that Slack reads as its own. */
const slackText = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

export const notifyAdapters: Readonly<Record<NotifyTarget['kind'], NotifyAdapter>> = {
	webhook: {
		isSecret: false,
		takesToken: true,
		address: urlFault,
		make: (facts, {address, token}) => ({
			how: 'post',
			url: new URL(address),
			headers: [json, ...bearer(token)],
			body: JSON.stringify({text: `${subjectOf(facts)}\n${messageOf(facts)}`, runs: facts}),
		}),
	},
	slack: {
		isSecret: true,
		takesToken: false,
		address: urlFault,
		make: (facts, {address}) => ({
			how: 'post',
			url: new URL(address),
			headers: [json],
			body: JSON.stringify({text: slackText(`${subjectOf(facts)}\n${messageOf(facts)}`)}),
		}),
	},
	ntfy: {
		isSecret: false,
		takesToken: true,
		address: urlFault,
		make: (facts, {address, token}) => ({
			how: 'post',
			url: new URL(address),
			headers: [['Title', subjectOf(facts)], ['Content-Type', 'text/plain; charset=utf-8'], ...bearer(token)],
			body: messageOf(facts),
		}),
	},
	sendmail: {
		isSecret: false,
		takesToken: false,
		address: address =>
			/^\w[\w.+-]{0,63}(?:@[a-z\d](?:[a-z\d.-]{0,251}[a-z\d])?)?$/i.test(address)
				? undefined
				: new Refusal('that is no address for mail', 'write NAME@HOST, or a login of this machine'),
		make: (facts, {address}) => ({
			how: 'sendmail',
			argv: ['-i', '--', address],
			input:
				`To: ${address}\nSubject: ${subjectOf(facts)}\nAuto-Submitted: auto-generated\n` +
				`Content-Type: text/plain; charset=utf-8\n\n${messageOf(facts)}\n`,
		}),
	},
};

/** Whether a text names a secret of the person's, and not an address. */
export const isReference = (text: string) => text.startsWith('fleet://');

function referenceFault(text: string): Refusal | undefined {
	const reference = parseReference(text);
	if (reference instanceof Refusal) {
		return new Refusal('that names no secret', 'write fleet://user/NAME');
	}

	return reference.owner === 'user' && formatReference(reference) === text
		? undefined
		: new Refusal("a notifier's secret is your own", 'write fleet://user/NAME');
}

/** Why an entry of the settings is none; undefined for a good one. Nothing of its address is said. */
export function targetFault({kind, address, token}: NotifyTarget): Refusal | undefined {
	const {isSecret, takesToken, address: faultOf} = notifyAdapters[kind];
	if (token !== undefined && !takesToken) {
		return new Refusal(`${kind} takes no token`, 'leave token out');
	}

	if (token !== undefined && !isReference(token)) {
		return new Refusal('a token belongs in the vault', 'token: fleet://user/NAME');
	}

	const badToken = token === undefined ? undefined : referenceFault(token);
	if (badToken) {
		return badToken;
	}

	if (isReference(address)) {
		return referenceFault(address);
	}

	const own = isSecret || (kind !== 'sendmail' && /[?#]/.test(address));
	return own
		? new Refusal('whoever knows this address can use it, so it belongs in the vault', 'address: fleet://user/NAME')
		: faultOf(address);
}
