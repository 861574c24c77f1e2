import {measureTree} from '../../host/processes.ts';
import {cameBelow} from '../grants/files.ts';
import {Guard} from '../sandbox/guard.ts';
import {diskUse} from '../sandbox/limits.ts';
import {notice} from './agent-news.ts';
import {countChangesOf} from './changes-count.ts';
import {freezeIfRunning, stop} from './halt.ts';
import {lookAtPorts} from './open-ports.ts';
import {tellStrays} from './network-events.ts';
import {note, type Supervision} from './supervision.ts';

/** When something is done again that may take long: not before a while after it has ended. */
class Repeated {
	readonly #work: () => Promise<number>;
	#nextAt = 0;

	/** @param work returns how long to wait until the next time, milliseconds */
	constructor(work: () => Promise<number>) {
		this.#work = work;
	}

	/** Begins it where it is time; does not wait for it. */
	beginIfDue(): void {
		if (Date.now() >= this.#nextAt) {
			this.#nextAt = Number.POSITIVE_INFINITY;
			void this.#work().then(waitMs => {
				this.#nextAt = Date.now() + waitMs;
			});
		}
	}
}

/**
 * Looks from time to time at what no kernel limit covers here: the memory of all processes together, where there is
 * no control group, what the kernel counts for the account alone, and what the run's folders grew by. Often while
 * something is near its limit, seldom while the run does nothing.
 */
export async function watchAgent(supervision: Supervision): Promise<void> {
	const {context, places, opened} = supervision;
	const names = [places.worktree, places.privateGit, places.home];
	const guard = new Guard(opened.terminal!.pid, {
		plan: opened.plan!,
		group: opened.group,
		...(opened.hits ? {hits: opened.hits} : {}),
		folders: {
			names,
			count: signal => diskUse(context, places, {folders: names, signal}),
			kept: () => opened.output!.kept,
		},
	});
	try {
		await lookUntilEnd(supervision, guard);
	} finally {
		await guard.close();
	}
}

async function lookUntilEnd(supervision: Supervision, guard: Guard): Promise<void> {
	const {journal, opened, watch, changes} = supervision;
	// Both beside the looks: an agent could make either of them long.
	const counts = new Repeated(() => countChangesOf(supervision));
	const looks = new Repeated(() => lookBelow(supervision));
	let worked = -1;
	for (let pauseMs = 500; ; pauseMs = guard.near ? 200 : Math.min(3000, pauseMs * 2)) {
		await new Promise<void>(resolve => {
			watch.wake = resolve;
			watch.timer = setTimeout(resolve, pauseMs);
		});
		if (watch.ended) {
			return;
		}

		journal.flush();
		tellStrays(supervision);
		lookAtPorts(supervision);
		// What did not work since the last look did not grow either.
		const tree = measureTree(opened.terminal!.pid);
		const rests = tree.processor === worked;
		worked = tree.processor;
		notice(supervision, tree.reads, rests);
		if (rests) {
			continue;
		}

		pauseMs = 500;
		const over = await guard.look();
		if (watch.ended) {
			return;
		}

		if (over?.how === 'end') {
			stop(supervision, over.because);
			return;
		}

		if (over) {
			freezeIfRunning(supervision, over.because);
		}

		if (changes.hasOutput) {
			counts.beginIfDue();
		}

		looks.beginIfDue();
	}
}

/**
 * Takes a folder that the run may change away where a socket or a
 * FIFO came to be in it: behind it a program of the host's listens.
 * @returns how long to wait until the next look, milliseconds
 */
async function lookBelow(supervision: Supervision): Promise<number> {
	const began = Date.now();
	for (const {scope, because} of cameBelow(supervision.journal.run.grants, Date.now())) {
		const left = await supervision.opened.files?.take(scope);
		note(supervision, {
			type: 'alarm.raised',
			target: scope,
			because: `${because}; the folder is taken away`,
			count: 1,
		});
		note(supervision, {type: 'scope.revoked', scope, because, cut: 0});
		if (left !== undefined) {
			freezeIfRunning(supervision, `${scope} could not be taken away: ${left}`);
		}
	}

	return 100 * (Date.now() - began);
}
