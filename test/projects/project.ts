import {spawnSync} from 'node:child_process';
import {cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';

/* What a real project is here, and how its sources come from a registry. None of them is committed. */

/** A program that a project needs: found on PATH, or brought by `tools.ts`. */
export type Need =
	| 'node'
	| 'npm'
	| 'pnpm'
	| 'yarn'
	| 'python3'
	| 'uv'
	| 'poetry'
	| 'cargo'
	| 'go'
	| 'java'
	| 'mvn'
	| 'gradle'
	| 'make'
	| 'cmake'
	| 'cc'
	| 'initdb';

/** What laying a project's sources may use. */
export type Place = {
	/** An empty folder, which becomes the repository. */ readonly folder: string;
	/** The environment of the person, with the tools on PATH. */ readonly env: Readonly<Record<string, string>>;
};

export type RealProject = {
	readonly name: string;
	/** What it stands for in the table, such as "PyPI, pip". */ readonly kind: string;
	/** Registry and version, or what of a registry it depends on. */ readonly from: string;
	readonly needs: readonly Need[];
	/** Lays its sources, as its owner has them. */ readonly lay: (place: Place) => void;
	/** Its policy. Without one, it is what `fleet project add` proposes. */ readonly policy?: string;
	/** Tests as its agent runs them, in sh. */ readonly tests: string;
	/** A file that the agent adds a line to. */ readonly edits: string;
	/** That line, a comment in the file's language. */ readonly line: string;
};

/** Runs a program of the person's. @throws Error with its last words where it fails */
export function must({folder, env}: Place, program: string, ...argv: string[]): string {
	const {status, stdout, stderr, error} = spawnSync(program, argv, {
		cwd: folder,
		env,
		encoding: 'utf8',
		stdio: ['ignore', 'pipe', 'pipe'],
		timeout: 300_000,
		maxBuffer: 1e8,
	});
	if (status !== 0) {
		throw new Error(`${[program, ...argv].join(' ')}: ${error?.message ?? `${stdout}${stderr}`.trim().slice(-2000)}`);
	}

	return stdout;
}

export function write({folder}: Pick<Place, 'folder'>, files: Readonly<Record<string, string | object>>): void {
	for (const [name, content] of Object.entries(files)) {
		const file = path.join(folder, name);
		mkdirSync(path.dirname(file), {recursive: true});
		writeFileSync(file, typeof content === 'string' ? content : `${JSON.stringify(content, undefined, '\t')}\n`);
	}
}

/** Runs something in a folder beside the repository's, which then goes. */
function beside(place: Place, act: (there: Place) => void): void {
	const folder = mkdtempSync(`${place.folder}-from-`);
	try {
		act({...place, folder});
	} finally {
		rmSync(folder, {recursive: true, force: true});
	}
}

/** Unpacks the one archive of a folder. @param inner the folder in it that is the project; by default its only one */
function unpack(place: Place, there: Place, inner?: string): void {
	const [archive] = readdirSync(there.folder).filter(name => /\.(?:tgz|crate|zip|tar\.gz)$/.test(name));
	const file = path.join(there.folder, archive!);
	const into = path.join(there.folder, 'unpacked');
	mkdirSync(into);
	if (archive!.endsWith('.zip')) {
		must(there, 'python3', '-m', 'zipfile', '-e', file, into);
	} else {
		must(there, 'tar', '-xzf', file, '-C', into, '--no-same-owner');
	}

	const [only] = readdirSync(into);
	cpSync(path.join(into, only!, inner ?? ''), place.folder, {recursive: true, verbatimSymlinks: true});
}

/** A package of the npm registry, by `npm pack`. */
export function fromNpm(place: Place, spec: string): void {
	beside(place, there => {
		must(there, 'npm', 'pack', '--silent', spec);
		unpack(place, there);
	});
}

/** A source distribution of PyPI, by `pip download`. */
export function fromPypi(place: Place, spec: string): void {
	beside(place, there => {
		must(there, 'python3', '-m', 'venv', 'pip');
		must(
			there,
			path.join(there.folder, 'pip/bin/python'),
			'-m',
			'pip',
			'download',
			'--quiet',
			'--no-deps',
			'--no-binary',
			':all:',
			spec,
		);
		unpack(place, there);
	});
}

/** A crate, as cargo downloads it. @param inner a folder in it, for one that carries a C library */
export function fromCrates(
	place: Place,
	{name, version, inner}: {name: string; version: string; inner?: string},
): void {
	beside(place, there => {
		mkdirSync(path.join(there.folder, 'src'));
		writeFileSync(path.join(there.folder, 'src', 'lib.rs'), '');
		const manifest = `[package]\nname = "asks"\nversion = "0.0.0"\n[dependencies]\n${name} = "=${version}"\n`;
		writeFileSync(path.join(there.folder, 'Cargo.toml'), manifest);
		must(there, 'cargo', 'vendor', '--quiet', '--versioned-dirs');
		const from = path.join(there.folder, 'vendor', `${name}-${version}`);
		rmSync(path.join(from, '.cargo-checksum.json'));
		cpSync(path.join(from, inner ?? ''), place.folder, {recursive: true, verbatimSymlinks: true});
	});
}

/** What a project of Apache's releases at Maven Central: its sources with its tests. */
export function fromMaven(place: Place, {group, name, version}: {group: string; name: string; version: string}): void {
	beside(place, there => {
		const artifact = `${group}:${name}:${version}:zip:source-release`;
		must(there, 'mvn', '-q', '-B', 'dependency:copy', `-Dartifact=${artifact}`, '-DoutputDirectory=.');
		unpack(place, there);
	});
}

/** A module, by `go mod download`. */
export function fromGo(place: Place, spec: string): void {
	beside(place, there => {
		const {Dir: folder} = JSON.parse(must(there, 'go', 'mod', 'download', '-json', spec)) as {Dir: string};
		cpSync(folder, place.folder, {recursive: true});
		// Go's cache is read-only.
		must(place, 'chmod', '-R', 'u+w', place.folder);
	});
}
