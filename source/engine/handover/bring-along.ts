import {mkdtempSync, readdirSync, rmSync, type Stats} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {setTimeout} from 'node:timers/promises';
import {foldersOf, repositoryMode, shown, type Change} from '../../core/git/tree.ts';
import type {Git} from '../../host/git.ts';
import {namedFile} from '../../host/own-git.ts';
import {attributeFiles, readTree, withAttributes} from './attributes.ts';
import {ownStatusOf} from '../../host/status.ts';

/*
 * A person's own checkout of the target, after a merge: what is theirs
 * stays, and no program of theirs runs over what an agent wrote.
 */

/**
 * Settings that take all of a person's filters away, or have them stand in
 * another folder. Given as variables: a filter's name may hold anything.
 */
async function filterSettings(checkout: Git, change: (command: string) => string): Promise<Record<string, string>> {
	const {stdout} = await checkout.run([
		'config',
		'--null',
		'--get-regexp',
		'^filter\\..*\\.(clean|smudge|process|required)$',
	]);
	const settings = stdout
		.split('\0')
		.filter(record => record !== '')
		.map(record => {
			const [key = '', ...value] = record.split('\n');
			return [key, key.endsWith('.required') ? 'false' : change(value.join('\n'))] as const;
		});
	const env: Record<string, string> = {GIT_CONFIG_COUNT: String(settings.length)};
	for (const [index, [key, value]] of settings.entries()) {
		env[`GIT_CONFIG_KEY_${index}`] = key;
		env[`GIT_CONFIG_VALUE_${index}`] = value;
	}

	return env;
}

function place(folder: string, name: string): Buffer {
	return Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name, 'latin1')]);
}

/** Names for git to read, one a line: quoted, since one may begin with a quote itself. */
function linesOf(names: readonly string[]): Buffer {
	return Buffer.from(
		names.map(name => `"${name.replaceAll(/["\\]/g, String.raw`\$&`).replaceAll('\n', String.raw`\n`)}"\n`).join(''),
		'latin1',
	);
}

/** The first file below a folder that git does not keep. Links are not followed. */
function firstUnkept(folder: string, name: string, kept: ReadonlySet<string>): string | undefined {
	for (const entry of readdirSync(place(folder, name), {
		withFileTypes: true,
		encoding: 'latin1',
	} as never) as unknown as Array<{name: string; isDirectory(): boolean}>) {
		const inner = `${name}/${entry.name}`;
		if (!entry.isDirectory()) {
			if (!kept.has(inner)) {
				return inner;
			}

			continue;
		}

		const found = firstUnkept(folder, inner, kept);
		if (found !== undefined) {
			return found;
		}
	}

	return undefined;
}

/** A person's checkout, about to be brought along. */
export class Checkout {
	readonly #git: Git;
	readonly #folder: string;
	readonly #commonDir: string;

	constructor(git: Git, commonDir: string) {
		this.#git = git;
		this.#commonDir = commonDir;
		this.#folder = git.repository.workTree!;
	}

	async #run(argv: readonly string[], options: {env?: Record<string, string>; input?: string | Uint8Array} = {}) {
		const attributes = await namedFile(this.#git, 'core.attributesFile', 'attributes');
		return this.#git.run([...(attributes === undefined ? [] : ['-c', `core.attributesFile=${attributes}`]), ...argv], {
			cwd: this.#folder,
			...options,
			env: {GIT_OPTIONAL_LOCKS: '1', ...(options.env ?? (await filterSettings(this.#git, () => '')))},
		});
	}

	/**
	 * What was touched and is as it was is no change. Git tells by the content, for which a file that is stored in another
	 * form has to pass the person's own filter, as at each `git status` of theirs: only for those that the merge changes.
	 */
	async #refresh(changes: readonly Change[]): Promise<void> {
		await this.#run(['update-index', '-q', '--refresh']);
		const touched = new Set(
			(
				await this.#git.run(['diff-files', '--name-only', '-z', '--ignore-submodules=all'], {
					cwd: this.#folder,
					encoding: 'latin1',
				})
			).stdout.split('\0'),
		);
		const written = changes
			.filter(({path: name, before}) => before?.mode.startsWith('100') && touched.has(name))
			.map(({path: name}) => ownStatusOf(place(this.#folder, name))?.mtimeMs ?? 0);
		if (written.length > 0) {
			// Of a file as young as the index, by the second, git would look at the content again, and then without the filter.
			const now = Date.now();
			const young = written.some(time => Math.floor(time / 1000) === Math.floor(now / 1000));
			await setTimeout(young ? 1010 - (now % 1000) : 0);
			await this.#elsewhere(env => this.#run(['update-index', '-q', '--refresh'], {env}));
		}
	}

	/** Has the person's filters run in an empty folder: no program finds a part of itself in the project. */
	async #elsewhere<Result>(work: (env: Record<string, string>) => Promise<Result>): Promise<Result> {
		const nothing = mkdtempSync(path.join(os.tmpdir(), 'fleet-filter-'));
		try {
			return await work(
				await filterSettings(this.#git, command =>
					command === '' ? '' : `cd '${nothing.replaceAll("'", String.raw`'\''`)}' && ${command}`,
				),
			);
		} finally {
			rmSync(nothing, {recursive: true, force: true});
		}
	}

	/**
	 * What of the person's own would be lost: files that git does not keep or was told to overlook, where the merge
	 * writes; changes of theirs in files that it changes.
	 * @returns one line; undefined where nothing is in the way
	 *
	 * One function: its checks share one reading of the index, and one look at each place.
	 */
	// oxlint-disable-next-line max-lines-per-function -- the reason is above
	async inTheWay(base: string, commit: string, changes: readonly Change[]): Promise<string | undefined> {
		await this.#refresh(changes);
		const {stdout, code, stderr} = await this.#git.run(['ls-files', '-v', '-z'], {
			cwd: this.#folder,
			encoding: 'latin1',
		});
		if (code !== 0) {
			return `its index cannot be read: ${stderr.trim().split('\n')[0] ?? ''}`;
		}

		const kept = new Map(
			stdout
				.split('\0')
				.filter(record => record !== '')
				.map(record => [record.slice(2), record[0]!]),
		);
		const names = new Set(kept.keys());
		const looked = new Map<string, Stats | undefined>();
		const look = (name: string) => {
			if (!looked.has(name)) {
				let status: Stats | undefined;
				try {
					status = ownStatusOf(place(this.#folder, name));
				} catch {
					// Too long a name is none that is there; what may not be looked at, git's own trial refuses.
				}

				looked.set(name, status);
			}

			return looked.get(name);
		};

		for (const {path: name, before, after} of changes) {
			// A folder on the way that is a file, or a link, of the person's.
			const blocked =
				after &&
				foldersOf(name)
					.reverse()
					.find(folder => folder !== '' && look(folder)?.isDirectory() === false && !kept.has(folder));
			if (blocked !== undefined) {
				return `${shown(blocked)}, which git does not keep, is where the merge needs a folder`;
			}

			const status = look(name);
			if (!status) {
				continue;
			}

			if (before?.mode === repositoryMode) {
				// What is in a submodule's folder is not this repository's: git would take all of it away for a file.
				if (
					after &&
					after.mode !== repositoryMode &&
					status.isDirectory() &&
					readdirSync(place(this.#folder, name)).length > 0
				) {
					return `the submodule ${shown(name)} would become a file, and what is in its folder would be lost`;
				}

				continue;
			}

			const flag = kept.get(name);
			if (flag === undefined) {
				let unkept: string | undefined;
				if (after) {
					unkept = status.isDirectory() ? firstUnkept(this.#folder, name, names) : name;
				}

				if (unkept !== undefined) {
					return `${shown(unkept)}, which git does not keep, would be overwritten`;
				}
			} else if (/[a-zS]/.test(flag)) {
				const {stdout: now} = await this.#run(['hash-object', '--stdin-paths'], {input: linesOf([name])});
				if (now.trim() !== before?.object) {
					return `${shown(name)}, which git was told to overlook, would be overwritten`;
				}
			}
		}

		const trial = await this.#run(['read-tree', '-n', '-m', '-u', base, commit]);
		return trial.code === 0 ? undefined : trial.stderr.trim().split('\n')[0]!.replace('error: ', '');
	}

	/** Whether it holds just what a commit does. */
	async isAt(commit: string): Promise<boolean> {
		const {code} = await this.#run(['diff-index', '--quiet', '--ignore-submodules=all', commit, '--']);
		return code === 0;
	}

	/**
	 * Brings the checkout along. Files are written as they are stored. The person's filters then run over those that
	 * they ran over before, and only where the merge changed nothing that says how; from a folder in which an agent has
	 * nothing, so that no program finds a part of itself in the project.
	 * @returns what became of it
	 */
	async bringAlong(base: string, commit: string, changes: readonly Change[]): Promise<string> {
		const done = await this.#run(['read-tree', '-m', '-u', base, commit]);
		if (done.code !== 0) {
			return `left behind: ${done.stderr.trim().split('\n')[0]}`;
		}

		const written = changes.filter(({after}) => after?.mode.startsWith('100')).map(({path}) => path);
		const tree = await readTree(this.#git, commit);
		const filters = await withAttributes(
			{git: this.#git, commonDir: this.#commonDir},
			attributeFiles(tree),
			attributes => attributes.of('filter', written),
		);
		if (filters.size === 0) {
			return 'updated';
		}

		const stored = (names: Iterable<string>) => {
			const list = [...names];
			return `updated; as ${list.length === 1 ? 'it is' : 'they are'} stored: ${list
				.slice(0, 3)
				.map(name => shown(name))
				.join(', ')}${list.length > 3 ? ` and ${list.length - 3} more` : ''}`;
		};

		if (changes.some(({path}) => /(?:^|\/)\.(?:gitattributes|lfsconfig)$/.test(path))) {
			return stored(filters.keys());
		}

		const names = [...filters.keys()];
		const input = Buffer.from(names.map(name => `${name}\0`).join(''), 'latin1');
		const hasFilters = await this.#elsewhere(async env => {
			if (env['GIT_CONFIG_COUNT'] === '0') {
				return false;
			}

			// Git leaves a file alone that it has just written.
			for (const name of names) {
				rmSync(place(this.#folder, name), {force: true});
			}

			await this.#run(['checkout-index', '--quiet', '-u', '-z', '--stdin'], {env, input});
			return true;
		});
		if (!hasFilters) {
			// A filter that nobody has set up does nothing: they are as git would have them.
			return 'updated';
		}

		await this.#run(['checkout-index', '--quiet', '-u', '-z', '--stdin'], {input});
		const {stdout} = await this.#run(['hash-object', '--no-filters', '--stdin-paths'], {input: linesOf(names)});
		const now = stdout.split('\n');
		const left = names.filter((name, index) => now[index] === tree.get(name)?.object);
		return left.length === 0 ? 'updated' : stored(left);
	}
}
