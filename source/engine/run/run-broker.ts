import {followModel} from './model-usage.ts';
import {answerOfLogin, readyLogins, renewableLogin} from './run-logins.ts';
import {noteRefused, noteUsed} from './network-events.ts';
import {nameOfSecret} from './held-secrets.ts';
import {trustOf, type Supervision} from './supervision.ts';
import {countUse} from './uses.ts';

/* How a run uses secrets that it does not hold: pointers inside, a broker on the way out. */

/** The variables that hold pointers. */
export function pointerVariables({secrets}: Supervision): Record<string, string> {
	return Object.fromEntries(
		secrets
			.all()
			.flatMap(({binding, pointer}) => (binding.environment === undefined ? [] : [[binding.environment, pointer]])),
	);
}

/** Makes the broker, with an authority that only this run trusts, once there is a secret. Shows every pointer. */
export async function openBroker(supervision: Supervision): Promise<void> {
	const {opened, journal, secrets, hooks, injectedFiles} = supervision;
	if (!opened.broker) {
		// Most runs have no secret, and the module is not small.
		const {Broker} = await import('../../host/broker.ts');
		opened.broker = new Broker(journal.run.id, {
			rules: () => secrets.rules(journal.run, Date.now()),
			held: () => secrets.inForce(journal.run, Date.now()),
			pointers: () => secrets.pointers(),
			values: () => secrets.values(),
			onUsed(scope, target) {
				countUse(supervision, scope);
				noteUsed(supervision, scope, target);
			},
			onRefused: (target, because, alarm) =>
				noteRefused(supervision, alarm ? 'alarm.raised' : 'secret.refused', {target, because}),
			answers: (target, path) => answerOfLogin(supervision, target, path),
			ready: target => readyLogins(supervision, target),
			renewable: scopes => renewableLogin(supervision, scopes),
			onExchange: scopes => followModel(supervision, scopes),
			...(hooks.placeOf ? {placeOf: hooks.placeOf} : {}),
			trust: () => trustOf(supervision),
		});
		injectedFiles.trust(opened.broker.authority.certificate);
	}

	for (const {scope, pointer, accountPointer} of secrets.all()) {
		injectedFiles.show(nameOfSecret(scope), pointer);
		if (accountPointer !== undefined) {
			injectedFiles.show(`${nameOfSecret(scope)}.account`, accountPointer);
		}
	}
}
