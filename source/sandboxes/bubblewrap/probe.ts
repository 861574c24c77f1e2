import {execFile} from 'node:child_process';
import {accessSync, constants, realpathSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type {Availability} from '../../core/seams.ts';
import {cureFor, unfitBecause} from './cures.ts';
import type {Tools} from './host.ts';
import {findMachine} from './machine.ts';

/** Only the system's own folders: a program in a folder of the person's could be anybody's. */
const folders = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/usr/local/bin'];

/** A program of the system's own. */
export function findSystemTool(name: string): string | undefined {
	return folders
		.map(folder => `${folder}/${name}`)
		.find(file => {
			try {
				accessSync(file, constants.X_OK);
				return true;
			} catch {
				// access(2) answers no by an error.
				return false;
			}
		});
}

/** The package of each program that a launch needs. */
const packages: Readonly<Record<keyof Tools, string>> = {
	bwrap: 'bubblewrap',
	sh: 'dash',
	unshare: 'util-linux',
	setpriv: 'util-linux',
	nsenter: 'util-linux',
	prlimit: 'util-linux',
	nice: 'coreutils',
	env: 'coreutils',
};

/** The programs that a launch needs; those that are missing are named. */
export function findTools(): {tools: Tools; missing: Array<keyof Tools>} {
	const names = Object.keys(packages) as Array<keyof Tools>;
	const found = names.map(name => {
		const tool = findSystemTool(name);
		// BusyBox has some of util-linux by name, and few of the options.
		const isSmall =
			tool !== undefined && packages[name] === 'util-linux' && path.basename(realpathSync(tool)) === 'busybox';
		return [name, tool === undefined || isSmall ? '' : tool] as const;
	});
	return {
		tools: Object.fromEntries(found) as Tools,
		missing: found.filter(([, path]) => path === '').map(([name]) => name),
	};
}

function run(argv: string[]): Promise<{code: number; output: string}> {
	return new Promise(resolve => {
		execFile(
			argv[0]!,
			argv.slice(1),
			{env: {PATH: '/usr/bin:/bin', LC_ALL: 'C'}, timeout: 10_000},
			(error, stdout, stderr) => {
				const failure = typeof error?.code === 'number' ? error.code : 1;
				resolve({code: error ? failure : 0, output: `${stdout}${stderr}`.trim()});
			},
		);
	});
}

/** Every namespace that a run gets, around a program that does nothing; as root, by an account that is nobody's. */
function tryNamespaces(tools: Tools): Promise<{code: number; output: string}> {
	const drop =
		process.getuid?.() === 0
			? [tools.setpriv, '--reuid', '210000000', '--regid', '210000000', '--clear-groups', '--no-new-privs', '--']
			: [];
	return run([
		...drop,
		tools.bwrap,
		'--ro-bind',
		'/usr',
		'/usr',
		'--symlink',
		'usr/lib',
		'/lib',
		'--symlink',
		'usr/lib64',
		'/lib64',
		'--unshare-all',
		'--unshare-user',
		'--disable-userns',
		'--proc',
		'/proc',
		'--dev',
		'/dev',
		'--symlink',
		'usr/bin',
		'/bin',
		'--symlink',
		'usr/sbin',
		'/sbin',
		'--cap-drop',
		'ALL',
		'--cap-add',
		'CAP_SETPCAP',
		'--',
		// As a run does: where a profile takes this capability from what bubblewrap starts, no run could begin.
		tools.setpriv,
		'--bounding-set',
		'-all',
		'--',
		'/usr/bin/true',
	]);
}

/** Whether bubblewrap is here, new enough, and allowed to make its namespaces: tried, not guessed. */
export async function probeBubblewrap(): Promise<Availability> {
	const no = (because: string, hint: string, version = ''): Availability => ({works: false, version, because, hint});
	if (process.platform !== 'linux') {
		return no('bubblewrap is for Linux', 'this version has no sandbox for this system yet');
	}

	if (process.arch !== 'x64' && process.arch !== 'arm64') {
		return no(`there is no system call filter for ${process.arch}`, 'x64 and arm64 are supported');
	}

	const machine = findMachine();
	const unfit = unfitBecause(machine);
	if (unfit) {
		return no(unfit.because, unfit.hint);
	}

	const {tools, missing} = findTools();
	if (missing.length > 0) {
		return {
			...no(
				missing.includes('bwrap') ? 'bubblewrap is not installed' : `${missing.join(', ')} not found`,
				'fleet doctor --fix',
			),
			missing: [...new Set(missing.map(name => packages[name]))],
		};
	}

	const {output} = await run([tools.bwrap, '--version']);
	const version = output.replace('bubblewrap ', '');
	if (!/^\d+\.\d+/.test(version)) {
		return no(
			`bubblewrap does not say its version: ${output.split('\n').at(-1) || 'it could not be started'}`,
			'bwrap --version, in this shell',
		);
	}

	const [major = 0, minor = 0] = version.split('.').map(Number);
	if (major === 0 && minor < 8) {
		return no(`bubblewrap ${version} is too old, 0.8 or later is needed`, 'upgrade the package bubblewrap', version);
	}

	const trial = await tryNamespaces(tools);
	if (trial.code === 0) {
		return {works: true, version, because: `bubblewrap ${version} makes every namespace`, hint: ''};
	}

	const said = trial.output.split('\n').at(-1) ?? '';
	const cure = cureFor(machine);
	return cure
		? {...no(`${cure.because}: ${said}`, cure.hint, version), ...(cure.steps ? {cure: cure.steps} : {})}
		: no(
				`bubblewrap ${version} cannot make its namespaces: ${said}`,
				'whoever runs this machine forbids unprivileged user namespaces; with SELinux: ausearch -m avc -c bwrap',
				version,
			);
}
