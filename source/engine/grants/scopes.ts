import {orThrow, Refusal} from '../../core/refusal.ts';
import type {GrantCommand} from '../../core/run/command.ts';
import {decideScopeChange} from '../../core/run/rules.ts';
import type {Run} from '../../core/run/run.ts';
import {formatScope} from '../../core/scope.ts';
import {filesOf, kindOf, openedBy, parseScope} from '../../scopes/registry.ts';
import type {Context} from '../context.ts';
import type {KnownServer} from '../mcp/definitions.ts';
import {handServer, proposedOf, serverOfScope} from '../mcp/secrets.ts';
import {sendPrepared} from '../owner.ts';
import {checkOverlap, filesPlace, grantedScope, type FilesPlace} from './files.ts';
import {openRun} from '../project/projects.ts';
import {grantCommand, prepareGrant, type Wanted} from './prepare.ts';
import {completeScope, grantLength, secretOfScope} from './scope-secrets.ts';
import {handSecret} from './secret-values.ts';
import type {SecretEntry} from './secrets.ts';
import {rulesAt} from './terms.ts';

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
	/** Milliseconds; undefined for as long as the run goes on. */
	readonly durationMs: number | undefined;
	/** Undefined for any number. */
	readonly uses: number | undefined;
	/** Who signed it, where a rule wants that. */
	readonly signer: string | undefined;
	readonly secret: SecretEntry | undefined;
	readonly files: FilesPlace | undefined;
};

/** The MCP server that a scope names. @throws Refusal where there is none that a person approved */
async function serverOf(context: Context, run: Run, scope: string): Promise<KnownServer | undefined> {
	return openedBy(scope).server === undefined
		? undefined
		: serverOfScope(context, scope, await proposedOf(context, run));
}

/**
 * Turns a scope on, by whoever owns the run's journal. @param wanted.scope as it is typed
 * @param wanted.key the SSH key to sign with, where a rule wants that: a file, or a public key
 */
export async function allow(
	context: Context,
	run: Run,
	wanted: Omit<Wanted, 'reference' | 'files'> & {readonly key?: string | undefined},
): Promise<Granted> {
	const {because, key} = wanted;
	const scope = completeScope(context, wanted.scope, run.project);
	grantCommand({...wanted, scope});
	const plain = formatScope(orThrow(parseScope(scope)));
	const entry = secretOfScope(context, plain, run.project);
	const server = await serverOf(context, run, plain);
	const files = await filesPlace(context, scope);
	const {git, checkout} = await openRun(context, run);
	const {command} = await prepareGrant(context, run, {
		asked: {scope, because, durationMs: wanted.durationMs, files},
		entry,
		server,
		by: {rules: await rulesAt(git, run.base), checkout, key},
	});
	const {durationMs, signed, uses} = command;
	const {effect} = await sendPrepared(context, run, {
		type: 'grant',
		async supervisor() {
			// The value goes from the vault to the supervisor's memory, over a socket that only this person can open.
			const secret = entry && (await handSecret(context, entry, plain));
			grantLength(secret && {...entry, binding: secret.binding}, durationMs);
			return {
				command: {
					type: 'grant',
					id: command.id,
					scope: command.scope,
					because,
					durationMs,
					signed: signed && {...signed, uses},
				},
				behind: {secret, server: server && (await handServer(context, server, run.project))},
			};
		},
		async file() {
			return {
				command,
				check(now) {
					const refusal = decideScopeChange(now, context.actor, because);
					if (refusal) {
						throw refusal;
					}

					checkFiles(now, command, files);
				},
			};
		},
	});
	return {scope: command.scope, effect, durationMs, uses, signer: signed?.signer, secret: entry, files};
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
