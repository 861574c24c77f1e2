import type {Project} from '../../core/project.ts';
import {Refusal} from '../../core/refusal.ts';
import {withinTime} from '../../host/time-limit.ts';
import {detectParts, wantedPaths, type Part} from '../../kinds/detect.ts';
import type {Context} from '../context.ts';
import {programsCalled, toolsOf} from '../sandbox/tools.ts';
import {openRepository} from './projects.ts';

/** A manifest or a lock file that is larger is not looked at, bytes. */
const maxFileBytes = 32 * 1024 ** 2;

/** Of all of them together. */
const maxAllBytes = 128 * 1024 ** 2;

/** How long they may take to be understood, milliseconds: whoever wrote them may not mean well. */
const detectMs = 20_000;

/** Characters of all that git lists. */
const maxNames = 128 * 1024 ** 2;

const byHand = ({id}: Project) => `fleet project init ${id} --verify "make test"`;

/**
 * What kinds of project a repository is, from what is committed where it is checked out: what lies in the folder could
 * be an agent's. Programs are those that a sandbox of the project finds.
 * @throws Refusal where they are too many, or take too long
 */
export async function detectProject(context: Context, project: Project): Promise<Part[]> {
	const {checkout} = await openRepository(project.root);
	const tree = await checkout.run(['ls-tree', '-r', '-l', '-z', 'HEAD'], {limit: maxNames});
	if (tree.code !== 0) {
		throw new Refusal(`${project.id} has more files than can be looked through`, byHand(project));
	}

	const listed = tree.stdout.split('\0').flatMap(line => {
		const match = /^100\d+ blob (\S+) +(\d+)\t(.+)$/s.exec(line);
		return match ? [{object: match[1]!, bytes: Number(match[2]), name: match[3]!}] : [];
	});
	const files = new Map(listed.map(file => [file.name, file]));
	const texts = new Map<string, string>();
	let left = maxAllBytes;
	for (const name of wantedPaths([...files.keys()])) {
		const {object, bytes} = files.get(name)!;
		if (bytes <= Math.min(maxFileBytes, left)) {
			left -= bytes;
			texts.set(name, await checkout.must(['cat-file', 'blob', object]));
		}
	}

	const tools = await toolsOf(context, project.root);
	const found = withinTime(detectMs, () =>
		detectParts({
			paths: [...files.keys()],
			text: name => texts.get(name),
			has: program => programsCalled(program, tools).length > 0,
		}),
	);
	if (!found) {
		throw new Refusal(`the manifests of ${project.id} take longer to read than ${detectMs / 1000} s`, byHand(project));
	}

	return found.result;
}
