import {randomBytes} from 'node:crypto';
import {orThrow, Refusal} from '../../core/refusal.ts';
import type {GrantCommand} from '../../core/run/command.ts';
import {decideScopeChange} from '../../core/run/rules.ts';
import type {Run} from '../../core/run/run.ts';
import {formatScope} from '../../core/scope.ts';
import {formatReference} from '../../core/secrets/secret.ts';
import {filesOf, kindOf, openedBy, parseGrantable, parseScope} from '../../scopes/registry.ts';
import type {Context} from '../context.ts';
import type {KnownServer} from '../mcp/definitions.ts';
import {handServer, proposedOf, serverOfScope} from '../mcp/secrets.ts';
import {sendPrepared} from '../owner.ts';
import {checkOverlap, filesPlace, grantedScope, type FilesPlace} from './files.ts';
import {completeScope, grantLength, secretOfScope} from './scope-secrets.ts';
import {handSecret} from './secret-values.ts';
import type {SecretEntry} from './secrets.ts';

/** A grant that a person asks for. `files`: what its scope names, once that was looked at. */
export type Wanted = {
	readonly scope: string;
	readonly because: string;
	/** Milliseconds; undefined for as long as the run goes on. */
	readonly durationMs?: number | undefined;
	readonly reference?: string | undefined;
	readonly files?: FilesPlace | undefined;
};

/** @throws Refusal for a scope that cannot be granted, or for no reason given */
export function grantCommand({scope, because, durationMs, reference, files}: Wanted): GrantCommand {
	const parsed = orThrow(parseGrantable(files?.scope ?? scope));
	if (because.trim() === '') {
		throw new Refusal(`${parsed.scope} needs a reason`, 'say why with --because "…"');
	}

	return {
		type: 'grant',
		id: randomBytes(4).toString('hex'),
		scope: parsed.scope,
		because,
		durationMs,
		reference,
		identity: files?.identity,
	};
}

/** @throws Refusal where a grant would have to do with files that the run has already */
export function checkFiles(run: Run, command: GrantCommand, files: FilesPlace | undefined): void {
	if (filesOf(command.scope) && !files) {
		throw new Error('a folder is granted only after it was looked at');
	}

	if (files) {
		checkOverlap(files, run.grants, `fleet revoke ${run.id}`);
	}
}

/** What a grant is called that is to be revoked. @throws Refusal for what no run is without */
export function revocable(text: string, run: Run): string {
	const scope = grantedScope(text, run.grants);
	if (kindOf(scope)?.byDefault) {
		throw new Refusal(`${scope} cannot be revoked`, `fleet stop ${run.id} ends the run`);
	}

	return scope;
}

/** What became of a grant. `secret` and `files`: what is behind its scope. */
export type Granted = {
	readonly scope: string;
	/** When it takes effect, in words. */
	readonly effect: string;
	readonly secret: SecretEntry | undefined;
	readonly files: FilesPlace | undefined;
};

/** The MCP server that a scope names. @throws Refusal where there is none that a person approved */
async function serverOf(context: Context, run: Run, scope: string): Promise<KnownServer | undefined> {
	return openedBy(scope).server === undefined
		? undefined
		: serverOfScope(context, scope, await proposedOf(context, run));
}

/** Turns a scope on, by whoever owns the run's journal. @param wanted.scope as it is typed */
export async function allow(context: Context, run: Run, wanted: Omit<Wanted, 'reference' | 'files'>): Promise<Granted> {
	const {because} = wanted;
	const scope = completeScope(context, wanted.scope, run.project);
	grantCommand({...wanted, scope});
	const plain = formatScope(orThrow(parseScope(scope)));
	const entry = secretOfScope(context, plain, run.project);
	const durationMs = grantLength(entry, wanted.durationMs);
	const server = await serverOf(context, run, plain);
	let files: FilesPlace | undefined;
	const {effect} = await sendPrepared(context, run, {
		type: 'grant',
		async supervisor() {
			// The value goes from the vault to the supervisor's memory, over a socket that only this person can open.
			const secret = entry && (await handSecret(context, entry, plain));
			grantLength(secret && {...entry, binding: secret.binding}, durationMs);
			files = await filesPlace(context, scope);
			const {type, id} = grantCommand({scope, because, files});
			return {
				command: {type, id, scope: files?.scope ?? scope, because, durationMs},
				behind: {secret, server: server && (await handServer(context, server, run.project))},
			};
		},
		async file() {
			const place = await filesPlace(context, scope);
			files = place;
			const reference = entry && formatReference(entry.reference);
			const command = grantCommand({scope, because, durationMs, reference, files: place});
			return {
				command,
				check(now) {
					const refusal = decideScopeChange(now, context.actor, because);
					if (refusal) {
						throw refusal;
					}

					checkFiles(now, command, place);
				},
			};
		},
	});
	return {scope: files?.scope ?? scope, effect, secret: entry, files};
}

/**
 * Turns a scope off, and cuts what is open through it.
 * @returns how many connections were cut, and why a mount stayed, if one did
 */
export async function revoke(
	context: Context,
	run: Run,
	{scope: text, because}: {readonly scope: string; readonly because: string},
): Promise<{cut: number; left?: string | undefined}> {
	const scope = completeScope(context, text, run.project);
	return sendPrepared(context, run, {
		type: 'revoke',
		supervisor: async () => ({command: {type: 'revoke', scope, because}}),
		file: async () => ({command: {type: 'revoke', scope: revocable(scope, run), because}}),
	});
}
