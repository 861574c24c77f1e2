import {lfs, readPointer, type Filter} from '../../core/git/filters.ts';
import {shown} from '../../core/git/tree.ts';
import type {ProjectGit} from '../../host/git.ts';
import {hasContent, lfsStore} from '../../host/lfs.ts';
import {filteredFiles, readBlobs} from './attributes.ts';

/** Of several names, the first, and how many more there are. */
function some(names: readonly string[]): string {
	return `${shown(names[0]!)}${names.length > 1 ? ` and ${names.length - 1} more` : ''}`;
}

const are = (names: readonly string[]) => (names.length === 1 ? ['it is', 'it'] : ['they are', 'them']);

/** Those of these files whose content no store of Git LFS here has. */
async function withoutContent(
	{git, commonDir}: ProjectGit,
	files: ReadonlyArray<readonly [name: string, object: string]>,
): Promise<string[]> {
	const store = await lfsStore({git, commonDir});
	const blobs = await readBlobs(
		git,
		files.map(([, object]) => object),
	);
	return files
		.filter(([, object]) => {
			const oid = readPointer(blobs.get(object) ?? '')?.oid;
			return oid !== undefined && !hasContent(store, oid);
		})
		.map(([name]) => name);
}

/**
 * For a run's notes: in which form it sees the files that a filter is for.
 * @param filters those that its files pass
 */
export async function storedNotes(
	project: ProjectGit,
	commit: string,
	filters: readonly Filter[] | undefined = [],
): Promise<string[]> {
	const notes: string[] = [];
	const byFilter = Map.groupBy(await filteredFiles(project, commit), ([, {filter}]) => filter);
	for (const [filter, files] of byFilter) {
		const names = files.map(([name]) => name);
		if (!filters.some(({name}) => name === filter)) {
			const [be, them] = are(names);
			notes.push(`as ${be} stored, not as the filter ${shown(filter)} shows ${them}: ${some(names)}`);
			continue;
		}

		const left =
			filter === lfs
				? await withoutContent(
						project,
						files.map(([name, {object}]) => [name, object] as const),
					).catch(() => [])
				: [];
		const rest = names.filter(name => !left.includes(name));
		if (rest.length > 0) {
			notes.push(`as the filter ${shown(filter)} shows ${are(rest)[1]}: ${some(rest)}`);
		}

		if (left.length > 0) {
			notes.push(`as pointers, since your repository does not have their content (git lfs pull): ${some(left)}`);
		}
	}

	return notes;
}
