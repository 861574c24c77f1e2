import {classifyAddress, isAddress} from '../core/network/addresses.ts';
import {parseEgressRule, ruleFault} from '../core/network/rules.ts';
import {hostName} from '../core/network/target.ts';
import {Refusal} from '../core/refusal.ts';

/* Hosts that a project's files name, as a policy names them: without a scheme, a path or a credential. */

/** `git+ssh://` and the like of these hosts are asked for by HTTPS, as an archive. */
const archives: Readonly<Record<string, string>> = {'github.com': 'codeload.github.com'};

/**
 * Registries that kinds propose by themselves, whatever a project's files say: where they are, only the person's own
 * resolver tells, and some networks answer with an address of their own for every public name.
 */
export const publicRegistries: readonly string[] = [
	'registry.npmjs.org',
	'registry.yarnpkg.com',
	'pypi.org',
	'files.pythonhosted.org',
	'index.crates.io',
	'static.crates.io',
	'proxy.golang.org',
	'sum.golang.org',
	'repo.maven.apache.org',
	'plugins.gradle.org',
	'plugins-artifacts.gradle.org',
	'services.gradle.org',
	'downloads.gradle.org',
	'dl.google.com',
	'github.com',
	'codeload.github.com',
	'release-assets.githubusercontent.com',
];

/**
 * The host of an URL; undefined where a policy cannot name it, and where it is of this machine or of a private network:
 * such a place is for a person to name, not for what came with a project.
 */
export function hostOf(text: string): string | undefined {
	const address = text.replace(/^(?:git|sparse|registry)\+/, '');
	if (!URL.canParse(address)) {
		return undefined;
	}

	const {protocol, hostname, port} = new URL(address);
	if (hostname === '' || !['https:', 'http:', 'ssh:', 'git:'].includes(protocol)) {
		return undefined;
	}

	const isWeb = protocol === 'https:' || protocol === 'http:';
	const host = isWeb ? `${hostname}${port === '' ? '' : `:${port}`}` : (archives[hostname] ?? hostname);
	const rule = parseEgressRule(host);
	// A pattern is many hosts, which no address stands for.
	if (rule instanceof Refusal || ruleFault(rule) || rule.host === hostName || rule.host.startsWith('*')) {
		return undefined;
	}

	return isAddress(rule.host) && classifyAddress(rule.host) !== 'public' ? undefined : host;
}

/** The hosts of all URLs in a text that stand where a pattern's first group is, each once. */
export function hostsIn(text: string | undefined, pattern: RegExp): string[] {
	const addresses = new Set([...(text ?? '').matchAll(pattern)].map(([, address]) => address ?? ''));
	return unique([...addresses].map(address => hostOf(address)));
}

/** Each once, in the order in which they come first. */
export function unique<Item>(items: ReadonlyArray<Item | undefined>): Item[] {
	return [...new Set(items)].filter(item => item !== undefined);
}
