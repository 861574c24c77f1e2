/*
 * What the result of a project's setup depends on: the manifests and lock files of package managers, and what names the
 * version of a tool. Pure.
 */

const names: ReadonlySet<string> = new Set([
	// JavaScript
	'package.json',
	'package-lock.json',
	'npm-shrinkwrap.json',
	'pnpm-lock.yaml',
	'pnpm-workspace.yaml',
	'.pnpmfile.cjs',
	'yarn.lock',
	'.yarnrc',
	'.yarnrc.yml',
	'bun.lock',
	'bun.lockb',
	'bunfig.toml',
	'deno.json',
	'deno.jsonc',
	'deno.lock',
	'.npmrc',
	'.nvmrc',
	'.node-version',
	'lerna.json',
	// Python
	'pyproject.toml',
	'setup.py',
	'setup.cfg',
	'poetry.lock',
	'uv.lock',
	'uv.toml',
	'pdm.lock',
	'Pipfile',
	'Pipfile.lock',
	'tox.ini',
	'environment.yml',
	'.python-version',
	// Rust, Go
	'Cargo.toml',
	'Cargo.lock',
	'rust-toolchain',
	'rust-toolchain.toml',
	'go.mod',
	'go.sum',
	'go.work',
	'go.work.sum',
	// The JVM
	'pom.xml',
	'build.gradle',
	'build.gradle.kts',
	'settings.gradle',
	'settings.gradle.kts',
	'gradle.properties',
	'gradle.lockfile',
	'libs.versions.toml',
	'gradle-wrapper.properties',
	'maven-wrapper.properties',
	'.sdkmanrc',
	// Ruby, PHP, Elixir, .NET
	'Gemfile',
	'Gemfile.lock',
	'.ruby-version',
	'composer.json',
	'composer.lock',
	'mix.exs',
	'mix.lock',
	'global.json',
	'packages.lock.json',
	// C and C++
	'conanfile.txt',
	'conanfile.py',
	'conan.lock',
	'vcpkg.json',
	// All of them
	'.tool-versions',
	'mise.toml',
	'.mise.toml',
	'mise.lock',
]);

const patterns: readonly RegExp[] = [
	/^(?:.*[-_.])?(?:requirements|constraints)(?:[-_.].*)?\.(?:txt|in)$/,
	/^[^/]+\.(?:csproj|gemspec)$/,
];

/** Folders whose every file counts, wherever they lie. */
const folders = /(?:^|\/)(?:\.mvn|\.yarn\/patches|\.yarn\/plugins|patches|requirements|\.cargo)\//;

/**
 * Whether the result of setup depends on a file.
 * @param file its path in the project
 * @param besides files and folders that the policy names
 * @param commands of the setup: a file that one of them names counts, too
 */
export function isSetupInput(
	file: string,
	{besides, commands}: {readonly besides: readonly string[]; readonly commands: readonly string[]},
): boolean {
	const name = file.slice(file.lastIndexOf('/') + 1);
	return (
		names.has(name) ||
		folders.test(file) ||
		patterns.some(pattern => pattern.test(name)) ||
		besides.some(place => file === place || file.startsWith(place.endsWith('/') ? place : `${place}/`)) ||
		commands.some(command => namesFile(command, file))
	);
}

/** Whether a command names a file, such as `sh ./scripts/setup.sh`. */
function namesFile(command: string, file: string): boolean {
	for (let at = command.indexOf(file); at !== -1; at = command.indexOf(file, at + 1)) {
		const before = command.slice(0, at).replace(/\.\/$/, '');
		if (/(?:^|[\s'"=;&|(])$/.test(before) && /^(?:$|[\s'";&|)])/.test(command.slice(at + file.length))) {
			return true;
		}
	}

	return false;
}
