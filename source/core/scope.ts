import type {Refusal} from './refusal.ts';

/** One authority a run may hold, such as `network:example.com:443`: a kind and, for most kinds, a subject. */
export type Scope = {readonly kind: string; readonly subject: string};

/** When a change of a scope reaches a run that is going on. */
export type Effect = 'live' | 'next start' | 'never';

/**
 * A kind of authority. The contract, which the conformance suite holds every kind to:
 * - `parse` is total and pure; it returns the canonical subject
 *   or a refusal, and parsing its own result changes nothing;
 * - a kind that is on by default takes no subject and cannot be granted or revoked;
 * - a kind that does not work yet refuses every subject in `available`, with the reason.
 */
export type ScopeKind = {
	readonly id: string;
	readonly title: string;
	/** How it is written, for help and errors. */
	readonly usage: string;
	readonly byDefault: boolean;
	readonly effect: Effect;
	/** What a person should know before turning it on. */
	readonly warning: string;
	parse(subject: string): string | Refusal;
	/** Undefined where a grant of this subject can take effect in this version. */
	available(subject: string): Refusal | undefined;
};

/** Who did something: `person:<login>`, `agent:<run>`, `policy` or `fleet`. */
export type Actor = `person:${string}` | `agent:${string}` | 'policy' | 'fleet';

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
};

/** Whether a grant still gives anything at a moment (milliseconds since the epoch). */
export function isInForce(grant: Grant, now: number): boolean {
	return grant.until === undefined || Date.parse(grant.until) > now;
}

/** `kind` or `kind:subject`. */
export function formatScope(scope: Scope): string {
	return scope.subject === '' ? scope.kind : `${scope.kind}:${scope.subject}`;
}
