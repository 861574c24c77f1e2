import {existsSync, mkdirSync, mkdtempSync, rmSync} from 'node:fs';
import process from 'node:process';
import {printable} from '../../core/names.ts';
import type {Mount} from '../../core/plan.ts';
import {gateRefusal} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import type {Outcome} from '../../core/seams.ts';
import type {RunPaths} from '../../host/paths.ts';
import {giveToRun} from '../../host/run-owner.ts';
import type {Context} from '../context.ts';
import {runLimited, type Folders, type Limited} from './guard.ts';
import {basicPlan, chooseSandbox} from './plan.ts';
import type {ShellTools} from './tools.ts';

/** How long the host looks at what an agent wrote before it gives up, milliseconds. */
const jailTimeoutMs = 300_000;

/** What git in the jail goes by: nobody's configuration, and nothing that it would ask for or write besides. */
const jailGitEnvironment: Readonly<Record<string, string>> = {
	GIT_CONFIG_NOSYSTEM: '1',
	GIT_CONFIG_GLOBAL: '/dev/null',
	GIT_TERMINAL_PROMPT: '0',
	GIT_OPTIONAL_LOCKS: '0',
	GIT_NO_LAZY_FETCH: '1',
	// Indexes of what is there anyway, which git believes: a damaged one hides it, a forged one tells another history.
	GIT_CONFIG_COUNT: '2',
	GIT_CONFIG_KEY_0: 'core.commitGraph',
	GIT_CONFIG_VALUE_0: 'false',
	GIT_CONFIG_KEY_1: 'core.multiPackIndex',
	GIT_CONFIG_VALUE_1: 'false',
	LC_ALL: 'C',
};

/**
 * Runs a script over an agent's files in a sandbox with no network:
 * whatever those files make a program do, they do it there.
 * @param options.script a constant; what varies is in `argv`
 */
export async function jail(
	context: Context,
	options: {
		runId: string;
		places: RunPaths;
		script: string;
		argv?: readonly string[];
		mounts: readonly Mount[];
		cwd?: string;
		env?: Record<string, string>;
		input?: string | Uint8Array;
		onOutput?(bytes: Uint8Array): void;
		timeout?: number;
		/** Ends it. */ signal?: AbortSignal | undefined;
		folders?: Folders;
		/** See `SandboxPlan`. */ readsAll?: boolean;
		/** The toolchains of the person's shell, where a program of theirs is to run. */ tools?: ShellTools | undefined;
	},
): Promise<Outcome & {stdout: string; stderr: string; over?: string}> {
	const {runId, places} = options;
	const {sandbox} = await chooseSandbox(context);
	// Several looks at one run may go on at once: the supervisor's, a person's.
	const folder = mkdtempSync(`${places.jail}${process.pid}-`);
	// No control group: looks are short and many, and each would make
	// and remove one in every hierarchy. They are watched all the same.
	const limited: Limited = {
		group: undefined,
		plan: {
			...basicPlan(runId, folder, {
				mounts: options.mounts,
				cwd: options.cwd ?? '/tmp',
				tools: options.tools,
				env: {
					...jailGitEnvironment,
					...options.env,
				},
			}),
			readsAll: options.readsAll,
		},
	};
	if (options.onOutput) {
		// Packs; whoever reads them has a limit of its own.
		limited.plan = {...limited.plan, limits: {...limited.plan.limits, output: 4 * 1024 ** 3}};
	}

	const {plan} = limited;
	const invocation = sandbox
		.prepare(plan, folder)
		.alone({argv: ['/bin/sh', '-c', options.script, 'sh', ...(options.argv ?? [])], cwd: plan.cwd, env: {}});
	let stdout = '';
	let stderr = '';
	try {
		const outcome = await runLimited(context, invocation, {
			limited,
			...(options.folders ? {folders: options.folders} : {}),
			timeout: options.timeout ?? jailTimeoutMs,
			signal: options.signal,
			input: options.input,
			onOutput(bytes, stream) {
				if (stream === 'stderr') {
					stderr = (stderr + Buffer.from(bytes).toString('utf8')).slice(-20_000);
				} else if (options.onOutput) {
					options.onOutput(bytes);
				} else if (stdout.length < 16 * 1024 ** 2) {
					stdout += Buffer.from(bytes).toString('utf8');
				}
			},
		});
		return {...outcome, stdout, stderr};
	} finally {
		rmSync(folder, {recursive: true, force: true});
	}
}

/** An empty folder that the run's uid may write, for one piece of work in a jail. */
export function makeScratch(runId: string, places: RunPaths): string {
	rmSync(places.scratch, {recursive: true, force: true});
	mkdirSync(places.scratch, {recursive: true, mode: 0o700});
	giveToRun(runId, places.scratch);
	return places.scratch;
}

/** Everything is done before anything is said: whoever reads only the first lines must not stop it. */
const sweepScript = `
said=$(mktemp) || exit 1
for place do
	cd "$place" || exit 1
	find . -xdev -type d ! -perm -0700 -exec chmod u+rwx {} \\; 2> /dev/null
	find . -xdev \\( -type p -o -type s -o -type b \\) -print -delete >> "$said" 2> /dev/null
	find . -xdev -type c -exec sh -c 'for file do
		[ "$(stat -c %t:%T -- "$file")" = "\${MARK-}" ] || { rm -f -- "$file" && printf "%s\\n" "$file"; }
	done' sh {} + >> "$said" 2> /dev/null
	find . -xdev -type f ! -perm -0400 -exec chmod u+r {} + 2> /dev/null
	find . -xdev -type f -perm /6000 -exec chmod ug-s {} + -print >> "$said" 2> /dev/null
done
cd "$1" || exit 1
find . -xdev -type f -links +1 ! -path ./.git -exec sh -c 'for file do
	cp -p -- "$file" "$file.unlinked.$$" && mv -f -- "$file.unlinked.$$" "$file" || {
		printf "could not be made a file of its own: %s\\n" "$file"
		exit 1
	}
done' sh {} + || failed=yes
head -n 50 "$said"
[ "\${failed-}" = "" ]
`;

/**
 * Before a run, and before anything looks at its tree: FIFOs, sockets and devices go, setuid bits go, what its owner
 * may not read becomes readable, and files with a second hard link become copies, so that a write cannot reach what the
 * other name belongs to.
 * @returns what was removed, for the notes
 */
export async function sweep(
	context: Context,
	{id: runId, layer}: Pick<Run, 'id' | 'layer'>,
	places: RunPaths,
): Promise<string[]> {
	if (!existsSync(places.worktree)) {
		return [];
	}

	const swept = [places.worktree, ...(existsSync(places.privateGit) ? [places.privateGit] : [])];
	const {code, stdout, stderr, timedOut, over} = await jail(context, {
		runId,
		places,
		script: sweepScript,
		argv: swept,
		mounts: swept.map(place => ({source: place, target: place, mode: 'write'})),
		// Over the result of setup, a device 0:0 is the kernel's mark of what was removed from it.
		env: layer === undefined ? {} : {MARK: '0:0'},
	});
	if (code !== 0) {
		throw gateRefusal(
			`the worktree could not be swept${timedOut ? ' in time' : ''}: ${
				over ??
				printable(
					stdout
						.trim()
						.split('\n')
						.find(line => line.startsWith('could not')) ??
						stderr.trim().split('\n').at(-1) ??
						'',
					200,
				)
			}`,
			`its folder is kept as it is: ${places.worktree}`,
		);
	}

	return stdout
		.split('\n')
		.filter(line => line !== '')
		.map(line => `removed ${printable(line, 200)}`);
}
