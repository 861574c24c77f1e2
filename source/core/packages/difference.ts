import {
	bundled,
	type Ecosystem,
	type LockFormat,
	type Package,
	type PackageList,
	type Script,
	type Source,
} from './package.ts';
import type {Reading} from './registry.ts';

/* What became of packages between two versions of a lock file. */

/** Why a package is to be looked at first. */
export type PackageFlag = {
	readonly id: 'script' | 'install' | 'source' | 'host' | 'checksum' | 'file';
	readonly text: string;
};

/** What became of one name. Versions are joined where there are several of a name. */
export type PackageChange = {
	readonly kind: 'came' | 'went' | 'changed';
	readonly name: string;
	readonly before: string;
	readonly after: string;
	/** Whether it runs something when it is installed, as it is now. */
	readonly script: Script;
	readonly flags: readonly PackageFlag[];
};

/** A lock file that a run changed. */
export type LockChange = {
	readonly path: string;
	readonly format: string;
	readonly ecosystem: Ecosystem;
	readonly state: 'made' | 'deleted' | 'changed';
	/** Why it could not be read; then nothing else is known of it. */
	readonly unread?: string | undefined;
	/** Of the file as a whole. */
	readonly flags: readonly PackageFlag[];
	/** Those with flags first, then by name. */
	readonly packages: readonly PackageChange[];
	/** How many more there are that were not kept. */
	readonly more?: number | undefined;
};

/** The same with every text that came out of the file made anew, such as with the values of secrets taken out. */
export function withTexts(lock: LockChange, change: (text: string) => string): LockChange {
	const flagsOf = (flags: readonly PackageFlag[]) => flags.map(({id, text}) => ({id, text: change(text)}));
	return {
		...lock,
		path: change(lock.path),
		...(lock.unread === undefined ? {} : {unread: change(lock.unread)}),
		flags: flagsOf(lock.flags),
		packages: lock.packages.map(one => ({
			...one,
			name: change(one.name),
			before: change(one.before),
			after: change(one.after),
			flags: flagsOf(one.flags),
		})),
	};
}

/** All of one name, before and after. */
type Both = {readonly before: readonly Package[]; readonly after: readonly Package[]};

/** A source in words. */
function placeText({kind, at, host}: Source): string {
	switch (kind) {
		case 'registry': {
			return at === '' ? 'a registry' : `the registry ${host || at}`;
		}

		case 'unknown': {
			return at === '' ? 'nowhere that is said' : at;
		}

		case 'git':
		case 'path':
		case 'url': {
			return at === '' ? 'the project itself' : at;
		}
	}
}

/**
 * What has to be the same for two to come from the same place. The default registry has no name in some files and its
 * public one in others, as its manager was told to write it.
 */
function sourceKey({source: {kind, at, host}}: Package, format: LockFormat): string {
	const plain = at.replace(/^https:\/\/|(?:\/simple)?\/?$/g, '');
	return kind === 'registry' && (plain === '' || (plain === host && format.hosts.includes(host)))
		? 'registry'
		: `${kind} ${at}`;
}

const versionsOf = (packages: readonly Package[]) =>
	[...new Set(packages.map(({version, source}) => version || placeText(source)))].join(', ');

function scriptOf(packages: readonly Package[]): Script {
	if (packages.some(({script}) => script === 'yes')) {
		return 'yes';
	}

	return packages.some(({script}) => script === 'unknown') ? 'unknown' : 'no';
}

/** Where new ones come from, if that is no registry, or not where the name came from before. */
function sourceFlags({before, after}: Both, format: LockFormat): PackageFlag[] {
	const known = new Set(before.map(entry => sourceKey(entry, format)));
	const other = after.find(entry => !known.has(sourceKey(entry, format)));
	if (!other) {
		return [];
	}

	const now = placeText(other.source);
	if (before.length > 0) {
		return [{id: 'source', text: `comes from ${now}, and came from ${placeText(before[0]!.source)}`}];
	}

	// What comes within another package's archive is what that one is.
	const isElsewhere = ['git', 'url', 'unknown'].includes(other.source.kind) && other.source !== bundled;
	return isElsewhere ? [{id: 'source', text: `comes from ${now}, which is no registry`}] : [];
}

/** A checksum that was not there before, of a version and a source that were. */
function checksumFlags({before, after}: Both, format: LockFormat): PackageFlag[] {
	const keyOf = (entry: Package) => `${entry.version} ${sourceKey(entry, format)}`;
	const known = Map.groupBy(before, keyOf);
	for (const [key, now] of Map.groupBy(after, keyOf)) {
		const was = known.get(key);
		const [old, sums] = [was, now].map(list => new Set(list?.flatMap(({integrity}) => integrity)));
		if (was && old!.size > 0 && sums!.size === 0) {
			return [{id: 'checksum', text: `has no checksum any more, of the same version ${now[0]!.version}`}];
		}

		if (was && [...sums!].some(sum => !old!.has(sum))) {
			return [{id: 'checksum', text: `another checksum, of the same version ${now[0]!.version}`}];
		}
	}

	return [];
}

/** Whether two of the same name say the same. */
function isSame({before, after}: Both, format: LockFormat): boolean {
	const textOf = (packages: readonly Package[]) =>
		[
			...new Set(
				packages.map(entry =>
					JSON.stringify([entry.version, sourceKey(entry, format), entry.script, [...entry.integrity].sort()]),
				),
			),
		]
			.sort()
			.join('\n');
	return textOf(before) === textOf(after);
}

/** What became of a name; undefined where nothing did. */
function changeOf(name: string, both: Both, format: LockFormat): PackageChange | undefined {
	const {before, after} = both;
	if (after.length === 0) {
		return {kind: 'went', name, before: versionsOf(before), after: '', script: 'no', flags: []};
	}

	if (before.length > 0 && isSame(both, format)) {
		return undefined;
	}

	const script = scriptOf(after);
	const runs: PackageFlag[] =
		script === 'yes' && scriptOf(before) !== 'yes'
			? [{id: 'script', text: `runs a script when it is installed${before.length > 0 ? ', and did not before' : ''}`}]
			: [];
	return {
		kind: before.length === 0 ? 'came' : 'changed',
		name,
		before: versionsOf(before),
		after: versionsOf(after),
		script,
		flags: [...runs, ...sourceFlags(both, format), ...checksumFlags(both, format)],
	};
}

/**
 * Hosts from which packages come, each with the first package of it.
 * @param isAny also those from which something else than a registry's packages came: a host of repositories, say, whose
 * addresses anybody may write so that they look like a registry's
 */
function hostsOf({packages, hosts}: PackageList, isAny: boolean): Map<string, string> {
	const found = new Map(hosts.map(host => [host, '']));
	for (const {name, source} of packages) {
		if ((isAny || source.kind === 'registry') && source.host !== '' && !found.has(source.host)) {
			found.set(source.host, name);
		}
	}

	return found;
}

/** Hosts that nothing came from before; in a new file, those that are not where the format's packages come from. */
function hostFlags(format: LockFormat, before: PackageList | undefined, after: PackageList): PackageFlag[] {
	const hosts = (isAny: boolean) => {
		const found = before === undefined ? undefined : hostsOf(before, isAny);
		return new Set(before === undefined || hostsOf(before, true).size === 0 ? format.hosts : found!.keys());
	};

	const [known, registries] = [hosts(true), hosts(false)];
	format.hosts.forEach(host => registries.add(host));
	const ofRegistries = hostsOf({packages: after.packages, hosts: []}, false);
	const fresh = new Map([
		...[...hostsOf(after, true)].filter(([host]) => !known.has(host)),
		...[...ofRegistries].filter(([host]) => !registries.has(host)),
	]);
	return [...fresh].map(([host, name]) => ({
		id: 'host',
		text: `new host ${host}${name === '' ? '' : ` (${name})`}`,
	}));
}

const empty: PackageList = {packages: [], hosts: []};

/**
 * What a change of one lock file did to its packages.
 * @param file.before undefined where the file was not there; `after`, where it is gone
 */
export function compareLocks(
	path: string,
	format: LockFormat,
	{before, after}: {readonly before: Reading | undefined; readonly after: Reading | undefined},
): LockChange {
	const file = {path, format: format.id, ecosystem: format.ecosystem};
	const changed = after === undefined ? 'deleted' : 'changed';
	const state = before === undefined ? 'made' : changed;
	const unread = [after, before].find(reading => reading !== undefined && 'unread' in reading);
	if (unread && 'unread' in unread) {
		const why = unread === after ? unread.unread : `as it was before: ${unread.unread}`;
		return {...file, state, unread: why, flags: [], packages: []};
	}

	const [was, now] = [before, after].map(reading => reading as PackageList | undefined);
	const [old, recent] = [was, now].map(list => Map.groupBy((list ?? empty).packages, ({name}) => name));
	const packages: PackageChange[] = [];
	for (const name of new Set([...old!.keys(), ...recent!.keys()])) {
		const change = changeOf(name, {before: old!.get(name) ?? [], after: recent!.get(name) ?? []}, format);
		if (change) {
			packages.push(change);
		}
	}

	packages.sort((a, b) => Number(b.flags.length > 0) - Number(a.flags.length > 0) || (a.name < b.name ? -1 : 1));
	const gone: PackageFlag[] =
		state === 'deleted' ? [{id: 'file', text: 'is gone, and with it which versions are installed'}] : [];
	return {...file, state, flags: [...gone, ...(now ? hostFlags(format, was, now) : [])], packages};
}
