/*
 * What a run's own folder holds. Everything that is made there is named here, once: `fleet clean` and the tidying after
 * a killed worker go by this table, and a file that it does not name fails a test.
 */

export type RunFile = {
	readonly name: string;
	/** `rotated`: the part before the newest is `name.1`. `prefix`: many, whose names begin so. */
	readonly form?: 'rotated' | 'prefix';
	/**
	 * What takes it away at the latest. `tidy`: the next look for what a killed worker left. `discard`: discarding the
	 * run. `clean`: cleaning up a run that is discarded. `nothing`: it stays as long as the run is listed.
	 */
	readonly removedBy: 'tidy' | 'discard' | 'clean' | 'nothing';
	readonly what: string;
};

export const runFiles = {
	journal: {name: 'journal.jsonl', removedBy: 'nothing', what: 'every event of the run'},
	lock: {name: 'lock.sqlite', removedBy: 'nothing', what: 'held by whoever may write the journal'},
	review: {name: 'review.json', removedBy: 'nothing', what: 'what a person marked and said in a review'},
	planDraft: {
		name: 'plan-draft.yaml',
		removedBy: 'nothing',
		what: 'a plan that a person edited, and that could not be read',
	},
	changes: {name: 'changes.json', removedBy: 'nothing', what: 'the last counts of changed files and lines'},
	packages: {name: 'packages.json', removedBy: 'nothing', what: 'what became of packages in lock files, the last look'},
	start: {name: 'start.json', removedBy: 'clean', what: 'what a start that is going on makes, to be taken back'},
	output: {name: 'output.log', form: 'rotated', removedBy: 'clean', what: "the agent's terminal output"},
	messages: {
		name: 'output.jsonl',
		form: 'rotated',
		removedBy: 'clean',
		what: 'the same as JSON, of agents that write it',
	},
	verifyLog: {name: 'verify.log', removedBy: 'clean', what: 'what the last verification wrote'},
	deployLog: {name: 'deploy.log', form: 'rotated', removedBy: 'clean', what: 'what the last deployment wrote'},
	supervisorLog: {name: 'supervisor.log', removedBy: 'clean', what: "faults of the run's supervisor"},
	dotGit: {name: 'dotgit', removedBy: 'clean', what: "the worktree's `.git` as the sandbox shows it"},
	firstIndex: {name: 'first-index', removedBy: 'clean', what: "git's index of the worktree as it was made"},
	givenRefs: {name: 'refs', removedBy: 'clean', what: "the project's refs that the run was given last"},
	privateGit: {
		name: 'private.git',
		removedBy: 'discard',
		what: "the git folder that the run sees in place of the project's",
	},
	quarantine: {name: 'quarantine.git', removedBy: 'discard', what: 'the bare repository that only the host writes'},
	captureLock: {name: 'import.sqlite', removedBy: 'clean', what: 'held by whoever captures the work'},
	jailGit: {
		name: 'jail.git',
		removedBy: 'clean',
		what: "the host's own git folder, by which a look reads the worktree",
	},
	changesWork: {name: 'changes', removedBy: 'clean', what: 'where changed files and lines are counted'},
	home: {name: 'home', removedBy: 'clean', what: "the run's HOME: caches of its build, an agent's conversations"},
	layerWork: {
		name: 'layer-work',
		removedBy: 'tidy',
		what: "the kernel's own folders beside what lies over the result of setup",
	},
	sandbox: {name: 'sandbox', removedBy: 'clean', what: "files of the agent's sandbox"},
	injectedFiles: {name: 'injected-files', removedBy: 'tidy', what: "the agent's configuration and certificates"},
	servers: {name: 'mcp', removedBy: 'tidy', what: 'files of the sandboxes of MCP servers'},
	scratch: {name: 'scratch', removedBy: 'tidy', what: 'what a look into the run writes'},
	jail: {name: 'jail-', form: 'prefix', removedBy: 'tidy', what: 'files of the sandboxes of looks, `jail-PID-…`'},
	verifyWork: {name: 'verify', removedBy: 'tidy', what: 'the checkout that is verified'},
	auditWork: {name: 'audit', removedBy: 'tidy', what: 'the copy of the run that is audited'},
} as const satisfies Readonly<Record<string, RunFile>>;

export type RunFileId = keyof typeof runFiles;

const entries = Object.entries(runFiles) as ReadonlyArray<[RunFileId, RunFile]>;

/** Where each of them is. Of a `prefix` it is where its names begin. */
export function runFilePaths(folder: string): Readonly<Record<RunFileId, string>> {
	// Both are plain already, and a screen asks for a thousand runs before its first frame.
	return Object.fromEntries(entries.map(([id, {name}]) => [id, `${folder}/${name}`])) as Record<RunFileId, string>;
}

/** What a name in a run's folder is; undefined where the table does not name it. */
export function runFileOf(name: string): RunFile | undefined {
	// What an exchange that was cut short leaves: see `replaceFile`.
	const unfinished = /^(.+)\.\d+\.new$/.exec(name);
	if (unfinished) {
		return runFileOf(unfinished[1]!) && {name, removedBy: 'clean', what: 'a file that was not written whole'};
	}

	// SQLite's own, while a lock is held, and after whoever held it was killed.
	const journal = /^(.+\.sqlite)-journal$/.exec(name);
	if (journal) {
		const file = runFileOf(journal[1]!);
		return file && {...file, name};
	}

	return entries.find(
		([, file]) =>
			name === file.name ||
			(file.form === 'rotated' && name === `${file.name}.1`) ||
			(file.form === 'prefix' && name.startsWith(file.name)),
	)?.[1];
}
