import {headBytes, kindOf, type BinaryChange, type Content} from '../../core/review/content.ts';
import type {DiffFile} from '../../core/review/diff.ts';
import type {Git} from '../../host/git.ts';

/* What became of the files of a change that are not text, from objects that were checked, never from a folder. */

/** Files that are looked at; of more, it is said that they are no text. */
const maxFiles = 100;

/** Files of which the first bytes are read, each by a process of its own. */
const maxHeads = 30;

/** The objects before and after, as git's `index` line names them; undefined for none. */
function objectsOf({digest}: DiffFile): readonly [string | undefined, string | undefined] | undefined {
	const match = /^([\da-f]{40,64})\.\.([\da-f]{40,64})(?: |$)/.exec(digest);
	const orNone = (object: string) => (/^0+$/.test(object) ? undefined : object);
	return match ? [orNone(match[1]!), orNone(match[2]!)] : undefined;
}

/** Sizes by object; one that is not there has none. */
async function sizesOf(git: Git, objects: readonly string[]): Promise<Map<string, number>> {
	const {stdout} = await git.run(['cat-file', '--buffer', '--batch-check=%(objectname) %(objecttype) %(objectsize)'], {
		input: objects.map(object => `${object}\n`).join(''),
	});
	return new Map(
		stdout
			.split('\n')
			.map(line => line.split(' '))
			.filter(([, type]) => type === 'blob')
			.map(([object, , size]) => [object!, Number(size)]),
	);
}

/** What an object says it is. */
async function whatOf(git: Git, object: string): Promise<string | undefined> {
	const {stdout} = await git.run(['cat-file', 'blob', object], {limit: headBytes, encoding: 'latin1'});
	return kindOf(Uint8Array.from(stdout.slice(0, headBytes), character => character.charCodeAt(0)));
}

/** @param files of a diff that names its objects in full */
export async function lookAtBinaries(git: Git, files: readonly DiffFile[]): Promise<BinaryChange[]> {
	const own = files
		.filter(({binary}) => binary)
		.slice(0, maxFiles)
		.flatMap(file => {
			const objects = objectsOf(file);
			return objects ? [{file, objects}] : [];
		});
	if (own.length === 0) {
		return [];
	}

	const sizes = await sizesOf(
		git,
		own.flatMap(({objects}) => objects.filter(object => object !== undefined)),
	);
	const changes: BinaryChange[] = [];
	for (const [at, {file, objects}] of own.entries()) {
		const contents: Array<Content | null> = [];
		for (const object of objects) {
			const bytes = object === undefined ? undefined : sizes.get(object);
			const what = bytes === undefined || at >= maxHeads ? undefined : await whatOf(git, object!);
			contents.push(bytes === undefined ? null : {bytes, what});
		}

		changes.push({path: file.path, before: contents[0]!, after: contents[1]!});
	}

	return changes;
}
