import {execFileSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {existsSync, lstatSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {Refusal} from '../core/refusal.ts';

/** Where fleet keeps its things. All folders are made with mode 0700. */
export type Paths = {
	/** Journals, worktrees, private git folders. */
	readonly state: string;
	readonly config: string;
	/** Sockets. Short, since a socket's path is limited to 107 bytes (103 on macOS). */
	readonly runtime: string;
	readonly projects: string;
	run(id: string): RunPaths;
};

/** One run's places. */
export type RunPaths = {
	readonly folder: string;
	readonly journal: string;
	readonly lock: string;
	readonly output: string;
	readonly sandbox: string;
	/** P: the git folder that the run sees in place of the project's. */
	readonly privateGit: string;
	/** Q: the bare repository that only the host writes. */
	readonly quarantine: string;
	readonly socket: string;
	/** W. */
	readonly worktree: string;
	readonly scratch: string;
	/** Touched whenever the journal grew, or what is kept beside it: one folder to watch for all runs. */
	readonly pulse: string;
};

function hash(text: string, length: number): string {
	return createHash('sha256').update(text).digest('hex').slice(0, length);
}

/** `mkdir -p`, one by one: Node's own never ends below a folder such as /proc, which says that what it contains is not there. */
function makeFolders(folder: string): void {
	if (!existsSync(folder)) {
		makeFolders(path.dirname(folder));
		try {
			mkdirSync(folder, {mode: 0o700});
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
				throw error;
			}
		}
	}
}

/** Makes a private folder, and refuses one that somebody else could have prepared. */
function privateFolder(folder: string): string {
	makeFolders(folder);
	const status = lstatSync(folder);
	if (!status.isDirectory() || status.uid !== process.getuid?.() || (status.mode & 0o077) !== 0) {
		throw new Refusal(`${folder} is not a private folder of yours`, `remove it, or: chmod 700 ${folder}`);
	}

	return folder;
}

/** FLEET_HOME if it is set, else the XDG folders. */
export function findPaths(environment: NodeJS.ProcessEnv = process.env): Paths {
	const home = environment['HOME'] || os.homedir();
	const own = environment['FLEET_HOME'];
	if (own !== undefined && (!path.isAbsolute(own) || /[\u0000-\u001F]/.test(own))) {
		throw new Refusal('FLEET_HOME is not an absolute path', 'set it to a folder of its own, or unset it');
	}

	const state = own ? path.join(own, 'state') : path.join(environment['XDG_STATE_HOME'] || path.join(home, '.local', 'state'), 'fleet');
	const config = own ? path.join(own, 'config') : path.join(environment['XDG_CONFIG_HOME'] || path.join(home, '.config'), 'fleet');
	try {
		privateFolder(state);
	} catch (error) {
		throw error instanceof Refusal ? error : new Refusal(`${state} cannot be made: ${(error as Error).message}`, 'set FLEET_HOME to a folder that you can write');
	}

	const given = environment['XDG_RUNTIME_DIR'];
	// Left over from another login, it may be somebody else's, or gone.
	const status = given === undefined || given.length > 60 ? undefined : statSync(given, {throwIfNoEntry: false});
	const isOwn = given !== undefined && status?.uid === process.getuid?.() && ((status?.mode ?? 0) & 0o077) === 0;
	const base = isOwn ? path.join(given, 'fleet') : path.join('/tmp', `fleet-${process.getuid?.() ?? 0}`);
	const runtime = path.join(base, hash(state, 8));
	for (const folder of [path.join(state, 'runs'), path.join(state, 'worktrees'), path.join(state, 'pulse'), config]) {
		makeFolders(folder);
	}

	return {
		state, config, runtime, projects: path.join(state, 'projects.json'),
		run(id) {
			const folder = path.join(state, 'runs', id);
			return {
				folder, journal: path.join(folder, 'journal.jsonl'), lock: path.join(folder, 'lock.sqlite'), output: path.join(folder, 'output.log'), sandbox: path.join(folder, 'sandbox'),
				privateGit: path.join(folder, 'private.git'), quarantine: path.join(folder, 'quarantine.git'), socket: path.join(runtime, `${hash(id, 12)}.sock`),
				worktree: path.join(state, 'worktrees', id), scratch: path.join(folder, 'scratch'), pulse: path.join(state, 'pulse', id),
			};
		},
	};
}

/** Says that something about a run changed. Who looks finds out what. */
export function pulse(places: {readonly pulse?: string | undefined}): void {
	if (places.pulse === undefined) {
		return;
	}

	try {
		const now = Date.now() / 1000;
		utimesSync(places.pulse, now, now);
	} catch {
		try {
			writeFileSync(places.pulse, '', {mode: 0o600});
		} catch {
			// Who cannot be told looks from time to time.
		}
	}
}

/** The folder for sockets; made only by who listens or asks, so that reading makes nothing. */
export function openRuntime(paths: Paths): void {
	privateFolder(path.dirname(paths.runtime));
	privateFolder(paths.runtime);
}

/** Removes what a worker that was killed left of a run: its socket and the folders of work that is over. Only for who holds the run's lock. */
export function tidy(places: RunPaths): void {
	rmSync(places.socket, {force: true});
	rmSync(places.scratch, {recursive: true, force: true});
	removeWork(places, name => name.startsWith('jail-') || name === 'verify' || name === 'audit' || name === 'outfit');
}

/** Removes the folders in which one process looked at a run, such as those of a look that its end cut short. */
export function tidyLooks(places: RunPaths, pid: number): void {
	removeWork(places, name => name.startsWith(`jail-${pid}-`));
}

function removeWork(places: RunPaths, isWork: (name: string) => boolean): void {
	let names: string[] = [];
	try {
		names = readdirSync(places.folder);
	} catch {}

	for (const name of names.filter(name => isWork(name))) {
		// rm walks by descriptors and never through a link, which an agent may have left in such a folder.
		execFileSync('rm', ['-rf', '--one-file-system', '--', path.join(places.folder, name)], {stdio: 'ignore'});
	}
}
