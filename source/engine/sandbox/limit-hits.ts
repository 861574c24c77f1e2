import {closeSync, openSync, statfsSync} from 'node:fs';
import {constants} from 'node:os';
import {hitText, type LimitHit, type LimitName} from '../../core/limits.ts';
import type {SandboxPlan} from '../../core/plan.ts';
import type {Cgroup} from '../../host/cgroup.ts';
import {processTree} from '../../host/processes.ts';

/* Which limits a sandbox met that do not end it: seen from outside, while it goes on and when it has ended. */

/** TMPFS_MAGIC (statfs(2)). */
const tmpfsType = 0x01_02_19_94;

/** Share of a scratch file system from which it counts as full: who asks for more than is left gets nothing. */
const fullShare = 0.98;

/** How often the sandbox's first process is looked for, milliseconds: at first, and then. */
const findPauses = {first: 5, later: 100, until: 1000};

type Scratch = {readonly limit: LimitName; readonly target: string; readonly size: number; descriptor?: number};

/** Looks at one sandbox's limits. What it holds open goes with `end`. */
export class LimitHits {
	readonly #plan: SandboxPlan;
	readonly #group: Cgroup | undefined;
	readonly #scratch: Scratch[];
	readonly #met = new Set<LimitName>();
	readonly #onHit: (hit: LimitHit) => void;
	#timer: NodeJS.Timeout | undefined;

	/**
	 * @param pid the host's id of the sandbox's monitor
	 * @param onHit hears of each limit once
	 */
	constructor(
		pid: number,
		{plan, group}: {readonly plan: SandboxPlan; readonly group: Cgroup | undefined},
		onHit: (hit: LimitHit) => void = () => {},
	) {
		this.#onHit = onHit;
		this.#plan = plan;
		this.#group = group;
		this.#scratch = [
			{limit: 'tmp', target: '/tmp', size: plan.scratch.find(({target}) => target === '/tmp')?.size ?? plan.limits.tmp},
			{limit: 'shm', target: '/dev/shm', size: plan.limits.shm},
		];
		const began = Date.now();
		const find = () => {
			if (!this.#open(pid)) {
				const pause = Date.now() - began < findPauses.until ? findPauses.first : findPauses.later;
				this.#timer = setTimeout(find, pause).unref();
			}
		};

		find();
	}

	/**
	 * Holds the scratch file systems open, so that they can be asked when no process is left in them. The sandbox is
	 * being built at first: what is at their place then is not of their size. @returns whether all are open
	 */
	#open(pid: number): boolean {
		const [, first] = processTree(pid);
		for (const one of this.#scratch.filter(({descriptor}) => descriptor === undefined && first !== undefined)) {
			try {
				const descriptor = openSync(`/proc/${first}/root${one.target}`, 'r');
				const {type, blocks, bsize} = statfsSync(`/proc/self/fd/${descriptor}`);
				if (type === tmpfsType && Math.abs(blocks * bsize - one.size) < 2 * bsize) {
					one.descriptor = descriptor;
				} else {
					closeSync(descriptor);
				}
			} catch {
				// Not mounted yet, or the process has ended since.
			}
		}

		return this.#scratch.every(({descriptor}) => descriptor !== undefined);
	}

	/** Notes what is met now. @param tasks how many processes and threads it has, where that is known */
	look(tasks?: number): void {
		const met: LimitName[] = [];
		for (const {limit, descriptor} of this.#scratch) {
			if (descriptor !== undefined && isFull(descriptor)) {
				met.push(limit);
			}
		}

		const events = this.#group?.events();
		if (events && events.memory > 0) {
			met.push('memory');
		}

		if ((events && events.processes > 0) || (tasks !== undefined && tasks >= this.#plan.limits.processes)) {
			met.push('processes');
		}

		this.#note(met);
	}

	#note(met: readonly LimitName[]): void {
		for (const limit of met.filter(limit => !this.#met.has(limit))) {
			this.#met.add(limit);
			this.#onHit({limit, because: hitText(limit, this.#plan.limits)});
		}
	}

	/** The last look, once nothing of it runs. */
	end({code, signal}: {readonly code: number | null; readonly signal: string | null}): void {
		this.look();
		this.#note(signal === 'SIGXFSZ' || code === 128 + constants.signals.SIGXFSZ ? ['file'] : []);
		this.close();
	}

	/** Gives back what it holds open: while it does, what lies in scratch file systems takes memory. */
	close(): void {
		clearTimeout(this.#timer);
		for (const one of this.#scratch.splice(0)) {
			if (one.descriptor !== undefined) {
				closeSync(one.descriptor);
			}
		}
	}

	/** Everything that was met. */
	get all(): LimitHit[] {
		return [...this.#met].map(limit => ({limit, because: hitText(limit, this.#plan.limits)}));
	}
}

/** Whether a file system has no room, or no room for one more file. */
function isFull(descriptor: number): boolean {
	try {
		const {blocks, bfree, files, ffree} = statfsSync(`/proc/self/fd/${descriptor}`);
		return (blocks > 0 && bfree <= blocks * (1 - fullShare)) || (files > 0 && ffree === 0);
	} catch {
		// A machine without /proc/self/fd tells nothing.
		return false;
	}
}
