import {decideActor} from '../../core/run/decide.ts';
import {Refusal} from '../../core/refusal.ts';
import type {Request, Response} from '../../protocol/messages.ts';
import {acknowledgeIn, dismissIn} from '../grants/alarms.ts';
import {budgetRefusal, setBudgetIn} from '../grants/budget.ts';
import {filesPlace, grantedScope} from '../grants/files.ts';
import {checkGrant, grantIn, revokeIn} from '../grants/scopes.ts';
import {hideRevoked, scheduleExpiry} from './expiry.ts';
import {freeze, stop, thaw} from './halt.ts';
import {openBroker} from './run-broker.ts';
import type {Supervision} from './supervision.ts';

export async function perform(
	supervision: Supervision,
	request: Request,
	send: (response: Response) => void,
): Promise<Record<string, unknown>> {
	const {context, journal, secrets, opened, viewers, watch} = supervision;
	const {id, stage} = journal.run;
	if (!opened.terminal && request.method !== 'stop') {
		throw new Refusal(
			`${id} is ${stage}: ${journal.run.because}`,
			stage === 'queued' ? `fleet stop ${id} takes it out of the queue` : 'wait until it runs',
		);
	}

	switch (request.method) {
		case 'allow': {
			const {secret} = request;
			const files = await filesPlace(context, request.scope);
			const {scope} = checkGrant(journal, request.actor, request.scope, request.because, request.duration, {
				reference: secret?.reference,
				files,
			});
			if (/^(?:secret|model):/.test(scope) && secret?.scope !== scope) {
				throw new Refusal(`the value for ${scope} was not handed over`, 'fleet allow, from this version');
			}

			if (secret) {
				secrets.add(secret);
				opened.output?.blank(secrets.values());
				await openBroker(supervision);
			}

			const waits = files && (await opened.files?.give(files));
			let effect: string;
			try {
				effect = grantIn(journal, request.actor, request.scope, request.because, request.duration, waits ?? 'now', {
					reference: secret?.reference,
					files,
				});
			} catch (error) {
				// Nothing is on that is not written down.
				await opened.files?.take(scope);
				throw error;
			}

			scheduleExpiry(supervision);
			return {effect};
		}

		case 'revoke': {
			const scope = grantedScope(request.scope, journal.run.grants);
			const cut = revokeIn(journal, request.actor, scope, request.because, () => opened.session?.proxy.cut() ?? 0);
			scheduleExpiry(supervision);
			hideRevoked(supervision);
			const left = watch.ended ? undefined : await opened.files?.take(scope);
			return {cut, ...(left === undefined ? {} : {left})};
		}

		case 'stop': {
			const refusal = decideActor(request.actor, 'stopping a run');
			if (refusal) {
				throw refusal;
			}

			stop(
				supervision,
				request.because === '' ? `stopped by ${request.actor.replace('person:', '')}` : request.because,
			);
			return {};
		}

		case 'freeze':
		case 'thaw': {
			const frozen = journal.run.stage === 'frozen';
			const refusal =
				decideActor(request.actor, request.method === 'freeze' ? 'pausing a run' : 'continuing a run') ??
				(frozen === (request.method === 'freeze')
					? new Refusal(
							`${journal.run.id} is ${frozen ? 'paused already' : 'not paused'}`,
							frozen
								? `fleet continue ${journal.run.id}, or fleet stop ${journal.run.id}`
								: `fleet show ${journal.run.id}`,
						)
					: undefined);
			if (refusal) {
				throw refusal;
			}

			const because = request.because === '' ? `by ${request.actor.replace('person:', '')}` : request.because;
			if (request.method === 'freeze') {
				freeze(supervision, because, request.actor);
			} else {
				const over = budgetRefusal(journal.run);
				if (over) {
					throw over;
				}

				journal.append({type: 'run.thawed', because}, request.actor);
				thaw(supervision);
			}

			return {};
		}

		case 'budget': {
			setBudgetIn(journal, request.actor, request.budget ?? undefined, request.because);
			return {};
		}

		case 'dismiss': {
			dismissIn(journal, request.actor, request.target, request.because);
			return {};
		}

		case 'acknowledge': {
			acknowledgeIn(journal, request.actor, request.because);
			return {};
		}

		case 'attach': {
			opened.terminal?.resize(request.columns, request.rows);
			viewers.add(send);
			return {};
		}

		case 'input': {
			opened.terminal?.write(Buffer.from(request.data, 'base64'));
			return {};
		}

		case 'resize': {
			opened.terminal?.resize(request.columns, request.rows);
			return {};
		}

		case 'audited': {
			for (const gate of request.asked) {
				journal.append(
					{type: 'gate.refused', gate, because: 'agents decide nothing'},
					`agent:${journal.run.id}`,
					false,
				);
			}

			journal.append({type: 'audit.finished', items: request.items, because: request.because}, request.actor);
			return {};
		}
	}
}
