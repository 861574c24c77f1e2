import {matchesTarget} from '../network/egress.ts';
import {formatEgressRule, parseEgressRule, ruleFault} from '../network/rules.ts';
import {type Target} from '../network/target.ts';
import {Refusal} from '../refusal.ts';

/*
 * What a secret is called, where it may be used, and for whom. Never what it is: no value is in any type of this file.
 */

/**
 * `model`: an agent's own access to its model. `task`: for what
 * a run does. `setup`: for a project's setup, to read with.
 * `deploy`: for a deploy alone, never for a sandbox.
 */
export const secretClasses = ['model', 'task', 'setup', 'deploy'] as const;
export type SecretClass = (typeof secretClasses)[number];

/** A person's vault, or the one of a single project. */
export type Owner = 'user' | 'project';

/** `fleet://user/NAME` or `fleet://project/NAME`: a name that only the host can resolve. */
export type Reference = {readonly owner: Owner; readonly name: string};

/** Where a secret may be used. Everything that is not named here is refused. */
export type Binding = {
	readonly class: SecretClass;
	/** `HOST` (port 443), `HOST:PORT` or `*.HOST` for one label; https only. */
	readonly hosts: readonly string[];
	/** Lower-case names of the headers that may carry it. */
	readonly headers: readonly string[];
	/** Upper-case; empty: every method. */
	readonly methods: readonly string[];
	/** Whole paths, or beginnings that end with `*`; empty: every path. */
	readonly paths: readonly string[];
	/** The variable that holds its pointer inside; undefined: only the file in /run/fleet/pointers. */
	readonly environment?: string | undefined;
	/** The longest grant, milliseconds; undefined: as long as the run. */
	readonly longest?: number | undefined;
};

export const secretName = /^[a-z0-9][a-z0-9-]{0,60}$/;

/** Reads `user/NAME`, `project/NAME` or the same behind `fleet://`. */
export function parseReference(text: string): Reference | Refusal {
	const match = /^(?:fleet:\/\/)?(user|project)\/(.+)$/.exec(text);
	if (!match || !secretName.test(match[2]!)) {
		return new Refusal(
			`"${text.replaceAll(/[^ -~]/g, '?').slice(0, 60)}" is not a secret's reference`,
			'write fleet://user/NAME or fleet://project/NAME, with lower-case letters, digits and dashes',
		);
	}

	return {owner: match[1] as Owner, name: match[2]!};
}

/** `fleet://OWNER/NAME` */
export function formatReference(reference: Reference): string {
	return `fleet://${reference.owner}/${reference.name}`;
}

/** The one form of a bound host, or why it is none. */
function canonicalHost(text: string): string | Refusal {
	const rule = parseEgressRule(text);
	if (rule instanceof Refusal || rule.methods || rule.path) {
		const because = rule instanceof Refusal ? rule.because : 'methods and paths are written by themselves';
		return new Refusal(`"${text.slice(0, 60)}" is not a host: ${because}`, 'write HOST, HOST:PORT or *.HOST');
	}

	const fault = ruleFault(rule);
	return fault ? new Refusal(fault.because, `name it with --host ${fault.instead}`) : formatEgressRule(rule);
}

/**
 * Brings what a person or a project wrote into its one form.
 * Total and pure; reading its own result changes nothing.
 */
export function makeBinding(raw: {
	readonly class?: string | undefined;
	readonly hosts?: readonly string[] | undefined;
	readonly headers?: readonly string[] | undefined;
	readonly methods?: readonly string[] | undefined;
	readonly paths?: readonly string[] | undefined;
	readonly environment?: string | undefined;
	readonly longest?: number | undefined;
}): Binding | Refusal {
	const kind = raw.class ?? 'task';
	if (!secretClasses.includes(kind as SecretClass)) {
		return new Refusal(`"${kind.slice(0, 40)}" is not a class of secrets`, `classes: ${secretClasses.join(', ')}`);
	}

	const hosts: string[] = [];
	for (const text of raw.hosts ?? []) {
		const host = canonicalHost(text);
		if (host instanceof Refusal) {
			return host;
		}

		hosts.push(host);
	}

	if (hosts.length === 0 && kind !== 'deploy') {
		return new Refusal('a secret that a run may use is bound to at least one host', 'name it with --host HOST');
	}

	const headers = (raw.headers ?? ['authorization']).map(name => name.toLowerCase());
	const badHeader = headers.find(
		name =>
			!/^[a-z0-9-]{1,60}$/.test(name) ||
			['host', 'content-length', 'transfer-encoding', 'connection', 'upgrade', 'te', 'trailer'].includes(name),
	);
	if (badHeader !== undefined) {
		return new Refusal(
			`"${badHeader.slice(0, 40)}" is not a header that may carry a secret`,
			'such as authorization or x-api-key',
		);
	}

	// What fetches packages reads; what would publish one has to be somebody else's doing.
	const methods = (kind === 'setup' ? ['GET', 'HEAD'] : (raw.methods ?? [])).map(method => method.toUpperCase());
	const written = (raw.methods ?? []).find(method => !methods.includes(method.toUpperCase()));
	if (written !== undefined) {
		return new Refusal(`a secret for setup reads, and ${written.slice(0, 20)} does more`, 'leave --method out');
	}

	const badMethod = methods.find(
		method => !/^[A-Z]{1,20}$/.test(method) || ['TRACE', 'TRACK', 'CONNECT'].includes(method),
	);
	if (badMethod !== undefined) {
		return new Refusal(`"${badMethod.slice(0, 40)}" is not a method that may carry a secret`, 'such as GET or POST');
	}

	for (const path of raw.paths ?? []) {
		const rule = parseEgressRule(`bound.invalid${path}`);
		if (rule instanceof Refusal || rule.path !== path) {
			return new Refusal(`"${path.slice(0, 60)}" is not a plain path`, 'write /v1/messages, or /v1/* for a beginning');
		}
	}

	if (raw.environment !== undefined && !/^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(raw.environment)) {
		return new Refusal(`"${raw.environment.slice(0, 40)}" is not a variable's name`, 'letters, digits and underscores');
	}

	const plain = (texts: readonly string[]) => [...new Set(texts)].sort();
	return {
		class: kind as SecretClass,
		hosts: plain(hosts),
		headers: plain(headers),
		methods: plain(methods),
		paths: plain(raw.paths ?? []),
		environment: raw.environment,
		longest: raw.longest,
	};
}

/** Whether a binding is for this host and port. */
export function isBoundTo(binding: Binding, target: Target): boolean {
	return binding.hosts.some(text => {
		const rule = parseEgressRule(text);
		return !(rule instanceof Refusal) && matchesTarget({host: rule.host, port: rule.port ?? 443}, target);
	});
}

/** What a proposal would open that a person did not approve, in words; empty where it opens no more. */
export function widening(approved: Binding, proposed: Binding): string[] {
	const more = (title: string, list: 'hosts' | 'headers' | 'methods' | 'paths', emptyIsAll: boolean) => {
		const [own, asked] = [approved[list], proposed[list]];
		if (emptyIsAll && own.length === 0) {
			return [];
		}

		if (emptyIsAll && asked.length === 0) {
			return [`every ${title}`];
		}

		return asked.filter(text => !own.includes(text)).map(text => `${title} ${text}`);
	};

	return [
		...more('host', 'hosts', false),
		...more('header', 'headers', false),
		...more('method', 'methods', true),
		...more('path', 'paths', true),
		...(approved.class === proposed.class ? [] : [`class ${proposed.class}`]),
		...(approved.longest !== undefined && (proposed.longest ?? Number.POSITIVE_INFINITY) > approved.longest
			? ['longer grants']
			: []),
	];
}

/** A binding in one line. */
export function describeBinding(binding: Binding): string {
	return [
		binding.hosts.length === 0 ? 'no host' : binding.hosts.join(', '),
		`in ${binding.headers.join(' or ')}`,
		...(binding.methods.length === 0 ? [] : [binding.methods.join(', ')]),
		...(binding.paths.length === 0 ? [] : [binding.paths.join(', ')]),
		...(binding.environment === undefined ? [] : [`as ${binding.environment}`]),
	].join('; ');
}
