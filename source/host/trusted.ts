import {X509Certificate} from 'node:crypto';
import {existsSync, readdirSync, readFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type {SecureContext} from 'node:tls';
import type {Git} from './git.ts';
import {statusOf} from './status.ts';

/*
 * Whom this machine trusts: the system's store, and what the person's
 * variables and git name besides. Certificates alone, never a key.
 */

/** The system's store, where distributions keep it. */
export const bundles = [
	'/etc/ssl/certs/ca-certificates.crt',
	'/etc/pki/tls/certs/ca-bundle.crt',
	'/etc/ssl/ca-bundle.pem',
	'/etc/ssl/cert.pem',
];

/** Variables of the person's that name a file or a folder of certificates. */
export const trustVariables = [
	'NODE_EXTRA_CA_CERTS',
	'SSL_CERT_FILE',
	'SSL_CERT_DIR',
	'REQUESTS_CA_BUNDLE',
	'CURL_CA_BUNDLE',
	'GIT_SSL_CAINFO',
	'GIT_SSL_CAPATH',
	'PIP_CERT',
	'CARGO_HTTP_CAINFO',
	'AWS_CA_BUNDLE',
	'NIX_SSL_CERT_FILE',
	'DENO_CERT',
] as const;

/** What is larger, or holds more, is no store of certificates. */
const maxFileBytes = 16 * 1024 ** 2;
const maxFiles = 2000;

/**
 * `all`: every certificate, PEM. `extra`: those of them that Node does not know by itself, never empty: Node warns at
 * an empty file. `notes`: what was named and could not be used, a line each.
 */
export type Trusted = {
	readonly all: readonly string[];
	readonly extra: readonly string[];
	readonly notes: readonly string[];
};

const block = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----([^-]+)-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g;

/** The certificates of a text, each as its base64 without spaces: one spelling for one certificate. */
function* certificatesOf(text: string): Generator<string> {
	for (const [, body = ''] of text.matchAll(block)) {
		yield body.replaceAll(/\s/g, '');
	}
}

function toPem(body: string): string {
	return `-----BEGIN CERTIFICATE-----\n${body.replaceAll(/.{64}/g, '$&\n').trimEnd()}\n-----END CERTIFICATE-----\n`;
}

/** The same certificate without what OpenSSL may have added behind it; undefined where it is none. */
function checked(body: string): string | undefined {
	try {
		return new X509Certificate(Buffer.from(body, 'base64')).raw.toString('base64');
	} catch {
		// It is no certificate that Node can read.
		return undefined;
	}
}

/** Every certificate of a file or of a folder's files, or why there is none. What is `known` is not looked at again. */
function read(place: string, known: ReadonlySet<string>): {found: string[]; because?: string} {
	const status = statusOf(place);
	if (!status) {
		return {found: [], because: 'is not there'};
	}

	if (status.isDirectory()) {
		// A folder for OpenSSL: each certificate is there under its own name and under its hash.
		const files = readdirSync(place)
			.slice(0, maxFiles)
			.map(name => path.join(place, name))
			.filter(file => statusOf(file)?.isFile());
		const found = [
			...new Set(
				files.flatMap(file => {
					try {
						return read(file, known).found;
					} catch {
						// A file of the folder that cannot be read takes nothing from the others.
						return [];
					}
				}),
			),
		];
		return found.length === 0 ? {found, because: 'holds no certificate'} : {found};
	}

	// A pipe or a device would be waited for.
	if (!status.isFile() || status.size > maxFileBytes) {
		return {found: [], because: status.isFile() ? 'is too large for certificates' : 'is not a file'};
	}

	const written = [...certificatesOf(readFileSync(place, 'latin1'))];
	const found = written.map(body => (known.has(body) ? body : checked(body))).filter(body => body !== undefined);
	if (written.length === 0) {
		return {found, because: 'holds no certificate (PEM)'};
	}

	return found.length < written.length
		? {found, because: `holds ${written.length - found.length} of ${written.length} certificates that cannot be read`}
		: {found};
}

/** Files that the person's git trusts, by its own configuration or a project's. */
async function gitFiles(git: Git | undefined): Promise<Array<{name: string; place: string}>> {
	const {stdout} = (await git?.run([
		'config',
		'--type=path',
		'-z',
		'--get-regexp',
		String.raw`^http\.(.*\.)?sslca(info|path)$`,
	])) ?? {stdout: ''};
	return stdout
		.split('\0')
		.filter(entry => entry.includes('\n'))
		.map(entry => {
			const at = entry.indexOf('\n');
			return {name: `git's ${entry.slice(0, at)}`, place: entry.slice(at + 1)};
		});
}

/** The same variables with every place absolute, for a process that works in another folder. */
export function trustEnvironmentOf(environment: NodeJS.ProcessEnv): Record<string, string> {
	return Object.fromEntries(
		trustVariables.flatMap(name =>
			environment[name]
				? [
						[
							name,
							places(name, environment[name])
								.map(place => path.resolve(place))
								.join(path.delimiter),
						],
					]
				: [],
		),
	);
}

/** Only a variable for folders lists several. */
function places(name: string, text: string): string[] {
	return (name === 'SSL_CERT_DIR' ? text.split(path.delimiter) : [text]).filter(place => place !== '');
}

/**
 * Reads the certificates of all that this machine and this person trust. What cannot be read is left out, with a note.
 * @param git the project's, whose own settings count, too; undefined: it is not asked
 */
export async function readTrusted(
	git: Git | undefined,
	environment: NodeJS.ProcessEnv = process.env,
): Promise<Trusted> {
	const notes: string[] = [];
	const named = [
		...trustVariables.flatMap(name =>
			places(name, environment[name] ?? '').map(place => ({name: name as string, place})),
		),
		...(await gitFiles(git)),
	];
	const builtIn = process.getBuiltinModule('node:tls').rootCertificates;
	const known = new Set(builtIn.flatMap(text => [...certificatesOf(text)]));
	const store = bundles.find(file => existsSync(file));
	const all = new Set(store === undefined ? known : certificatesOf(readFileSync(store, 'latin1')));
	for (const {name, place} of named) {
		if (place === store) {
			continue;
		}

		let because: string | undefined;
		try {
			const own = read(path.resolve(place), all);
			because = own.because;
			for (const body of own.found) {
				all.add(body);
			}
		} catch (error) {
			because = `cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`;
		}

		if (because !== undefined) {
			notes.push(`${name} names ${place}, which ${because}: left out`);
		}
	}

	const extra = [...all].filter(body => !known.has(body));
	return {
		all: [...all].map(body => toPem(body)),
		extra: extra.length === 0 ? [builtIn[0]!.trimEnd() + '\n'] : extra.map(body => toPem(body)),
		notes,
	};
}

/**
 * For connections of the host's own: whom Node trusts, and whom
 * this machine and this person do. Takes some milliseconds.
 */
export function trustContext(trusted: Trusted): SecureContext {
	const tls = process.getBuiltinModule('node:tls');
	return tls.createSecureContext({ca: [...tls.rootCertificates, ...trusted.extra], minVersion: 'TLSv1.2'});
}
