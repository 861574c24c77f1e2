import {randomBytes} from 'node:crypto';
import {lengthOf, type Terms} from '../../core/grants/terms.ts';
import type {GrantedRun} from '../../core/grants/statement.ts';
import {orThrow, Refusal} from '../../core/refusal.ts';
import type {GrantCommand} from '../../core/run/command.ts';
import {grantOf} from '../../core/run/decide.ts';
import {formatReference} from '../../core/secrets/secret.ts';
import type {Git} from '../../host/git.ts';
import {parseGrantable} from '../../scopes/registry.ts';
import type {Context} from '../context.ts';
import type {KnownServer} from '../mcp/definitions.ts';
import type {FilesPlace} from './files.ts';
import {grantLength} from './scope-secrets.ts';
import type {SecretEntry} from './secrets.ts';
import {signGrant} from './signed.ts';
import {termsFor, type BehindScope, type Rules} from './terms.ts';

/* A grant as it is asked of whoever owns the journal: within what the rules allow, and signed where they want that. */

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

/** What stands behind a scope, by what was found of it. */
export function behindOf(
	entry: Pick<SecretEntry, 'reference' | 'binding'> | undefined,
	server: Pick<KnownServer, 'definition'> | undefined,
): BehindScope {
	return {
		secret: entry && {reference: formatReference(entry.reference), hosts: entry.binding.hosts},
		server: server?.definition,
	};
}

/** By what a grant is decided, and by whose key it is signed. */
export type GrantedBy = {
	readonly rules: Rules;
	/** The person's repository, with all of their git's settings. */
	readonly checkout: Git;
	/** A file, or a public key; git's `user.signingKey` by default. */
	readonly key?: string | undefined;
};

/**
 * A grant as it is to be written down: no longer and no oftener than its rules allow, and signed where they want that.
 * @param asked.durationMs what was asked for, milliseconds; nothing for the longest that is allowed
 * @throws Refusal for what is never granted, for more than is allowed, and where nobody signed who may
 */
export async function prepareGrant(
	context: Pick<Context, 'actor'>,
	run: GrantedRun,
	{
		asked,
		entry,
		server,
		by: {rules, checkout, key},
	}: {
		readonly asked: Omit<Wanted, 'reference'>;
		readonly entry: SecretEntry | undefined;
		readonly server: KnownServer | undefined;
		readonly by: GrantedBy;
	},
): Promise<{readonly command: GrantCommand; readonly terms: Terms}> {
	const reference = entry && formatReference(entry.reference);
	const plain = grantCommand({...asked, reference});
	const terms = orThrow(termsFor(rules, plain.scope, behindOf(entry, server)));
	grantLength(entry, asked.durationMs);
	const durationMs = orThrow(lengthOf(plain.scope, terms, {asked: asked.durationMs, own: entry?.binding.longest}));
	const command = {...plain, durationMs, uses: terms.uses?.value};
	if (terms.by.length === 0) {
		return {command, terms};
	}

	const grant = await signGrant(run, grantOf(command, context.actor, Date.now()), {terms, rules, checkout, key});
	return {command: {...command, signed: {...grant.signed!, at: grant.at, until: grant.until}}, terms};
}
