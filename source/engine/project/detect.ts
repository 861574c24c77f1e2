import type {Project} from '../../core/project.ts';
import {detectParts, wantedPaths, type Part} from '../../kinds/detect.ts';
import type {Context} from '../context.ts';
import {programsCalled, toolsOf} from '../sandbox/tools.ts';
import {openRepository} from './projects.ts';

/** A manifest or a lock file that is larger is not looked at, bytes. */
const maxFileBytes = 32 * 1024 ** 2;

/**
 * What kinds of project a repository is, from what is committed where it is checked out: what lies in the folder could
 * be an agent's. Programs are those that a sandbox of the project finds.
 */
export async function detectProject(context: Context, project: Project): Promise<Part[]> {
	const {checkout} = await openRepository(project.root);
	const listed = (await checkout.must(['ls-tree', '-r', '-l', '-z', 'HEAD'])).split('\0').flatMap(line => {
		const match = /^100\d+ blob (\S+) +(\d+)\t(.+)$/s.exec(line);
		return match ? [{object: match[1]!, bytes: Number(match[2]), name: match[3]!}] : [];
	});
	const files = new Map(listed.map(file => [file.name, file]));
	const texts = new Map<string, string>();
	for (const name of wantedPaths([...files.keys()])) {
		const {object, bytes} = files.get(name)!;
		if (bytes <= maxFileBytes) {
			texts.set(name, await checkout.must(['cat-file', 'blob', object]));
		}
	}

	const tools = await toolsOf(context, project.root);
	return detectParts({
		paths: [...files.keys()],
		text: name => texts.get(name),
		has: program => programsCalled(program, tools).length > 0,
	});
}
