import {rmSync} from 'node:fs';
import {commandsOf} from '../../core/git/filters.ts';
import {gateRefusal} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import {shown} from '../../core/git/tree.ts';
import {baseMounts} from '../../host/borrowed.ts';
import {makeOwnGit} from '../../host/own-git.ts';
import {giveToRun} from '../../host/run-owner.ts';
import type {Context} from '../context.ts';
import {openRun, rootOf} from '../project/projects.ts';
import {alone} from '../sandbox/alone.ts';
import {jail, makeScratch} from '../sandbox/jail.ts';
import {toolsOf} from '../sandbox/tools.ts';
import {filteredFiles} from './attributes.ts';
import {changesOf} from './vet.ts';

/*
 * Whether files that pass a program of the person's are stored as that program stores them: what it makes of what it
 * shows is what is there. The program runs in the jail, as it did when the files were taken over.
 */

/** A line for each file that is stored otherwise: its number. Attributes are those of the tree. */
const script = `
set -u
export GIT_DIR=/run/fleet/git GIT_WORK_TREE=/run/fleet/scratch/tree GIT_INDEX_FILE=/run/fleet/scratch/index
export GIT_ALTERNATE_OBJECT_DIRECTORIES=$(ls -d /run/fleet/base/[0-9]* | tr '\\n' ':' | sed 's/:$//')
mkdir -p "$GIT_WORK_TREE" && git read-tree "$1" && cd "$GIT_WORK_TREE" &&
	git ls-files -z -- .gitattributes '*/.gitattributes' | git checkout-index -z --stdin || exit 1
xargs -0 -r -n 3 sh -c '
	git cat-file --filters --path="$2" "$1" > /run/fleet/scratch/shown &&
		stored=$(git hash-object --stdin --path="$2" < /run/fleet/scratch/shown) && [ "$stored" = "$1" ] || echo "$0"
'
echo done
`;

/** @throws Refusal where one of the files that a merge would change is stored otherwise */
export async function checkCleaned(
	context: Context,
	run: Run,
	{base, tree}: {readonly base: string; readonly tree: string},
): Promise<void> {
	const filters = commandsOf(run.filters);
	if (filters.length === 0) {
		return;
	}

	const {git, commonDir} = await openRun(context, run);
	const filtered = await filteredFiles({git, commonDir}, tree);
	const files = (await changesOf(git, base, tree)).flatMap(({path, before, after}) =>
		after && after.object !== before?.object && filters.some(({name}) => name === filtered.get(path)?.filter)
			? [{path, object: after.object}]
			: [],
	);
	if (files.length === 0) {
		return;
	}

	const places = context.paths.run(run.id);
	const {code, stdout, stderr} = await alone(places, async () => {
		const scratch = makeScratch(run.id, places);
		try {
			await makeOwnGit(places.jailGit, {
				git,
				commonDir,
				seenAt: '/run/fleet/git',
				passes: {filters, write: '/run/fleet/scratch/lfs', read: []},
			});
			giveToRun(run.id, places.jailGit);
			return await jail(context, {
				runId: run.id,
				places,
				script,
				argv: [tree],
				input: Buffer.from(files.map(({path, object}, at) => `${at}\0${object}\0${path}\0`).join(''), 'latin1'),
				tools: await toolsOf(context, rootOf(context, run)),
				mounts: [
					...baseMounts(commonDir),
					{source: places.jailGit, target: '/run/fleet/git', mode: 'read'},
					{source: scratch, target: '/run/fleet/scratch', mode: 'write'},
				],
			});
		} finally {
			rmSync(scratch, {recursive: true, force: true});
		}
	});
	const lines = stdout.split('\n').filter(line => line !== '');
	if (code !== 0 || lines.at(-1) !== 'done') {
		throw gateRefusal(
			`its filtered files could not be looked at: ${stderr.trim().split('\n').at(-1)?.slice(0, 200) ?? ''}`,
			`fleet verify ${run.id}`,
		);
	}

	const wrong = lines.slice(0, -1).map(line => files[Number(line)]!.path);
	if (wrong.length > 0) {
		throw gateRefusal(
			`its branch holds what is never merged: ${shown(wrong[0]!)} is not stored as the filter ` +
				`${shown(filtered.get(wrong[0]!)!.filter)} stores it${wrong.length > 1 ? `; and ${wrong.length - 1} more` : ''}`,
			`fleet resume ${run.id} "git add --renormalize . and commit"`,
		);
	}
}
