import {actorName} from '../actor.ts';
import type {Entry} from '../run/event.ts';
import type {Grant} from '../scope.ts';
import type {JournalSource} from './source.ts';

/* Who granted which scope to a run, for how long, and what the journal says was used of it. */

/** How a scope went off; null while it is on. */
export type GrantEnd = 'revoked' | 'expired' | 'replaced' | 'discarded';

/**
 * `not-recorded`: nothing writes down what is read in a folder. `not-known`: the journal is not whole, or so much was
 * written that not each use was.
 */
export type GrantUse = 'used' | 'never' | 'not-recorded' | 'not-known';

/** One scope that one run was given once. Times are ISO 8601, spans milliseconds. */
export type GrantRow = {
	readonly run: string;
	readonly project: string;
	readonly scope: string;
	/** A login, `policy` or `fleet`. */ readonly by: string;
	readonly because: string;
	readonly at: string;
	/** Null for as long as the run goes on. */ readonly askedMs: number | null;
	/** Null while it is on. */ readonly endedAt: string | null;
	readonly ended: GrantEnd | null;
	/** How long an agent was at work, or paused, while it was on. */ readonly heldMs: number;
	readonly use: GrantUse;
	/** Uses that were written down: all, up to a hundred of a kind. */ readonly uses: number;
	/** For what, the most frequent first. */ readonly targets: ReadonlyArray<{
		readonly target: string;
		readonly uses: number;
	}>;
	readonly lastUse: string | null;
};

/** How many lines of one kind are written down, each, of how many kinds, and how many at all: the supervisor's counter. */
const [eachLine, mostKinds, mostLines] = [100, 2000, 10_000];

type Open = {
	readonly grant: Grant;
	readonly allowed: Map<string, number>;
	readonly used: Map<string, number>;
	heldMs: number;
	lastUse: string | null;
	isCounted: boolean;
	end: {readonly how: GrantEnd; readonly at: string} | undefined;
};

const add = (counts: Map<string, number>, key: string, by = 1) => counts.set(key, (counts.get(key) ?? 0) + by);

/** What an entry says was used, by the scope that it was used by; undefined for any other entry. */
function useOf(entry: Entry): {scope: string; target: string; isSecret: boolean} | undefined {
	switch (entry.type) {
		case 'egress.allowed': {
			return {scope: entry.rule, target: entry.target, isSecret: false};
		}

		case 'secret.used': {
			return {scope: entry.scope, target: entry.target, isSecret: true};
		}

		case 'mcp.called': {
			return entry.outcome === 'refused'
				? undefined
				: {scope: `mcp:${entry.server}`, target: entry.tool, isSecret: false};
		}

		case 'port.used': {
			return {scope: `port:${entry.port}`, target: 'a page', isSecret: false};
		}

		default: {
			return undefined;
		}
	}
}

/** The grants of one run, walked through its journal once. */
class Walk {
	readonly #source: JournalSource;
	readonly #found: Open[] = [];
	readonly #on = new Map<string, Open>();
	/** Of this attempt: lines by scope and target. */ readonly #lines = new Map<string, number>();
	#written = 0;
	#attemptFrom: string | undefined;

	constructor(source: JournalSource) {
		this.#source = source;
		for (const entry of source.entries) {
			this.#take(entry);
		}

		// Nobody says how an attempt ended whose supervisor is gone: it was at work until its last line at the least.
		this.#endAttempt(source.isLive ? source.now : source.entries.at(-1)!.at);
		for (const [scope, {grant}] of this.#on) {
			if (grant.until !== undefined && grant.until <= source.now) {
				this.#end(scope, 'expired', grant.until);
			}
		}
	}

	rows(): GrantRow[] {
		const [created] = this.#source.entries;
		const {id, project} = created?.type === 'run.created' ? created : {id: '', project: {id: ''}};
		return this.#found.map(open => {
			const {grant, end} = open;
			// A secret's hosts are connected to before it is used there: that is one use, not two.
			const counts = open.used.size > 0 ? open.used : open.allowed;
			const targets = [...counts]
				.map(([target, uses]) => ({target, uses}))
				.sort((a, b) => b.uses - a.uses || (a.target < b.target ? -1 : 1));
			return {
				run: id,
				project: project.id,
				scope: grant.scope,
				by: actorName(grant.by),
				because: grant.because,
				at: grant.at,
				askedMs: grant.until === undefined ? null : Date.parse(grant.until) - Date.parse(grant.at),
				endedAt: end?.at ?? null,
				ended: end?.how ?? null,
				heldMs: open.heldMs,
				use: this.#useOf(open),
				uses: targets.reduce((sum, {uses}) => sum + uses, 0),
				targets,
				lastUse: open.lastUse,
			};
		});
	}

	#useOf({grant, lastUse, isCounted}: Open): GrantUse {
		if (lastUse !== null) {
			return 'used';
		}

		if (grant.scope.startsWith('files:')) {
			return 'not-recorded';
		}

		return isCounted && this.#source.isWhole ? 'never' : 'not-known';
	}

	#take(entry: Entry): void {
		const use = useOf(entry);
		if (use) {
			this.#count(`${use.scope} ${use.target}`);
			const open = this.#on.get(use.scope);
			if (open) {
				add(use.isSecret ? open.used : open.allowed, use.target);
				open.lastUse = entry.at;
			}

			return;
		}

		switch (entry.type) {
			case 'run.created': {
				for (const grant of entry.grants) {
					this.#begin(grant);
				}

				return;
			}

			case 'scope.granted': {
				this.#begin(entry.grant);
				return;
			}

			case 'scope.revoked':
			case 'scope.expired': {
				this.#end(entry.scope, entry.type === 'scope.revoked' ? 'revoked' : 'expired', entry.at);
				return;
			}

			case 'egress.denied':
			case 'request.refused':
			case 'secret.refused': {
				this.#count(`${entry.type} ${entry.target}`);
				return;
			}

			case 'run.started': {
				this.#endAttempt(entry.at);
				this.#attemptFrom = entry.at;
				this.#lines.clear();
				this.#written = 0;
				return;
			}

			case 'run.exited':
			case 'run.failed':
			case 'run.crashed': {
				this.#endAttempt(entry.at);
				return;
			}

			case 'run.discarded': {
				this.#endAttempt(entry.at);
				for (const scope of this.#on.keys()) {
					this.#end(scope, 'discarded', entry.at);
				}

				return;
			}

			default:
		}
	}

	#count(kind: string): void {
		add(this.#lines, kind);
		this.#written++;
	}

	#begin(grant: Grant): void {
		this.#end(grant.scope, 'replaced', grant.at);
		// What was written down in full until now is not from here on, where there was too much of it.
		const before = [...this.#lines].filter(([key]) => key.startsWith(`${grant.scope} `));
		const isCounted = before.every(([, lines]) => lines < eachLine);
		const open: Open = {
			grant,
			allowed: new Map(),
			used: new Map(),
			heldMs: 0,
			lastUse: null,
			isCounted,
			end: undefined,
		};
		this.#found.push(open);
		this.#on.set(grant.scope, open);
	}

	#end(scope: string, how: GrantEnd, at: string): void {
		const open = this.#on.get(scope);
		if (open) {
			this.#hold(open, at);
			open.end = {how, at};
			this.#on.delete(scope);
		}
	}

	#endAttempt(at: string): void {
		for (const open of this.#on.values()) {
			this.#hold(open, at);
		}

		this.#attemptFrom = undefined;
	}

	/** Adds the time of this attempt for which a scope was on, until a moment. */
	#hold(open: Open, until: string): void {
		if (this.#lines.size >= mostKinds || this.#written >= mostLines) {
			open.isCounted = false;
		}

		if (this.#attemptFrom !== undefined) {
			const {at, until: end} = open.grant;
			const from = at > this.#attemptFrom ? at : this.#attemptFrom;
			const to = end !== undefined && end < until ? end : until;
			open.heldMs += Math.max(0, Date.parse(to) - Date.parse(from));
		}
	}
}

/** What a run was granted, the first first. A journal without a line has none. */
export function grantsOf(source: JournalSource): GrantRow[] {
	return source.entries.length === 0 ? [] : new Walk(source).rows();
}
