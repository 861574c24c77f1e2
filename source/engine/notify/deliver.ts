import {spawn} from 'node:child_process';
import process from 'node:process';
import {isReference, notifyAdapters, type Delivery, type NotifyTarget} from '../../core/notify/adapters.ts';
import type {NeedFact} from '../../core/notify/facts.ts';
import {Refusal} from '../../core/refusal.ts';
import {formatReference} from '../../core/secrets/secret.ts';
import {findOnPath} from '../../host/program.ts';
import {readTrusted, trustContext} from '../../host/trusted.ts';
import type {Context} from '../context.ts';
import {knownValue} from '../grants/secret-values.ts';
import {listSecrets} from '../grants/secrets.ts';
import {HttpsClient} from '../logins/https-client.ts';

/* Sends one message by one notifier. Nothing that is said of a failure has an address or a token in it. */

/** Values of the secrets that notifiers name, as far as they were read when the run was started; in memory alone. */
export type NotifyValues = Readonly<Record<string, string>>;

/** How long one attempt may take, and the pauses before the second and the third, milliseconds. */
type Patience = {readonly attemptMs: number; readonly pauses: readonly number[]};
const usualPatience: Patience = {attemptMs: 10_000, pauses: [1000, 4000]};

/** What became of a message. `because` is empty where it was taken. */
export type Outcome = {readonly kind: NotifyTarget['kind']; readonly ok: boolean; readonly because: string};

/** What could be done again, and may work then. */
class Passing extends Error {}

/** What an entry names, itself or in the vault. @throws Refusal where it cannot be read without asking */
async function valueOf(context: Context, text: string, values: NotifyValues): Promise<string> {
	if (!isReference(text)) {
		return text;
	}

	const entry = listSecrets(context).find(
		({project, reference}) => project === undefined && formatReference(reference) === text,
	);
	if (!entry || entry.binding.class !== 'deploy') {
		throw new Refusal(
			entry ? `${text} is not a deploy secret, and a run could be given it` : `there is no secret ${text}`,
			`fleet secret add ${text.split('/').at(-1)} --user --class deploy`,
		);
	}

	const value = values[text] ?? (await knownValue(context, entry))[0];
	if (value === undefined) {
		throw new Refusal(`${text} cannot be read without asking you`, 'fleet secret stores');
	}

	return value;
}

/** The values of all secrets that notifiers name, as far as the vault gives them without asking. */
export async function notifyValues(context: Context, targets: readonly NotifyTarget[]): Promise<NotifyValues> {
	const values: Record<string, string> = {};
	for (const text of targets.flatMap(({address, token}) => [address, token ?? '']).filter(text => isReference(text))) {
		try {
			values[text] ??= await valueOf(context, text, {});
		} catch (error) {
			if (!(error instanceof Refusal)) {
				throw error;
			}
			// Whoever sends says so.
		}
	}

	return values;
}

/** The status of the answer; a redirect is one, and not followed. Nothing of the answer's body is read. */
async function post({url, headers, body}: Delivery & {how: 'post'}, signal: AbortSignal): Promise<number> {
	const path = `${url.pathname}${url.search}`;
	if (url.protocol === 'https:') {
		const port = url.port === '' ? 443 : Number(url.port);
		const target = {host: url.hostname, port};
		const client = new HttpsClient([target], {trust: trustContext(await readTrusted(undefined))});
		try {
			const answer = await client.ask(target, {method: 'POST', path, headers, body, signal});
			answer.destroy();
			return answer.statusCode ?? 0;
		} finally {
			client.close();
		}
	}

	const http = process.getBuiltinModule('node:http');
	return new Promise((resolve, reject) => {
		const request = http.request(
			{
				host: url.hostname.replaceAll(/[[\]]/g, ''),
				port: url.port === '' ? 80 : Number(url.port),
				method: 'POST',
				path,
				agent: false,
				signal,
				headers: {...Object.fromEntries(headers), 'Content-Length': Buffer.byteLength(body)},
			},
			answer => {
				resolve(answer.statusCode ?? 0);
				answer.destroy();
			},
		);
		request.once('error', reject);
		request.end(body);
	});
}

async function attempt(delivery: Delivery & {how: 'post'}, attemptMs: number): Promise<void> {
	let status: number;
	const signal = AbortSignal.timeout(attemptMs);
	try {
		status = await post(delivery, signal);
	} catch (error) {
		const {code} = error as NodeJS.ErrnoException;
		// A message may name the host, and its name may be what is secret of it.
		throw new Passing(
			signal.aborted ? 'it did not answer in time' : `it could not be reached${code ? `: ${code}` : ''}`,
		);
	}

	if (status >= 500 || status === 429 || status === 408) {
		throw new Passing(`it answered ${status}`);
	}

	if (status >= 300) {
		throw new Refusal(
			`it answered ${status}${status < 400 ? ', a redirect, which is not followed' : ''}`,
			'look at its address',
		);
	}
}

const mailPath = ['/usr/sbin', '/usr/lib', '/sbin'];

/** Hands a mail over to the machine's own. What it writes is not read. */
function mail({argv, input}: Delivery & {how: 'sendmail'}, attemptMs: number): Promise<void> {
	const program = findOnPath('sendmail', {PATH: [process.env['PATH'] ?? '', ...mailPath].join(':')});
	if (!program) {
		throw new Refusal('there is no program sendmail', 'install one, such as the package msmtp-mta');
	}

	return new Promise((resolve, reject) => {
		const child = spawn(program.host, argv, {
			cwd: '/',
			stdio: ['pipe', 'ignore', 'ignore'],
			timeout: attemptMs,
			killSignal: 'SIGKILL',
		});
		child.once('error', () => reject(new Refusal('sendmail could not be started', 'fleet notify test')));
		child.once('close', (code, signal) => {
			if (code === 0) {
				resolve();
			} else if (code === 75 || signal !== null) {
				reject(new Passing(signal === null ? 'sendmail says to try again later' : 'sendmail did not end in time'));
			} else {
				reject(new Refusal(`sendmail ended with ${code}`, 'look at its own log'));
			}
		});
		// One that does not read has ended, and its code says why.
		child.stdin.on('error', () => {});
		child.stdin.end(input);
	});
}

const wait = (ms: number) =>
	new Promise(resolve => {
		setTimeout(resolve, ms);
	});

/** Sends a message by one notifier, at most three times. Never throws. @param options.patience for tests */
export async function deliver(
	context: Context,
	target: NotifyTarget,
	{
		facts,
		values,
		patience: {attemptMs, pauses} = usualPatience,
	}: {readonly facts: readonly NeedFact[]; readonly values: NotifyValues; readonly patience?: Patience},
): Promise<Outcome> {
	const {kind} = target;
	try {
		const adapter = notifyAdapters[kind];
		const address = await valueOf(context, target.address, values);
		const token = target.token === undefined ? undefined : await valueOf(context, target.token, values);
		const fault = adapter.address(address);
		if (fault) {
			throw fault;
		}

		const delivery = adapter.make(facts, {address, token});
		for (let round = 0; ; round++) {
			try {
				await (delivery.how === 'post' ? attempt(delivery, attemptMs) : mail(delivery, attemptMs));
				return {kind, ok: true, because: ''};
			} catch (error) {
				if (!(error instanceof Passing) || round >= pauses.length) {
					throw error;
				}
			}

			await wait(pauses[round]!);
		}
	} catch (error) {
		if (error instanceof Refusal) {
			return {kind, ok: false, because: error.because};
		}

		// What else is thrown may have the address in it.
		return {kind, ok: false, because: error instanceof Passing ? error.message : 'it failed'};
	}
}
