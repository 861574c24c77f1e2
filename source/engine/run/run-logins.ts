import type {Target} from '../../core/network/target.ts';
import {orThrow, Refusal} from '../../core/refusal.ts';
import {boundTo} from '../../core/secrets/swap.ts';
import {parseReference} from '../../core/secrets/secret.ts';
import {Stopped} from '../../host/http-forwarding.ts';
import {mustFindSecret, projectOf} from '../grants/secrets.ts';
import {LoginEnded, RemoteFault} from '../logins/fault.ts';
import type {Refresher} from '../logins/refresher.ts';
import {vaultLogin} from '../logins/vault-login.ts';
import {noteRefused} from './network-events.ts';
import type {Supervision} from './supervision.ts';

/*
 * The logins of a run's grants. Their access tokens are looked after here: before a request goes out, and where a server
 * does not take one. All supervisors share the vault's newest, and one of them at a time asks for another.
 */

/** What keeps the login of a scope good; undefined for a scope without one. */
function refresherOf(supervision: Supervision, scope: string): Refresher | undefined {
	const {context, journal, secrets, logins, hooks} = supervision;
	const kept = secrets.get(scope);
	if (!kept?.login) {
		return undefined;
	}

	const known = logins.refreshers.get(scope);
	if (known) {
		return known;
	}

	const reference = orThrow(parseReference(kept.reference));
	const entry = mustFindSecret(context, reference, projectOf(reference, journal.run.project));
	const refresher = vaultLogin(context, entry, {
		title: kept.login.title,
		hooks,
		onTrouble: because => tell(supervision, scope, because),
	});
	refresher.know({...kept.login, access: kept.value});
	logins.refreshers.set(scope, refresher);
	return refresher;
}

/** What a login's vendor is not asked from inside, and what the agent is told in its place. */
export function answerOfLogin(
	{context, journal, secrets}: Supervision,
	target: Target,
	path: string,
): {readonly status: number; readonly json: string} | undefined {
	for (const {scope} of boundTo(secrets.inForce(journal.run, Date.now()), target)) {
		const {login, accountPointer} = secrets.get(scope) ?? {};
		const need = login && context.agents.map(agent => agent.model?.login).find(need => need?.name === login.name);
		const answer = need?.answers?.find(answer => answer.host === target.host && answer.path.test(path));
		if (answer) {
			return {status: answer.status, json: JSON.stringify(answer.body(accountPointer))};
		}
	}

	return undefined;
}

/** Says it on the run's row, once for each time that something comes to be so. */
function tell(supervision: Supervision, scope: string, because: string): void {
	const {logins} = supervision;
	if (!logins.told.has(`${scope} ${because}`)) {
		logins.told.add(`${scope} ${because}`);
		noteRefused(supervision, 'alarm.raised', {target: scope, because});
	}
}

/** Gets a token that is good for a while. @throws Stopped with the reason, for whoever asks inside */
async function renew(supervision: Supervision, scope: string, refresher: Refresher): Promise<void> {
	const {secrets, opened, logins} = supervision;
	try {
		const value = await refresher.token();
		logins.told.clear();
		if (secrets.get(scope)?.value !== value) {
			secrets.hide(refresher.values());
			secrets.renew(scope, value);
			opened.output?.blank(secrets.values());
		}
	} catch (error) {
		if (!(error instanceof RemoteFault || error instanceof Refusal)) {
			throw error;
		}

		const because = error instanceof Refusal ? `${error.because}: ${error.hint}` : error.message;
		tell(supervision, scope, because);
		// What ended stays so until a person signs in; anything else may be better in a moment, and programs try again.
		throw new Stopped(error instanceof LoginEnded ? 401 : 503, because);
	}
}

/** What a request to a target waits for: undefined where every login that is bound to it is good. */
export function readyLogins(supervision: Supervision, target: Target): Promise<void> | undefined {
	const {secrets, journal} = supervision;
	const scopes = new Set(
		boundTo(secrets.inForce(journal.run, Date.now()), target)
			.map(({scope}) => scope)
			.filter(scope => secrets.get(scope)?.login),
	);
	const waits = [...scopes].flatMap(scope => {
		const refresher = refresherOf(supervision, scope)!;
		return refresher.current === undefined ? [renew(supervision, scope, refresher)] : [];
	});
	return waits.length === 0 ? undefined : Promise.all(waits).then(() => {});
}

/** What gets another token where a server did not take a scope's: once for each token, whoever was refused. */
export function renewableLogin(
	supervision: Supervision,
	scopes: readonly string[],
): (() => Promise<boolean>) | undefined {
	const {secrets} = supervision;
	const scope = scopes.find(scope => secrets.get(scope)?.login);
	const sent = scope === undefined ? undefined : secrets.get(scope)!.value;
	if (scope === undefined || sent === undefined) {
		return undefined;
	}

	return async () => {
		const refresher = refresherOf(supervision, scope)!;
		refresher.refuse(sent);
		try {
			await renew(supervision, scope, refresher);
			return true;
		} catch (error) {
			if (!(error instanceof Stopped) || error.status === 401) {
				throw error;
			}

			// The server's own answer goes back: it may know better why.
			return false;
		}
	};
}

/** Waits until no refresh is under way, and what came is in the vault. */
export async function settleLogins({logins}: Supervision): Promise<void> {
	await Promise.all([...logins.refreshers.values()].map(refresher => refresher.settle()));
}
