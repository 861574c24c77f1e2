import {defaultPorts} from '../network/egress.ts';
import {parseEgressRule, type EgressRule} from '../network/rules.ts';
import {canonicaliseHost, hostName} from '../network/target.ts';
import {isWithin} from '../places.ts';
import {Refusal} from '../refusal.ts';
import {isUnreadable} from '../text/controls.ts';

/*
 * Which scopes a rule about grants is about. There are two readings, and each is the strict one of its question: what a
 * rule restricts is everything that `overlaps` its pattern, and what a list allows only what it `contains`.
 */

type HostPattern = {
	/** `one`: this host; `label`: one label below; `below`: any depth below; `all`: every host. */
	readonly how: 'one' | 'label' | 'below' | 'all';
	/** The host, or what it is below; empty for every host. */
	readonly name: string;
	readonly port: number | 'any' | undefined;
	readonly methods?: readonly string[] | undefined;
	readonly path?: string | undefined;
};

/** A pattern of scopes, read. */
export type ScopePattern =
	| {readonly kind: 'all'}
	| ({readonly kind: 'network'} & HostPattern)
	| {readonly kind: 'files'; readonly path: string; readonly write: boolean}
	| {readonly kind: 'name'; readonly of: string; readonly glob: string};

const names = /^[a-z0-9*][a-z0-9*-]{0,60}$/;

/** How the subject of a kind is written, beside `*` for any characters, and an example. */
const nameKinds: Readonly<Record<string, {readonly subject: RegExp; readonly example: string}>> = {
	secret: {subject: /^(?:\*|(?:user|project|\*)\/[a-z0-9*][a-z0-9*-]{0,60})$/, example: 'secret:project/staging-*'},
	mcp: {subject: names, example: 'mcp:issues'},
	model: {subject: names, example: 'model:*'},
	port: {subject: /^(?:\*|[1-9]\d{0,4})$/, example: 'port:3000'},
	deploy: {subject: names, example: 'deploy:production'},
};

/** The kinds that a pattern can be about. */
export const patternKinds: readonly string[] = ['network', 'files', ...Object.keys(nameKinds)];

const hint =
	'such as network:*.example.org, network:example.org:22, files:/srv/data, secret:project/staging-*, mcp:*, or * for all';

/** Reads a host with its port, methods and path; the host may be `*`, `*.HOST` or `**.HOST`, the port `*`. */
function parseHost(text: string): HostPattern | Refusal {
	const bad = (because: string) => new Refusal(`"${text.slice(0, 60)}" is no pattern of hosts: ${because}`, hint);
	const match = /^(?:([A-Za-z,]+)@)?(\[[^\]]*\]|[^:/@]*)(?::(\d{1,5}|\*))?(\/.*)?$/.exec(text);
	if (!match) {
		return bad('it is written HOST, *.HOST, **.HOST or *, with a port behind it');
	}

	const [, methods, written = '', port, path] = match;
	const [, stars = '', name = ''] = /^(\*\*?(?:\.|$))?(.*)$/.exec(written)!;
	if (stars === '**' || name.includes('*')) {
		return bad('a * stands before the first dot, or alone');
	}

	const host = name === '' && stars === '*' ? '' : canonicaliseHost(name);
	if (host instanceof Refusal) {
		return bad(host.because);
	}

	if (stars !== '' && (/^[\d.]+$/.test(host) || host.includes(':'))) {
		return bad('an address has no names below it');
	}

	// What follows the host is read as a scope's would be.
	const rest = parseEgressRule(
		`${methods === undefined ? '' : `${methods}@`}host.invalid${port === undefined || port === '*' ? '' : `:${port}`}${path ?? ''}`,
	);
	if (rest instanceof Refusal) {
		return bad(rest.because);
	}

	const how = ({'': 'one', '*': 'all', '*.': 'label', '**.': 'below'} as const)[stars as '' | '*' | '*.' | '**.'];
	return {how, name: host, port: port === '*' ? 'any' : rest.port, methods: rest.methods, path: rest.path};
}

function parseFiles(text: string): ScopePattern | Refusal {
	const write = text.endsWith(':rw');
	const path = write ? text.slice(0, -3) : text;
	if (!path.startsWith('/') || path.includes('*') || isUnreadable(path) || /(?:^|\/)\.\.?(?:\/|$)/.test(path)) {
		return new Refusal(
			`"${text.slice(0, 60)}" is no pattern of files: it is a plain absolute path, which stands for all below it`,
			hint,
		);
	}

	return {kind: 'files', path: path.replaceAll(/\/+/g, '/').replace(/(?<=.)\/$/, ''), write};
}

/** Reads a pattern. One that no scope could match is refused: it would be a guard that is not there. */
export function parsePattern(text: string): ScopePattern | Refusal {
	if (text === '*') {
		return {kind: 'all'};
	}

	const colon = text.indexOf(':');
	const [kind, subject] = [text.slice(0, Math.max(0, colon)), text.slice(colon + 1)];
	if (kind === 'network') {
		const host = parseHost(subject);
		return host instanceof Refusal ? host : {kind, ...host};
	}

	if (kind === 'files') {
		return parseFiles(subject);
	}

	const known = Object.hasOwn(nameKinds, kind) ? nameKinds[kind] : undefined;
	if (!known) {
		return new Refusal(`"${text.slice(0, 60)}" is no pattern of scopes`, hint);
	}

	return known.subject.test(subject)
		? {kind: 'name', of: kind, glob: subject}
		: new Refusal(`"${text.slice(0, 60)}" can match no ${kind} scope`, `such as ${known.example}`);
}

function matchesGlob(glob: string, text: string): boolean {
	const parts = glob.split('*');
	if (parts.length === 1) {
		return glob === text;
	}

	const [first = '', ...middle] = parts;
	const last = middle.pop()!;
	if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) {
		return false;
	}

	let at = first.length;
	for (const part of middle) {
		const found = text.indexOf(part, at);
		if (found === -1) {
			return false;
		}

		at = found + part.length;
	}

	return at <= text.length - last.length;
}

const isBelow = (name: string, above: string) => name.endsWith(`.${above}`);

/** A rule's host without its star, and whether it had one. */
function hostOf({host}: Pick<EgressRule, 'host'>): {readonly name: string; readonly wild: boolean} {
	return host.startsWith('*.') ? {name: host.slice(2), wild: true} : {name: host, wild: false};
}

/** Servers read escapes, and some of them no capitals. */
function loose(path: string): string {
	return decodeURIComponent(path).toLowerCase();
}

function pathsOverlap(one: string, other: string): boolean {
	const [a, b] = [one, other].map(path => ({
		text: loose(path.replace(/\*$/, '')),
		open: path.endsWith('*'),
	})) as [{text: string; open: boolean}, {text: string; open: boolean}];
	return a.text === b.text || (a.open && b.text.startsWith(a.text)) || (b.open && a.text.startsWith(b.text));
}

/** An address that leads where an IPv4 address does, as that one. */
function plainAddress(host: string): string {
	const match = /^(?:::ffff:|64:ff9b::)([\da-f]{1,4}):([\da-f]{1,4})$/.exec(host);
	return match
		? match
				.slice(1)
				.map(part => Number.parseInt(part, 16))
				.flatMap(part => [Math.floor(part / 256), part % 256])
				.join('.')
		: host;
}

function hostsOverlap({how, name}: HostPattern, rule: Omit<EgressRule, 'source'>): boolean {
	const other = hostOf(rule);
	switch (how) {
		case 'all': {
			return true;
		}

		case 'one': {
			return other.wild ? isBelow(name, other.name) : plainAddress(name) === plainAddress(other.name);
		}

		default: {
			return isBelow(other.name, name) || (other.wild && (other.name === name || isBelow(name, other.name)));
		}
	}
}

function networkOverlaps(pattern: HostPattern, rule: Omit<EgressRule, 'source'>): boolean {
	const {port, methods, path} = pattern;
	return (
		hostsOverlap(pattern, rule) &&
		(typeof port !== 'number' || (rule.port === undefined ? defaultPorts.includes(port) : rule.port === port)) &&
		(!methods || !rule.methods || methods.some(method => rule.methods!.includes(method))) &&
		(path === undefined || rule.path === undefined || pathsOverlap(path, rule.path))
	);
}

function hostContains({how, name}: HostPattern, rule: Omit<EgressRule, 'source'>): boolean {
	const other = hostOf(rule);
	switch (how) {
		case 'all': {
			// This machine's own loopback is nothing that is meant by every host.
			return other.name !== hostName;
		}

		case 'one': {
			return !other.wild && other.name === name;
		}

		case 'label': {
			return other.wild
				? other.name === name
				: other.name.slice(other.name.indexOf('.') + 1) === name && other.name !== name;
		}

		case 'below': {
			return isBelow(other.name, name) || (other.wild && other.name === name);
		}
	}
}

function networkContains(pattern: HostPattern, rule: Omit<EgressRule, 'source'>): boolean {
	const {port, methods, path} = pattern;
	return (
		hostContains(pattern, rule) &&
		(port === 'any' ||
			(port === undefined ? rule.port === undefined || defaultPorts.includes(rule.port) : rule.port === port)) &&
		(!methods || (rule.methods?.every(method => methods.includes(method)) ?? false)) &&
		(path === undefined ||
			path === rule.path ||
			(path.endsWith('*') && rule.path !== undefined && rule.path.startsWith(path.slice(0, -1))))
	);
}

/** A scope that is held against patterns, read once. `rule`: undefined for a host that cannot be read. */
export type ReadScope =
	| {readonly kind: 'network'; readonly rule: Omit<EgressRule, 'source'> | undefined}
	| {readonly kind: 'files'; readonly path: string; readonly write: boolean}
	| {readonly kind: 'name'; readonly of: string; readonly subject: string};

/** Reads a scope for patterns. @param scope in its one spelling */
export function readScope(scope: string): ReadScope {
	const colon = scope.indexOf(':');
	const [of, subject] = colon === -1 ? [scope, ''] : [scope.slice(0, colon), scope.slice(colon + 1)];
	if (of === 'network') {
		const rule = parseEgressRule(subject);
		return {kind: of, rule: rule instanceof Refusal ? undefined : rule};
	}

	if (of === 'files') {
		const write = subject.endsWith(':rw');
		return {kind: of, path: write ? subject.slice(0, -3) : subject, write};
	}

	return {kind: 'name', of, subject};
}

/**
 * Whether a rule with this pattern counts for a scope: where the two have anything in common. A host counts for every
 * depth below it, and without a port for each; a path for what lies below and above it.
 */
export function overlaps(pattern: ScopePattern, scope: ReadScope): boolean {
	switch (pattern.kind) {
		case 'all': {
			return true;
		}

		case 'network': {
			// What cannot be read is restricted by everything.
			return scope.kind === 'network' && (!scope.rule || networkOverlaps(pattern, scope.rule));
		}

		case 'files': {
			return (
				scope.kind === 'files' &&
				(scope.write || !pattern.write) &&
				(isWithin(scope.path, pattern.path) || isWithin(pattern.path, scope.path))
			);
		}

		case 'name': {
			return scope.kind === 'name' && scope.of === pattern.of && matchesGlob(pattern.glob, scope.subject);
		}
	}
}

/**
 * Whether all that a scope opens is within a pattern, as a scope of these words would be: `*.HOST` is one label, and no
 * port means 443 and 80.
 */
export function contains(pattern: ScopePattern, scope: ReadScope): boolean {
	switch (pattern.kind) {
		case 'all': {
			return true;
		}

		case 'network': {
			return scope.kind === 'network' && scope.rule !== undefined && networkContains(pattern, scope.rule);
		}

		case 'files': {
			return scope.kind === 'files' && (pattern.write || !scope.write) && isWithin(scope.path, pattern.path);
		}

		case 'name': {
			return scope.kind === 'name' && scope.of === pattern.of && matchesGlob(pattern.glob, scope.subject);
		}
	}
}
