import {existsSync, statfsSync} from 'node:fs';
import path from 'node:path';
import type {Invocation, SandboxPlan} from '../../core/plan.ts';
import type {Outcome} from '../../core/seams.ts';
import {openCgroup, type Cgroup} from '../../host/cgroup.ts';
import {ofSetting, type LimitHit} from '../../core/limits.ts';
import {machineMemory, measureHeld, memoryLeft, type Held} from '../../host/held.ts';
import type {Context} from '../context.ts';
import {LimitHits} from './limit-hits.ts';

/*
 * The limits of a sandbox as a whole, for every sandbox that the
 * host starts over an agent's content: a run, and every look at one.
 */

/** What was too much. `end`: it must not go on. `freeze`: it stands until a person decides. */
export type Over = {readonly because: string; readonly how: 'end' | 'freeze'};

/** Bytes on disk, and files and folders. */
export type DiskUse = {readonly bytes: number; readonly files: number};

/** Bytes and files that some folders take on disk. */
export type Folders = {
	readonly names: readonly string[];
	/** @param signal ends a count that nobody waits for any more */
	count(signal: AbortSignal): Promise<DiskUse | undefined>;
	/** What else of its counts, bytes. */ kept?(): number;
};

/** The least share of the machine's memory that is left to everybody else. */
const minFreeMemoryShare = 0.03;

/** Looks in a row after which what cannot be counted is taken to be too much. */
const untoldLooks = 3;

const mib = (bytes: number) => `${Math.round(bytes / 1024 ** 2)} MiB`;

/** Looks at one sandbox, whenever it is asked to. */
export class Guard {
	readonly #pid: number;
	readonly #plan: SandboxPlan;
	readonly #group: Cgroup | undefined;
	readonly #folders: Folders | undefined;
	readonly #hits: LimitHits | undefined;
	readonly #before = machineMemory();
	#waiting = 0;
	/** Looks in a row at which nobody could say how many files its event loops wait for. */
	#untold = 0;
	#looks = 0;
	#first: DiskUse | undefined;
	/** What it takes on disk is counted beside the looks. */
	#disk: Promise<void> | undefined;
	readonly #closed = new AbortController();
	#grown: Over | undefined;
	#lastCount = 0;
	#nextCount = 0;
	#free: {bytes: number; files: number} | undefined;
	#nameless = 0;
	/** Whether something is near its limit, so that the next look should come soon. */
	near = false;

	/** @param pid the host's id of the sandbox's monitor */
	constructor(
		pid: number,
		{plan, group, folders, hits}: Limited & {readonly folders?: Folders | undefined; readonly hits?: LimitHits},
	) {
		this.#pid = pid;
		this.#plan = plan;
		this.#group = group;
		this.#folders = folders;
		this.#hits = hits;
		// What was there before it began is not what it made.
		this.#countDisk();
	}

	/** Ends what is counted: a process that ended before it would leave the folder of that look behind. */
	async close(): Promise<void> {
		this.#closed.abort('the count is not needed any more');
		await this.#disk;
	}

	/** @returns what is too much, if anything; once `freeze` was said, it is said again while it is so */
	async look(): Promise<Over | undefined> {
		const {limits, scratch} = this.#plan;
		const held = await measureHeld(this.#pid, {
			scratch: scratch.map(({target}) => target),
			before: this.#before,
			enough: limits,
			thorough: this.#looks++ % 3 === 2,
		});
		this.#hits?.look(held.tasks);
		const memory = held.processes + held.elsewhere;
		this.#nameless = held.nameless;
		this.near =
			memory > limits.memory / 4 ||
			held.descriptors > limits.descriptors / 4 ||
			held.watches > limits.watches / 4 ||
			held.queued > limits.queued / 4;
		// Descriptors wait in a socket for a moment in every program that passes them; what waits there twice is kept there.
		const waits = held.inFlight > limits.inFlight && this.#waiting > limits.inFlight;
		this.#waiting = held.inFlight;
		const end = this.#tooMuch(held, waits);
		if (end !== undefined) {
			return {because: end, how: 'end'};
		}

		if (memoryLeft() < minFreeMemoryShare) {
			return {because: `the machine has less than ${minFreeMemoryShare * 100} % of its memory left`, how: 'freeze'};
		}

		this.#countDisk();
		return this.#grown;
	}

	#tooMuch(held: Held, waits: boolean): string | undefined {
		const {limits} = this.#plan;
		if (held.descriptors > limits.descriptors) {
			return `its processes held more than ${limits.descriptors} descriptors`;
		}

		// Where the kernel takes long to say, the machine may be busy: what is so each time is the run's doing.
		this.#untold = held.watches === Number.POSITIVE_INFINITY ? this.#untold + 1 : 0;
		if (held.watches > limits.watches && (this.#untold === 0 || this.#untold >= untoldLooks)) {
			return (
				`its event loops waited for more than ${Math.round(limits.watches)} files: ` +
				'the account has only so many in all'
			);
		}

		if (held.queued > limits.queued) {
			return `more than ${mib(limits.queued)} waited in its connections: the machine has only so much for everybody's`;
		}

		if (waits) {
			return (
				`more than ${limits.inFlight} of its descriptors were on their way in sockets: ` +
				'the account has only so many in all'
			);
		}

		// A control group counts all of it, and faster.
		const memory = held.processes + held.elsewhere;
		if (this.#group?.memory() === undefined && memory > limits.memory) {
			return `it held more memory than a run may: ${mib(memory)}, of which ${mib(held.elsewhere)} in no process (${ofSetting('memory')})`;
		}

		return undefined;
	}

	/**
	 * Counts what the folders take, in half a minute or when the file system lost a part of
	 * what they may grow by; at most a hundredth of the time, but never later than that.
	 */
	#countDisk(): void {
		const folders = this.#folders;
		if (!folders || this.#disk || this.#closed.signal.aborted) {
			return;
		}

		const {limits} = this.#plan;
		const free = freeOf(folders.names);
		const lost =
			free && this.#free
				? Math.max((this.#free.bytes - free.bytes) / limits.growth, (this.#free.files - free.files) / limits.files)
				: 0;
		if (Date.now() < (lost > 1 / 8 ? this.#lastCount : this.#nextCount)) {
			return;
		}

		const began = Date.now();
		this.#free = free;
		this.#disk = folders
			.count(this.#closed.signal)
			.then(use => {
				const took = Date.now() - began;
				this.#lastCount = Date.now() + Math.max(1000, 3 * took);
				this.#nextCount = Date.now() + Math.max(30_000, 100 * took);
				this.#first ??= use;
				if (use && this.#first) {
					const bytes = use.bytes - this.#first.bytes + this.#nameless + (folders.kept?.() ?? 0);
					const files = use.files - this.#first.files;
					if (bytes > limits.growth) {
						this.#grown = {
							because: `its folders and its output grew by ${mib(bytes)}, more than a run may (${ofSetting('disk')})`,
							how: 'freeze',
						};
					} else if (files > limits.files) {
						this.#grown = {
							because: `its folders grew by ${files} files, more than a run may (${ofSetting('files')})`,
							how: 'freeze',
						};
					} else {
						this.#grown = undefined;
					}
				}
			})
			.catch(() => {})
			.finally(() => {
				this.#disk = undefined;
			});
	}
}

function freeOf(folders: readonly string[]): {bytes: number; files: number} | undefined {
	try {
		const {bavail, bsize, ffree} = statfsSync(folders[0]!);
		return {bytes: bavail * bsize, files: ffree};
	} catch {
		// A folder that is gone takes no room.
		return undefined;
	}
}

/** How long until the first look at something that usually ends at once, and then between two, milliseconds. */
const pauses = {first: 300, far: 1000, near: 200};

/** Removes a run's control group. */
export async function removeGroup(group: Cgroup | undefined): Promise<void> {
	// The kernel takes a moment to bury the last process.
	for (let tries = 0; group && tries < 200; tries++) {
		group.remove();
		if (!group.joins.some(file => existsSync(file))) {
			return;
		}

		await new Promise(resolve => {
			setTimeout(resolve, 25);
		});
	}
}

/** A plan, and the control group of its own that it has where one is writable. */
export type Limited = {plan: SandboxPlan; readonly group: Cgroup | undefined};

/** Gives a plan its group. @param name unique: letters, digits, dashes and dots */
export function grouped(plan: SandboxPlan, name: string): Limited {
	const {memory, processes, weight} = plan.limits;
	const group = openCgroup(name, {memory, processes, weight});
	return {plan: joined(plan, group), group};
}

/**
 * A plan in its group. Where that counts what processes really hold, no process is limited by what it only reserves:
 * sanitizers, Go's race detector and some databases reserve terabytes.
 */
export function joined(plan: SandboxPlan, group: Cgroup | undefined): SandboxPlan {
	const counts = group?.memory() !== undefined;
	return {
		...plan,
		joins: group?.joins,
		limits: {...plan.limits, dataSize: counts ? Number.POSITIVE_INFINITY : plan.limits.dataSize},
	};
}

/**
 * Runs an invocation of a sandbox to its end, under all limits of its plan: what no kernel limit covers is looked at
 * while it goes on, and what is too much ends it. The group goes with it.
 * @returns how it ended; `over` says what was too much
 */
export async function runLimited(
	context: Pick<Context, 'executor'>,
	invocation: Invocation,
	options: {
		limited: Limited;
		onOutput(bytes: Uint8Array, stream: 'stdout' | 'stderr'): void;
		timeout: number;
		input?: string | Uint8Array | undefined;
		folders?: Folders;
		/** Whether limits are noted that were met and did not end it. */ notesHits?: boolean;
		/** Ends it, as something that is too much does; its reason is what is said. */ signal?: AbortSignal | undefined;
	},
): Promise<Outcome & {over?: string; hits: readonly LimitHit[]}> {
	const {plan, group} = options.limited;
	let over: string | undefined;
	let written = 0;
	let timer: NodeJS.Timeout | undefined;
	let hits: LimitHits | undefined;
	let guard: Guard | undefined;
	let end = () => {};
	const stop = (because: string) => {
		over ??= because;
		end();
	};
	const onAbort = () => stop(String(options.signal?.reason));
	options.signal?.addEventListener('abort', onAbort);

	try {
		const outcome = await context.executor.run(invocation, {
			timeout: Math.min(options.timeout, plan.limits.wallClock),
			input: options.input,
			onOutput(bytes, stream) {
				written += bytes.length;
				if (over === undefined) {
					options.onOutput(bytes, stream);
				}

				if (written > plan.limits.output) {
					stop(`it wrote more than ${mib(plan.limits.output)}`);
				}
			},
			onStart(pid, kill) {
				end = kill;
				if (options.signal?.aborted) {
					onAbort();
				}

				hits = options.notesHits ? new LimitHits(pid, {plan, group}) : undefined;
				const own = new Guard(pid, {plan, group, folders: options.folders, ...(hits ? {hits} : {})});
				guard = own;
				const look = async () => {
					const found = await own.look();
					if (found) {
						stop(found.because);
					} else {
						timer = setTimeout(() => void look(), own.near ? pauses.near : pauses.far);
					}
				};

				timer = setTimeout(() => void look(), pauses.first);
			},
		});
		hits?.end(outcome);
		return {...outcome, ...(over === undefined ? {} : {over}), hits: hits?.all ?? []};
	} finally {
		clearTimeout(timer);
		hits?.close();
		options.signal?.removeEventListener('abort', onAbort);
		end = () => {};
		await guard?.close();
		await removeGroup(group);
	}
}

/** The name of a control group for one look at a run. */
export const lookName = (group: string, folder: string): string =>
	`${group}.${path.basename(folder).replaceAll(/[^\w-]/g, '-')}`;
