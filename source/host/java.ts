import {createHash} from 'node:crypto';
import {existsSync, readdirSync, readFileSync, realpathSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import type {Mount} from '../core/plan.ts';

/*
 * What Java needs of a sandbox. A JVM reads neither the variables that name a proxy nor PEM files, and an option in
 * JAVA_TOOL_OPTIONS is printed by every program that starts one. So a JDK's own two files are shown with other content:
 * net.properties with the proxy, cacerts with whom the run trusts.
 */

/** Where distributions put JDKs. */
const systemFolder = '/usr/lib/jvm';

/** The password of every JDK's list of authorities: it guards nothing, the format wants one. */
const storePassword = 'changeit';

/** The JDKs that a sandbox sees, each with every link resolved. */
export function findJdks(homes: readonly string[]): string[] {
	const system = existsSync(systemFolder) ? readdirSync(systemFolder).map(name => path.join(systemFolder, name)) : [];
	const found = [...system, ...homes].filter(home => existsSync(path.join(home, 'bin/java')));
	return [...new Set(found.map(home => realpathSync(home)))];
}

/** The DER of each certificate of PEM texts. */
function derOf(certificates: readonly string[]): Buffer[] {
	return certificates.flatMap(text =>
		[...text.matchAll(/-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/g)].map(([, base64]) =>
			Buffer.from(base64!, 'base64'),
		),
	);
}

/**
 * A list of authorities as a JDK reads it (JKS, version 2; the format is in the JDK's own JavaKeyStore).
 * @param certificates PEM
 */
export function javaTrustStore(certificates: readonly string[]): Buffer {
	const text = (value: string) => {
		const bytes = Buffer.from(value, 'utf8');
		const length = Buffer.alloc(2);
		length.writeUInt16BE(bytes.length);
		return Buffer.concat([length, bytes]);
	};
	const number = (value: number) => {
		const bytes = Buffer.alloc(4);
		bytes.writeUInt32BE(value);
		return bytes;
	};
	const ders = derOf(certificates);
	const entries = ders.flatMap((der, index) => [
		// A certificate that is trusted, its name, and when it was added (milliseconds; nobody asks).
		number(2),
		text(`authority-${index}`),
		Buffer.alloc(8),
		text('X.509'),
		number(der.length),
		der,
	]);
	const body = Buffer.concat([number(0xfe_ed_fe_ed), number(2), number(ders.length), ...entries]);
	const digest = createHash('sha1')
		.update(Buffer.from(storePassword, 'utf16le').swap16())
		.update('Mighty Aphrodite')
		.update(body)
		.digest();
	return Buffer.concat([body, digest]);
}

/** A JDK's net.properties with the run's proxy. */
export function netProperties(original: string, port: number): string {
	const own = /^\s*(?:https?|ftp|socks)\.(?:proxy|nonProxy)\w*\s*=|^\s*java\.net\.useSystemProxies\s*=/;
	return (
		`${original
			.split('\n')
			.filter(line => !own.test(line))
			.join('\n')}\n` +
		['http', 'https'].map(scheme => `${scheme}.proxyHost=127.0.0.1\n${scheme}.proxyPort=${port}\n`).join('') +
		'http.nonProxyHosts=localhost|127.*|[::1]|0.0.0.0\n'
	);
}

/**
 * The files that stand in place of a JDK's own.
 * @param folder where they are written; `cacerts` is there already
 * @param options.proxyPort undefined where there is no proxy
 * @param options.within see `Mount.within`
 */
export function javaMounts(
	folder: string,
	{jdks, proxyPort, within}: {jdks: readonly string[]; proxyPort: number | undefined; within: string},
): Mount[] {
	const mounts = new Map<string, Mount>();
	for (const [index, jdk] of jdks.entries()) {
		const place = (names: readonly string[]) => names.map(name => path.join(jdk, name)).find(file => existsSync(file));
		const store = place(['lib/security/cacerts', 'jre/lib/security/cacerts']);
		if (store !== undefined) {
			const target = realpathSync(store);
			mounts.set(target, {source: path.join(folder, 'cacerts'), target, mode: 'read', within});
		}

		const net = place(['conf/net.properties', 'lib/net.properties', 'jre/lib/net.properties']);
		if (net !== undefined && proxyPort !== undefined) {
			const source = path.join(folder, `net-${index}.properties`);
			writeFileSync(source, netProperties(readFileSync(net, 'utf8'), proxyPort), {mode: 0o644});
			const target = realpathSync(net);
			mounts.set(target, {source, target, mode: 'read', within});
		}
	}

	return [...mounts.values()];
}

/**
 * What Maven and Gradle read of a proxy, which is neither a variable nor the JVM's own: files below HOME.
 * @param port of the run's proxy
 */
export function javaConfiguration(port: number): Record<string, string> {
	const proxy = (protocol: string) =>
		`<proxy><id>fleet-${protocol}</id><active>true</active><protocol>${protocol}</protocol>` +
		`<host>127.0.0.1</host><port>${port}</port><nonProxyHosts>localhost|127.*</nonProxyHosts></proxy>`;
	return {
		'.m2/settings.xml': `<settings><proxies>${proxy('http')}${proxy('https')}</proxies></settings>\n`,
		'.gradle/gradle.properties': ['http', 'https']
			.map(scheme => `systemProp.${scheme}.proxyHost=127.0.0.1\nsystemProp.${scheme}.proxyPort=${port}\n`)
			.join('')
			.concat('systemProp.http.nonProxyHosts=localhost|127.*\n'),
	};
}
