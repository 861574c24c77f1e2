import type {Activity} from '../core/run/activity.ts';
import type {Run} from '../core/run/run.ts';
import {addSpend, noSpend, spentBetween, type Spend} from '../core/run/spend.ts';
import {startOfDay} from '../core/text/time.ts';
import {noUsage, type Usage} from '../core/run/usage.ts';
import type {ActivityReader} from '../engine/activity.ts';
import type {Paths} from '../host/paths.ts';
import {loginName} from '../host/person.ts';
import type {FleetClient} from '../protocol/client.ts';

/** What the reader is loaded with: the first frame needs none of it. */
const parts = () => Promise.all([import('../engine/activity.ts'), import('../host/journal.ts')]);

/** Lines with the person of this screen called so. A line stays the same object as long as it says the same. */
class OwnWords {
	readonly #login: string;
	readonly #known = new WeakMap<Activity, Activity>();

	constructor(login: string) {
		this.#login = login;
	}

	of(line: Activity): Activity {
		if (line.by !== this.#login) {
			return line;
		}

		const own = this.#known.get(line) ?? {...line, by: 'you'};
		this.#known.set(line, own);
		return own;
	}
}

/** What was spent today by the runs that are known: of one that is older, without what it had used before. */
class Today {
	readonly #paths: Paths;
	#day = 0;
	readonly #before = new Map<string, Usage>();

	constructor(paths: Paths) {
		this.#paths = paths;
	}

	async spend(runs: readonly Run[]): Promise<Spend> {
		const day = startOfDay(Date.now());
		const since = new Date(day).toISOString();
		if (day !== this.#day) {
			this.#day = day;
			this.#before.clear();
		}

		let sum = noSpend;
		for (const run of runs) {
			if (run.updatedAt >= since && run.usage.requests > 0) {
				const before = run.createdAt >= since ? noUsage : await this.#usageBefore(run.id, since);
				sum = addSpend(sum, spentBetween(before, run.usage));
			}
		}

		return sum;
	}

	async #usageBefore(run: string, since: string): Promise<Usage> {
		const known = this.#before.get(run);
		if (known) {
			return known;
		}

		const [{usageBefore}, {readJournal}] = await parts();
		const usage = usageBefore(readJournal(this.#paths.run(run).journal).entries, since);
		this.#before.set(run, usage);
		return usage;
	}
}

/** What happened over all runs, as the screen asks for it: which journals have news is known from the runs. */
export function activityOf(paths: Paths, known: {list(): readonly Run[]}): FleetClient['activity'] {
	const today = new Today(paths);
	let words: OwnWords | undefined;
	let reader: ActivityReader | undefined;
	let last: {runs: readonly Run[]; limit: number; day: number; result: Awaited<ReturnType<FleetClient['activity']>>};
	return async limit => {
		const runs = known.list();
		const day = startOfDay(Date.now());
		if (last?.runs === runs && last.limit === limit && last.day === day) {
			return last.result;
		}

		const [{ActivityReader}] = await parts();
		words ??= new OwnWords(loginName());
		reader ??= new ActivityReader({paths});
		const lines = reader.read(
			runs.map(({id, updatedAt, seq}) => ({run: id, at: updatedAt, stamp: `${seq} ${updatedAt}`})),
			{since: '', limit},
		);
		const result = {lines: lines.map(line => words!.of(line)), today: await today.spend(runs)};
		last = {runs, limit, day, result};
		return result;
	};
}
