import {accessSync, constants, existsSync, mkdirSync, readlinkSync, realpathSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type {Mount} from '../core/plan.ts';
import {homeFolder} from './person.ts';
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

/** Every program called node that a sandbox finds, on the host. */
export function visibleNodes(environment: NodeJS.ProcessEnv = process.env): string[] {
	const own = findNode(environment['PATH'] ?? '', homeFolder(environment));
	return [
		...(own ? [own.program] : []),
		...['/usr/local/bin/node', '/usr/bin/node'].filter(place => existsSync(place)),
	];
}

/**
 * Where the person's `node` lies, if it is not the system's: the
 * whole installation, or the program alone where that cannot be told.
 */
function findNode(
	searchPath: string,
	home: string,
): {mount: Mount | undefined; bin: string; program: string} | undefined {
	for (const folder of searchPath.split(path.delimiter)) {
		const candidate = path.join(folder, 'node');
		if (!path.isAbsolute(folder) || /node_modules\/\.bin|node-gyp-bin/.test(folder)) {
			continue;
		}

		try {
			accessSync(candidate, constants.X_OK);
		} catch {
			// Not in this folder.
			continue;
		}

		const real = realpathSync(candidate);
		if (real.startsWith('/usr/')) {
			return undefined;
		}

		const prefix = path.dirname(path.dirname(real));
		const isInstallation =
			path.basename(path.dirname(real)) === 'bin' &&
			existsSync(path.join(prefix, 'include', 'node', 'node.h')) &&
			!`${home}/`.startsWith(`${prefix}/`);
		return isInstallation
			? {mount: {source: prefix, target: prefix, mode: 'read'}, bin: path.join(prefix, 'bin'), program: real}
			: {
					mount: {source: real, target: '/run/fleet/toolchain/node', mode: 'read'},
					bin: '/run/fleet/toolchain',
					program: real,
				};
	}

	return undefined;
}

/**
 * The machine's toolchains, read-only, and the variables that find them.
 * @param folder where the made files of /etc are written
 * @param names whether a name server listens inside: see core/network/name-query.ts
 */
export function toolchain(
	folder: string,
	names = false,
	environment: NodeJS.ProcessEnv = process.env,
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

	for (const name of etc) {
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

	const node = findNode(environment['PATH'] ?? '', homeFolder(environment));
	if (node?.mount) {
		mounts.push(node.mount);
	}

	return {
		mounts,
		links,
		env: {
			PATH: [
				...(node ? [node.bin] : []),
				'/usr/local/sbin',
				'/usr/local/bin',
				'/usr/sbin',
				'/usr/bin',
				'/sbin',
				'/bin',
			].join(':'),
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
