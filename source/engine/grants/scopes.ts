import {randomBytes} from 'node:crypto';
import {decideActor, decideScopeChange} from '../../core/run/decide.ts';
import {orThrow, Refusal} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import type {Actor, Grant} from '../../core/scope.ts';
import {filesOf, kindOf, parseGrantable, parseScope} from '../../scopes/registry.ts';
import {formatScope} from '../../core/scope.ts';
import {formatReference} from '../../core/secrets/secret.ts';
import type {Journal} from '../../host/journal.ts';
import type {Context} from '../context.ts';
import {checkOverlap, filesPlace, grantedScope, type FilesPlace} from './files.ts';
import {completeScope, grantLength, secretOfScope} from './scope-secrets.ts';
import {connect, withJournal} from '../runs.ts';
import {handSecret} from './secret-values.ts';
import {type SecretEntry} from './secrets.ts';

/** A grant as it is written down. @throws Refusal for a scope that cannot be granted, or for no reason given */
export function makeGrant(
	actor: Actor,
	scope: string,
	because: string,
	duration: number | undefined,
	entry?: Pick<SecretEntry, 'reference'>,
	files?: FilesPlace,
): Grant {
	const refusal = decideActor(actor, 'a scope');
	if (refusal) {
		throw refusal;
	}

	const parsed = orThrow(parseGrantable(files?.scope ?? scope));
	if (because.trim() === '') {
		throw new Refusal(`${parsed.scope} needs a reason`, 'say why with --because "…"');
	}

	const now = Date.now();
	return {
		id: randomBytes(4).toString('hex'),
		scope: parsed.scope,
		because: because.trim(),
		by: actor,
		at: new Date(now).toISOString(),
		reference: entry && formatReference(entry.reference),
		identity: files?.identity,
		until: duration === undefined ? undefined : new Date(now + duration).toISOString(),
	};
}

/**
 * What is known of a grant besides its scope: the secret behind it, or what a `files:` scope names as it was looked at.
 */
export type GrantDetails = {readonly reference?: string | undefined; readonly files?: FilesPlace | undefined};

/** @throws Refusal where the scope cannot be granted to this run; nothing is written */
export function checkGrant(
	journal: Journal,
	actor: Actor,
	scope: string,
	because: string,
	duration: number | undefined,
	more: GrantDetails = {},
): Grant {
	const refusal = decideScopeChange(journal.run, actor, because);
	if (refusal) {
		throw refusal;
	}

	const {reference, files} = more;
	const grant: Grant = {...makeGrant(actor, scope, because, duration, undefined, files), reference};
	if (filesOf(grant.scope) && !files) {
		throw new Error('a folder is granted only after it was looked at');
	}

	if (files) {
		checkOverlap(files, journal.run.grants, `fleet revoke ${journal.run.id}`);
	}

	return grant;
}

/** When a grant takes effect, in words. */
function effectOf(reaches: string, runId: string): string {
	if (reaches === 'start') {
		return 'when the run is next started';
	}

	if (reaches !== 'now') {
		return `when the run is next started (${reaches}): fleet stop ${runId}, fleet resume ${runId}`;
	}

	return 'effective now';
}

/**
 * Turns a scope on in a journal that is held.
 * @param reaches `now`: a run that is going on has it already; `start`: there is none; other words: why it waits
 * @returns when it takes effect, in words
 */
export function grantIn(
	journal: Journal,
	actor: Actor,
	scope: string,
	because: string,
	duration: number | undefined,
	reaches: string,
	more: GrantDetails = {},
): string {
	const grant = checkGrant(journal, actor, scope, because, duration, more);
	const effect = effectOf(reaches, journal.run.id);
	journal.append({type: 'scope.granted', grant, effect}, actor);
	return effect;
}

/** Turns a scope off in a journal that is held. `cut` closes what was open through it, once it is written down. */
export function revokeIn(journal: Journal, actor: Actor, scope: string, because: string, cut: () => number): number {
	const refusal = decideActor(actor, 'a scope');
	if (refusal) {
		throw refusal;
	}

	const wanted = grantedScope(scope, journal.run.grants);
	if (kindOf(wanted)?.byDefault) {
		throw new Refusal(`${wanted} cannot be revoked`, `fleet stop ${journal.run.id} ends the run`);
	}

	if (!journal.run.grants.some(grant => grant.scope === wanted)) {
		const granted = journal.run.grants.map(grant => grant.scope);
		throw new Refusal(
			`${wanted} is not granted to ${journal.run.id}`,
			granted.length === 0 ? 'nothing is granted' : `granted: ${granted.join(', ')}`,
		);
	}

	journal.append({type: 'scope.revoked', scope: wanted, because, cut: 0}, actor);
	return cut();
}

/**
 * Turns a scope on: through the supervisor where one is alive, else in the journal.
 * @returns the scope as it is written, and when it takes effect
 */
export async function allow(
	context: Context,
	run: Run,
	text: string,
	because: string,
	asked: number | undefined,
): Promise<{scope: string; effect: string; secret: SecretEntry | undefined; files: FilesPlace | undefined}> {
	const scope = completeScope(context, text, run.project);
	makeGrant(context.actor, scope, because, asked);
	const entry = secretOfScope(context, formatScope(orThrow(parseScope(scope))), run.project);
	const duration = grantLength(entry, asked);
	const reference = entry && formatReference(entry.reference);
	const connection = await connect(context, run.id);
	if (connection) {
		try {
			// The value goes from the vault to the supervisor's memory, over a socket that only this person can open.
			const secret = entry && (await handSecret(context, entry, formatScope(orThrow(parseScope(scope)))));
			grantLength(secret && {...entry, binding: secret.binding}, duration);
			const files = await filesPlace(context, scope);
			const {effect} = await connection.request({
				method: 'allow',
				scope: files?.scope ?? scope,
				because,
				duration,
				secret,
				actor: context.actor as `person:${string}`,
			});
			return {scope: files?.scope ?? scope, effect: String(effect), secret: entry, files};
		} finally {
			connection.close();
		}
	}

	const files = await filesPlace(context, scope);
	const effect = await withJournal(context, run.id, async journal =>
		grantIn(journal, context.actor, scope, because, duration, 'start', {reference, files}),
	);
	return {scope: files?.scope ?? scope, effect, secret: entry, files};
}

/**
 * Turns a scope off, and cuts what is open through it.
 * @returns how many connections were cut, and why a mount stayed, if one did
 */
export async function revoke(
	context: Context,
	run: Run,
	text: string,
	because: string,
): Promise<{cut: number; left?: string | undefined}> {
	const scope = completeScope(context, text, run.project);
	const connection = await connect(context, run.id);
	if (connection) {
		try {
			const {cut, left} = await connection.request({
				method: 'revoke',
				scope,
				because,
				actor: context.actor as `person:${string}`,
			});
			return {cut: Number(cut), left: left === undefined ? undefined : String(left)};
		} finally {
			connection.close();
		}
	}

	return withJournal(context, run.id, async journal => ({
		cut: revokeIn(journal, context.actor, scope, because, () => 0),
	}));
}
