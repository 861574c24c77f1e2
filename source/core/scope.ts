import type {Actor} from './actor.ts';
import type {EgressRule} from './network/rules.ts';
import type {Refusal} from './refusal.ts';
import type {Reference} from './secrets/secret.ts';

/** One authority a run may hold, such as `network:example.com:443`: a kind and, for most kinds, a subject. */
export type Scope = {readonly kind: string; readonly subject: string};

/**
 * What a grant opens, for the engine to enforce: mounts, rules of the run's proxy, a secret through the broker, a port. A kind
 * of scope that is made of these needs nothing else anywhere.
 */
export type Opened = {
	readonly files?: {readonly path: string; readonly mode: 'read' | 'write'} | undefined;
	readonly rules?: ReadonlyArray<Omit<EgressRule, 'source'>> | undefined;
	readonly secret?: Reference | undefined;
	/** The agent whose model it opens, with the secret that the adapter names. */
	readonly agent?: string | undefined;
	/** A port inside the run that the person's browser may reach. */
	readonly port?: number | undefined;
	/** An MCP server outside, by its name. */
	readonly server?: string | undefined;
};

/**
 * A kind of authority. The contract, which the conformance suite holds every kind to:
 * - `parse` is total and pure; it returns the canonical subject
 *   or a refusal, and parsing its own result changes nothing;
 * - a kind that is on by default takes no subject and cannot be granted or revoked;
 * - a kind that no run may hold says why in `never`, and refuses every subject in `available`;
 * - what can be granted opens something, and nothing else does.
 */
export type ScopeKind = {
	readonly id: string;
	readonly title: string;
	/** How it is written, for help and errors. */
	readonly usage: string;
	/** Its word in the list's column of scopes. */
	readonly mark: string;
	readonly byDefault: boolean;
	/** Why no run can be given it, whatever the subject. */
	readonly never?: string | undefined;
	/** What a person should know before turning it on. */
	readonly warning: string;
	/** What a person should know after turning it off. */
	readonly afterRevoke?: string | undefined;
	parse(subject: string): string | Refusal;
	/** Undefined where a grant of this subject can take effect in this version. */
	available(subject: string): Refusal | undefined;
	/** What a grant of a parsed subject opens. */
	opens(subject: string): Opened;
};

/** A scope that was turned on for one run: by whom, why and until when. Times are ISO 8601. */
export type Grant = {
	readonly id: string;
	readonly scope: string;
	readonly because: string;
	readonly by: Actor;
	readonly at: string;
	/** The secret that it is about, where the scope itself does not name it. */
	readonly reference?: string | undefined;
	/** What a `files:` scope names, as `device:inode`: the name alone could come to mean something else. */
	readonly identity?: string | undefined;
	/** Undefined: until the run ends. */
	readonly until?: string | undefined;
	/** After so many uses it is taken back; undefined: any number. */
	readonly uses?: number | undefined;
	/** Who signed it, where a rule wants that, and the armoured SSH signature. */
	readonly signed?: {readonly signer: string; readonly signature: string} | undefined;
};

/** Whether a grant still gives anything at a moment (milliseconds since the epoch). */
export function isInForce(grant: Grant, now: number): boolean {
	return grant.until === undefined || Date.parse(grant.until) > now;
}

/** `kind` or `kind:subject`. */
export function formatScope(scope: Scope): string {
	return scope.subject === '' ? scope.kind : `${scope.kind}:${scope.subject}`;
}
