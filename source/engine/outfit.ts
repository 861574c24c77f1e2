import {existsSync, mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type {Mount} from '../core/plan.ts';
import type {RunPaths} from '../host/paths.ts';
import {insideHome} from '../host/toolchain.ts';
import {giveToRun} from '../host/worktree.ts';

/* What a run finds inside besides its project: whom to trust, its pointers, and an agent's own HOME. All of it made by the host. */

const bundles = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/ca-bundle.pem', '/etc/ssl/cert.pem'];
const insideTrust = '/run/fleet/trust';

/** Where an agent's configuration lies before it is copied to HOME. */
export const insideConfig = '/run/fleet/config';

/** Where a run's pointers are files, for a program that takes its credential from one. */
const insidePointers = '/run/fleet/pointers';

/** No single variable is enough: each of these is what some program looks at. @param folder where `run.pem` and `bundle.pem` are, as the program sees it */
export function trustEnvironment(folder: string): Record<string, string> {
	const bundle = `${folder}/bundle.pem`;
	return {
		// Node and Bun add to their own roots; the others replace theirs.
		NODE_EXTRA_CA_CERTS: `${folder}/run.pem`, SSL_CERT_FILE: bundle, CURL_CA_BUNDLE: bundle, GIT_SSL_CAINFO: bundle, REQUESTS_CA_BUNDLE: bundle, PIP_CERT: bundle, CARGO_HTTP_CAINFO: bundle, DENO_CERT: `${folder}/run.pem`, NIX_SSL_CERT_FILE: bundle, AWS_CA_BUNDLE: bundle,
	};
}

/** The system's own roots, PEM; Node's where the system has none. */
function systemRoots(): string {
	const file = bundles.find(file => existsSync(file));
	return file ? readFileSync(file, 'utf8') : process.getBuiltinModule('node:tls').rootCertificates.join('\n');
}

/** The folders of one run's outfit, on the host. */
export class Outfit {
	readonly #folder: string;
	readonly #home: string;
	readonly #runId: string;

	constructor(runId: string, places: RunPaths) {
		this.#runId = runId;
		this.#folder = path.join(places.folder, 'outfit');
		this.#home = path.join(places.folder, 'home');
	}

	/**
	 * Makes the folders anew; HOME stays from attempt to attempt, since conversations lie there.
	 * @param files an agent's configuration, by path below HOME. It is copied there inside: HOME is the agent's, and the host writes nothing through what an agent could have made a link of.
	 */
	make(hasHome: boolean, files: Readonly<Record<string, string>> = {}): void {
		rmSync(this.#folder, {recursive: true, force: true});
		for (const name of ['trust', 'pointers', 'config']) {
			mkdirSync(path.join(this.#folder, name), {recursive: true, mode: 0o755});
		}

		for (const [name, content] of Object.entries(files)) {
			const file = path.join(this.#folder, 'config', name);
			mkdirSync(path.dirname(file), {recursive: true, mode: 0o755});
			writeFileSync(file, content, {mode: 0o644});
		}

		writeFileSync(this.#trust('bundle.pem'), systemRoots(), {mode: 0o644});
		writeFileSync(this.#trust('run.pem'), '', {mode: 0o644});
		if (hasHome && !existsSync(this.#home)) {
			mkdirSync(this.#home, {mode: 0o700});
			giveToRun(this.#runId, this.#home);
		}
	}

	#trust(name: string): string {
		return path.join(this.#folder, 'trust', name);
	}

	/** Mounts and variables for a plan. */
	plan(hasHome: boolean): {mounts: Mount[]; env: Record<string, string>} {
		const within = this.#folder;
		const bundle = bundles.find(file => existsSync(file));
		return {
			mounts: [
				{source: path.join(within, 'trust'), target: insideTrust, mode: 'read', within}, {source: path.join(within, 'pointers'), target: insidePointers, mode: 'read', within}, {source: path.join(within, 'config'), target: insideConfig, mode: 'read', within},
				// For what looks at no variable at all.
				...(bundle === undefined ? [] : [{source: this.#trust('bundle.pem'), target: bundle, mode: 'read' as const, within}]),
				...(hasHome ? [{source: this.#home, target: insideHome, mode: 'write' as const}] : []),
			],
			env: trustEnvironment(insideTrust),
		};
	}

	/** Takes all of it away but HOME, once the run has ended. */
	remove(): void {
		rmSync(this.#folder, {recursive: true, force: true});
	}

	/** Has the run trust an authority, from the next program that it starts. The files stay the same ones: they are mounted. */
	trust(certificate: string): void {
		writeFileSync(this.#trust('run.pem'), certificate);
		writeFileSync(this.#trust('bundle.pem'), `${systemRoots().trimEnd()}\n${certificate}`);
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
