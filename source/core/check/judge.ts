import {gateRefusal, Refusal} from '../refusal.ts';
import {directRefusal, type Deciders} from '../people/deciders.ts';
import type {Person} from '../people/people.ts';
import type {DiffFile} from '../review/diff.ts';
import {agentMark, type Commit} from './commit.ts';
import {proveMerge, shownName, type Asked, type Proved, type Unproved} from './prove.ts';
import type {Finding, Report, Warning} from './report.ts';

/*
 * Whether what is on a branch came there by people. Each commit is judged by what its first parent says of who decides,
 * never by what it says itself, and never by what is said before or after that.
 */

/** Who decides, by a commit's files: nobody, or why that cannot be told. */
export type Rules = {
	readonly deciders: Deciders | Refusal | undefined;
	/** The same text for the same files. */
	readonly id: string;
	/** The object name of the policy, or `none`. */
	readonly policy: string;
};

/** A commit of the branch's own line: its first parents, from its tip down. */
export type Line = {
	readonly commit: Commit;
	/** Commits that come with it by its other parents, and were not on the branch before. */
	readonly brought: readonly Commit[];
	/** Signed statements of the notes on it and on its tree. */
	readonly notes: readonly string[];
	/** Who decides after it. */
	readonly rules: Rules;
	/** Judged only for what comes after it. */
	readonly context: boolean;
};

/** What only whoever reads the repository can tell. */
export type Ask = Asked & {
	/** Whose signature a commit has, of the people who decide. */
	committer(commit: Commit, deciders: Deciders): Promise<Person | Refusal | Unproved>;
};

/** Commits of one run that a rebase may have put one after another. */
const longestRebase = 10_000;

class Judge {
	readonly #target: string;
	readonly #ask: Ask;
	readonly #warnings: Warning[] = [];
	readonly #inconclusive: Finding[] = [];
	readonly #count = {commits: 0, merges: 0, signed: 0, unchecked: 0, before: 0};
	#trusted: string | undefined;
	/** Whether anybody was named yet: until then a policy that nobody can meet is one that is being set up. */
	#isNamed = false;
	#refused: Finding | undefined;
	/** Who decides about the next commit, and about the first of `#open`. */
	#rules: Rules | undefined;
	#openRules: Rules | undefined;
	/** A run's commits whose last one has yet to come. */
	#open: Line[] = [];
	/** What a train's next approval may be about: see `chainCommit`. */
	#chain: string | undefined;

	constructor(target: string, start: Rules | undefined, ask: Ask) {
		this.#target = target;
		this.#rules = start;
		this.#ask = ask;
	}

	async all(lines: readonly Line[]): Promise<void> {
		for (const line of lines) {
			await this.#next(line);
			if (this.#refused) {
				return;
			}
		}

		this.#closeOpen();
	}

	report(rest: Pick<Report, 'target' | 'tip' | 'from'>): Report {
		const refused = this.#refused;
		const unproved = this.#inconclusive.length > 0 ? 'inconclusive' : 'holds';
		return {
			...rest,
			result: refused ? 'refused' : unproved,
			...this.#count,
			trusted: this.#trusted,
			warnings: this.#warnings,
			refused,
			inconclusive: this.#inconclusive,
		};
	}

	async #next(line: Line): Promise<void> {
		const {commit} = line;
		const run = commit.trailers.get('fleet-run');
		const opened = this.#open[0]?.commit.trailers.get('fleet-run');
		if (opened && (run?.[0] !== opened[0] || commit.parents.length !== 1)) {
			this.#closeOpen();
			if (this.#refused) {
				return;
			}
		}

		this.#count.commits += line.context ? 0 : 1;
		// Where several make one, the first one's parent says who decides about all of them.
		const rules = this.#openRules ?? this.#rules;
		this.#rules = line.rules;
		const deciders = rules?.deciders;
		this.#isNamed ||= deciders !== undefined && !(deciders instanceof Refusal);
		if (deciders === undefined || (deciders instanceof Refusal && !this.#isNamed)) {
			this.#before(line);
		} else if (deciders instanceof Refusal) {
			this.#chain = undefined;
			this.#unproved(line, {unproved: `nobody can say who decides about it: ${deciders.because}`, hint: deciders.hint});
		} else {
			const isSigned = await this.#judge(line, rules!, deciders);
			this.#changeOfRules(line, rules!, isSigned);
		}
	}

	/** Nobody is named who could have said yes. */
	#before(line: Line): void {
		this.#chain = undefined;
		if (line.context) {
			return;
		}

		this.#count.before++;
		if (line.rules.deciders !== undefined && !(line.rules.deciders instanceof Refusal)) {
			this.#trusted ??= line.commit.id;
		}
	}

	/** @returns whether people signed it, or may yet have */
	async #judge(line: Line, rules: Rules, deciders: Deciders): Promise<boolean> {
		const group = [...this.#open, line];
		const proved = await proveMerge(
			{
				target: this.#target,
				commits: group.map(({commit}) => commit),
				notes: line.notes,
				chain: this.#chain,
				deciders,
				policy: rules.policy,
			},
			this.#ask,
		);
		if (proved === undefined && this.#mayBeGoneOnWith(line)) {
			this.#open = group;
			this.#openRules = rules;
			return true;
		}

		this.#open = [];
		this.#openRules = undefined;
		this.#chain = proved instanceof Refusal ? undefined : proved?.chain;
		if (proved === undefined) {
			await this.#direct(line, deciders);
			return false;
		}

		if (proved instanceof Refusal) {
			this.#refuse(line, proved);
		} else if ('unproved' in proved) {
			this.#unproved(line, proved);
		} else {
			this.#merged(group, proved);
		}

		return true;
	}

	/** Whether it is one of a run's commits, of which the last one says who approved them. */
	#mayBeGoneOnWith({commit}: Line): boolean {
		return (
			commit.trailers.has('fleet-run') &&
			!commit.trailers.has('fleet-statement') &&
			commit.parents.length === 1 &&
			this.#open.length < longestRebase
		);
	}

	#closeOpen(): void {
		const [first] = this.#open;
		this.#open = [];
		this.#openRules = undefined;
		if (first) {
			this.#chain = undefined;
			this.#refuse(first, unsigned(first.commit));
		}
	}

	#merged(group: readonly Line[], {accepted, run, lacksMerger}: Proved): void {
		const {commit, context} = group.at(-1)!;
		if (context) {
			return;
		}

		this.#count.merges += group.filter(one => !one.context).length;
		if (lacksMerger) {
			this.#warn('merger', commit, `nobody signed that they merged ${run}, as where a forge does it`);
		}

		if (accepted.breakGlass) {
			const {by, because} = accepted.breakGlass;
			this.#warn('break-glass', commit, `${run} was merged by ${by} alone: ${because}`);
		} else if (!accepted.fourEyes) {
			const by = accepted.by.join(', ');
			this.#warn('four-eyes', commit, `${run} was approved by ${by}, and by nobody who is known to be somebody else`);
		}
	}

	/** A commit that no run's approval stands behind, and what it brings. */
	async #direct(line: Line, deciders: Deciders): Promise<void> {
		const all = [line.commit, ...line.brought];
		const marked = all.find(commit => agentMark(commit) !== undefined);
		if (marked) {
			this.#refuse(line, unsigned(marked, line.commit));
			return;
		}

		const direct = deciders.policy.approve.direct ?? 'anybody';
		if (direct === 'anybody') {
			this.#count.unchecked += line.context ? 0 : all.length;
			return;
		}

		if (direct === 'nobody') {
			this.#refuse(
				line,
				gateRefusal(
					'nobody approved it, and the policy lets nobody commit without that (direct: nobody)',
					`what it changes has to come by a run: git show ${line.commit.id.slice(0, 12)}`,
				),
			);
			return;
		}

		for (const commit of all) {
			const person = await this.#ask.committer(commit, deciders);
			if (person instanceof Refusal) {
				const what = commit === line.commit ? 'it' : `${shownName(commit.id)}, which it brings,`;
				this.#refuse(line, gateRefusal(`${what} is signed by none of the people: ${person.because}`, person.hint));
				return;
			}

			if ('unproved' in person) {
				this.#unproved(line, person);
				return;
			}

			// What it brings comes to the branch by whoever merges that: they answer for all that changes there.
			const fault = commit === line.commit ? await refuseProtected(commit, {person, deciders}, this.#ask) : undefined;
			if (fault instanceof Refusal) {
				this.#refuse(line, fault);
				return;
			}

			if (fault) {
				this.#unproved(line, fault);
				return;
			}
		}

		this.#count.signed += line.context ? 0 : all.length;
	}

	#changeOfRules(line: Line, before: Rules, isSigned: boolean): void {
		const {commit, rules} = line;
		if (before.id === rules.id || this.#refused || line.context) {
			return;
		}

		if (rules.deciders instanceof Refusal) {
			this.#refuse(
				line,
				gateRefusal(`after it nobody could say who decides: ${rules.deciders.because}`, rules.deciders.hint),
			);
		} else if (rules.deciders === undefined) {
			this.#warn('no-people', commit, 'it takes away who decides: what comes after it is proved by nothing');
		}

		const {policy} = before.deciders as Deciders;
		if (!isSigned && (policy.approve.direct ?? 'anybody') === 'anybody') {
			this.#warn(
				'rules',
				commit,
				'it changes who decides, and nobody signed it: approve: {direct: people} would refuse that',
			);
		}
	}

	#warn(kind: Warning['kind'], {id}: Commit, because: string): void {
		this.#warnings.push({kind, commit: id, because});
	}

	#refuse({commit, context}: Line, {because, hint}: Refusal): void {
		if (!context) {
			this.#refused ??= {commit: commit.id, because, hint};
		}
	}

	#unproved({commit, context}: Line, {unproved, hint}: Unproved): void {
		if (!context) {
			this.#inconclusive.push({commit: commit.id, because: unproved, hint});
		}
	}
}

/** Why whoever signed a commit may not change by it what only some people approve. */
async function refuseProtected(
	{tree, parents}: Commit,
	{person, deciders}: {readonly person: Person; readonly deciders: Deciders},
	ask: Ask,
): Promise<Refusal | Unproved | undefined> {
	// Most do not have to be read: whoever may change everything may change this.
	const may = (files: readonly DiffFile[] | undefined) => directRefusal(deciders, {person, files}, ask.instructions);
	if (may(undefined) === undefined) {
		return undefined;
	}

	const files = await ask.files(parents[0]!, tree);
	return files && 'unproved' in files ? files : may(files);
}

/** An agent's commit that nobody approved. @param by the commit that brings it */
function unsigned(commit: Commit, by: Commit = commit): Refusal {
	const what = commit.id === by.id ? 'it is' : `${shownName(commit.id)}, which it brings, is`;
	return gateRefusal(
		`${what} an agent's (${agentMark(commit)?.slice(0, 100) ?? 'of a run'}), and nothing that people signed stands behind it`,
		`git show ${commit.id.slice(0, 12)}; where a forge merged it: git fetch origin refs/notes/fleet:refs/notes/fleet`,
	);
}

/**
 * Judges a branch's own line.
 * @param order.lines the oldest first
 * @param order.start who decides about the first of them; undefined where it has no parent
 */
export async function judge(
	{
		target,
		tip,
		from,
		start,
		lines,
	}: {
		readonly target: string;
		readonly tip: string;
		readonly from: string | undefined;
		readonly start: Rules | undefined;
		readonly lines: readonly Line[];
	},
	ask: Ask,
): Promise<Report> {
	const own = new Judge(target, start, ask);
	await own.all(lines);
	return own.report({target, tip, from});
}
