import {judge, type Ask} from '../../core/check/judge.ts';
import type {Report} from '../../core/check/report.ts';
import {gateRefusal, Refusal} from '../../core/refusal.ts';
import {parseDiff} from '../../core/review/diff.ts';
import {chainText} from '../handover/facts.ts';
import {diffFlags} from '../handover/diff-flags.ts';
import {notesRef, wordsOf} from '../people/notes.ts';
import {readHistory} from './history.ts';
import {Objects} from './objects.ts';
import {Signatures} from './signatures.ts';

/* Whether what is on a branch came there by people, told from its repository alone. */

/** Characters of a diff that are read at once, as where an approval is asked for. */
const maxDiffChars = 64 * 1024 ** 2;

/** Statements of the notes of one or several commits of `refs/notes/fleet`, by the object that each note is on. */
export async function readNotes(objects: Objects, tips: readonly string[]): Promise<Map<string, string[]>> {
	const notes = new Map<string, string[]>();
	for (const tip of tips) {
		const {code, stdout} = await objects.git.run(['ls-tree', '-r', '-z', tip], {env: objects.env, encoding: 'latin1'});
		const entries = code === 0 ? stdout.split('\0') : [];
		const named = entries.flatMap(entry => {
			const [, blob, name] = /^\d+ blob ([\da-f]+)\t([\da-f/]+)$/.exec(entry) ?? [];
			return blob === undefined ? [] : [{blob, on: name!.replaceAll('/', '')}];
		});
		const read = await objects.read(named.map(({blob}) => blob));
		for (const {blob, on} of named) {
			notes.set(on, [...(notes.get(on) ?? []), ...wordsOf(read.get(blob)?.bytes ?? '')]);
		}
	}

	return notes;
}

function askOf(objects: Objects, instructions: readonly string[]): Ask {
	const signatures = new Signatures();
	return {
		instructions,
		signed: (word, deciders, at) => signatures.signed(word, deciders, at),
		committer: (commit, deciders) => signatures.committer(commit, deciders),
		chain: link => objects.nameOf('commit', chainText(link)),
		async files(base, tree) {
			const {code, stdout, stderr} = await objects.git.run(['diff', ...diffFlags, '--full-index', base, tree], {
				env: objects.env,
				limit: maxDiffChars,
			});
			if (code === 0) {
				return parseDiff(stdout);
			}

			return stderr === ''
				? undefined
				: {unproved: 'which files it changes cannot be read', hint: 'a whole clone has them: git clone --bare'};
		},
	};
}

/** What is checked: a branch's line, from its tip down. */
export type Order = {
	/** The full ref that approvals have to be for. */
	readonly target: string;
	readonly tip: string;
	/** Where it ends; undefined for the beginning. */
	readonly from: string | undefined;
	/** Commits of notes. */
	readonly notes: readonly string[];
	readonly instructions: readonly string[];
};

/** A history of which a part is missing, or that was rewritten, as a report. */
function without(order: Order, error: Refusal): Report {
	const {target, tip, from} = order;
	const finding = {commit: tip, because: error.because, hint: error.hint};
	const isRefused = error.exitCode !== 4;
	return {
		target,
		tip,
		from,
		result: isRefused ? 'refused' : 'inconclusive',
		commits: 0,
		merges: 0,
		signed: 0,
		unchecked: 0,
		before: 0,
		trusted: undefined,
		warnings: [],
		refused: isRefused ? finding : undefined,
		inconclusive: isRefused ? [] : [finding],
	};
}

/** Checks one branch's line. */
export async function checkLine(objects: Objects, order: Order): Promise<Report> {
	const {target, tip, from} = order;
	try {
		const notes = await readNotes(objects, order.notes);
		const ask = askOf(objects, order.instructions);
		const {lines, start} = await readHistory(objects, {tip, from, notes});
		if (start?.deciders instanceof Refusal) {
			// Whether that was so before anybody was named, only all of it says.
			const whole = await readHistory(objects, {tip, from: undefined, notes});
			return await judge({target, tip, from: undefined, ...whole}, ask);
		}

		return await judge({target, tip, from, start, lines}, ask);
	} catch (error) {
		if (error instanceof Refusal) {
			return without(order, error);
		}

		throw error;
	}
}

/** What a person named, as a line of a branch. */
type Named = {readonly target: string; readonly tip: string; readonly from: string | undefined};

/** The branch whose approvals count: what was named, or what is checked out. */
async function targetOf(objects: Objects, branch: string | undefined, revision: string | undefined): Promise<string> {
	const named = branch === undefined ? undefined : (objects.branchOf(branch) ?? `refs/heads/${branch}`);
	const meant = revision === undefined ? undefined : objects.branchOf(revision);
	const origin = 'refs/remotes/origin/HEAD';
	const ref =
		named ?? meant ?? objects.head ?? (objects.named(origin) === undefined ? undefined : await objects.real(origin));
	if (ref === undefined) {
		throw new Refusal(
			'no branch is checked out here, so that nobody can tell for which one approvals have to be',
			'fleet check --branch main',
		);
	}

	// A copy of a server's branch is for that branch.
	return ref.replace(/^refs\/remotes\/[^/]+\//, 'refs/heads/');
}

async function nameLine(objects: Objects, branch: string | undefined, range: string | undefined): Promise<Named> {
	const [, before, after] = /^(.*?)\.\.(?!\.)(.*)$/.exec(range ?? '') ?? [];
	if (range?.includes('...')) {
		throw new Refusal('a range is written FROM..TO', 'fleet check FROM..TO');
	}

	const revision = before === undefined ? range : after || undefined;
	const target = await targetOf(objects, branch, revision);
	const tip = await objects.commit(revision ?? (branch === undefined ? 'HEAD' : (objects.branchOf(branch) ?? branch)));
	return {target, tip, from: before === undefined || before === '' ? undefined : await objects.commit(before)};
}

/**
 * Checks a branch of a repository.
 * @param order.range COMMIT or FROM..TO; what `HEAD` points to without it
 * @param order.branch the branch that approvals have to be for, where that is another
 * @throws Refusal where there is no such repository, or no such commit
 */
export async function check(
	folder: string,
	order: {
		readonly range: string | undefined;
		readonly branch: string | undefined;
		readonly instructions: readonly string[];
	},
): Promise<Report> {
	const objects = await Objects.open(folder, false);
	try {
		const line = await nameLine(objects, order.branch, order.range);
		const note = objects.named(notesRef);
		return await checkLine(objects, {
			...line,
			notes: note === undefined ? [] : [note],
			instructions: order.instructions,
		});
	} finally {
		objects.close();
	}
}

/** What a report is for whoever asked: nothing, or a refusal. */
export function refusalOf({refused, inconclusive}: Report): Refusal | undefined {
	const [open] = inconclusive;
	const finding = refused ?? open;
	if (!finding) {
		return undefined;
	}

	const because = `${finding.commit.slice(0, 12)}: ${finding.because}`;
	return refused ? gateRefusal(because, finding.hint) : new Refusal(because, finding.hint, 4);
}
