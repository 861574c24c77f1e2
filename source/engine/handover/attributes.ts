import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {gateRefusal} from '../../core/refusal.ts';
import {isDotGit, parseTree, type Entry} from '../../core/git/tree.ts';
import {Git, type ProjectGit} from '../../host/git.ts';
import {makeOwnGit, personRules} from '../../host/own-git.ts';

/*
 * What .gitattributes say of files, asked of git itself, over a
 * folder that holds nothing but the attribute files of one tree.
 */

/** Attribute files of one tree that are read. */
const maxAttributeFiles = 10_000;

/** What `git ls-tree` says of every path. @throws Refusal where there are more than can be looked through */
async function listTree(git: Git, tree: string): Promise<string> {
	const {code, stdout, stderr} = await git.run(['ls-tree', '-r', '-z', '--full-tree', tree], {encoding: 'latin1'});
	if (code !== 0) {
		throw gateRefusal(
			`the tree ${tree.slice(0, 10)} cannot be looked through: ` +
				`${stderr.trim().split('\n').at(-1) || 'it has too many files'}`,
			`git ls-tree -r ${tree.slice(0, 10)}`,
		);
	}

	return stdout;
}

/** Every path of a tree. @throws Refusal where there are more than can be looked through */
export async function readTree(git: Git, tree: string): Promise<Map<string, Entry>> {
	return parseTree(await listTree(git, tree));
}

/** The content of objects, as latin1, by their names. What is longer than `limit` bytes in all is refused. */
export async function readBlobs(
	git: Git,
	objects: readonly string[],
	limit = 64 * 1024 ** 2,
): Promise<Map<string, string>> {
	const unique = [...new Set(objects)];
	if (unique.length === 0) {
		return new Map();
	}

	const {code, stdout} = await git.run(['cat-file', '--batch'], {
		input: `${unique.join('\n')}\n`,
		encoding: 'latin1',
		limit,
	});
	if (code !== 0) {
		throw gateRefusal('files that decide how others are stored are too large to be read', 'make them smaller');
	}

	const found = new Map<string, string>();
	for (let at = 0; at < stdout.length;) {
		const end = stdout.indexOf('\n', at);
		const [name = '', type = '', size = ''] = stdout.slice(at, end).split(' ');
		if (type === 'missing' || size === '') {
			at = end + 1;
			continue;
		}

		found.set(name, stdout.slice(end + 1, end + 1 + Number(size)));
		at = end + 1 + Number(size) + 1;
	}

	return found;
}

const isAttributes = (name: string) => name === '.gitattributes' || name.endsWith('/.gitattributes');

/** The files of a tree that decide about attributes. A link in such a place means nothing to git. */
export function attributeFiles(tree: ReadonlyMap<string, Entry>): Array<readonly [string, Entry]> {
	return [...tree].filter(([name, {mode}]) => isAttributes(name) && mode.startsWith('100'));
}

/**
 * A git of fleet's own that stands in a folder with the attribute
 * files of a tree, and with the person's own attributes.
 */
export type Attributes = {
	readonly git: Git;
	readonly folder: string;
	/** What an attribute is for each of these paths; those for which it has no value are left out. */
	of(attribute: string, paths: readonly string[]): Promise<Map<string, string>>;
};

/** @param files the attribute files of a tree @param work what is done with them while the folder is there */
export async function withAttributes<Result>(
	{git, commonDir}: ProjectGit,
	files: ReadonlyArray<readonly [string, Entry]>,
	work: (attributes: Attributes) => Promise<Result>,
): Promise<Result> {
	if (files.length > maxAttributeFiles) {
		throw gateRefusal(
			`there are ${files.length} files named .gitattributes; ${maxAttributeFiles} are looked at`,
			'have fewer',
		);
	}

	const place = mkdtempSync(path.join(os.tmpdir(), 'fleet-attributes-'));
	try {
		const folder = path.join(place, 'tree');
		mkdirSync(folder);
		await makeOwnGit(path.join(place, 'own.git'), {git, commonDir});
		const contents = await readBlobs(
			git,
			files.map(([, {object}]) => object),
		);
		for (const [name, {object}] of files) {
			const parts = name.split('/');
			if (parts.some(part => part === '' || part === '.' || part === '..' || isDotGit(part))) {
				continue;
			}

			try {
				mkdirSync(bytesOf(folder, parts.slice(0, -1)), {recursive: true});
				writeFileSync(bytesOf(folder, parts), contents.get(object) ?? '', {encoding: 'latin1'});
			} catch (error) {
				throw gateRefusal(
					`${JSON.stringify(name.slice(0, 80))} cannot be read as a file of attributes: ` +
						`${(error as NodeJS.ErrnoException).code ?? ''}`,
					'have its path shortened',
				);
			}
		}

		const own = new Git({gitDir: path.join(place, 'own.git'), workTree: folder, own: true});
		return await work({
			git: own,
			folder,
			async of(attribute, paths) {
				const found = new Map<string, string>();
				if (paths.length > 0) {
					const words = (
						await own.must(['check-attr', '-z', '--stdin', attribute], {
							cwd: folder,
							input: Buffer.from(`${paths.join('\0')}\0`, 'latin1'),
							encoding: 'latin1',
						})
					).split('\0');
					for (let index = 0; index + 2 < words.length; index += 3) {
						const value = words[index + 2]!;
						if (value !== 'unspecified' && value !== 'unset' && value !== 'set') {
							found.set(words[index]!, value);
						}
					}
				}

				return found;
			},
		});
	} finally {
		rmSync(place, {recursive: true, force: true});
	}
}

/** The files of a commit, or a tree, that pass a filter, and which one: by the attributes of that tree and the person's. */
export async function filteredFiles(
	{git, commonDir}: ProjectGit,
	commit: string,
): Promise<Map<string, {readonly filter: string; readonly object: string}>> {
	const [text, rules] = await Promise.all([listTree(git, commit), personRules(git, commonDir)]);
	// Of many files, to take the list apart takes longer than to see that none says anything of attributes.
	if (![text, rules.attributes, rules.ownAttributes].some(one => /\.gitattributes\0|filter/.test(one))) {
		return new Map();
	}

	const tree = parseTree(text);
	const files = attributeFiles(tree);
	const texts = [
		rules.attributes,
		rules.ownAttributes,
		...(
			await readBlobs(
				git,
				files.map(([, {object}]) => object),
			)
		).values(),
	];
	if (!texts.some(text => text.includes('filter'))) {
		return new Map();
	}

	const names = [...tree].flatMap(([name, {mode}]) => (mode.startsWith('100') ? [name] : []));
	const filtered = await withAttributes({git, commonDir}, files, attributes => attributes.of('filter', names));
	return new Map([...filtered].map(([name, filter]) => [name, {filter, object: tree.get(name)!.object}]));
}

function bytesOf(folder: string, parts: readonly string[]): Buffer {
	return Buffer.concat([Buffer.from(folder), Buffer.from(parts.map(part => `/${part}`).join(''), 'latin1')]);
}
