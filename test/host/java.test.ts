import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {test} from 'node:test';
import tls from 'node:tls';
import {javaConfiguration, javaTrustStore, netProperties} from '../../source/host/java.ts';

const keytool = spawnSync('keytool', ['-help']).error === undefined;

test(
	'a list of authorities is one that a JDK reads, certificate by certificate',
	{skip: keytool ? false : 'no JDK is here to read it'},
	t => {
		const folder = mkdtempSync(path.join(os.tmpdir(), 'java-'));
		t.after(() => rmSync(folder, {recursive: true, force: true}));
		for (const certificates of [[], tls.rootCertificates.slice(0, 1), tls.rootCertificates]) {
			const file = path.join(folder, 'cacerts');
			writeFileSync(file, javaTrustStore(certificates));
			const {stdout, status} = spawnSync(
				'keytool',
				['-J-Duser.language=en', '-list', '-keystore', file, '-storepass', 'changeit'],
				{encoding: 'utf8'},
			);
			assert.equal(status, 0, stdout);
			assert.match(stdout, new RegExp(`contains ${certificates.length} entr`));
			assert.equal(stdout.match(/trustedCertEntry/g)?.length ?? 0, certificates.length);
		}

		// One byte more, and it is not believed.
		const file = path.join(folder, 'cacerts');
		writeFileSync(file, Buffer.concat([readFileSync(file), Buffer.of(1)]).fill(0, 20, 21));
		assert.notEqual(spawnSync('keytool', ['-list', '-keystore', file, '-storepass', 'changeit']).status, 0);
	},
);

test('a JDK’s own words about a proxy go, everything else of its properties stays', () => {
	const text = netProperties(
		'# a comment\njava.net.useSystemProxies=true\nhttp.proxyHost=corp\nftp.nonProxyHosts=x\njdk.http.auth=Basic\n',
		3128,
	);
	assert.match(text, /^# a comment$/m);
	assert.match(text, /^jdk\.http\.auth=Basic$/m);
	assert.doesNotMatch(text, /corp|useSystemProxies|nonProxyHosts=x/);
	assert.match(text, /^https\.proxyHost=127\.0\.0\.1\nhttps\.proxyPort=3128$/m);
	assert.match(javaConfiguration(3128)['.m2/settings.xml']!, /<port>3128<\/port>/);
});
