import type {SandboxPlan} from '../../core/plan.ts';
import {proxyPort} from '../../core/plan.ts';

/*
 * From what was granted to a profile of macOS's sandbox-exec (Seatbelt).
 * Pure. Written from its documented grammar; no Mac has run it yet.
 */

/** A string of the profile language: only a quote and a backslash mean something in it. */
function quote(text: string): string {
	return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** Folders that every program needs to start at all, and none of a person's. */
const system = [
	'/usr',
	'/bin',
	'/sbin',
	'/System',
	'/Library/Frameworks',
	'/Library/Developer',
	'/private/var/db/timezone',
	'/private/etc/ssl',
	'/opt/homebrew',
];

/**
 * The profile of one run. Seatbelt names paths where bubblewrap mounts them: source and target are one place, and a
 * plan in which they differ cannot be compiled.
 * @param network `proxy`: the run's proxy on loopback and nothing else; `alone`: nothing
 * @throws RangeError for a mount at another place than its own
 */
export function seatbeltProfile(plan: SandboxPlan, network: 'proxy' | 'alone'): string {
	const own = plan.mounts.filter(mount => !mount.system);
	for (const {source, target} of own) {
		if (source !== target) {
			throw new RangeError(`${source} cannot be seen as ${target}: this sandbox moves nothing`);
		}
	}

	const under = (path: string) => `(subpath ${quote(path)})`;
	const readable = [...system, ...own.map(mount => mount.target)];
	const writable = [
		...own.filter(mount => mount.mode === 'write').map(mount => mount.target),
		...plan.scratch.map(scratch => scratch.target),
	];
	// What is read-only below what is writable is said last: the last rule that matches decides.
	const closed = own
		.filter(mount => mount.mode === 'read' && writable.some(folder => mount.target.startsWith(`${folder}/`)))
		.map(mount => mount.target);
	return [
		'(version 1)',
		'(deny default)',
		'(allow process-exec)',
		'(allow process-fork)',
		'(allow signal (target same-sandbox))',
		'(allow process-info* (target same-sandbox))',
		'(allow sysctl-read)',
		'(allow mach-lookup (global-name "com.apple.system.opendirectoryd.libinfo") (global-name "com.apple.system.logger"))',
		'(allow file-read-metadata (literal "/") (literal "/private") (literal "/private/var") (literal "/private/tmp") ' +
			'(literal "/var") (literal "/tmp") (literal "/etc") (literal "/dev"))',
		`(allow file-read* ${readable.map(path => under(path)).join(' ')})`,
		`(allow file-read* file-write* ${writable.map(path => under(path)).join(' ')})`,
		...closed.map(path => `(deny file-write* ${under(path)})`),
		'(allow file-read* file-write* (literal "/dev/null") (literal "/dev/zero") (literal "/dev/tty") ' +
			'(literal "/dev/random") (literal "/dev/urandom") (regex #"^/dev/ttys[0-9]+$") (regex #"^/dev/fd/"))',
		'(deny file-write-setugid)',
		...(network === 'proxy' ? [`(allow network-outbound (remote ip "localhost:${proxyPort}"))`] : []),
		'(deny system-privilege)',
		'',
	].join('\n');
}
