import {branchName} from '../../core/git/refs.ts';
import type {AskedLimits} from '../../core/limits.ts';
import {exitCodes, gateRefusal, Refusal} from '../../core/refusal.ts';
import type {Facts} from '../../core/run/facts.ts';
import {moved, validity} from '../../core/run/rules.ts';
import type {Run} from '../../core/run/run.ts';
import type {TrainPlace} from '../../core/run/train-place.ts';
import type {Sandbox} from '../../core/seams.ts';
import type {ProjectCheckout} from '../../host/git.ts';
import type {Journal} from '../../host/journal.ts';
import type {Context} from '../context.ts';
import {finding, type Found} from '../handover/verify.ts';
import {keepsYes, type Keeps} from './carry.ts';
import {buildChain, readTip, type Chain, type Left, type Link, type Tip} from './chain.ts';
import {checkChain, type Checked, type Ended} from './check.ts';
import {moveOver} from './move.ts';

/**
 * What became of a run. `merged`: it is on its target. `approve`: it passed with the others, and waits for a person's
 * yes. `left`: it was left out. `merge`, `verify`: what would be done with it.
 */
export type Outcome = {
	readonly run: string;
	readonly state: 'merged' | 'approve' | 'left' | 'merge' | 'verify';
	readonly because: string;
	readonly hint?: string;
	readonly commit?: string;
	readonly checkout?: string;
	/** The command that failed, and the last lines of what it wrote: others' words. */
	readonly failed?: {readonly command: string; readonly end: readonly string[]};
	/** Files in which it conflicts. */ readonly conflicts?: readonly string[];
};

type Means = {
	readonly id: string;
	/** Of every run, held; none where nothing is to be done. */ readonly journals: ReadonlyMap<string, Journal>;
	readonly because: string;
	readonly key: string | undefined;
	readonly signal: AbortSignal | undefined;
	sandbox(): Promise<Sandbox>;
	settings(): Promise<AskedLimits>;
	onProgress(text: string): void;
	onOutput(text: string): void;
};

/** A chain that passed, with what keeps each yes. */
type Passed = {readonly chain: Chain; readonly keeps: ReadonlyMap<string, Keeps>};

/** One train: the runs of one project and target that are ready. */
export class Train {
	readonly #context: Context;
	readonly #project: ProjectCheckout;
	readonly #means: Means;
	readonly #known = new Map<string, Ended>();
	readonly #outcomes = new Map<string, Outcome>();

	constructor(context: Context, project: ProjectCheckout, means: Means) {
		this.#context = context;
		this.#project = project;
		this.#means = means;
	}

	/** What is done first, and of that as it is merged. */
	get outcomes(): readonly Outcome[] {
		return [...this.#outcomes.values()].sort((a, b) => ranks[a.state] - ranks[b.state]);
	}

	/**
	 * Merges what is approved, then verifies what is not.
	 * @param runs in the order in which they are to be merged
	 * @throws Refusal where it stops: what was not merged until then is as it was
	 */
	async run(runs: readonly Run[]): Promise<void> {
		try {
			const tip = await readTip(this.#project, runs[0]!);
			const ready = await this.#pass(
				tip,
				runs.filter(run => run.approval),
				true,
			);
			if (ready && ready.chain.links.length > 0) {
				this.#means.onProgress(`merging ${names(ready.chain)}`);
				for (const merged of await moveOver(this.#context, this.#project, {...this.#means, chain: ready.chain})) {
					const kept = ready.keeps.get(merged.run)?.patch === undefined ? '' : ', by an approval of the same patch';
					const because = `as ${merged.commit.slice(0, 10)}${kept}`;
					this.#outcomes.set(merged.run, {...merged, state: 'merged', because});
				}
			}

			const waiting = this.#waiting(runs);
			if (waiting.length === 0) {
				return;
			}

			const next = await readTip(this.#project, waiting[0]!);
			const passed = await this.#pass(next, waiting, false);
			for (const {run} of passed?.chain.links ?? []) {
				this.#outcomes.set(run.id, {run: run.id, state: 'approve', ...waitsFor(passed!.chain, run)});
			}
		} finally {
			for (const id of this.#means.journals.keys()) {
				this.#leave(id);
			}
		}
	}

	/** Says what would be done. */
	async plan(runs: readonly Run[]): Promise<void> {
		const tip = await readTip(this.#project, runs[0]!);
		const keeps = new Map<string, Keeps>();
		const ready = await this.#build(tip, {runs: runs.filter(run => run.approval), out: new Set(), keeps});
		const isDone = this.#isVerified(ready, keeps);
		for (const {run} of ready.links) {
			const because = isDone ? 'verified and approved' : 'approved; verified together with the others first';
			this.#outcomes.set(run.id, {run: run.id, state: 'merge', because});
		}

		this.#note(ready.left);
		const waiting = this.#waiting(runs);
		const next = await this.#build(
			{...tip, commit: ready.links.at(-1)?.commit ?? tip.commit},
			{runs: waiting, out: new Set()},
		);
		this.#note(next.left);
		this.#noteLater(next, false);
		for (const {run} of next.links) {
			const because = ready.later.find(left => left.run.id === run.id)?.refusal.because ?? 'not approved';
			this.#outcomes.set(run.id, {run: run.id, state: 'verify', because, hint: `fleet approve ${run.id}`});
		}
	}

	/** Those of which nothing is said yet, as they are now. */
	#waiting(runs: readonly Run[]): Run[] {
		return runs.filter(run => !this.#outcomes.has(run.id)).map(run => this.#means.journals.get(run.id)?.run ?? run);
	}

	#build(
		tip: Tip,
		{
			runs,
			out,
			keeps,
		}: {
			readonly runs: readonly Run[];
			readonly out: ReadonlySet<string>;
			readonly keeps?: Map<string, Keeps> | undefined;
		},
	): Promise<Chain> {
		const {git} = this.#project;
		return buildChain(this.#context, this.#project, {
			tip,
			runs: runs.filter(run => !out.has(run.id)),
			without: out,
			...(keeps && {
				admit: async (run: Run, facts: Facts) => {
					const kept = await keepsYes(this.#context, run, {git, facts, policy: tip.policy});
					if (kept instanceof Refusal) {
						return kept;
					}

					keeps.set(run.id, kept);
					return undefined;
				},
			}),
		});
	}

	/**
	 * Has a chain of runs pass as a whole: those that turn it red are taken out, one after another.
	 * @param needsYes whether each must be approved for exactly this
	 * @returns undefined where nothing is left of it
	 */
	async #pass(tip: Tip, runs: readonly Run[], needsYes: boolean): Promise<Passed | undefined> {
		const out = new Set<string>();
		for (;;) {
			const keeps = new Map<string, Keeps>();
			const chain = await this.#build(tip, {runs, out, keeps: needsYes ? keeps : undefined});
			if (chain.links.length === 0 || this.#isVerified(chain, needsYes ? keeps : undefined)) {
				// Of what an earlier, longer chain took along, nothing more is to be found out.
				for (const {run} of chain.links) {
					this.#leave(run.id);
				}

				this.#note(chain.left);
				this.#noteLater(chain, needsYes);
				return chain.links.length === 0 ? undefined : {chain, keeps};
			}

			const checked = await this.#check(chain);
			if (checked.kind === 'passed') {
				this.#recordPassed(chain, checked.found, needsYes ? keeps : undefined);
				this.#note(chain.left);
				this.#noteLater(chain, needsYes);
				return {chain, keeps};
			}

			if (checked.kind !== 'red') {
				throw stopOf(runs[0]!, checked);
			}

			this.#recordRed(chain, checked.link, checked.found);
			out.add(checked.link.run.id);
		}
	}

	async #check(chain: Chain): Promise<Checked> {
		const {journals, signal, id, onProgress, onOutput} = this.#means;
		const {links, policy} = chain;
		if (policy.verify.commands.length === 0) {
			throw new Refusal(
				`the project's policy has no verify commands on ${branchName(links[0]!.run.target)}`,
				'fleet project init --verify COMMAND',
				exitCodes.inconclusive,
			);
		}

		const ids = links.map(({run}) => run.id);
		for (const [index, {run}] of links.entries()) {
			const journal = journals.get(run.id)!;
			journal.append(
				{type: 'train.joined', train: id, place: index + 1, of: links.length, runs: ids},
				this.#context.actor,
			);
		}

		return checkChain(
			{
				context: this.#context,
				project: this.#project,
				sandbox: await this.#means.sandbox(),
				settings: await this.#means.settings(),
				journals,
				known: this.#known,
				signal,
				onCheck: some =>
					onProgress(
						some.length === 0
							? `verifying ${branchName(links[0]!.run.target)} alone`
							: `verifying ${some.join(', ')}${some.length === ids.length ? '' : `, without ${ids.slice(some.length).join(', ')}`}`,
					),
				onOutput,
			},
			chain,
		);
	}

	/** Whether the journals say already that exactly this passed as a whole, and that each yes is for it. */
	#isVerified({links}: Chain, keeps: ReadonlyMap<string, Keeps> | undefined): boolean {
		const last = links.at(-1);
		if (!last) {
			return false;
		}

		const now = Date.now();
		return links.every(({run, facts}, index) => {
			const {verification, approval} = run;
			const {train} = verification ?? {};
			// Alone on the target: what was verified is the run's own merge.
			const isWhole = train ? train.whole === last.commit && train.place === index + 1 : links.length === 1;
			return (
				verification?.passed === true &&
				isWhole &&
				moved(verification, facts).length === 0 &&
				now - Date.parse(verification.at) <= validity &&
				(keeps === undefined || moved(approval!.carried ?? approval!, facts).length === 0)
			);
		});
	}

	#recordPassed({tip, links}: Chain, found: Found, keeps: ReadonlyMap<string, Keeps> | undefined): void {
		for (const [index, {run, facts}] of links.entries()) {
			const kept = keeps?.get(run.id);
			this.#means.journals.get(run.id)!.append(
				{
					...finding(facts, found, this.#place(tip, links, index)),
					...(kept ? {keeps: kept} : {}),
				},
				this.#context.actor,
			);
		}
	}

	/** The one that turned it red is told with what, and the others go on. */
	#recordRed({tip, links}: Chain, link: Link, found: Ended): void {
		const index = links.indexOf(link);
		const {run, facts} = link;
		const before = links.slice(0, index).map(other => other.run.id);
		const on = `${branchName(run.target)}${before.length === 0 ? '' : ` with ${before.join(', ')}`}`;
		const because = `on ${on}: ${found.verdict.because}`;
		const place = this.#place(tip, links.slice(0, index + 1), index);
		const red = {...found, verdict: {...found.verdict, because}};
		this.#means.journals.get(run.id)!.append(finding(facts, red, place), this.#context.actor);
		const failed = found.checked.at(-1);
		this.#outcomes.set(run.id, {
			run: run.id,
			state: 'left',
			because: `fails ${because}`,
			hint:
				before.length === 0
					? `fleet resume ${run.id} --failed`
					: `fleet resume ${run.id} --rebase, once they are merged`,
			...(failed ? {failed: {command: failed.command, end: found.end}} : {}),
		});
	}

	#place(from: string, links: readonly Link[], index: number): TrainPlace {
		return {
			id: this.#means.id,
			place: index + 1,
			runs: links.map(({run, facts: {head}}) => ({run: run.id, branch: run.branch, head})),
			from,
			whole: links.at(-1)!.commit,
		};
	}

	/** Says of those that are in no chain why. */
	#note(left: readonly Left[]): void {
		for (const {run, refusal, conflicts} of left) {
			const {because, hint} = refusal;
			const journal = this.#means.journals.get(run.id);
			if (journal) {
				this.#leave(run.id);
				journal.append(
					{type: 'gate.refused', gate: 'merge', because, ...(conflicts ? {conflicts: [...conflicts]} : {})},
					this.#context.actor,
				);
			}

			this.#outcomes.set(run.id, {run: run.id, state: 'left', because, hint, ...(conflicts ? {conflicts} : {})});
		}
	}

	/** Of those that wait for approval nothing is said yet; those that nothing more is done about now are left out. */
	#noteLater({later}: Chain, needsYes: boolean): void {
		for (const {run, refusal} of later) {
			this.#leave(run.id);
			if (!needsYes) {
				const {because, hint} = refusal;
				this.#outcomes.set(run.id, {run: run.id, state: 'left', because, hint});
			}
		}
	}

	/** A run that joined, and of which nothing was found out, is as it was. */
	#leave(id: string): void {
		const journal = this.#means.journals.get(id);
		if (journal?.run.train) {
			journal.append({type: 'train.left', train: this.#means.id}, 'fleet');
		}
	}
}

const ranks: {readonly [State in Outcome['state']]: number} = {merged: 0, merge: 0, approve: 1, verify: 1, left: 2};

const names = ({links}: Chain) => links.map(({run}) => run.id).join(', ');

function waitsFor({links}: Chain, {id, target}: Run): Pick<Outcome, 'because' | 'hint'> {
	const before = links
		.slice(
			0,
			links.findIndex(link => link.run.id === id),
		)
		.map(({run}) => run.id);
	return {
		because: `verified on ${branchName(target)}${before.length === 0 ? '' : ` after ${before.join(', ')}`}; needs approval`,
		hint: `fleet approve ${id}`,
	};
}

/** Why a train stops without anybody's fault. */
function stopOf({target}: Run, {kind, found: {verdict}}: Checked): Refusal {
	const name = branchName(target);
	return kind === 'target'
		? gateRefusal(`${name} itself does not pass: ${verdict.because}`, `repair ${name}, then: fleet merge --all`)
		: new Refusal(`it could not be verified: ${verdict.because}`, 'fleet merge --all', exitCodes.inconclusive);
}
