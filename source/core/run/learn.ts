import type {Entry} from './event.ts';
import {formatTarget, parseAuthority} from '../network/target.ts';
import {Refusal} from '../refusal.ts';

/** What a run asked the network for: how often it was let through and how often not, and the last reason. */
export type Asked = {
	readonly target: string;
	readonly allowed: number;
	readonly denied: number;
	readonly because: string;
};

/** Where clouds hand out credentials of the machine to whoever asks. */
const metadataHosts: ReadonlySet<string> = new Set([
	'169.254.169.254',
	'169.254.170.2',
	'100.100.100.200',
	'fd00:ec2::254',
	'metadata.google.internal',
]);

/** Whether a target is a cloud's metadata service: what asks for that looks for credentials. */
export function isMetadata(target: string): boolean {
	const parsed = parseAuthority(target, 80);
	return !(parsed instanceof Refusal) && metadataHosts.has(parsed.host.replaceAll(/[[\]]/g, ''));
}

/** What a run asked for: metadata services, then what was most often denied, and what of that a policy could list. */
export type Lesson = {
	readonly asked: readonly Asked[];
	readonly proposal: readonly string[];
	/** Hosts that a rule keeps a policy from listing, and which. */
	readonly walls: ReadonlyArray<{readonly host: string; readonly because: string}>;
};

/**
 * Whether a policy may list a target: a public host. An address,
 * and a name of this machine, needs a person who knows why.
 */
function proposable(target: string): string | undefined {
	const parsed = parseAuthority(target, 443);
	if (
		isMetadata(target) ||
		parsed instanceof Refusal ||
		parsed.host === 'localhost' ||
		!parsed.host.includes('.') ||
		parsed.host.includes(':') ||
		/^[\d.]+$/.test(parsed.host)
	) {
		return undefined;
	}

	// Without a port a rule is for 443 and 80.
	return formatTarget({host: parsed.host, port: parsed.port === 443 || parsed.port === 80 ? undefined : parsed.port});
}

/** The scope of a rule that is no scope of the network, such as `model:codex`. */
const otherScope = /^(?!network:)[a-z]+:/;

/** Reads a run's journal for what it asked of the network. Pure. */
export function learn(entries: readonly Entry[]): Lesson {
	const asked = new Map<string, Asked>();
	const wanted = new Set<string>();
	const ignored = new Set<string>();
	const walls = new Map<string, string>();
	for (const entry of entries) {
		if (entry.type === 'denial.dismissed') {
			ignored.add(entry.target);
			wanted.delete(proposable(entry.target) ?? '');
		}

		if (entry.type !== 'egress.allowed' && entry.type !== 'egress.denied') {
			continue;
		}

		const known = asked.get(entry.target) ?? {target: entry.target, allowed: 0, denied: 0, because: ''};
		asked.set(
			entry.target,
			entry.type === 'egress.allowed'
				? {...known, allowed: known.allowed + 1, because: known.because || `by ${entry.rule}`}
				: {...known, denied: Math.max(known.denied, entry.count), because: entry.because},
		);
		// What the policy lists already is no news; what a person granted by hand is. Other scopes open a host for certain
		// requests only, or with a secret: the policy would open all of it, to every run.
		const isUnfit =
			entry.type === 'egress.allowed'
				? entry.rule === 'policy' || otherScope.test(entry.rule)
				: (entry.kind ?? 'not-granted') !== 'not-granted' || ignored.has(entry.target);
		const proposal = isUnfit ? undefined : proposable(entry.target);
		const never = entry.type === 'egress.denied' ? entry.terms?.never : undefined;
		if (proposal !== undefined && never !== undefined) {
			walls.set(proposal, never);
		} else if (proposal !== undefined) {
			wanted.add(proposal);
		}
	}

	return {
		asked: [...asked.values()].sort(
			(a, b) =>
				Number(isMetadata(b.target)) - Number(isMetadata(a.target)) ||
				b.denied - a.denied ||
				b.allowed - a.allowed ||
				a.target.localeCompare(b.target),
		),
		proposal: [...wanted].filter(host => !walls.has(host)).sort(),
		walls: [...walls].map(([host, because]) => ({host, because})).sort((a, b) => a.host.localeCompare(b.host)),
	};
}

/** A proposal as the lines of a policy file. */
export function proposalLines(proposal: readonly string[]): string[] {
	return proposal.length === 0
		? []
		: [
				'network:',
				...proposal.map(host => `  - ${host.includes('*') || host.startsWith('[') ? JSON.stringify(host) : host}`),
			];
}
