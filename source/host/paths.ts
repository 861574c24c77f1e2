import {createHash} from 'node:crypto';
import {
	existsSync,
	lstatSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	readlinkSync,
	rmdirSync,
	rmSync,
	statSync,
	utimesSync,
	writeFileSync,
	type Stats,
} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {isOdd, isWithin} from '../core/places.ts';
import {Refusal} from '../core/refusal.ts';
import {quoteWord} from '../core/text/shell-words.ts';
import {homeFolder} from './person.ts';
import {removeFolder} from './remove-folder.ts';
import {runFileOf, runFilePaths, runFiles} from './run-files.ts';
import {machineRefusal, replaceFile} from './write.ts';
import {ownStatusOf} from './status.ts';

/** Where fleet keeps its things. All folders are made with mode 0700. */
export type Paths = {
	/** Journals, private git folders, layers. */
	readonly state: string;
	/** The runs' worktrees: in the state folder, or where that lies in a hidden folder, in one of the person's home. */
	readonly worktrees: string;
	readonly config: string;
	/** Sockets. Short, since a socket's path is limited to 107 bytes (103 on macOS). */
	readonly runtime: string;
	readonly projects: string;
	/** Has a folder for each run. */
	readonly runs: string;
	run(id: string): RunPaths;
};

/** One run's places: the files of its own folder (see `runFiles`), and those outside of it. */
export type RunPaths = ReturnType<typeof runFilePaths> & {
	readonly folder: string;
	readonly socket: string;
	/** The run's checkout of the project, which the agent writes. */
	readonly worktree: string;
	/** Touched whenever the journal grew, or what is kept beside it: one folder to watch for all runs. */
	readonly pulse: string;
};

function hash(text: string, length: number): string {
	return createHash('sha256').update(text).digest('hex').slice(0, length);
}

/**
 * `mkdir -p`, one by one: Node's own never ends below a folder
 * such as /proc, which says that what it contains is not there.
 */
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

const cure = 'export FLEET_HOME="$HOME/fleet-home"';

function isInNamespace(): boolean {
	try {
		return !/^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'utf8'));
	} catch {
		// Without /proc there are no user namespaces.
		return false;
	}
}

/** What somebody else may do with a place, in words; undefined where it is the person's, or the system's, alone. */
function foreign(status: Stats, isParent: boolean): string | undefined {
	const uid = process.getuid?.();
	// In a user namespace, what is nobody's inside is the system's outside, as far as anybody can tell.
	const isSystems = isParent && (status.uid === 0 || (status.uid === 65_534 && uid !== 65_534 && isInNamespace()));
	if (status.uid !== uid && !isSystems) {
		return 'belongs to somebody else';
	}

	const sticky = isParent && (status.mode & 0o1000) !== 0;
	// A group that is the person's alone, by the custom that it has the person's number.
	const writable = status.gid === uid ? 0o002 : 0o022;
	return (status.mode & writable) !== 0 && !sticky ? 'can be changed by others' : undefined;
}

/**
 * Refuses a place that somebody else could put another in place of: a folder above it, or above what a link on the way
 * leads to, that others may write.
 */
function checkParents(place: string): void {
	let at = '/';
	let left = place.split('/').filter(part => part !== '');
	for (let links = 0; left.length > 0;) {
		const because = foreign(statSync(at), true);
		if (because !== undefined) {
			throw new Refusal(
				`${at}, which ${place} lies in, ${because}`,
				statSync(at).uid === process.getuid?.() ? `chmod go-w ${quoteWord(at)}` : cure,
			);
		}

		const next = path.join(at, left[0]!);
		const status = lstatSync(next);
		left = left.slice(1);
		if (!status.isSymbolicLink()) {
			at = next;
			continue;
		}

		if (++links > 40 || (status.uid !== 0 && status.uid !== process.getuid?.())) {
			throw new Refusal(`${next} is a link of somebody else's`, cure);
		}

		left = [
			...path
				.resolve(at, readlinkSync(next))
				.split('/')
				.filter(part => part !== ''),
			...left,
		];
		at = '/';
	}
}

/** Makes a private folder, and refuses one that somebody else could have prepared, or could exchange. */
function privateFolder(folder: string): string {
	makeFolders(folder);
	const status = lstatSync(folder);
	if (!status.isDirectory() || status.uid !== process.getuid?.()) {
		throw new Refusal(`${folder} is not a private folder of yours`, cure);
	}

	if ((status.mode & 0o077) !== 0) {
		throw new Refusal(`${folder} is not a private folder of yours`, `chmod 700 ${quoteWord(folder)}`);
	}

	checkParents(folder);
	return folder;
}

/** What is wrong with a place of the settings, and what puts it right; undefined where nothing is. */
function settingsFault(
	place: string,
	folder: string,
	status: Stats,
): {readonly because: string; readonly hint: string} | undefined {
	const away = place === folder ? cure : `rm -r ${quoteWord(place)}`;
	if (place === folder && !status.isDirectory()) {
		return {because: 'is not a folder', hint: away};
	}

	if (status.isSymbolicLink()) {
		return {because: 'is a link', hint: away};
	}

	const because = foreign(status, false);
	const isOwn = status.uid === process.getuid?.();
	return because === undefined ? undefined : {because, hint: isOwn ? `chmod go-w ${quoteWord(place)}` : away};
}

/** The same for settings, which others may read and nobody else may write: neither the folder nor a file in it. */
function ownSettings(folder: string): string {
	makeFolders(folder);
	for (const place of [folder, ...readdirSync(folder).map(name => path.join(folder, name))]) {
		// A file that is being exchanged may be gone.
		const status = ownStatusOf(place);
		const fault = status && settingsFault(place, folder, status);
		if (fault) {
			throw new Refusal(`${place} ${fault.because}, and what stands there decides about runs`, fault.hint);
		}
	}

	checkParents(folder);
	return folder;
}

/** A socket's longest path, bytes, with some to spare for the names of listeners that are tried out. */
const longestSocket = process.platform === 'darwin' ? 95 : 100;

/**
 * Where sockets lie: in the state folder, where nobody else can have put anything. Where its path is too long for a
 * socket, in a folder of a name that nobody could know before, which the state folder names.
 */
function runtimeOf(state: string): string {
	const own = path.join(state, 'sockets');
	if (Buffer.byteLength(own) + '/0123456789ab.sock'.length <= longestSocket) {
		return own;
	}

	const note = path.join(state, 'sockets-are-in');
	const read = () => {
		try {
			const place = readFileSync(note, 'utf8');
			const status = lstatSync(place);
			return status.isDirectory() && status.uid === process.getuid?.() && (status.mode & 0o077) === 0
				? place
				: undefined;
		} catch {
			// There is no note, or what it names is gone: another folder is made.
			return undefined;
		}
	};

	const known = read();
	if (known !== undefined) {
		return known;
	}

	const made = mkdtempSync('/tmp/fleet-');
	replaceFile(note, made);
	return made;
}

const isHidden = (place: string) => /\/\./.test(place);

/**
 * Where worktrees lie. Programs that serve or search files take a hidden folder on the way to them for something that is
 * not meant for them (`send` answers 404), and tests that pass in the person's checkout would fail in a run's.
 * @param home where a folder can be made that is not hidden; undefined where the person named one place for everything
 */
function worktreesOf(state: string, home: string | undefined): string {
	const inState = path.join(state, 'worktrees');
	// Below the home, and on one file system, since changes over a layer lie beside the worktree.
	if (
		home !== undefined &&
		isHidden(inState) &&
		!isHidden(home) &&
		isWithin(state, home) &&
		statSync(home).dev === statSync(state).dev
	) {
		if (readdirSync(path.join(state, 'runs')).length === 0 && existsSync(inState)) {
			removeEmpty(inState);
		}

		// Runs of an older version know theirs by its path.
		if (!existsSync(inState)) {
			const apart = path.join(home, 'fleet-worktrees');
			// Made with the first worktree, and no sooner: a person sees it.
			return existsSync(apart) ? privateFolder(apart) : apart;
		}
	}

	makeFolders(inState);
	return inState;
}

function removeEmpty(folder: string): void {
	try {
		rmdirSync(folder);
	} catch {
		// Something lies in it.
	}
}

/** FLEET_HOME if it is set, else the XDG folders. @throws Refusal where they are not the person's own */
export function findPaths(environment: NodeJS.ProcessEnv = process.env): Paths {
	const own = environment['FLEET_HOME'];
	if (own !== undefined && (!path.isAbsolute(own) || isOdd(own))) {
		throw new Refusal('FLEET_HOME is not an absolute path of printable characters', cure);
	}

	const state = own
		? path.join(own, 'state')
		: path.join(environment['XDG_STATE_HOME'] || path.join(homeFolder(environment), '.local', 'state'), 'fleet');
	const config = own
		? path.join(own, 'config')
		: path.join(environment['XDG_CONFIG_HOME'] || path.join(homeFolder(environment), '.config'), 'fleet');
	for (const [name, folder] of [
		['XDG_STATE_HOME or HOME', state],
		['XDG_CONFIG_HOME or HOME', config],
	] as const) {
		if (!path.isAbsolute(folder) || isOdd(folder)) {
			throw new Refusal(`${own ? 'FLEET_HOME' : name} is not an absolute path of printable characters`, cure);
		}
	}

	let runtime: string;
	let worktrees: string;
	try {
		privateFolder(state);
		for (const folder of ['runs', 'pulse']) {
			makeFolders(path.join(state, folder));
		}

		worktrees = worktreesOf(state, own === undefined ? homeFolder(environment) : undefined);

		ownSettings(config);
		runtime = runtimeOf(state);
	} catch (error) {
		throw error instanceof Refusal
			? error
			: (machineRefusal(error) ??
					new Refusal(
						`fleet's own folders cannot be made: ${(error as Error).message}`,
						'set FLEET_HOME to a folder that you can write',
					));
	}

	return {
		state,
		worktrees,
		config,
		runtime,
		projects: path.join(state, 'projects.json'),
		runs: path.join(state, 'runs'),
		run(id) {
			const folder = path.join(state, 'runs', id);
			return {
				...runFilePaths(folder),
				folder,
				// Few ask for it, and a digest for each of a thousand runs takes its time.
				get socket() {
					return path.join(runtime, `${hash(id, 12)}.sock`);
				},
				worktree: path.join(worktrees, id),
				pulse: path.join(state, 'pulse', id),
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
		// It is not there yet.
		try {
			writeFileSync(places.pulse, '', {mode: 0o600});
		} catch {
			// Who cannot be told looks from time to time.
		}
	}
}

/** The folder for sockets; made only by who listens or asks, so that reading makes nothing. */
export function openRuntime(paths: Paths): void {
	privateFolder(paths.runtime);
}

/**
 * Removes what a worker that was killed left of a run: its socket and
 * the folders of work that is over. Only for who holds the run's lock.
 */
export function tidy(places: RunPaths): void {
	rmSync(places.socket, {force: true});
	removeWork(places, name => runFileOf(name)?.removedBy === 'tidy');
}

/** Removes the folders in which one process looked at a run, such as those of a look that its end cut short. */
export function tidyLooks(places: RunPaths, pid: number): void {
	removeWork(places, name => name.startsWith(`${runFiles.jail.name}${pid}-`));
}

function removeWork(places: RunPaths, isWork: (name: string) => boolean): void {
	let names: string[] = [];
	try {
		names = readdirSync(places.folder);
	} catch {
		// A run without a folder has no work in it.
	}

	for (const name of names.filter(name => isWork(name))) {
		removeFolder(path.join(places.folder, name));
	}
}
