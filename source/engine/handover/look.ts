import {printable} from '../../core/names.ts';
import type {Lower, Mount} from '../../core/plan.ts';
import {gateRefusal, orThrow, Refusal} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import {hasWorker} from '../../core/run/stages.ts';
import type {RunPaths} from '../../host/paths.ts';
import {adminName} from '../../host/worktree.ts';
import {baseMounts} from '../../host/borrowed.ts';
import type {Context} from '../context.ts';
import type {Submodule} from '../run/submodules.ts';
import {jail} from '../sandbox/jail.ts';
import type {ShellTools} from '../sandbox/tools.ts';
import {lookScript, maxFileBytes, maxRefs, treeLimits} from './look-script.ts';

/** How long a live run is looked at: what it does meanwhile may hold the look up. */
const liveTimeoutMs = 60_000;

/** What a refusal says of a folder that could not be taken over. */
export const folderIsKept = 'its folder is kept as it is';

/** A run's work as it was seen from inside the jail. Names and notes are escaped; objects are not checked yet. */
export type Look = {
	/** What its folder is in the middle of. */ readonly unfinished: string | undefined;
	readonly tip: string;
	readonly tree: string;
	/** Where its HEAD is, if not all of that is known outside. */ readonly head: string | undefined;
	readonly refs: ReadonlyArray<{readonly name: string; readonly object: string; readonly type: string}>;
	readonly submodules: ReadonlyArray<{readonly path: string; readonly tree: string}>;
	readonly notes: string[];
	/** The first thing that could not be taken over; undefined where all was. */ incomplete: string | undefined;
};

type Open = {-readonly [Key in keyof Look]: Look[Key]} & {
	refs: Array<Look['refs'][number]>;
	submodules: Array<Look['submodules'][number]>;
};

const objectName = /^[0-9a-f]{40}$|^[0-9a-f]{64}$/;

/** Writes down that something of the work is not in what was taken over. */
export function noteMissing(look: Pick<Look, 'notes' | 'incomplete'>, what: string): void {
	look.incomplete ??= printable(what, 200);
	look.notes.push(`not in the snapshot: ${printable(what, 200)}`);
}

/** Lines with which the script says that nothing can be taken over. */
const refusals: Readonly<Record<string, (words: string, run: string) => Refusal>> = {
	missing: () => gateRefusal("the run's branch is gone from its private repository", folderIsKept),
	unreadable: words =>
		gateRefusal(
			`its private repository cannot be read: ${printable(words.replace(/^fatal: /, ''), 200)}`,
			folderIsKept,
		),
	wide: (words, run) =>
		gateRefusal(
			'its branch has more files and folders than can be taken over, or deeper ones, ' +
				`below ${JSON.stringify(printable(words, 100))}`,
			`${folderIsKept}; fleet resume ${run} "take it out of the branch"`,
		),
	special: () => gateRefusal('a FIFO, a socket or a device lies where git reads: whoever opens it waits', folderIsKept),
};

/** What each other kind of line adds to a look. `words`: the line behind its first word. */
const readers: Readonly<Record<string, (look: Open, words: string) => void>> = {
	tip: (look, words) => {
		look.tip = objectName.test(words) ? words : look.tip;
	},
	tree: (look, words) => {
		look.tree = objectName.test(words) ? words : look.tree;
	},
	head: (look, words) => {
		look.head = objectName.test(words) ? words : look.head;
	},
	refs: (look, words) => {
		if (Number(words) > maxRefs) {
			noteMissing(look, `${Number(words) - maxRefs} of ${words} branches and tags of its own`);
		}
	},
	ref: (look, words) => {
		const [object = '', type = '', ...rest] = words.split(' ');
		const name = rest.join(' ');
		if (!objectName.test(object) || !name.startsWith('refs/')) {
			return;
		}

		if (type === 'missing') {
			look.notes.push(
				`gone: ${printable(name, 200)} names ${object.slice(0, 10)}, and not all of its objects are there`,
			);
		} else {
			look.refs.push({name, object, type});
		}
	},
	unfinished: (look, words) => {
		look.unfinished = words.split(' ')[0]!;
		look.notes.push(`its folder is in the middle of a ${look.unfinished}`);
	},
	nested: (look, words) => {
		look.notes.push(`nested repository taken as plain files: ${printable(words, 200)}`);
	},
	incomplete: (look, words) => noteMissing(look, words),
	large: (look, words) => noteMissing(look, `${words} is larger than ${maxFileBytes / 1024 ** 3} GiB`),
	closed: (look, words) => noteMissing(look, `${words} cannot be read`),
	long: (look, words) =>
		noteMissing(
			look,
			`a file with a path of more than ${treeLimits.pathBytes - 1} bytes, below ${words.slice(0, 100)}`,
		),
	submodule: (look, words) => {
		const [tree = '', changed = '', gone = '', ...rest] = words.split(' ');
		const place = rest.join(' ');
		if (objectName.test(tree)) {
			look.submodules.push({path: place, tree});
			look.notes.push(
				`in the submodule ${printable(place, 200)}, ${changed} ${changed === '1' ? 'file was' : 'files were'} ` +
					`changed${gone === '0' ? '' : ` and ${gone} deleted`}: kept beside the branch, ` +
					'which is to say at what commit it stands',
			);
		}
	},
	note: (look, words) => {
		look.notes.push(printable(words, 200));
	},
};

/**
 * Reads what the script in the jail wrote. The text is untrusted: what is not understood is passed over.
 * @param run its id, for hints
 */
function parseLook(text: string, run: string): Look | Refusal {
	const look: Open = {
		unfinished: undefined,
		tip: '',
		tree: '',
		head: undefined,
		refs: [],
		submodules: [],
		notes: [],
		incomplete: undefined,
	};
	for (const line of text.split('\n')) {
		const [word = ''] = line.split(' ', 1);
		const words = line.slice(word.length + 1);
		if (Object.hasOwn(refusals, word)) {
			return refusals[word]!(words, run);
		}

		if (Object.hasOwn(readers, word)) {
			readers[word]!(look, words);
		}
	}

	return look.tip === '' || look.tree === ''
		? gateRefusal("the run's folder could not be read as a tree", folderIsKept)
		: look;
}

/** What the jail sees: the run's folder and repository to read, its own git folder, and a scratch to write. */
export function jailMounts(
	run: Run,
	places: RunPaths,
	{
		commonDir,
		submodules,
		over,
	}: {readonly commonDir: string; readonly submodules: readonly Submodule[]; readonly over: Lower | undefined},
): Mount[] {
	return [
		...submodules.flatMap(({objects}, number): Mount[] =>
			objects === undefined ? [] : [{source: objects, target: `/run/fleet/submodules/${number}`, mode: 'read'}],
		),
		...baseMounts(commonDir),
		{source: places.privateGit, target: '/run/fleet/private', mode: 'read'},
		// As the run sees it: a commit of its may hold what setup left.
		{source: places.worktree, target: run.worktree, mode: 'read', over},
		{source: places.jailGit, target: '/run/fleet/git', mode: 'read'},
		{source: places.scratch, target: '/run/fleet/scratch', mode: 'write'},
	];
}

/**
 * Has the jail name what the run's folder and its private repository hold. Objects that it makes stay in the scratch.
 * @throws Refusal where they cannot be read, or not in time
 */
export async function lookAtWork(
	context: Context,
	run: Run,
	{
		mounts,
		submodules,
		tools,
	}: {
		readonly mounts: readonly Mount[];
		readonly submodules: readonly Submodule[];
		readonly tools?: ShellTools | undefined;
	},
): Promise<Look> {
	const places = context.paths.run(run.id);
	const {stdout, code, stderr, timedOut, over} = await jail(context, {
		runId: run.id,
		places,
		script: lookScript,
		argv: [
			run.branch,
			adminName(places),
			run.worktree,
			run.base,
			...submodules.map(({path: place, commit}, number) => `${number}:${commit}:${place}`),
		],
		mounts,
		tools,
		cwd: run.worktree,
		...(hasWorker(run.stage) ? {timeout: liveTimeoutMs} : {}),
	});
	if (timedOut || code !== 0) {
		throw gateRefusal(
			timedOut
				? "the run's folder could not be read in time"
				: `the run's folder could not be read: ${over ?? stderr.trim().split('\n').at(-1)?.slice(0, 200) ?? ''}`,
			folderIsKept,
		);
	}

	return orThrow(parseLook(stdout, run.id));
}
