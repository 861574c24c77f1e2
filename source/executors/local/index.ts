import process from 'node:process';
import type {Executor} from '../../core/seams.ts';

/** What must not outlive this process. */
const groups = new Set<() => void>();
process.once('exit', () => {
	for (const kill of groups) {
		kill();
	}
});

/** A process on this machine, with no terminal, in a process group of its own that dies with its time limit. */
export const local: Executor = {
	id: 'local',
	async run({argv, cwd, env}, {onStart, onOutput, timeout, input}) {
		const {execa} = await import('execa');
		const child = execa(argv[0]!, argv.slice(1), {
			cwd,
			env,
			extendEnv: false,
			reject: false,
			buffer: false,
			stdin: input === undefined ? 'ignore' : 'pipe',
			stdout: 'pipe',
			stderr: 'pipe',
			encoding: 'buffer',
			detached: true,
			cleanup: false,
		});
		let timedOut = false;
		const killGroup = () => {
			try {
				process.kill(-child.pid!, 'SIGKILL');
			} catch {
				// Nothing of the group is left.
			}
		};

		const timer = setTimeout(() => {
			timedOut = true;
			killGroup();
		}, timeout);
		// The child's group outlives its leader where the command left daemons behind: end them with it.
		groups.add(killGroup);
		if (child.pid !== undefined) {
			onStart?.(child.pid, killGroup);
		}

		child.stdout?.on('data', (bytes: Uint8Array) => onOutput(bytes, 'stdout'));
		child.stderr?.on('data', (bytes: Uint8Array) => onOutput(bytes, 'stderr'));
		if (input !== undefined) {
			child.stdin?.on('error', () => {});
			child.stdin?.end(input);
		}

		try {
			const result = await child;
			if (child.pid === undefined) {
				throw new Error(`could not start ${argv[0]}`, {cause: result});
			}

			return {code: result.exitCode ?? null, signal: result.signal ?? null, timedOut};
		} finally {
			clearTimeout(timer);
			groups.delete(killGroup);
			killGroup();
		}
	},
};
