import {existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {filterSettings, lfs, lfsProgram} from '../core/git/filters.ts';
import {Git, type ProjectGit} from './git.ts';
import {lfsProgramText} from './lfs-program.ts';
import {lfsStore} from './lfs.ts';
import {personRules, privateConfig, quote} from './own-git.ts';
import {objectFolders} from './borrowed.ts';

/* A git folder for commands that look at a repository and must not change it: of one commit, with what leads to it. */

export type Looked = {
	/** The person's repository, and its folder. */
	readonly git: Git;
	readonly commonDir: string;
	/** Where the git folder and the checkout are made; both are empty. */
	readonly folder: string;
	readonly tree: string;
	/**
	 * A commit, or a tree and the commits of which it is the merge: then a commit is made of them, in this folder alone.
	 */
	readonly what:
		| {readonly commit: string}
		| {
				readonly tree: string;
				readonly parents: readonly string[];
				/** By default, that it is a merge. */ readonly message?: string;
		  };
	/** Full ref that HEAD names. */
	readonly branch: string;
	/** How many commits deep; undefined for all. */
	readonly depth: number | undefined;
	/** Whether the git folder stands beside the checkout, not in it, and names it. */
	readonly beside?: boolean;
	/** Where the object folders of `objectFolders` are seen by those who look, one by one. */
	readonly objectsSeenAt: (index: number) => string;
};

/** Commits at which a history of that depth ends. */
async function boundary(git: Git, commit: string, depth: number): Promise<string[]> {
	let level = [commit];
	const seen = new Set(level);
	const ends: string[] = [];
	for (let at = 1; level.length > 0; at++) {
		const lines = (await git.raw('rev-list', '--no-walk', '--parents', ...level))
			.split('\n')
			.filter(line => line !== '')
			.map(line => line.split(' '));
		if (at >= depth) {
			ends.push(...lines.filter(([, ...parents]) => parents.length > 0).map(([name]) => name!));
			break;
		}

		level = [...new Set(lines.flatMap(([, ...parents]) => parents))].filter(parent => !seen.has(parent));
		for (const parent of level) {
			seen.add(parent);
		}
	}

	return ends;
}

/** The commit of a merge, or of a tree that is tried, in a git folder of fleet's own. The same parents and tree give the same one, whenever it is made. */
async function commitMerge(
	git: Git,
	own: Git,
	{tree, parents, message = 'The merge that is verified'}: Exclude<Looked['what'], {commit: string}>,
): Promise<string> {
	const dates = (await git.raw('log', '--no-walk', '--format=%ct', ...parents))
		.split('\n')
		.filter(line => line !== '')
		.map(Number);
	const stamp = `@${Math.max(...dates)} +0000`;
	const made = await own.must(['commit-tree', tree, ...parents.flatMap(parent => ['-p', parent]), '-m', message], {
		env: {
			GIT_AUTHOR_NAME: 'fleet',
			GIT_AUTHOR_EMAIL: 'fleet@fleet.invalid',
			GIT_COMMITTER_NAME: 'fleet',
			GIT_COMMITTER_EMAIL: 'fleet@fleet.invalid',
			GIT_AUTHOR_DATE: stamp,
			GIT_COMMITTER_DATE: stamp,
		},
	});
	return made.trim();
}

/**
 * Settings that have files of Git LFS written with their content where the person's store has it, and their git is set
 * up for it. By fleet's own program, which runs nothing and writes nowhere but in this folder.
 */
async function lfsSettings(project: ProjectGit, folder: string): Promise<Record<string, string>> {
	const {code} = await project.git.run(['config', '--get-regexp', '^filter\\.lfs\\.(clean|smudge|process)$']);
	if (code !== 0) {
		return {};
	}

	const program = path.join(folder, lfsProgram);
	writeFileSync(program, lfsProgramText, {mode: 0o644});
	const settings = filterSettings([{name: lfs}], {
		program,
		write: path.join(folder, 'lfs', 'objects'),
		read: [await lfsStore(project)],
	});
	return Object.fromEntries([
		['GIT_CONFIG_COUNT', String(settings.length)],
		...settings.flatMap(([key, value], at) => [
			[`GIT_CONFIG_KEY_${at}`, key],
			[`GIT_CONFIG_VALUE_${at}`, value],
		]),
	]);
}

/**
 * Writes the files of a commit, and a git folder beside them: its index, its branch, the project's tags, its objects by
 * alternates. No remote, no hook, nobody's configuration but how files are written; no filter of anybody's runs.
 * @returns the commit
 */
export async function makeGitFolder({
	git,
	commonDir,
	folder,
	tree,
	what,
	branch,
	depth,
	beside,
	objectsSeenAt,
}: Looked): Promise<string> {
	for (const part of ['objects/info', 'objects/pack', 'refs/heads', 'refs/tags', 'info']) {
		mkdirSync(path.join(folder, part), {recursive: true, mode: 0o755});
	}

	const write = (name: string, content: string) => {
		writeFileSync(path.join(folder, name), content, {mode: 0o644});
	};

	const alternates = (places: readonly string[]) =>
		write('objects/info/alternates', places.map(place => `${place}\n`).join(''));
	write('HEAD', `ref: ${branch}\n`);
	// Whose files they are, and when they were written, changes on the
	// way into a sandbox: size and time of the content are enough.
	write(
		'config',
		`${(await privateConfig(git)).replace(/\[user\]\n(?:\t.*\n)*/, '')}[core]\n\tcheckStat = minimal\n` +
			`\ttrustctime = false\n${beside ? `\tworktree = ${quote(tree)}\n` : ''}`,
	);
	const rules = await personRules(git, commonDir);
	write('info/attributes', rules.ownAttributes);
	write('info/exclude', rules.ignored + rules.ownIgnored);
	const objects = objectFolders(commonDir);
	alternates(objects);
	const shallow = path.join(commonDir, 'shallow');
	const ends = existsSync(shallow)
		? readFileSync(shallow, 'utf8')
				.split('\n')
				.filter(line => line !== '')
		: [];
	// An empty file would already mean a history that is cut.
	const cut = (all: readonly string[]) =>
		all.length > 0 ? write('shallow', [...new Set(all)].map(end => `${end}\n`).join('')) : undefined;
	cut(ends);
	const own = new Git({gitDir: folder, workTree: tree, own: true});
	const commit = 'commit' in what ? what.commit : await commitMerge(git, own, what);
	write(
		'packed-refs',
		[
			...(await git.raw('for-each-ref', '--format=%(objectname) %(refname)', 'refs/tags'))
				.split('\n')
				.filter(line => line !== ''),
			`${commit} ${branch}`,
		]
			.map(line => `${line}\n`)
			.join(''),
	);
	if (depth !== undefined) {
		cut([...ends, ...(await boundary(own, commit, depth))]);
	}

	const index = {GIT_INDEX_FILE: path.join(folder, 'index')};
	await own.must(['read-tree', commit], {env: index, cwd: tree});
	const lfsEnv = await lfsSettings({git, commonDir}, folder);
	await own.must(['checkout-index', '--all', '--force', '--quiet', '--index'], {env: {...index, ...lfsEnv}, cwd: tree});
	alternates(objects.map((_, at) => objectsSeenAt(at)));
	return commit;
}
