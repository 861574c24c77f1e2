import {accessSync, constants, existsSync, mkdirSync, symlinkSync} from 'node:fs';
import path from 'node:path';
import {must, type Need, type Place} from './project.ts';

/* Tools that a machine may not have: installed from their registries into a folder of this run's. */

export type Brought = {
	/** Folders for the settings' `toolchains`, which a run then has. */ readonly folders: readonly string[];
	/** Why some could not be had. */ readonly missing: ReadonlyMap<Need, string>;
	readonly path: string;
};

const npmTools: Partial<Record<Need, string>> = {pnpm: 'pnpm@10.20.0', yarn: 'yarn@1.22.22'};
const pythonTools: Partial<Record<Need, string>> = {uv: 'uv==0.9.7', poetry: 'poetry==2.2.1'};

function has(program: string, search: string): boolean {
	return search.split(':').some(folder => {
		try {
			accessSync(path.join(folder, program), constants.X_OK);
			return true;
		} catch {
			return false;
		}
	});
}

/** Debian and Ubuntu keep PostgreSQL's own programs outside of PATH. */
function postgresFolder(): string | undefined {
	const versions = ['18', '17', '16', '15', '14', '13'].map(version => `/usr/lib/postgresql/${version}/bin`);
	return versions.find(folder => existsSync(path.join(folder, 'initdb')));
}

/** Brings what the wanted projects need. Their versions are pinned; what is on PATH is taken as it is. */
export function bring(folder: string, env: Place['env'], needs: ReadonlySet<Need>): Brought {
	const bin = path.join(folder, 'npm', 'bin');
	const pythonBin = path.join(folder, 'python', 'programs');
	const postgres = postgresFolder();
	const search = [bin, pythonBin, env['PATH']!, ...(postgres === undefined ? [] : [postgres])].join(':');
	const missing = new Map<Need, string>();
	const place: Place = {folder, env};
	const attempt = (need: Need, act: () => void) => {
		try {
			act();
		} catch (error) {
			missing.set(need, error instanceof Error ? error.message.split('\n').at(-1)! : String(error));
		}
	};

	mkdirSync(path.join(folder, 'npm'), {recursive: true});
	for (const need of needs) {
		if (has(need, search)) {
			continue;
		}

		const [npmTool, pythonTool] = [npmTools[need], pythonTools[need]];
		if (npmTool !== undefined) {
			attempt(need, () =>
				must(place, 'npm', 'install', '--loglevel=error', '--global', '--prefix', path.dirname(bin), npmTool),
			);
		} else if (pythonTool === undefined) {
			missing.set(need, 'it is not installed here');
		} else {
			attempt(need, () => bringPython(place, need, pythonTool));
		}
	}

	return {folders: [path.join(folder, 'npm'), path.join(folder, 'python')].filter(existsSync), missing, path: search};
}

/** Each in a virtual environment of its own; only its program is on PATH. */
function bringPython(place: Place, need: Need, tool: string): void {
	const home = path.join(place.folder, 'python', need);
	const programs = path.join(place.folder, 'python', 'programs');
	mkdirSync(programs, {recursive: true});
	must(place, 'python3', '-m', 'venv', home);
	must(place, path.join(home, 'bin/python'), '-m', 'pip', 'install', '--quiet', tool);
	symlinkSync(path.join(home, 'bin', need), path.join(programs, need));
}
