import {existsSync, readdirSync} from 'node:fs';
import path from 'node:path';
import {Refusal} from '../../core/refusal.ts';
import {
	knownServices,
	servicesFolder,
	type FoundService,
	type KnownService,
	type Service,
} from '../../core/services.ts';
import {insideHome} from '../../host/toolchain.ts';
import type {RunPaths} from '../../host/paths.ts';
import type {Context} from '../context.ts';
import {jail} from './jail.ts';

/* Services of a project on this machine: where their programs are, and what they wrote. */

/** Folders that a pattern with one `*` in its last or last but one part names, the highest version first. */
function foldersOf(pattern: string): string[] {
	const parts = pattern.split('/');
	const at = parts.findIndex(part => part.includes('*'));
	const [before, after] = parts[at]!.split('*') as [string, string];
	const parent = parts.slice(0, at).join('/');
	const names = existsSync(parent) ? readdirSync(parent) : [];
	return names
		.filter(name => name.startsWith(before) && name.endsWith(after) && /\d/.test(name))
		.sort((a, b) => b.localeCompare(a, 'en', {numeric: true}))
		.map(name => path.join(parent, name, ...parts.slice(at + 1)));
}

function folderOf({programs, folders}: KnownService, searchPath: readonly string[]): string | undefined {
	return [...folders.flatMap(pattern => foldersOf(pattern)), ...searchPath].find(folder =>
		programs.every(program => existsSync(path.join(folder, program))),
	);
}

/**
 * Finds the programs of services that are known.
 * @param searchPath as it is inside
 * @throws Refusal where one is not on this machine
 */
export function findServices(services: readonly Service[], searchPath: readonly string[]): FoundService[] {
	return services.map(service => {
		const known = service.command === undefined ? knownServices[service.name] : undefined;
		const folder = known ? folderOf(known, searchPath) : '';
		if (folder === undefined) {
			throw new Refusal(
				`the service ${service.name} needs ${known!.programs.join(', ')}, not on this machine (package ${known!.package})`,
				`install the package ${known!.package}, or give ${service.name} a command under services in the policy`,
			);
		}

		return {...service, folder};
	});
}

/**
 * The end of what a service wrote. Where it wrote is the agent's to change: it is read in a jail.
 * @param home HOME of the run or the verification, on the host
 * @param lines how many, at the most
 * @returns undefined where there is no such log
 */
export async function serviceLog(
	context: Context,
	{places, home, name}: {readonly places: RunPaths; readonly home: string; readonly name: string},
	lines: number,
): Promise<string | undefined> {
	if (!existsSync(home)) {
		return undefined;
	}

	const {code, stdout} = await jail(context, {
		runId: path.basename(places.folder),
		places,
		script: 'test -f "$1" && tail -n "$2" -- "$1"',
		argv: [path.join(insideHome, servicesFolder, `${name}.log`), String(lines)],
		mounts: [{source: home, target: insideHome, mode: 'read'}],
	});
	return code === 0 ? stdout : undefined;
}
