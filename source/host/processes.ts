import {readdirSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import process from 'node:process';

/* The processes of a run, as /proc shows them: who they are, what they use, and how they are stopped and slowed. */

/**
 * Every process below one, itself first, from /proc. Processes of a pid namespace never leave the tree of its monitor.
 */
export function processTree(pid: number): number[] {
	const found: number[] = [];
	const visit = (id: number) => {
		found.push(id);
		let tasks: string[] = [];
		try {
			tasks = readdirSync(`/proc/${id}/task`);
		} catch {
			// The process has ended since.
		}

		for (const task of tasks) {
			try {
				for (const child of readFileSync(`/proc/${id}/task/${task}/children`, 'utf8').split(' ')) {
					if (child !== '' && found.length < 100_000) {
						visit(Number(child));
					}
				}
			} catch {
				// The thread has ended since.
			}
		}
	};

	visit(pid);
	return found;
}

function isStopped(pid: number): boolean {
	try {
		return /^\d+ \(.*\) [Tt] /s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
	} catch {
		// What has ended runs no more.
		return true;
	}
}

/**
 * Stops a tree of processes where they stand, by a signal that none can refuse, until none is left that runs. Less sure
 * than a control group: what is born between two looks runs until the next.
 * @returns whom it stopped, for `continueProcesses`: who stood before is to stand after; and whether all stand
 */
export function stopTree(pid: number): {stopped: number[]; whole: boolean} {
	const seen = new Set<number>();
	const stopped: number[] = [];
	for (let round = 0; round < 50; round++) {
		const fresh = processTree(pid).filter(id => !seen.has(id));
		if (fresh.length === 0) {
			return {stopped, whole: true};
		}

		for (const id of fresh) {
			seen.add(id);
			if (!isStopped(id)) {
				try {
					process.kill(id, 'SIGSTOP');
					stopped.push(id);
				} catch {
					// The process has ended since.
				}
			}
		}
	}

	return {stopped, whole: false};
}

export function continueProcesses(pids: readonly number[]): void {
	for (const pid of pids) {
		try {
			process.kill(pid, 'SIGCONT');
		} catch {
			// The process has ended since.
		}
	}
}

/** The number of the read system call (syscall(2)). */
const readCall = process.arch === 'arm64' ? '63' : '0';

/** Whether a sleeping process is in a read of a terminal: then whoever sits there is waited for. */
function readsTerminal(pid: number): boolean {
	try {
		const [call, descriptor = ''] = readFileSync(`/proc/${pid}/syscall`, 'latin1').split(' ');
		// Majors 136 to 143 are the pseudo-terminals' (Documentation/admin-guide/devices.txt).
		const major = call === readCall ? Math.floor(statSync(`/proc/${pid}/fd/${Number(descriptor)}`).rdev / 256) : 0;
		return major >= 136 && major <= 143;
	} catch {
		// The process has ended since, or may not be looked at.
		return false;
	}
}

/**
 * What a tree of processes holds and has used: resident memory in bytes
 * (pages that they share are counted for each), processor in clock ticks.
 */
export function measureTree(pid: number): {memory: number; processor: number; reads: boolean} {
	let pages = 0;
	let processor = 0;
	let reads = false;
	for (const id of processTree(pid)) {
		try {
			const fields = readFileSync(`/proc/${id}/stat`, 'utf8')
				.replace(/^.*\) /s, '')
				.split(' ');
			// User and system time, of itself and of the children that it waited for; then the resident set (proc(5)).
			processor += Number(fields[11]) + Number(fields[12]) + Number(fields[13]) + Number(fields[14]);
			pages += Number(fields[21]);
			reads ||= fields[0] === 'S' && readsTerminal(id);
		} catch {
			// The process has ended since.
		}
	}

	return {memory: pages * 4096, processor, reads};
}

/**
 * Makes a session weigh less than others, where the kernel weighs sessions before processes (sched(7), autogroup):
 * there a priority means something within its session only. The kernel takes one such wish every tenth of a second.
 * @param pid the session's leader
 */
export async function lowerSession(pid: number): Promise<void> {
	for (let tries = 0; tries < 50; tries++) {
		try {
			writeFileSync(`/proc/${pid}/autogroup`, '19');
			return;
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') {
				return;
			}
		}

		await new Promise(resolve => {
			setTimeout(resolve, 100 + Math.random() * 200);
		});
	}
}
