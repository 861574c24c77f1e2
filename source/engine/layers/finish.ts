import {existsSync, mkdirSync} from 'node:fs';
import path from 'node:path';
import {printable} from '../../core/names.ts';
import {dropUidOf, type SandboxPlan} from '../../core/plan.ts';
import {Refusal} from '../../core/refusal.ts';
import {removeFolder} from '../../host/remove-folder.ts';
import {giveToRun, ownerOf} from '../../host/run-owner.ts';
import {insideHome} from '../../host/toolchain.ts';
import type {Context} from '../context.ts';
import {runLimited, type DiskUse} from '../sandbox/guard.ts';
import {cachePlaces} from './caches.ts';
import {commandTimeoutMs, insideProject, setupId, type Places, type Setup} from './setup-types.ts';
import type {LayerFacts} from './store.ts';

/* From what setup's commands left to a layer: what git keeps goes, the rest is looked through and counted. */

/** How a command ended, in words; undefined where it did well. */
export function endOf(outcome: Awaited<ReturnType<typeof runLimited>>): string | undefined {
	if (outcome.over !== undefined) {
		return `was ended: ${outcome.over}`;
	}

	if (outcome.timedOut) {
		return `took longer than ${commandTimeoutMs / 60_000} minutes`;
	}

	return outcome.code === 0 ? undefined : `ended with ${outcome.signal ?? `exit code ${outcome.code ?? 'unknown'}`}`;
}

/** Bytes and files of folders; links are not followed. */
export async function diskOf(
	context: Pick<Context, 'executor'>,
	folders: readonly string[],
): Promise<DiskUse | undefined> {
	let text = '';
	const {code} = await context.executor.run(
		{
			argv: ['find', ...folders, '-xdev', '-printf', '%b %n\\n'],
			cwd: '/',
			env: {PATH: '/usr/bin:/bin', LC_ALL: 'C'},
		},
		{
			timeout: 60_000,
			onOutput(bytes, stream) {
				text += stream === 'stdout' ? Buffer.from(bytes).toString('latin1') : '';
			},
		},
	);
	const lines = text.split('\n').filter(line => line !== '');
	const blocks = lines.map(line => line.split(' ').map(Number)).reduce((sum, [b = 0, n = 1]) => sum + b / n, 0);
	return code === null ? undefined : {bytes: blocks * 512, files: lines.length};
}

/**
 * Folders and files that hold what came from elsewhere, or what its tool makes anew by itself where the project's own
 * files are newer. All else that setup leaves was made of the project's files as they were.
 */
const kept = [
	'node_modules',
	'.venv',
	'venv',
	'vendor',
	'.yarn',
	'.pnp.*',
	'target',
	'.gradle',
	'.m2',
	'.cargo',
	'.bundle',
	'.tox',
	'.nox',
	'__pycache__',
	'*.egg-info',
	'.eggs',
	'.pytest_cache',
	'.npmrc',
	'*.lock',
	'*.lockb',
	'package-lock.json',
	'pnpm-lock.yaml',
	'go.sum',
] as const;

/**
 * Takes away what git keeps, what is no file, and what would run as somebody else; says what setup changed that git
 * keeps, and what it left that git does not ignore.
 */
const finishScript = `
names=$1
git -c core.fsmonitor=false status --porcelain --untracked-files=normal 2> /dev/null | head -n 200
echo --
# From folders that were closed, too, and where a folder is now in the place of a file.
xargs -0 -r rm -rf -- < "$names" 2> /dev/null || {
	find . -xdev -type d ! -perm -0700 -exec chmod u+rwx {} \\; 2> /dev/null
	xargs -0 -r rm -rf -- < "$names"
} || exit 1
sed -z 's,/[^/]*$,,; t; d' "$names" | sort -zur | xargs -0 -r rmdir -p --ignore-fail-on-non-empty -- 2> /dev/null
shift
for place do (cd "$HOME" && rmdir -p --ignore-fail-on-non-empty -- "$place" 2> /dev/null); done
# Once through all of it: a folder that is closed is opened before it is entered.
find . "$HOME" -xdev \\( -type d ! -perm -0700 -exec chmod u+rwx {} \\; \\) , \\
	\\( \\( -type p -o -type s -o -type b -o -type c \\) -exec rm -f {} + \\) , \\
	\\( -type f -perm /6000 -exec chmod ug-s {} + \\) , -printf '%b %n\\n' 2> /dev/null |
	awk '{ files++; blocks += $1 / $2 } END { printf "size %d %d\\n", blocks * 512, files }'
# What was made of the project's own files, and no tool makes anew by itself when they change.
{
	find . -mindepth 1 -xdev \\( -path ./.git ${kept.map(name => `-o -name '${name}'`).join(' ')} \\) -prune -o ! -type d -printf '%P\\n'
	find . "$HOME" -xdev -path '*.dist-info/direct_url.json' -exec grep -l 'file:///run/fleet/project' {} + 2> /dev/null |
		tr '\\n' '\\0' | xargs -0 -r grep -L '"editable": *true'
} | head -n 5 | sed 's/^/built /'
echo "tree $(find . -mindepth 1 -xdev ! -path ./.git -print -quit | wc -l)"
echo "home $(find "$HOME" -mindepth 1 -xdev -print -quit | wc -l)"
`;

/** @throws Refusal where it could not be read */
export async function finish(
	setup: Setup,
	places: Places,
): Promise<Pick<LayerFacts, 'hasTree' | 'hasHome' | 'bytes' | 'files' | 'builds' | 'notes'>> {
	const {context, sandbox} = setup;
	// The caches are not part of it: what is below their places is their own.
	const plan: SandboxPlan = {
		...places.plan,
		mounts: [
			...places.plan.mounts.filter(({target}) => !target.startsWith(`${insideHome}/`)),
			{source: places.names, target: '/run/fleet/names', mode: 'read'},
		],
	};
	let text = '';
	const outcome = await runLimited(
		context,
		sandbox.prepare(plan, path.join(places.folder, 'finish')).alone({
			argv: ['/bin/sh', '-c', finishScript, 'sh', '/run/fleet/names', ...cachePlaces()],
			cwd: plan.cwd,
			env: {},
		}),
		{
			limited: {plan, group: undefined},
			timeout: commandTimeoutMs,
			signal: setup.signal,
			onOutput(bytes, stream) {
				text += stream === 'stdout' ? Buffer.from(bytes).toString('utf8') : '';
			},
		},
	);
	const [status = '', counts = ''] = text.split(/^--$/m);
	if (endOf(outcome) !== undefined || !/^home \d/m.test(counts)) {
		throw new Refusal(
			`the result of setup could not be kept: ${endOf(outcome) ?? 'it could not be read'}`,
			'fleet doctor',
		);
	}

	// The mount point of the git folder.
	removeFolder(path.join(places.tree, '.git'));
	const [, bytes = '0', files = '0'] = /^size (\d+) (\d+)$/m.exec(counts) ?? [];
	return {
		hasTree: /^tree 1/m.test(counts),
		hasHome: /^home 1/m.test(counts),
		bytes: Number(bytes),
		files: Number(files),
		builds: [...counts.matchAll(/^built (.+)$/gm)].map(([, name]) => printable(name!, 100)),
		notes: notesOf(status),
	};
}

/** What a person should know of what setup left in the checkout. @param status as git's porcelain says it */
function notesOf(status: string): string[] {
	const lines = status.split('\n').filter(line => line !== '');
	const list = (names: string[]) =>
		`${names
			.slice(0, 5)
			.map(line => printable(line.slice(3), 80))
			.join(', ')}${names.length > 5 ? ` and ${names.length - 5} more` : ''}`;
	const [untracked, changed] = [
		lines.filter(line => line.startsWith('??')),
		lines.filter(line => !line.startsWith('??')),
	];
	return [
		...(changed.length === 0 ? [] : [`setup changed what git keeps, and that is left out: ${list(changed)}`]),
		...(untracked.length === 0
			? []
			: [`setup left what git does not ignore, so it counts as the run's: ${list(untracked)}`]),
	];
}

/** Whether this machine lays folders over others where layers lie. */
export async function takesOverlay({context, sandbox, project}: Setup, places: Places): Promise<boolean> {
	const id = `${setupId(project.id)}-over`;
	const [upper, work] = [path.join(places.folder, 'upper'), path.join(places.folder, 'work')];
	mkdirSync(upper, {mode: 0o700});
	mkdirSync(work, {mode: 0o700});
	giveToRun(id, upper, work);
	const owner = ownerOf(setupId(project.id));
	const plan: SandboxPlan = {
		...places.plan,
		mounts: [
			...places.plan.mounts.filter(({system}) => system),
			{source: upper, target: insideProject, mode: 'write', over: {folder: places.tree, work, owner}},
		],
		dropUid: dropUidOf(id),
	};
	try {
		const {code} = await runLimited(
			context,
			sandbox
				.prepare(plan, path.join(places.folder, 'over'))
				.alone({argv: ['/bin/sh', '-c', 'made=$(mktemp -p .) && rm "$made"'], cwd: insideProject, env: {}}),
			{limited: {plan, group: undefined}, timeout: 60_000, onOutput() {}},
		);
		return code === 0 && existsSync(upper);
	} catch {
		// A sandbox that cannot be made this way is made with copies.
		return false;
	}
}
