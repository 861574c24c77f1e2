import {Refusal} from '../core/refusal.ts';
import type {EgressRule} from '../core/network/rules.ts';
import {formatScope, isInForce, type Grant, type Opened, type Scope, type ScopeKind} from '../core/scope.ts';
import {build} from './build/index.ts';
import {deploy} from './deploy/index.ts';
import {files} from './files/index.ts';
import {mcp} from './mcp/index.ts';
import {model} from './model/index.ts';
import {network} from './network/index.ts';
import {port} from './port/index.ts';
import {repo} from './repo/index.ts';
import {secret} from './secret/index.ts';

/**
 * Every kind of authority, in the order it is shown. Written
 * by hand: nothing becomes a scope by being found in a folder.
 */
export const scopeKinds: readonly ScopeKind[] = [repo, build, network, port, files, model, secret, mcp, deploy];

/** @returns the kind of a scope's text, such as `network` for `network:example.com` */
export function kindOf(text: string): ScopeKind | undefined {
	const [id] = text.split(':', 1);
	return scopeKinds.find(kind => kind.id === id);
}

/** Reads `kind` or `kind:subject`, and brings the subject into its one spelling. */
export function parseScope(text: string): Scope | Refusal {
	const kind = kindOf(text);
	if (!kind) {
		return new Refusal(
			`"${text.slice(0, 60)}" is not a scope`,
			`scopes: ${scopeKinds.map(kind => kind.usage).join(', ')}`,
		);
	}

	const subject = kind.parse(text.slice(kind.id.length + 1));
	return subject instanceof Refusal ? subject : {kind: kind.id, subject};
}

/** A scope that may be granted: it parses, it is not on by default, and this version can give it. */
export function parseGrantable(text: string): {scope: string; kind: ScopeKind} | Refusal {
	const scope = parseScope(text);
	if (scope instanceof Refusal) {
		return scope;
	}

	const kind = kindOf(text)!;
	if (kind.byDefault) {
		return new Refusal(`${kind.id} is always on`, 'it needs no grant and cannot be revoked; stop the run instead');
	}

	return kind.available(scope.subject) ?? {scope: formatScope(scope), kind};
}

/** What a grant of a scope opens; nothing for a text that is none. */
export function openedBy(scope: string): Opened {
	const parsed = parseScope(scope);
	return parsed instanceof Refusal ? {} : kindOf(scope)!.opens(parsed.subject);
}

/** What a scope opens of the files outside the project; undefined for one that opens none. */
export function filesOf(scope: string): Opened['files'] {
	return openedBy(scope).files;
}

/** The proxy's rules that the grants in force amount to. `now` in milliseconds since the epoch. */
export function rulesOfGrants(grants: readonly Grant[], now: number): EgressRule[] {
	return grants
		.filter(grant => isInForce(grant, now))
		.flatMap(({scope}) => (openedBy(scope).rules ?? []).map(rule => ({...rule, source: scope})));
}
