import type {LockChange} from '../packages/difference.ts';
import {flagLines} from '../packages/summary.ts';
import type {DiffFile, DiffLine} from './diff.ts';
import {holdsControl} from './diff.ts';
import {findSuspects} from '../secrets/suspects.ts';

/* What a person should look at first in a change. */

/** Why a file is shown first. */
export type Flag = {
	readonly id:
		| 'policy'
		| 'verify'
		| 'tests'
		| 'ci'
		| 'hooks'
		| 'agent'
		| 'editor'
		| 'executable'
		| 'link'
		| 'install'
		| 'packages'
		| 'dependency'
		| 'secret'
		| 'control'
		| 'blanks'
		| 'git';
	readonly text: string;
};

const tellsAgents = 'tells agents what to do';

const places: ReadonlyArray<readonly [Flag['id'], RegExp, string]> = [
	['policy', /^\.fleet\//, 'decides what runs may do, and what verifies them'],
	[
		'ci',
		/^(?:\.github\/(?:workflows|actions)\/|\.gitlab-ci|\.circleci\/|\.buildkite\/|\.woodpecker|\.drone\.yml|azure-pipelines|bitbucket-pipelines|Jenkinsfile|\.travis\.yml)/,
		"runs in CI, with CI's credentials",
	],
	[
		'hooks',
		/^(?:\.husky\/|\.githooks\/|lefthook\.|\.lefthook|\.pre-commit-config|\.overcommit)|(?:^|\/)hooks\/(?:pre|post|commit|prepare|update)-/,
		'runs on your machine, by git',
	],
	[
		'agent',
		/(?:^|\/)(?:AGENTS(?:\.override)?\.md|\.mcp\.json|\.cursorrules|\.clinerules|\.windsurfrules)$|(?:^|\/)\.(?:cursor|continue)\//,
		tellsAgents,
	],
	[
		'editor',
		/(?:^|\/)\.(?:vscode|idea|devcontainer|zed)\/|(?:^|\/)(?:\.envrc|\.exrc|\.nvim\.lua|\.dir-locals\.el|\.env(?:\..*)?)$/,
		'is obeyed by editors and shells that open the folder',
	],
	['git', /(?:^|\/)(?:\.gitattributes|\.gitmodules|\.gitconfig|\.lfsconfig)$/, 'changes what git does with files'],
	[
		'install',
		/(?:^|\/)(?:setup\.py|build\.rs|binding\.gyp|\.npmrc|\.yarnrc(?:\.yml)?|\.pnpmfile\.c?js|pip\.conf)$/,
		'runs, or decides from where, when packages are installed',
	],
];

const manifests =
	/(?:^|\/)(?:package\.json|requirements[^/]*\.txt|pyproject\.toml|Pipfile|Cargo\.toml|go\.mod|Gemfile|composer\.json|pom\.xml|build\.gradle(?:\.kts)?|pubspec\.yaml|mix\.exs|.*\.csproj)$/;
const locks =
	/(?:^|\/)(?:package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lockb?|Cargo\.lock|go\.sum|poetry\.lock|uv\.lock|Pipfile\.lock|Gemfile\.lock|composer\.lock|flake\.lock|mix\.lock|pubspec\.lock)$/;
const generated =
	/(?:^|\/)(?:dist|build|out|vendor|node_modules|third_party|__snapshots__|generated|gen)\/|\.min\.(?:js|css)$|\.(?:map|snap|pb\.go|g\.dart)$|_pb2(?:_grpc)?\.py$|_generated\.\w+$/;

/** What test runners and build tools read of what they are to run. */
const runners =
	/(?:^|\/)(?:(?:GNU)?[Mm]akefile|[^/]+\.mk|[Jj]ustfile|Taskfile\.ya?ml|Rakefile|tox\.ini|noxfile\.py|pytest\.ini|setup\.cfg|conftest\.py|\.coveragerc|phpunit\.xml(?:\.dist)?|CTestTestfile\.cmake|CMakeLists\.txt|build\.gradle(?:\.kts)?|pom\.xml|nx\.json|turbo\.json|deno\.jsonc?|bunfig\.toml|\.rspec|\.mocharc[^/]*|\.taprc|\.nycrc[^/]*|(?:jest|vitest|vite|ava|playwright|karma|cypress|wdio|babel)\.(?:config|conf)\.[cm]?[jt]sx?|(?:jest|ava|vitest)\.[^/]*\.(?:json|[cm]?[jt]s)|\.cargo\/config(?:\.toml)?)$/;
const tests =
	/(?:^|\/)(?:tests?|specs?|__tests__|e2e)\/|(?:^|\/)(?:test_[^/]+|[^/]+(?:_test|_spec|\.test|\.spec|Test|Tests|Spec))\.\w+$/;

/** More of a line than anybody aligns with, and then more of it. */
const farBehind = /\S[ \t\u00A0\u2000-\u200A\u3000]{60,}\S/;

/** A line of a manifest that names a package, as far as that can be told from the line alone. */
const dependency: ReadonlyArray<readonly [RegExp, RegExp]> = [
	[
		/package\.json$|composer\.json$/,
		/"(@?[\w./-]+)"\s*:\s*"(?:[\^~<>=v*\d]|npm:|git|file:|https?:|workspace:|latest)[^"]*"/g,
	],
	[/requirements[^/]*\.txt$/, /^([\w.[\]-]+)\s*(?:[=<>~!]=|@|$)/g],
	[/\.toml$|Pipfile$/, /^\s*"?([\w.-]+)"?\s*=\s*(?:"[\^~<>=*\d]|\{)|^\s*"([\w.[\]-]+)\s*[=<>~!]=/g],
	[/go\.mod$/, /^\s*(?:require\s+)?([\w.-]+\.[\w./-]+)\s+v\d/g],
	[/Gemfile$/, /^\s*gem\s+["']([\w-]+)/g],
	[/mix\.exs$/, /\{:(\w+),/g],
];

function additions(file: DiffFile): DiffLine[] {
	return file.hunks.flatMap(hunk => hunk.lines.filter(line => line.kind === '+'));
}

/** Whether it is a lock file, by its name. */
export function isLock(path: string): boolean {
	return locks.test(path);
}

/** Whether nobody reads it line by line: written by a tool. */
export function isGenerated(file: DiffFile): boolean {
	return (
		locks.test(file.path) ||
		generated.test(file.path) ||
		file.hunks[0]?.lines.slice(0, 8).some(line => /@generated\b|DO NOT EDIT/.test(line.text)) === true
	);
}

/** Whether a file is among the words of a command: a script that it runs. */
function isNamed(path: string, command: string): boolean {
	return command.split(/[\s;|&()<>"'`=]+/).some(word => word.replace(/^(?:\.\/)+/, '').replace(/\/+$/, '') === path);
}

/**
 * Whether what verifies a result may be other than before: its
 * own script, what a test runner is told, a test that is gone.
 */
function verifyFlags(file: DiffFile, verify: readonly string[]): Flag[] {
	const flags: Flag[] = [];
	const script = file.hunks
		.flatMap(hunk => hunk.lines)
		.find(
			line =>
				line.kind !== ' ' &&
				/^\s*"[\w:.-]+"\s*:\s*"/.test(line.text) &&
				!/^\s*"(?:name|version|description|license|type|main|module|types|author|homepage)"/.test(line.text) &&
				packagesIn(file.path, line.text).length === 0,
		);
	if (verify.some(command => isNamed(file.path, command) || isNamed(file.oldPath, command))) {
		flags.push({id: 'verify', text: 'is what a verify command runs'});
	} else if (runners.test(file.path) || runners.test(file.oldPath)) {
		flags.push({id: 'verify', text: 'may decide what a verify command runs'});
	} else if (/(?:^|\/)(?:package|composer|deno)\.jsonc?$/.test(file.path) && script) {
		flags.push({id: 'verify', text: `a script, which a verify command may run: line ${script.new ?? script.old}`});
	}

	if (
		tests.test(file.oldPath) &&
		(file.status === 'deleted' || (file.status === 'renamed' && !tests.test(file.path)))
	) {
		flags.push({
			id: 'tests',
			text: file.status === 'deleted' ? 'a test that is gone' : 'was a test, by its name, and is none any more',
		});
	}

	return flags;
}

/**
 * What flags depend on besides the change: the commands that verify a result, `Agent.instructions` of every agent, and
 * what became of packages in the lock files of the change.
 */
export type FlagFacts = {
	readonly verify: readonly string[];
	readonly instructions: readonly string[];
	readonly packages?: readonly LockChange[] | undefined;
};

export const noFacts: FlagFacts = {verify: [], instructions: []};

/** Whether a path is one by which a project tells an agent what to do. @param instructions see `Agent.instructions` */
function instructs(path: string, instructions: readonly string[]): boolean {
	const parts = path.split('/');
	return instructions.some(place =>
		place.endsWith('/') ? parts.slice(0, -1).includes(place.slice(0, -1)) : parts.at(-1) === place,
	);
}

/** Packages of one file that are flagged one by one. */
const maxPackageFlags = 20;

function packageFlags(lock: LockChange): Flag[] {
	const lines = flagLines(lock, false);
	const left = lines.length - maxPackageFlags;
	return [...lines.slice(0, maxPackageFlags), ...(left > 0 ? [`and ${left} more`] : [])].map(text => ({
		id: lock.flags.some(({id}) => id === 'install') ? 'install' : 'packages',
		text,
	}));
}

/** What a manifest says of packages, as far as its lines alone tell. @param lock what is known of the whole file */
function manifestFlags(file: DiffFile, lock: LockChange | undefined): Flag[] {
	const flags: Flag[] = [];
	const lines = additions(file);
	const script = lines.find(line =>
		/"(?:(?:pre|post)?install|(?:pre|post)?pack|prepare|prepublish(?:Only)?|dependencies)"\s*:\s*"/.test(line.text),
	);
	if (script && file.path.endsWith('package.json') && lock === undefined) {
		flags.push({id: 'install', text: `a script that runs when it is installed: line ${script.new}`});
	}

	const before = new Set(
		file.hunks
			.flatMap(hunk => hunk.lines.filter(line => line.kind === '-'))
			.flatMap(line => packagesIn(file.path, line.text)),
	);
	const names = [...new Set(lines.flatMap(line => packagesIn(file.path, line.text)))].filter(name => !before.has(name));
	// Of a file that was read as a whole, the packages are said one by one.
	if (names.length > 0 && (!lock || lock.unread !== undefined || lock.packages.length === 0)) {
		flags.push({
			id: 'dependency',
			text: `new: ${names.slice(0, 5).join(', ')}${names.length > 5 ? ` and ${names.length - 5} more` : ''}`,
		});
	}

	return flags;
}

/** What is to be looked at first in one file, worst first. Pure; says what it is, not that it is bad. */
export function flagsOf(file: DiffFile, {verify, instructions, packages = []}: FlagFacts = noFacts): Flag[] {
	const flags: Flag[] = [];
	const lines = additions(file);
	const [suspect] = findSuspects(
		file.path,
		lines.map(line => ({number: line.new!, text: line.text})),
	);
	if (suspect) {
		flags.push({
			id: 'secret',
			text: `possible secret: line ${suspect.line}, ${suspect.rule}, ${suspect.span}`,
		});
	}

	const control = lines.find(line => line.control);
	if (control || holdsControl(file.path)) {
		flags.push({
			id: 'control',
			text: control
				? `control or invisible characters: line ${control.new}`
				: 'control or invisible characters in its name',
		});
	}

	const pushed = lines.find(line => farBehind.test(line.text));
	if (pushed) {
		flags.push({id: 'blanks', text: `code behind many blanks, where few look: line ${pushed.new}`});
	}

	const lock = packages.find(({path}) => path === file.path);
	for (const [id, pattern, text] of places) {
		// Of a file that was read as a whole, it is said what of it decides that.
		if ((pattern.test(file.path) || pattern.test(file.oldPath)) && (id !== 'install' || lock === undefined)) {
			flags.push({id, text});
		}
	}

	if (
		!flags.some(({id}) => id === 'agent') &&
		(instructs(file.path, instructions) || instructs(file.oldPath, instructions))
	) {
		flags.push({id: 'agent', text: tellsAgents});
	}

	flags.push(...verifyFlags(file, verify));
	if (file.newMode === '120000') {
		flags.push({id: 'link', text: `symlink → ${lines[0]?.text ?? 'somewhere'}`});
	} else if (file.newMode === '160000') {
		flags.push({id: 'link', text: 'another repository, as a submodule'});
	} else if (file.newMode === '100755' && file.oldMode !== '100755') {
		flags.push({id: 'executable', text: 'made executable'});
	}

	flags.push(...(lock ? packageFlags(lock) : []), ...(manifests.test(file.path) ? manifestFlags(file, lock) : []));
	return flags;
}

const notPackages = new Set([
	'name',
	'version',
	'description',
	'license',
	'type',
	'main',
	'module',
	'types',
	'node',
	'npm',
	'author',
	'homepage',
	'edition',
]);

function packagesIn(path: string, text: string): string[] {
	const [, pattern] = dependency.find(([file]) => file.test(path)) ?? [];
	return pattern
		? [...text.slice(0, 20_000).matchAll(pattern)]
				.map(match => match[1] ?? match[2] ?? '')
				.filter(name => name !== '' && !notPackages.has(name))
		: [];
}
