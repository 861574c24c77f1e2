import {existsSync, mkdirSync, rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {proxyPort, type Mount} from '../../core/plan.ts';
import type {RunPaths} from '../../host/paths.ts';
import {javaMounts, javaTrustStore} from '../../host/java.ts';
import {insideHome} from '../../host/toolchain.ts';
import {bundles, type Trusted} from '../../host/trusted.ts';
import {giveToRun} from '../../host/run-owner.ts';

/*
 * What a run finds inside besides its project: whom to trust, its
 * pointers, and its own HOME. All of it made by the host.
 */

const insideTrust = '/run/fleet/trust';

/** Where an agent's configuration lies before it is copied to HOME. */
export const insideConfig = '/run/fleet/config';

/** Where a run's pointers are files, for a program that takes its credential from one. */
const insidePointers = '/run/fleet/pointers';

/**
 * No single variable is enough: each of these is what some program looks at.
 * @param folder where `run.pem` and `bundle.pem` are, as the program sees it
 */
export function trustEnvironment(folder: string): Record<string, string> {
	const bundle = `${folder}/bundle.pem`;
	return {
		// Node and Bun add to their own roots; the others replace theirs.
		NODE_EXTRA_CA_CERTS: `${folder}/run.pem`,
		SSL_CERT_FILE: bundle,
		CURL_CA_BUNDLE: bundle,
		GIT_SSL_CAINFO: bundle,
		REQUESTS_CA_BUNDLE: bundle,
		PIP_CERT: bundle,
		CARGO_HTTP_CAINFO: bundle,
		DENO_CERT: `${folder}/run.pem`,
		NIX_SSL_CERT_FILE: bundle,
		AWS_CA_BUNDLE: bundle,
	};
}

/**
 * Node 22 says at every start that it reads a proxy's variables by way of an experiment. No program did anything wrong,
 * so this one warning is not shown; every other is. Its option does that in every thread, but a Node that does not know
 * it would not start: where there is one, a file does it in the first thread.
 */
const quiet = `'use strict';
const {emit} = process;
process.emit = function (name, warning) {
	return name === 'warning' && warning && warning.code === 'UNDICI-EHPA' ? false : Reflect.apply(emit, this, arguments);
};
`;

/**
 * Writes whom programs inside trust. Never empty: some warn at an empty file, others refuse it.
 * @param own the run's own authority, PEM, once there is one
 */
function writeTrust(folder: string, trusted: Trusted, own = ''): void {
	writeFileSync(path.join(folder, 'run.pem'), own + trusted.extra.join(''), {mode: 0o644});
	writeFileSync(path.join(folder, 'bundle.pem'), trusted.all.join('') + own, {mode: 0o644});
	writeFileSync(path.join(folder, 'quiet.cjs'), quiet, {mode: 0o644});
	writeFileSync(path.join(folder, 'cacerts'), javaTrustStore([...trusted.all, own]), {mode: 0o644});
}

/** The trust folder at its place, and the bundle at the system's own, for what looks at no variable at all. */
function trustMounts(folder: string, within: string): Mount[] {
	const bundle = bundles.find(file => existsSync(file));
	return [
		{source: folder, target: insideTrust, mode: 'read', within},
		...(bundle === undefined
			? []
			: [{source: path.join(folder, 'bundle.pem'), target: bundle, mode: 'read' as const, within}]),
	];
}

/** @param versions of the programs called node that the run finds, such as `v22.23.2` */
export function quietNode(versions: ReadonlyArray<string | undefined>): Record<string, string> {
	const known = versions
		.map(text => /^v(\d+)\.(\d+)\./.exec(text ?? ''))
		.filter(match => match !== null)
		.map(match => ({major: Number(match[1]), minor: Number(match[2])}));
	if (!known.some(({major}) => major >= 22 && major <= 24)) {
		return {};
	}

	const option =
		known.length === versions.length && known.every(({major, minor}) => major >= 22 || (major === 20 && minor >= 11));
	return {NODE_OPTIONS: option ? '--disable-warning=UNDICI-EHPA' : `--require=${insideTrust}/quiet.cjs`};
}

/**
 * What a sandbox without a supervisor trusts: the same as a run, but for the run's own authority.
 * @param folder made here, on the host
 * @param options.jdks those that the sandbox sees
 */
export function makeTrust(
	folder: string,
	trusted: Trusted,
	{
		jdks = [],
		own,
		proxyPort: port,
	}: {
		readonly jdks?: readonly string[];
		/** An authority of its own besides, PEM. */ readonly own?: string | undefined;
		/** Where JDKs are told that their proxy is. */ readonly proxyPort?: number | undefined;
	} = {},
): {mounts: Mount[]; env: Record<string, string>} {
	mkdirSync(folder, {recursive: true, mode: 0o755});
	writeTrust(folder, trusted, own);
	return {
		mounts: [...trustMounts(folder, folder), ...javaMounts(folder, {jdks, proxyPort: port, within: folder})],
		env: trustEnvironment(insideTrust),
	};
}

/** The folders of one run's injectedFiles, on the host. */
export class InjectedFiles {
	readonly #folder: string;
	readonly #home: string;
	readonly #runId: string;
	#trusted: Trusted = {all: [], extra: [], notes: []};

	constructor(runId: string, places: RunPaths) {
		this.#runId = runId;
		this.#folder = places.injectedFiles;
		this.#home = places.home;
	}

	/**
	 * Makes the folders anew; HOME stays from attempt to attempt, since conversations lie there.
	 * @param files an agent's configuration, by path below HOME. It is copied there inside: HOME
	 * is the agent's, and the host writes nothing through what an agent could have made a link of.
	 * @param executable those of the files that are programs
	 */
	make(trusted: Trusted, files: Readonly<Record<string, string>> = {}, executable: readonly string[] = []): void {
		rmSync(this.#folder, {recursive: true, force: true});
		for (const name of ['trust', 'pointers', 'config']) {
			mkdirSync(path.join(this.#folder, name), {recursive: true, mode: 0o755});
		}

		for (const [name, content] of Object.entries(files)) {
			const file = path.join(this.#folder, 'config', name);
			mkdirSync(path.dirname(file), {recursive: true, mode: 0o755});
			writeFileSync(file, content, {mode: executable.includes(name) ? 0o755 : 0o644});
		}

		this.#trusted = trusted;
		writeTrust(path.join(this.#folder, 'trust'), trusted);
		if (!existsSync(this.#home)) {
			mkdirSync(this.#home, {mode: 0o700});
			giveToRun(this.#runId, this.#home);
		}
	}

	/** Mounts and variables for a plan. */
	plan(jdks: readonly string[] = []): {mounts: Mount[]; env: Record<string, string>} {
		const within = this.#folder;
		return {
			mounts: [
				...trustMounts(path.join(within, 'trust'), within),
				...javaMounts(path.join(within, 'trust'), {jdks, proxyPort, within}),
				{source: path.join(within, 'pointers'), target: insidePointers, mode: 'read', within},
				{source: path.join(within, 'config'), target: insideConfig, mode: 'read', within},
				{source: this.#home, target: insideHome, mode: 'write'},
			],
			env: trustEnvironment(insideTrust),
		};
	}

	/** Takes all of it away but HOME, once the run has ended. */
	remove(): void {
		rmSync(this.#folder, {recursive: true, force: true});
	}

	/**
	 * Has the run trust an authority, from the next program that
	 * it starts. The files stay the same ones: they are mounted.
	 */
	trust(certificate: string): void {
		writeTrust(path.join(this.#folder, 'trust'), this.#trusted, certificate);
	}

	/** Shows a pointer in a file; undefined takes it away. */
	show(name: string, pointer: string | undefined): void {
		const file = path.join(this.#folder, 'pointers', name);
		if (pointer === undefined) {
			rmSync(file, {force: true});
		} else {
			writeFileSync(file, pointer, {mode: 0o644});
		}
	}
}
