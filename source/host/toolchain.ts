import {existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, realpathSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import type {Mount} from '../core/plan.ts';
import {ownStatusOf} from './status.ts';

/** What of /etc a build needs. Nothing that names people, holds keys or steers logins. */
const etc = [
	'alternatives',
	'ca-certificates',
	'ca-certificates.conf',
	'debian_version',
	'ld.so.cache',
	'ld.so.conf',
	'ld.so.conf.d',
	'localtime',
	'mime.types',
	'os-release',
	'pki/tls/certs',
	'pki/ca-trust',
	'protocols',
	'services',
	'ssl/certs',
	'ssl/openssl.cnf',
	'timezone',
];

/** Where the system keeps programs: the search path of every sandbox ends with them. */
export const systemFolders: readonly string[] = [
	'/usr/local/sbin',
	'/usr/local/bin',
	'/usr/sbin',
	'/usr/bin',
	'/sbin',
	'/bin',
];

/** The home folder inside: empty, private, gone with the run. */
export const insideHome = '/home/agent';

const madeFiles: Record<string, string> = {
	passwd:
		`root:x:0:0:root:/root:/usr/sbin/nologin\nagent:x:1000:1000:agent:${insideHome}:/bin/sh\n` +
		'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n',
	group: 'root:x:0:\nagent:x:1000:\nnogroup:x:65534:\n',
	hosts: '127.0.0.1 localhost fleet\n::1 localhost\n',
	'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files\n',
	'resolv.conf': "# names are resolved by the run's proxy, on the host\n",
};

/** The same where a name server listens inside. */
const withNames: Record<string, string> = {
	'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
	'resolv.conf':
		"# names are resolved by the run's proxy, on the host; here it is only seen who asks\n" +
		'nameserver 127.0.0.1\noptions timeout:2 attempts:1\n',
};

/** What distributions' packages of languages link to from /usr: settings of the machine, and nobody's logins. */
const languageSettings =
	/^(?:java(?:-[\w.-]+)?|maven|gradle|ant|scala|php|R|fonts|chromium\.d|chromium|matplotlibrc|python3(?:\.\d+)?|ghc|lua|perl)$/;

/** A file of settings that may hold a login of everybody's: it stays outside. */
function holdsPassword(file: string): boolean {
	try {
		return /<password>|<privateKey>|<passphrase>/.test(readFileSync(file, 'utf8'));
	} catch {
		// Not there, or not readable: nobody inside could read it either.
		return false;
	}
}

/** Every place of /etc that is shown, by its name there. */
function etcNames(): string[] {
	const found = readdirSync('/etc', {withFileTypes: true})
		.map(({name}) => name)
		.filter(name => languageSettings.test(name));
	const languages = found.flatMap(name =>
		name === 'maven' && holdsPassword('/etc/maven/settings.xml')
			? readdirSync('/etc/maven')
					.filter(part => part !== 'settings.xml')
					.map(part => `maven/${part}`)
			: [name],
	);
	return [...etc, ...languages];
}

/**
 * What every sandbox has of the system, read-only, and the variables that find it.
 * @param folder where the made files of /etc are written
 * @param options.names whether a name server listens inside: see core/network/name-query.ts
 * @param options.path the search path inside
 */
export function toolchain(
	folder: string,
	{
		names = false,
		path: searchPath = systemFolders,
	}: {names?: boolean | undefined; path?: readonly string[] | undefined} = {},
): {mounts: Mount[]; links: Array<{target: string; to: string}>; env: Record<string, string>} {
	const mounts: Mount[] = [{source: '/usr', target: '/usr', mode: 'read', system: true}];
	const links: Array<{target: string; to: string}> = [];
	for (const place of ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32']) {
		const status = ownStatusOf(place);
		if (status?.isSymbolicLink()) {
			links.push({target: place, to: readlinkSync(place)});
		} else if (status?.isDirectory()) {
			mounts.push({source: place, target: place, mode: 'read', system: true});
		}
	}

	for (const name of etcNames()) {
		const place = `/etc/${name}`;
		if (existsSync(place)) {
			mounts.push({source: realpathSync(place), target: place, mode: 'read', system: true});
		}
	}

	mkdirSync(path.join(folder, 'etc'), {recursive: true, mode: 0o755});
	for (const [name, content] of Object.entries({...madeFiles, ...(names ? withNames : {})})) {
		const file = path.join(folder, 'etc', name);
		writeFileSync(file, content, {mode: 0o644});
		mounts.push({source: file, target: `/etc/${name}`, mode: 'read', within: path.join(folder, 'etc')});
	}

	return {
		mounts,
		links,
		env: {
			PATH: searchPath.join(':'),
			HOME: insideHome,
			USER: 'agent',
			LOGNAME: 'agent',
			SHELL: existsSync('/bin/bash') ? '/bin/bash' : '/bin/sh',
			LANG: 'C.UTF-8',
			TMPDIR: '/tmp',
			TERM: 'xterm-256color',
			COLORTERM: 'truecolor',
		},
	};
}
