import {execFile} from 'node:child_process';
import process from 'node:process';
import type {ForgeRequest} from '../../core/publish/forge.ts';
import {apiOf, placeText, type ForgePlace} from '../../core/publish/place.ts';
import type {CarrierName} from '../../core/publish/state.ts';
import {matchesPath, matchesTarget} from '../../core/network/egress.ts';
import {parseEgressRule} from '../../core/network/rules.ts';
import {formatTarget, type Target} from '../../core/network/target.ts';
import {orThrow, Refusal} from '../../core/refusal.ts';
import {formatReference, parseReference} from '../../core/secrets/secret.ts';
import {escapeLine} from '../../core/text/escape-controls.ts';
import {findOnPath} from '../../host/program.ts';
import {readTrusted, trustContext} from '../../host/trusted.ts';
import type {Context} from '../context.ts';
import {resolveSecret} from '../grants/secret-values.ts';
import {listSecrets, mustFindSecret, projectOf, type SecretEntry} from '../grants/secrets.ts';
import {RemoteFault} from '../logins/fault.ts';
import {HttpsClient, textOf} from '../logins/https-client.ts';

/*
 * Who carries requests to a forge: its vendor's own program with the person's login of that, or fleet itself with a token from
 * the vault. What is asked is the same.
 */

/** How long one answer may take, milliseconds, and how much of it is read, bytes. */
const limits = {ms: 30_000, bytes: 8 * 1024 ** 2};

/** An answer. `json` is undefined where it is none. */
export type Answer = {readonly status: number; readonly json: unknown};

/** There was no answer: whether anything was done nobody knows. */
export class NoAnswer extends Error {}

export type Carrier = {
	readonly name: CarrierName;
	/** @throws NoAnswer, or Refusal where it could not even be asked */
	ask(request: ForgeRequest): Promise<Answer>;
	close(): void;
};

function jsonOf(text: string): unknown {
	try {
		return JSON.parse(text) as unknown;
	} catch {
		return undefined;
	}
}

/** What a program prints with `--include`: a status, headers, and a body. */
function readIncluded(text: string): Answer | undefined {
	const found = /^HTTP\/[\d.]+ (\d{3})[^\n]*\n(?:[^\r\n]+\r?\n)*\r?\n/.exec(text);
	return found ? {status: Number(found[1]), json: jsonOf(text.slice(found[0].length))} : undefined;
}

const programs = {
	/** `unknown`: its exit code where nobody is logged in. */
	gh: {host: 'GH_HOST', prompts: 'GH_PROMPT_DISABLED', forge: 'github', unknown: 4},
	glab: {host: 'GITLAB_HOST', prompts: 'NO_PROMPT', forge: 'gitlab', unknown: undefined},
} as const;

/** The vendor's program, at a place of the search path. */
function byProgram(name: keyof typeof programs, program: string, place: ForgePlace): Carrier {
	const {host, prompts} = programs[name];
	const server = `${place.host}${place.port === undefined ? '' : `:${place.port}`}`;
	return {
		name,
		close() {},
		ask: ({method, path, body, graphql}) =>
			new Promise((resolve, reject) => {
				const argv = [
					'api',
					'--include',
					'--method',
					method,
					...(body === undefined ? [] : ['--header', 'Content-Type: application/json', '--input', '-']),
					graphql ? 'graphql' : path.slice(1),
				];
				const child = execFile(
					program,
					argv,
					{
						cwd: '/',
						env: {...process.env, [host]: server, [prompts]: '1', NO_COLOR: '1', PAGER: 'cat', GH_DEBUG: ''},
						timeout: limits.ms,
						maxBuffer: limits.bytes,
						encoding: 'utf8',
					},
					(error, stdout, stderr) => {
						const answer = readIncluded(stdout);
						const [line = ''] = stderr.trim().split('\n');
						if (answer) {
							resolve(answer);
						} else if (error && error.code === programs[name].unknown) {
							reject(new Refusal(`${name} is not logged in at ${server}`, `${name} auth login --hostname ${server}`));
						} else {
							reject(new NoAnswer(`${name}: ${escapeLine(line || error?.message || 'no answer').slice(0, 200)}`));
						}
					},
				);
				child.stdin?.on('error', () => {
					// One that does not read has ended, and that says why.
				});
				child.stdin?.end(body === undefined ? undefined : JSON.stringify(body));
			}),
	};
}

/** Whether a secret may be sent to a server: for deploys alone, in the header, and to that host. */
function isFor({binding}: Pick<SecretEntry, 'binding'>, target: Required<Target>): boolean {
	return (
		binding.class === 'deploy' &&
		binding.headers.includes('authorization') &&
		binding.hosts.some(text => {
			const rule = parseEgressRule(text);
			return !(rule instanceof Refusal) && matchesTarget({host: rule.host, port: rule.port ?? 443}, target);
		})
	);
}

const addHint = (target: Required<Target>) =>
	`fleet secret add forge --user --class deploy --host ${formatTarget(target.port === 443 ? {host: target.host} : target)}`;

/** The token for a forge; undefined where there is none for that host. @param named as a person named it */
function findToken(
	context: Context,
	{place, project, named}: {readonly place: ForgePlace; readonly project: string; readonly named: string | undefined},
): SecretEntry | undefined {
	const {target} = apiOf(place);
	if (named !== undefined) {
		const reference = orThrow(parseReference(named));
		const entry = mustFindSecret(context, reference, projectOf(reference, {id: project}));
		if (!isFor(entry, target)) {
			throw new Refusal(
				`${formatReference(reference)} is not a deploy secret for ${formatTarget(target)}`,
				addHint(target),
			);
		}

		return entry;
	}

	const found = listSecrets(context).filter(
		entry => (entry.project === undefined || entry.project === project) && isFor(entry, target),
	);
	const own = found.filter(entry => entry.project === project);
	const [one, other] = own.length > 0 ? own : found;
	if (other) {
		throw new Refusal(
			`several secrets are for ${formatTarget(target)}`,
			`name one: --token ${formatReference(one!.reference)}`,
		);
	}

	return one;
}

/** fleet itself, with a token that goes to the API's host and nowhere else: a redirect is an answer, and not followed. */
async function byRest(context: Context, place: ForgePlace, entry: SecretEntry): Promise<Carrier> {
	const {target, prefix} = apiOf(place);
	const {value, binding} = await resolveSecret(context, entry);
	// The vault's word counts: who changed the index changed nothing.
	if (!isFor({binding}, target)) {
		throw new Refusal(
			`${formatReference(entry.reference)} is not a deploy secret for ${formatTarget(target)}`,
			addHint(target),
		);
	}

	const client = new HttpsClient([target], {trust: trustContext(await readTrusted(undefined))});
	return {
		name: 'rest',
		close: () => client.close(),
		async ask({method, path, body, graphql}) {
			const whole = graphql ? prefix.replace('/v3', '') + path : prefix + path;
			if (
				(binding.methods.length > 0 && !binding.methods.includes(method)) ||
				(binding.paths.length > 0 && !binding.paths.some(pattern => matchesPath(pattern, whole)))
			) {
				throw new Refusal(
					`${formatReference(entry.reference)} is not for ${method} ${whole.split('?')[0]!}`,
					'fleet secret list says what it is bound to',
				);
			}

			try {
				const signal = AbortSignal.timeout(limits.ms);
				const answer = await client.ask(target, {
					method,
					path: whole,
					headers: [
						['Accept', place.forge === 'github' ? 'application/vnd.github+json' : 'application/json'],
						['User-Agent', 'fleet'],
						['Authorization', `Bearer ${value}`],
						...(place.forge === 'github' ? ([['X-GitHub-Api-Version', '2022-11-28']] as const) : []),
						...(body === undefined ? [] : ([['Content-Type', 'application/json']] as const)),
					],
					...(body === undefined ? {} : {body: JSON.stringify(body)}),
					signal,
				});
				// A server that says the token back would have it shown.
				const text = (await textOf(answer, limits.bytes)).replaceAll(value, '[token]');
				return {status: answer.statusCode ?? 0, json: jsonOf(text)};
			} catch (error) {
				throw error instanceof RemoteFault ? new NoAnswer(error.message) : error;
			}
		},
	};
}

/**
 * Who speaks to the forge: what a person named; else fleet with a token of the vault that is for that host, else the
 * vendor's program where it is installed.
 */
export async function findCarrier(
	context: Context,
	place: ForgePlace,
	{
		by,
		token,
		project,
	}: {readonly by: CarrierName | undefined; readonly token: string | undefined; readonly project: string},
): Promise<Carrier> {
	const vendors = place.forge === 'gitlab' ? 'glab' : 'gh';
	if (by !== undefined && by !== 'rest' && programs[by].forge !== place.forge) {
		throw new Refusal(`${by} does not speak to ${placeText(place)}`, `--with ${vendors}, or --with rest`);
	}

	const entry = by === 'rest' || by === undefined ? findToken(context, {place, project, named: token}) : undefined;
	if (entry) {
		return byRest(context, place, entry);
	}

	const {target} = apiOf(place);
	if (by === 'rest') {
		throw new Refusal(`the vault has no token for ${formatTarget(target)}`, addHint(target));
	}

	const program = findOnPath(vendors);
	if (!program) {
		throw new Refusal(
			`${vendors} is not installed, and the vault has no token for ${formatTarget(target)}`,
			`install ${vendors}, then: ${vendors} auth login; or ${addHint(target)}`,
		);
	}

	return byProgram(vendors, program.host, place);
}
