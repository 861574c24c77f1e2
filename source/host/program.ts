import {execFile} from 'node:child_process';
import {accessSync, constants, existsSync, readFileSync, realpathSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type {Mount} from '../core/plan.ts';

/**
 * A program of the person's, as a sandbox can have it: where it is inside, and what of the host it needs, read-only.
 */
export type Program = {readonly host: string; readonly inside: string; readonly mounts: readonly Mount[]};

/** A script's own folder in a package tree: the outermost node_modules, since packages find each other there. */
function packageTree(real: string): string | undefined {
	const parts = real.split('/');
	const at = parts.indexOf('node_modules');
	return at > 0 ? parts.slice(0, at + 1).join('/') : undefined;
}

/** The folder of an isolated Python installation, by its pyvenv.cfg; undefined for a program that is none. */
function pythonTree(real: string): string | undefined {
	const folder = path.dirname(path.dirname(real));
	return existsSync(path.join(folder, 'pyvenv.cfg')) ? folder : undefined;
}

/**
 * Finds a program on the search path. Nothing of a home folder comes along but the program's own files.
 * @param place the folder for a single file, inside
 * @returns undefined where there is none
 */
export function findOnPath(
	name: string,
	environment: NodeJS.ProcessEnv = process.env,
	place = '/run/fleet/agent',
): Program | undefined {
	for (const folder of (environment['PATH'] ?? '').split(path.delimiter)) {
		const found = path.join(folder, name);
		if (!path.isAbsolute(folder)) {
			continue;
		}

		try {
			accessSync(found, constants.X_OK);
		} catch {
			// Not in this folder.
			continue;
		}

		const real = realpathSync(found);
		if (real.startsWith('/usr/')) {
			return {host: found, inside: found.startsWith('/usr/') ? found : real, mounts: []};
		}

		const tree = packageTree(real) ?? pythonTree(real);
		if (tree !== undefined) {
			return {
				host: found,
				inside: real,
				mounts: [{source: tree, target: tree, mode: 'read'}, ...interpreterMounts(real)],
			};
		}

		return {
			host: found,
			inside: `${place}/${name}`,
			mounts: [{source: real, target: `${place}/${name}`, mode: 'read'}],
		};
	}

	return undefined;
}

/** What a script's first line names, where that is outside of /usr, such as a Python of its own. */
function interpreterMounts(script: string): Mount[] {
	const [, interpreter = ''] = /^#!(\/\S+)/.exec(readFileSync(script).subarray(0, 256).toString('latin1')) ?? [];
	if (interpreter === '' || !existsSync(interpreter)) {
		return [];
	}

	const real = realpathSync(interpreter);
	const tree = path.dirname(path.dirname(real));
	return real.startsWith('/usr/') || real.startsWith('/bin/') || tree.split('/').length < 4
		? []
		: [{source: tree, target: tree, mode: 'read'}];
}

/**
 * What a program says of its version, its first line; undefined where it says nothing in time.
 * @param options.env besides a search path; no HOME of the person's
 */
export function versionOf(
	program: string,
	{argv = ['--version'], env = {}}: {argv?: readonly string[]; env?: Readonly<Record<string, string>>} = {},
): Promise<string | undefined> {
	return new Promise(resolve => {
		// No HOME of the person's: asking for a version is no reason to read, or to write, a configuration. Nothing can
		// be made below a device, not even by root, whose tools would otherwise leave a folder there.
		execFile(
			program,
			[...argv],
			{timeout: 15_000, env: {PATH: process.env['PATH'] ?? '', ...env, HOME: '/dev/null/home', NO_COLOR: '1'}},
			(error, stdout) => {
				const line = stdout.trim().split('\n')[0]?.trim() ?? '';
				resolve(error || line === '' ? undefined : line.slice(0, 60));
			},
		);
	});
}
