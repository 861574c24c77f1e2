import {isWithin} from '../../core/places.ts';

/*
 * Which places hold power over fleet, git or logins, and are therefore
 * never granted as files. Pure: what is on the machine is handed in.
 */

/**
 * `any`: neither it nor what lies in it is given. `write`: only to read.
 * `inside`: nothing in it is given, and what it lies in only to read.
 */
export type Guarded = {readonly place: string; readonly against: 'any' | 'write' | 'inside'; readonly what: string};

/** Why a place is not granted, and what to do instead. */
export type NotGranted = {readonly because: string; readonly hint: string};

const of = (against: Guarded['against'], what: string, ...places: string[]): Guarded[] =>
	places.map(place => ({place, against, what}));

/** The system's own places, the same on every machine. */
const system: readonly Guarded[] = [
	...of('any', "the kernel's own files, and devices", '/proc', '/sys', '/dev'),
	...of(
		'any',
		'sockets of the system and of logins',
		'/run',
		'/var/run',
		'/tmp/.X11-unix',
		'/tmp/.ICE-unix',
		'/var/lib/docker',
		'/var/lib/containerd',
		'/var/lib/kubelet',
		'/var/lib/sss',
	),
	...of(
		'any',
		"the system's passwords and keys",
		'/etc/shadow',
		'/etc/gshadow',
		'/etc/sudoers',
		'/etc/sudoers.d',
		'/etc/ssh',
		'/etc/ssl/private',
		'/etc/pki/tls/private',
		'/etc/krb5.keytab',
		'/etc/wireguard',
		'/etc/NetworkManager',
		'/etc/kubernetes',
		'/etc/rancher',
		'/var/lib/NetworkManager',
	),
	...of('any', 'mail', '/var/mail', '/var/spool'),
	...of('any', "the system's start", '/boot'),
	...of(
		'write',
		"the system's programs and settings",
		'/bin',
		'/sbin',
		'/lib',
		'/lib32',
		'/lib64',
		'/libx32',
		'/usr',
		'/etc',
		'/var/lib',
		'/var/log',
		'/var/backups',
		'/var/db',
		'/snap',
		'/nix',
		'/gnu',
		'/opt/homebrew',
		'/home/linuxbrew',
	),
];

/** Folders that hold logins wherever they lie, such as in a copy of a home. */
export const loginFolders: ReadonlySet<string> = new Set([
	'.ssh',
	'.gnupg',
	'.aws',
	'.azure',
	'.kube',
	'.docker',
	'.password-store',
]);

/**
 * What is given of a home's hidden folders: caches and toolchains by name. Everything else that is hidden there may be
 * a login, a start-up file, a browser's profile or what another program runs, today or in its next version.
 */
const caches: readonly string[] = [
	'.cache',
	'.cargo/registry',
	'.cargo/git',
	'.m2/repository',
	'.gradle/caches',
	'.npm/_cacache',
	'.local/share/pnpm/store',
	'.pnpm-store',
	'.yarn/berry',
	'.yarn/cache',
	'.nuget/packages',
	'.ivy2/cache',
	'.bundle/cache',
	'.composer/cache',
	'.pub-cache/hosted',
	'.terraform.d/plugin-cache',
	'.cabal/packages',
	'.conda/pkgs',
];
const toolchains: readonly string[] = [
	'.local/bin',
	'.local/lib',
	'.local/pipx',
	'.local/share/pnpm',
	'.local/share/fnm',
	'.local/share/mise',
	'.local/share/uv',
	'.local/share/pipx',
	'.local/share/virtualenvs',
	'.cargo/bin',
	'.rustup',
	'.nvm',
	'.fnm',
	'.volta',
	'.pyenv',
	'.rbenv',
	'.nodenv',
	'.goenv',
	'.jenv',
	'.asdf',
	'.sdkman',
	'.deno',
	'.bun',
	'.gradle/wrapper',
	'.dotnet',
	'.conda',
	'.opam',
	'.ghcup',
	'.stack',
	'.elan',
	'.juliaup',
	'.julia',
	'.gem/ruby',
	'.linuxbrew',
	'.sbt/boot',
];
/** In a cache, what is none: profiles of browsers, and a token. */
const noCaches: readonly string[] = [
	'.cache/mozilla',
	'.cache/thunderbird',
	'.cache/google-chrome',
	'.cache/chromium',
	'.cache/BraveSoftware',
	'.cache/microsoft-edge',
	'.cache/huggingface',
	'.cache/keyring',
	'.cache/gnome-keyring',
	'.cache/fleet',
];
/** Folders of a home that are not hidden and hold the same. */
const shown: ReadonlySet<string> = new Set(['snap', 'Library', 'Mail', 'Maildir', 'mail']);

const elsewhere = 'copy what the run needs into a folder of its own, and grant that';

function inHome(place: string, home: string, mode: 'read' | 'write'): NotGranted | undefined {
	if (isWithin(home, place)) {
		return {
			because: `${place} holds ${place === home ? '' : `${home}, with `}a person's logins and start-up files`,
			hint: `name a folder below it, such as files:${home === '/' ? '' : home}/projects/data`,
		};
	}

	if (!isWithin(place, home)) {
		return undefined;
	}

	const below = place.slice(home === '/' ? 1 : home.length + 1);
	const [first = ''] = below.split('/');
	if (mode === 'write' && first === 'bin') {
		return {because: `${place} is where a person's programs lie`, hint: elsewhere};
	}

	if (!first.startsWith('.') && !shown.has(first)) {
		return undefined;
	}

	const given = mode === 'read' ? [...caches, ...toolchains] : caches;
	// A cache folder is given by its part: together they hold what none of them holds alone.
	const isGiven =
		given.some(folder => (folder === '.cache' ? below.startsWith('.cache/') : isWithin(below, folder))) &&
		!noCaches.some(folder => isWithin(below, folder));
	if (isGiven) {
		return undefined;
	}

	const what = mode === 'write' ? 'logins, start-up files and programs' : 'logins and profiles';
	return {because: `${place} is a hidden part of a home, where ${what} lie`, hint: elsewhere};
}

/**
 * Whether a place may be granted, by what it is, what it lies in and what lies in it.
 * @param place absolute, with every link resolved
 * @param facts.homes of everybody on the machine
 * @param facts.guarded places of this machine, with every link resolved
 */
export function powerOf(
	place: string,
	mode: 'read' | 'write',
	facts: {readonly homes: readonly string[]; readonly guarded: readonly Guarded[]},
): NotGranted | undefined {
	if (place === '/') {
		return {because: 'the whole file system is not a scope', hint: 'name a folder'};
	}

	const part = place.split('/').find(part => loginFolders.has(part) || part === '.git');
	if (part !== undefined) {
		return part === '.git'
			? {
					because: `${place} is a repository's own: its settings may hold logins, and run programs`,
					hint: 'the run commits in a git folder of its own; what it may merge, a person approves',
				}
			: {because: `${place} is in ${part}, where logins lie`, hint: elsewhere};
	}

	for (const home of facts.homes) {
		const refused = inHome(place, home, mode);
		if (refused) {
			return refused;
		}
	}

	for (const {place: held, against, what} of [...system, ...facts.guarded]) {
		const isIn = isWithin(place, held);
		if (held === '/' || (mode === 'read' && against !== 'any' && !(against === 'inside' && isIn))) {
			continue;
		}

		if (isIn) {
			return {
				because: `${place} ${place === held ? 'is' : `is in ${held}`}: ${what}`,
				hint: against === 'write' ? `to read it alone: files:${place}` : elsewhere,
			};
		}

		if (isWithin(held, place)) {
			return {
				because: `${place} holds ${held}: ${what}`,
				hint: `name a smaller folder, without ${held}${against !== 'any' ? `; to read it alone: files:${place}` : ''}`,
			};
		}
	}

	return undefined;
}
