import {toldTerms, type ToldTerms} from '../../core/grants/terms.ts';
import {Refusal} from '../../core/refusal.ts';
import type {DenialKind} from '../../core/run/event.ts';
import {networkScope, termsFor, wallsOf} from '../grants/terms.ts';
import {note, type Supervision} from './supervision.ts';

/* What the network's guards saw, as lines of the journal: an agent can make any number of them, so they are counted. */

/** Names that are kept at once until they are told of, and hosts that are remembered. */
const [maxLookedUp, maxAsked] = [100, 2000];

export function noteDenied(
	supervision: Supervision,
	target: string,
	{because, kind}: {readonly because: string; readonly kind: DenialKind},
): void {
	const {count, write} = supervision.counter.count(target);
	if (write) {
		const terms = kind === 'not-granted' ? termsOfTarget(supervision, target) : undefined;
		note(supervision, {type: 'egress.denied', target, because, count, kind, ...(terms ? {terms} : {})}, false);
	}
}

/** What a person who is offered a grant of it is told of the rules before they decide. */
function termsOfTarget({opened: {policy}}: Supervision, target: string): ToldTerms | undefined {
	try {
		return toldTerms(termsFor({walls: wallsOf(policy ?? {grants: []})}, networkScope(target), {}));
	} catch (error) {
		if (error instanceof Refusal) {
			return {never: error.because, says: error.because};
		}

		throw error;
	}
}

export function noteAllowed(supervision: Supervision, target: string, rule: string): void {
	if (supervision.counter.count(`allowed ${target} ${rule}`).write) {
		note(supervision, {type: 'egress.allowed', target, rule}, false);
	}
}

export function noteUsed(supervision: Supervision, scope: string, target: string): void {
	if (supervision.counter.count(`used ${scope} ${target}`).write) {
		note(supervision, {type: 'secret.used', scope, target}, false);
	}
}

export function noteRefused(
	supervision: Supervision,
	type: 'request.refused' | 'secret.refused' | 'alarm.raised',
	{target, because}: {readonly target: string; readonly because: string},
): void {
	const {count, write} = supervision.counter.count(`${type} ${target} ${because}`);
	if (write) {
		note(supervision, {type, target, because, count}, type === 'alarm.raised');
	}
}

/** The agent asked for a gate's decision. */
export function noteGateAsked({journal, counter}: Supervision, gate: string): void {
	if (counter.count(`asked ${gate}`).write) {
		journal.append({type: 'gate.refused', gate, because: 'agents decide nothing'}, `agent:${journal.run.id}`, false);
	}
}

/** Hosts that were asked for by way of the proxy: who looks one of these up besides does nothing odd. */
export function rememberAsked({pastProxy}: Supervision, target: string): void {
	if (pastProxy.asked.size < maxAsked) {
		pastProxy.asked.add(target.replace(/:\d+$/, ''));
	}
}

/** A name was looked up inside. Told of a while later: the request by way of the proxy may come after it. */
export function rememberLookedUp(supervision: Supervision, name: string): void {
	const {pastProxy} = supervision;
	if (pastProxy.lookedUp.size < maxLookedUp) {
		pastProxy.lookedUp.add(name);
		pastProxy.timer ??= setTimeout(() => tellStrays(supervision), 1000);
	}
}

/** Says that programs tried to go out past the proxy: they read no proxy variable, and would fail without a word. */
export function tellStrays(supervision: Supervision): void {
	const {pastProxy, opened} = supervision;
	clearTimeout(pastProxy.timer);
	pastProxy.timer = undefined;
	for (const name of pastProxy.lookedUp) {
		if (!pastProxy.asked.has(name)) {
			noteDenied(supervision, name, {
				because:
					'a program looked up its address by itself: it reads no proxy variable (HTTPS_PROXY), ' +
					'and there is no other way out',
				kind: 'past-proxy',
			});
		}
	}

	pastProxy.lookedUp.clear();
	const strays = opened.session?.strays() ?? 0;
	if (strays > pastProxy.strays) {
		noteDenied(supervision, 'past-the-proxy', {
			because:
				`${strays} ${strays === 1 ? 'attempt' : 'attempts'} to reach an address past the proxy: such a program reads no proxy variable ` +
				'(HTTPS_PROXY), and there is no other way out',
			kind: 'past-proxy',
		});
		pastProxy.strays = strays;
	}
}
