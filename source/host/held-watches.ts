import {closeSync, openSync, read} from 'node:fs';
import process from 'node:process';
import {promisify} from 'node:util';
import {text} from './proc-text.ts';

/* What event loops wait for: the kernel gives so many watches to an account, in all. */

const readAsync = promisify(read);

/**
 * A list that takes the kernel longer is a very large one. Measured as this process's own time in the kernel: on a busy
 * machine a short one, too, comes late by the clock. Milliseconds.
 */
const kernelMs = 2000;
/** The latest by the clock: a program that kept its event loop locked would have us wait for ever. Milliseconds. */
const latestMs = 30_000;
const lookAgainMs = 500;

/**
 * How many files one event loop waits for; Infinity where the
 * kernel needs too long to say, which only a very large one does.
 * @param enough nobody needs to know more exactly beyond it
 */
async function watchesOf(info: string, enough: number): Promise<number> {
	let file: number;
	try {
		file = openSync(info, 'r');
	} catch {
		// The process has ended since.
		return 0;
	}

	let timer: NodeJS.Timeout | undefined;
	const [began, used] = [performance.now(), process.cpuUsage()];
	const late = new Promise<undefined>(resolve => {
		timer = setInterval(() => {
			if (process.cpuUsage(used).system > kernelMs * 1000 || performance.now() - began > latestMs) {
				resolve(undefined);
			}
		}, lookAgainMs);
	});
	let count = 0;
	let pending: Promise<{bytesRead: number}> | undefined;
	try {
		for (const buffer = Buffer.alloc(65_536); count <= enough;) {
			// Beside the main thread: the kernel writes the whole list before it gives the first byte.
			pending = readAsync(file, buffer, 0, buffer.length, null);
			const piece = await Promise.race([pending, late]);
			if (!piece) {
				return Number.POSITIVE_INFINITY;
			}

			if (piece.bytesRead === 0) {
				break;
			}

			for (let at = buffer.indexOf('tfd:'); at !== -1 && at < piece.bytesRead; at = buffer.indexOf('tfd:', at + 4)) {
				count++;
			}
		}
	} catch {
		// The process has ended since.
	} finally {
		clearInterval(timer);
		// A descriptor is not closed under a read.
		void Promise.resolve(pending)
			.catch(() => {})
			.then(() => closeSync(file));
	}

	return count;
}

/**
 * All event loops together. Of very many a part is asked, in
 * no order that anybody could know, and taken for the others.
 */
export async function allWatches(loops: string[], enough: number): Promise<number> {
	const began = Date.now();
	let asked = 0;
	let count = 0;
	while (loops.length > 0 && count <= enough && (asked < 20 || Date.now() - began < 1000)) {
		const [info] = loops.splice(Math.floor(Math.random() * loops.length), 1);
		count += await watchesOf(info!, enough - count);
		asked++;
	}

	return asked === 0 ? 0 : (count * (asked + loops.length)) / asked;
}

/** How many watches the kernel gives to one account in all; undefined where it does not say. */
export function accountWatches(): number | undefined {
	const count = Number.parseInt(text('/proc/sys/fs/epoll/max_user_watches'), 10);
	return Number.isNaN(count) ? undefined : count;
}
