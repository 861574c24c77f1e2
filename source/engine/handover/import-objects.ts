import type {Mount} from '../../core/plan.ts';
import {gateRefusal} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import type {Git} from '../../host/git.ts';
import type {Context} from '../context.ts';
import {jail} from '../sandbox/jail.ts';
import {folderIsKept} from './look.ts';

/* From the jail to the host: a stream of objects, which the host's own git unpacks, checks and counts. */

/** Bytes that a run may bring into the repository at once. */
const maxPackBytes = 2 * 1024 ** 3;

/** Memory of the host's git that unpacks it: whatever its objects are made of. */
const indexMemoryBytes = 4 * 1024 ** 3;

/**
 * In the jail: what is new as a pack, once it is known to be no larger
 * than that when it is unpacked. A few bytes can stand for terabytes.
 */
const packScript = `
S=/run/fleet/scratch
export GIT_DIR=/run/fleet/git GIT_OBJECT_DIRECTORY="$S/objects"
cat > "$S/revs"
git rev-list --objects --no-object-names --stdin < "$S/revs" > "$S/new" || exit 1
git cat-file --buffer --batch-check='%(objectsize)' < "$S/new" |
	awk -v most="$1" '{ sum += $1 } END { exit sum > most }' || {
	echo "what is new in it takes more than $(($1 / 1048576)) MiB, which is more than a run may bring" >&2
	exit 1
}
exec git pack-objects --revs --stdout $2 -q < "$S/revs"
`;

/**
 * Brings objects out of the jail into the quarantine: a pack stream, capped and checked.
 * @param options.wanted names of objects, with all that they lead to
 * @param options.known names of objects that the project has, with all that they lead to
 * @param options.maxBytes that they may take when they are unpacked: what the run's folders may grow by
 * @throws Refusal where they are too large, or git does not take them
 */
export async function importObjects(
	context: Context,
	run: Run,
	{
		quarantine,
		mounts,
		wanted,
		known,
		maxBytes,
		isPartial,
	}: {
		readonly quarantine: Git;
		readonly mounts: readonly Mount[];
		readonly wanted: readonly string[];
		readonly known: readonly string[];
		readonly maxBytes: number;
		readonly isPartial: boolean;
	},
): Promise<void> {
	const {process: index} = await quarantine.spawn(
		['index-pack', '--stdin', '--fix-thin', '--strict', `--max-input-size=${maxPackBytes}`],
		indexMemoryBytes,
	);
	// It may end before all was written; why shows in how it ended.
	index.stdin.on('error', () => {});
	const outcome = await jail(context, {
		runId: run.id,
		places: context.paths.run(run.id),
		script: packScript,
		// Of a partial clone what a delta could be held against may not be there.
		argv: [String(maxBytes), ...(isPartial ? [] : ['--thin'])],
		mounts,
		input: `${wanted.join('\n')}\n${known.map(name => `^${name}\n`).join('')}`,
		onOutput(bytes) {
			index.stdin.write(bytes);
		},
	});
	index.stdin.end();
	const result = await index;
	if (outcome.code !== 0 || result.exitCode !== 0) {
		const words = outcome.over ?? (outcome.code === 0 ? String(result.stderr) : outcome.stderr);
		throw gateRefusal(
			`the run's objects were not taken over: ${words.trim().split('\n').at(-1)?.slice(0, 200) ?? 'unknown'}`,
			`${folderIsKept}; fleet show names it`,
		);
	}
}

/**
 * Objects that nothing leads to from base and tips would be a branch with holes.
 * @param known commits that the project has with all that is needed of them
 * @throws Refusal where there are such
 */
export async function checkConnected(
	quarantine: Git,
	names: readonly string[],
	known: readonly string[],
): Promise<void> {
	const {code, stderr} = await quarantine.run([
		'rev-list',
		'--objects',
		'--quiet',
		'--no-object-names',
		...names,
		'--not',
		...known,
		'--all',
	]);
	if (code !== 0) {
		throw gateRefusal(`the run's branch has holes: ${stderr.trim().split('\n').at(-1) ?? ''}`, folderIsKept);
	}
}
