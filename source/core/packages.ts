import {quoteWord} from './text/shell-words.ts';

/* Which command installs what is missing, on each family of Linux. */

/** A package manager: where its program lies, what it is called with, and how it calls a package. */
export type PackageManager = {
	readonly program: string;
	/** What brings its list up to date, where it does not do that by itself. */
	readonly before?: readonly string[];
	readonly install: readonly string[];
	/** Where a package has another name than on Debian. */
	readonly names?: Readonly<Record<string, readonly string[]>>;
};

/** The first that is here is used. None of them asks. */
export const packageManagers: readonly PackageManager[] = [
	{
		program: '/usr/bin/apt-get',
		before: ['apt-get', 'update', '-q'],
		install: ['apt-get', 'install', '-y', '-q', '--no-install-recommends'],
	},
	{program: '/usr/bin/dnf', install: ['dnf', 'install', '-y']},
	// Fedora's images without a writable /usr: the package is there after the next start.
	{program: '/usr/bin/rpm-ostree', install: ['rpm-ostree', 'install', '-y', '--apply-live']},
	{program: '/usr/bin/microdnf', install: ['microdnf', 'install', '-y']},
	{program: '/usr/bin/zypper', install: ['zypper', '--non-interactive', 'install']},
	{program: '/usr/bin/pacman', install: ['pacman', '-S', '--noconfirm', '--needed']},
	{
		program: '/sbin/apk',
		install: ['apk', 'add'],
		// What Alpine has from BusyBox knows too few of the options.
		names: {'util-linux': ['util-linux', 'setpriv'], coreutils: ['coreutils']},
	},
	{program: '/usr/bin/xbps-install', install: ['xbps-install', '-Sy']},
];

/** The commands that install packages, in their order. @param asRoot what stands before each, such as sudo; empty for root */
export function installSteps(
	{before, install, names = {}}: PackageManager,
	packages: readonly string[],
	asRoot: readonly string[],
): readonly string[][] {
	const wanted = new Set(packages.flatMap(name => (Object.hasOwn(names, name) ? names[name]! : [name])));
	return [...(before ? [before] : []), [...install, ...wanted]].map(step => [...asRoot, ...step]);
}

/** The same as one line of a shell. */
export function asOneLine(steps: ReadonlyArray<readonly string[]>): string {
	return steps.map(step => step.map(word => quoteWord(word)).join(' ')).join(' && ');
}
