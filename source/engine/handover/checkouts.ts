import {existsSync, readFileSync, realpathSync} from 'node:fs';
import path from 'node:path';
import {branchName} from '../../core/git/refs.ts';
import {Refusal, gateRefusal} from '../../core/refusal.ts';
import {quoteWord} from '../../core/text/shell-words.ts';
import {discover, Git, type ProjectCheckout} from '../../host/git.ts';
import {Checkout} from './bring-along.ts';
import {changesOf} from './vet.ts';

/* Where a target is checked out, and what becomes of the files there when it moves. */

/** A folder in which the target is checked out, and git's own folder for it, which names what is going on there. */
type Place = {readonly folder: string; readonly gitDir: string};

/**
 * Where the files of the repository's own checkout are. Git lists
 * it by the folder of its git folder, wherever its files are.
 */
async function mainCheckout({git, commonDir, root}: ProjectCheckout): Promise<string> {
	const setting = await git.setting('core.worktree');
	if (setting !== undefined) {
		return path.resolve(commonDir, setting);
	}

	if (path.basename(commonDir) === '.git') {
		return path.dirname(commonDir);
	}

	const found = await discover(root);
	if (found instanceof Refusal || found.topLevel === undefined || realpathSync(found.gitDir) !== commonDir) {
		throw gateRefusal(
			`the target is checked out where git does not name: the files of ${commonDir}`,
			`git --git-dir=${quoteWord(commonDir)} config core.worktree PATH`,
		);
	}

	return found.topLevel;
}

/**
 * The git folder that a linked checkout names, where the repository
 * knows it; undefined where another one is in its place.
 */
function linkedGitDir(folder: string, commonDir: string): string | undefined {
	try {
		const gitDir = realpathSync(
			path.resolve(folder, /^gitdir: (.+)\n?$/.exec(readFileSync(path.join(folder, '.git'), 'utf8'))?.[1] ?? ''),
		);
		return path.dirname(gitDir) === path.join(commonDir, 'worktrees') ? gitDir : undefined;
	} catch {
		// There is no .git, or it leads nowhere: git itself would find no checkout there.
		return undefined;
	}
}

/** Where the target is checked out. @throws Refusal where that cannot be told */
async function placesOf(project: ProjectCheckout, target: string): Promise<Place[]> {
	const {git, commonDir} = project;
	const places: Place[] = [];
	const {code, stdout, stderr} = await git.worktree('list', '--porcelain', '-z');
	if (code !== 0) {
		throw new Error(`git worktree list: ${stderr.trim().split('\n').at(-1) ?? code}`);
	}

	for (const [index, record] of stdout.split('\0\0').entries()) {
		const lines = record.split('\0');
		const listed = lines.find(line => line.startsWith('worktree '))?.slice('worktree '.length);
		if (listed === undefined || !lines.includes(`branch ${target}`) || lines.includes('bare')) {
			continue;
		}

		// The first is the repository's own.
		const folder = index === 0 ? await mainCheckout(project) : listed;
		const gitDir = index === 0 ? commonDir : linkedGitDir(folder, commonDir);
		if (gitDir !== undefined && existsSync(folder)) {
			places.push({folder, gitDir});
		}
	}

	return places;
}

const inProgress: Record<string, string> = {
	MERGE_HEAD: 'a merge',
	CHERRY_PICK_HEAD: 'a cherry-pick',
	REVERT_HEAD: 'a revert',
	'rebase-merge': 'a rebase',
	'rebase-apply': 'a rebase',
	BISECT_LOG: 'a bisect',
};

/** One move of a target: commits by their names. */
export type Move = {readonly from: string; readonly to: string};

/** Where a target is checked out, ready to follow it. */
export class Checkouts {
	readonly #project: ProjectCheckout;
	readonly #places: ReadonlyArray<{readonly folder: string; readonly checkout: Checkout; readonly busy?: string}>;

	private constructor(project: ProjectCheckout, places: readonly Place[]) {
		this.#project = project;
		this.#places = places.map(({folder, gitDir}) => {
			const busy = Object.keys(inProgress).find(file => existsSync(path.join(gitDir, file)));
			return {
				folder,
				checkout: new Checkout(new Git({gitDir, workTree: folder}), project.commonDir),
				...(busy === undefined ? {} : {busy: inProgress[busy]!}),
			};
		});
	}

	/** @throws Refusal where it cannot be told where the target is checked out */
	static async find(project: ProjectCheckout, target: string): Promise<Checkouts> {
		return new Checkouts(project, await placesOf(project, target));
	}

	/** @throws Refusal where one of them is in the middle of something */
	refuseBusy(target: string): void {
		for (const {folder, busy} of this.#places) {
			if (busy !== undefined) {
				throw gateRefusal(
					`${folder} is in the middle of ${busy}, so ${branchName(target)} is left alone`,
					'finish or abort it, then merge again',
				);
			}
		}
	}

	/** @param again what to type afterwards. @throws Refusal where files of a person's own are in the way */
	async refuseInTheWay({from, to}: Move, again: string): Promise<void> {
		const changes = await this.#changes({from, to});
		for (const {folder, checkout} of this.#places) {
			const because = await checkout.inTheWay(from, to, changes);
			if (because !== undefined) {
				throw gateRefusal(
					`the merge would overwrite what is in ${folder}: ${because}`,
					`move it away, commit or stash it, then: ${again}`,
				);
			}
		}
	}

	/** Has them follow a target that moved. @returns what became of them, in words */
	async follow({from, to}: Move): Promise<string> {
		const changes = await this.#changes({from, to});
		let state = this.#places.length === 0 ? 'not checked out' : 'updated';
		for (const {checkout} of this.#places) {
			const became = await checkout.bringAlong(from, to, changes);
			state = became === 'updated' ? state : became;
		}

		return state;
	}

	/** The same for a move of which nobody knows how far it came. */
	async followLate({from, to}: Move): Promise<string> {
		const changes = await this.#changes({from, to});
		let state = this.#places.length === 0 ? 'not checked out' : 'updated';
		for (const {checkout} of this.#places) {
			const because = await checkout.inTheWay(from, to, changes);
			const became =
				because === undefined || (await checkout.isAt(to))
					? await checkout.bringAlong(from, to, changes)
					: `left behind: ${because}`;
			state = became === 'updated' ? state : became;
		}

		return state;
	}

	async #changes({from, to}: Move) {
		return this.#places.length === 0 ? [] : changesOf(this.#project.git, from, to);
	}
}
