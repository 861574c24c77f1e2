import {existsSync, mkdirSync, rmSync, writeFileSync, copyFileSync} from 'node:fs';
import path from 'node:path';
import type {Changes} from '../core/changes.ts';
import type {Mount} from '../core/plan.ts';
import {gateRefusal, Refusal} from '../core/refusal.ts';
import type {Run} from '../core/run.ts';
import {Git} from '../host/git.ts';
import type {Journal} from '../host/journal.ts';
import type {RunPaths} from '../host/paths.ts';
import {adminName, baseMounts, giveToRun, privateConfig, sparsePatterns} from '../host/worktree.ts';
import {readChanges, rememberChanges} from './changes-file.ts';
import type {Context} from './context.ts';
import {jail, makeScratch, sweep} from './jail.ts';
import {openRepository} from './projects.ts';

/* Taking a run's work over: git runs over the agent's files only in a jail; what comes out is text and a pack, and the host checks both. */

/** Bytes that a run may bring into the repository at once. */
const packLimit = 2 * 1024 ** 3;

/** Refs of the agent's own that are kept under names of their own; the others are kept together, as the parents of one commit. */
const namedLimit = 50;
/** Refs that are looked at. */
const refLimit = 2000;

const objectName = /^[0-9a-f]{40}$|^[0-9a-f]{64}$/;

/**
 * In the jail: names the tip, the other refs and HEAD, and writes the folder as a tree over the tip, ignored files
 * left out and nested repositories taken as plain files. Configuration is the host's; nothing of the agent's is.
 */
const lookScript = `
set -u
P=/run/fleet/private S=/run/fleet/scratch branch=$1 admin=$2 W=$3 base=$4
mkdir -p "$S/objects/info" "$S/objects/pack"
{ echo "$P/objects"; ls -d /run/fleet/base/* 2>/dev/null; } > "$S/objects/info/alternates"
export GIT_OBJECT_DIRECTORY="$S/objects"
private() { git --git-dir="$P" -c core.fsmonitor=false -c core.hooksPath=/dev/null "$@"; }
tip=$(private rev-parse --verify --quiet "refs/heads/$branch^{commit}") || { echo missing; exit 0; }
echo "tip $tip"
echo "refs $(private for-each-ref --format=x refs/heads refs/tags refs/stash | wc -l)"
private for-each-ref --count=${refLimit} --format='ref %(objectname) %(objecttype) %(refname)' refs/heads refs/tags refs/stash
head=$(git --git-dir="$P/worktrees/$admin" rev-parse --verify --quiet 'HEAD^{commit}') && echo "head $head"
export GIT_DIR=/run/fleet/git GIT_WORK_TREE="$W" GIT_INDEX_FILE="$S/index"
cd "$W" || exit 1
git read-tree "$tip" || { echo "note the branch's tip cannot be read"; exit 0; }
# What is not checked out is not deleted: marked over an empty folder, since marking over this one would change it.
[ -f "$GIT_DIR/info/sparse-checkout" ] && mkdir "$S/empty" && GIT_WORK_TREE="$S/empty" git read-tree -m -u "$tip"
find . -mindepth 2 -name .git -prune -printf '%h\\n' > "$S/nested"
set --
while IFS= read -r folder; do set -- "$@" ":(top,exclude,literal)\${folder#./}"; done < "$S/nested"
git add --all --sparse --ignore-errors -- . "$@" 2> "$S/errors" || { head -n 3 "$S/errors" | sed 's/^/incomplete /'; }
while IFS= read -r folder; do
	plain=\${folder#./}
	git ls-tree "$base" -- "$plain" | grep -q '^160000' && continue
	git check-ignore -q -- "$plain" && continue
	git update-index --force-remove -- "$plain" 2> /dev/null
	find "$folder" -name .git -prune -o \\( -type f -o -type l \\) -print0 | git update-index --add -z --stdin && echo "nested $plain" || echo "incomplete $plain"
done < "$S/nested"
echo "tree $(git write-tree)"
`;

/** A diff as it is, and nothing run for it. */
export const diffFlags = ['--no-ext-diff', '--no-textconv', '--ignore-submodules=all', '--no-color', '--find-renames'];

const packScript = `
export GIT_DIR=/run/fleet/git GIT_OBJECT_DIRECTORY=/run/fleet/scratch/objects
exec git pack-objects --revs --stdout --thin -q
`;

type Look = {tip: string; tree: string; head: string | undefined; refs: Array<{name: string; object: string}>; notes: string[]; incomplete: boolean};

function jailMounts(run: Run, places: RunPaths, commonDir: string): Mount[] {
	return [
		...baseMounts(commonDir),
		{source: places.privateGit, target: '/run/fleet/private', mode: 'read'},
		{source: places.worktree, target: run.worktree, mode: 'read'},
		{source: path.join(places.folder, 'jail.git'), target: '/run/fleet/git', mode: 'read'},
		{source: places.scratch, target: '/run/fleet/scratch', mode: 'write'},
	];
}

/** A git folder with nothing in it but the host's own configuration, for the jail to work with. */
/** @param admin the name under which the real repository knows the run's worktree */
export async function makeJailGit(folder: string, commonDir: string, admin: string, git: Git): Promise<void> {
	rmSync(folder, {recursive: true, force: true});
	for (const part of ['objects', 'refs', 'info']) {
		mkdirSync(path.join(folder, part), {recursive: true, mode: 0o755});
	}

	writeFileSync(path.join(folder, 'HEAD'), 'ref: refs/heads/none\n');
	const sparse = await sparsePatterns(commonDir, admin);
	writeFileSync(path.join(folder, 'config'), await privateConfig(git) + (sparse?.config ?? ''));
	if (sparse) {
		writeFileSync(path.join(folder, 'info', 'sparse-checkout'), sparse.patterns);
	}

	const exclude = path.join(commonDir, 'info', 'exclude');
	if (existsSync(exclude)) {
		copyFileSync(exclude, path.join(folder, 'info', 'exclude'));
	}

	const shallow = path.join(commonDir, 'shallow');
	if (existsSync(shallow)) {
		copyFileSync(shallow, path.join(folder, 'shallow'));
	}

}

function parseLook(text: string): Look | string {
	const look: {tip?: string; tree?: string; head?: string; refs: Look['refs']; notes: string[]; incomplete: boolean} = {refs: [], notes: [], incomplete: false};
	for (const line of text.split('\n')) {
		const [word = '', value = '', type = '', name = ''] = line.split(' ');
		if (word === 'missing') {
			return 'the run\'s branch is gone from its private repository';
		}

		if ((word === 'tip' || word === 'tree' || word === 'head') && objectName.test(value)) {
			look[word] = value;
		} else if (word === 'ref' && objectName.test(value) && type === 'commit' && /^refs\/[\w./+@-]{1,200}$/.test(name)) {
			look.refs.push({name, object: value});
		} else if (word === 'refs' && Number(value) > refLimit) {
			look.incomplete = true;
			look.notes.push(`could not be captured: ${Number(value) - refLimit} of ${value} branches and tags of its own`);
		} else if (word === 'nested') {
			look.notes.push(`nested repository taken as plain files: ${line.slice(7, 200)}`);
		} else if (word === 'incomplete') {
			look.incomplete = true;
			look.notes.push(`could not be captured: ${line.slice(11, 200)}`);
		} else if (word === 'note') {
			look.notes.push(line.slice(5, 200));
		}
	}

	return look.tip && look.tree ? look as Look : 'the run\'s folder could not be read as a tree';
}

/** Brings objects out of the jail into the quarantine: a pack stream, capped and checked. */
async function importObjects(context: Context, run: Run, places: RunPaths, commonDir: string, wanted: string[], quarantine: Git): Promise<void> {
	const {process: index} = await quarantine.spawn(['index-pack', '--stdin', '--fix-thin', '--strict', `--max-input-size=${packLimit}`]);
	index.stdin!.on('error', () => {});
	const outcome = await jail(context, run.id, places, {
		script: packScript, mounts: jailMounts(run, places, commonDir), input: `${wanted.join('\n')}\n^${run.base}\n`,
		onOutput(bytes) {
			index.stdin!.write(bytes);
		},
	});
	index.stdin!.end();
	const result = await index;
	if (outcome.code !== 0 || result.exitCode !== 0) {
		const words = result.exitCode === 0 ? outcome.stderr : String(result.stderr);
		throw gateRefusal(`the run's objects were not taken over: ${words.trim().split('\n').at(-1)?.slice(0, 200) ?? 'unknown'}`, 'its folder is kept as it is; fleet show names it');
	}
}

/** Objects that nothing leads to from base and tips would be a branch with holes. */
async function checkConnected(quarantine: Git, names: string[]): Promise<void> {
	const {code, stderr} = await quarantine.run(['rev-list', '--objects', '--quiet', '--no-object-names', ...names, '--not', '--all']);
	if (code !== 0) {
		throw gateRefusal(`the run's branch has holes: ${stderr.trim().split('\n').at(-1) ?? ''}`, 'its folder is kept as it is');
	}
}

/** Which of these commits the repository has. */
async function presentCommits(git: Git, objects: readonly string[]): Promise<Set<string>> {
	if (objects.length === 0) {
		return new Set();
	}

	const lines = (await git.must(['cat-file', '--batch-check'], {input: `${objects.join('\n')}\n`})).split('\n');
	return new Set(lines.filter(line => line.includes(' commit ')).map(line => line.split(' ')[0]!));
}

export type Captured = {readonly head: string; readonly commits: number; readonly files: number; readonly wip: boolean; readonly extra: string[]; readonly notes: string[]; readonly incomplete: boolean};

/**
 * Brings the run's commits and its uncommitted work into the quarantine, and names the result.
 * Works on a live run too (nothing inside is changed by it), for looking.
 * @throws Refusal where what the agent left cannot be taken over as it is
 */
export async function importWork(context: Context, run: Run): Promise<{captured: Captured; changes: Omit<Changes, 'untracked'>; quarantine: Git; git: Git; places: RunPaths; extraRefs: string[]}> {
	const places = context.paths.run(run.id);
	const {git, commonDir} = await openRepository(run.project.root);
	if (!existsSync(places.worktree) || !existsSync(places.privateGit)) {
		throw new Refusal(`the worktree of ${run.id} is gone`, `fleet restore ${run.id}, or look at ${run.branch} itself`);
	}

	const jailGit = path.join(places.folder, 'jail.git');
	await makeJailGit(jailGit, commonDir, adminName(places), git);
	giveToRun(run.id, jailGit);
	makeScratch(run.id, places);
	const quarantine = new Git({gitDir: places.quarantine, own: true});
	try {
		const {stdout, code, stderr, timedOut} = await jail(context, run.id, places, {script: lookScript, argv: [run.branch, adminName(places), run.worktree, run.base], mounts: jailMounts(run, places, commonDir), cwd: run.worktree});
		if (timedOut || code !== 0) {
			throw gateRefusal(timedOut ? 'the run\'s folder could not be read in time' : `the run's folder could not be read: ${stderr.trim().split('\n').at(-1)?.slice(0, 200) ?? ''}`, 'its folder is kept as it is');
		}

		const look = parseLook(stdout);
		if (typeof look === 'string') {
			throw gateRefusal(look, 'its folder is kept as it is');
		}

		// Only what the project does not have, and what is not the branch itself, is an extra.
		const extra = new Map<string, string>();
		if (look.head && look.head !== look.tip) {
			extra.set('HEAD', look.head);
		}

		const candidates = look.refs.filter(({name, object}) => name !== `refs/heads/${run.branch}` && object !== look.tip);
		const known = await presentCommits(git, candidates.map(({object}) => object));
		const rest: string[] = [];
		for (const {name, object} of candidates) {
			if (!known.has(object)) {
				if (extra.size < namedLimit) {
					extra.set(name, object);
				} else {
					rest.push(object);
				}
			}
		}

		await importObjects(context, run, places, commonDir, [look.tip, look.tree, ...extra.values(), ...rest], quarantine);
		await checkConnected(quarantine, [look.tip, ...extra.values(), ...rest]);
		await checkConnected(quarantine, [look.tree]);
		if ((await quarantine.line('cat-file', '-t', look.tip)) !== 'commit' || (await quarantine.run(['merge-base', run.base, look.tip])).code !== 0) {
			throw gateRefusal('the run\'s branch has nothing to do with the commit it started from', 'its folder is kept as it is');
		}

		const wip = await quarantine.line('rev-parse', `${look.tip}^{tree}`) !== look.tree;
		const head = wip ? (await quarantine.must(['commit-tree', look.tree, '-p', look.tip, '-m', `Uncommitted work of run ${run.id}`, '-m', 'Taken over by fleet: the agent left it in its folder.'], {env: stamp(run)})).trim() : look.tip;
		let number = 0;
		const extraRefs: string[] = [];
		for (const [name, object] of extra) {
			extraRefs.push(`refs/fleet/extra/${++number}`);
			await quarantine.must(['update-ref', `refs/fleet/extra/${number}`, object]);
			look.notes.push(`kept as refs/fleet/runs/${run.id}/extra/${number}: ${name}`);
		}

		if (rest.length > 0) {
			const parents = [...new Set(rest)].flatMap(object => ['-p', object]);
			const together = await quarantine.must(['commit-tree', look.tree, ...parents, '-m', `Other branches and tags of run ${run.id}`], {env: stamp(run)});
			await quarantine.must(['update-ref', 'refs/fleet/extra/rest', together.trim()]);
			extraRefs.push('refs/fleet/extra/rest');
			look.notes.push(`kept together, as the parents of refs/fleet/runs/${run.id}/extra/rest: ${rest.length} more branches and tags`);
		}

		await quarantine.must(['update-ref', 'refs/fleet/head', head]);
		const commits = Number(await quarantine.line('rev-list', '--count', head, `^${run.base}`));
		const changes = readNumbers(await quarantine.raw('diff-tree', '-r', '-z', '--numstat', ...diffFlags, run.base, head));
		return {changes, captured: {head, commits, files: changes.files, wip, extra: [...extra.keys()], notes: look.notes, incomplete: look.incomplete}, quarantine, git, places, extraRefs};
	} finally {
		rmSync(places.scratch, {recursive: true, force: true});
	}
}

/** Captures of the same content get the same commit, so that an approval survives a second look: dates are the run's own. */
function stamp(run: Run): Record<string, string> {
	const seconds = Math.floor(Date.parse(run.createdAt) / 1000);
	return {GIT_AUTHOR_NAME: 'fleet', GIT_AUTHOR_EMAIL: 'agent@fleet.invalid', GIT_COMMITTER_NAME: 'fleet', GIT_COMMITTER_EMAIL: 'agent@fleet.invalid', GIT_AUTHOR_DATE: `${seconds} +0000`, GIT_COMMITTER_DATE: `${seconds} +0000`};
}

/** Files and lines of a change, from what `git diff --numstat -z` writes: of a renamed file, both names follow. */
function readNumbers(text: string): Omit<Changes, 'untracked'> {
	let [files, added, removed] = [0, 0, 0];
	const parts = text.split('\0');
	for (let at = 0; at < parts.length - 1; at++) {
		const [plus, minus, name] = parts[at]!.split('\t');
		files++;
		added += Number(plus) || 0;
		removed += Number(minus) || 0;
		at += name === '' ? 2 : 0;
	}

	return {files, added, removed};
}

/**
 * The hand-over: sweep, import, publish under the run's own refs, move the run's branch by compare-and-swap.
 * Nothing is written down where nothing changed since the last time.
 */
export async function capture(context: Context, journal: Journal): Promise<Captured> {
	const {run} = journal;
	const places = context.paths.run(run.id);
	const swept = await sweep(context, run.id, places);
	const {captured, changes, git, extraRefs} = await importWork(context, run);
	// The list shows what the review will: counted as the review counts.
	rememberChanges(places, {...changes, untracked: readChanges(places)?.untracked ?? 0});
	const branch = `refs/heads/${run.branch}`;
	const published = await git.resolve(`refs/fleet/runs/${run.id}/head`);
	const current = await git.resolve(branch);
	const extraSpecs = extraRefs.map(name => `+${name}:${name.replace('refs/fleet/extra', `refs/fleet/runs/${run.id}/extra`)}`);
	if (current !== captured.head) {
		const expected = published ?? run.base;
		if (current !== undefined && current !== expected) {
			throw gateRefusal(`the branch ${run.branch} was moved outside of fleet, to ${current.slice(0, 10)}`, `git branch NEW-NAME ${current.slice(0, 10)}, then git branch -f ${run.branch} ${expected.slice(0, 10)}`);
		}

		await fetchRefs(git, places.quarantine, [`+refs/fleet/head:refs/fleet/runs/${run.id}/head`, ...extraSpecs]);
		await git.must(['update-ref', '-m', `fleet: work of run ${run.id}`, branch, captured.head, current ?? '0'.repeat(captured.head.length)]);
	} else if (published !== captured.head || extraRefs.length > 0) {
		// A stash, or a branch of the agent's own, is work even where its branch did not move.
		await fetchRefs(git, places.quarantine, extraSpecs);
		await git.must(['update-ref', `refs/fleet/runs/${run.id}/head`, captured.head]);
	}

	if (journal.run.captured?.head !== captured.head || journal.run.captured.notes.join('\n') !== captured.notes.join('\n')) {
		const {head, commits, files, wip, extra} = captured;
		journal.append({type: 'run.captured', head, commits, files, wip, extra, notes: [...swept, ...captured.notes]}, 'fleet');
	}

	return captured;
}

async function fetchRefs(git: Git, from: string, specs: string[]): Promise<void> {
	if (specs.length > 0) {
		await git.must(['-c', 'fetch.fsckObjects=true', 'fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--refmap=', '--no-recurse-submodules', from, ...specs]);
	}
}

/** What must not be merged, found in the objects themselves: gitlinks and bare repositories that the base does not have, names with control bytes. */
export async function vet(git: Git, base: string, head: string): Promise<string[]> {
	const raw = (await git.raw('diff-tree', '-r', '-z', '--raw', '--no-renames', '--abbrev=40', base, head)).split('\0');
	const problems: string[] = [];
	const added: string[] = [];
	for (let index = 0; index + 1 < raw.length; index += 2) {
		const [, newMode = ''] = raw[index]!.split(' ');
		const name = raw[index + 1]!;
		if (newMode === '160000') {
			problems.push(`${JSON.stringify(name)} is a link to another repository`);
		}

		if (/[\u0000-\u001F\u007F]/.test(name)) {
			problems.push(`${JSON.stringify(name)} has a control byte in its name`);
		}

		if (newMode !== '000000') {
			added.push(name);
		}
	}

	for (const name of added) {
		if (/(?:^|\/)HEAD$/.test(name)) {
			const folder = name.slice(0, -4);
			const {stdout} = await git.run(['ls-tree', '-z', '--name-only', head, folder === '' ? '.' : folder]);
			const names = new Set(stdout.split('\0').map(entry => entry.slice(folder.length)));
			if (names.has('objects') && names.has('refs')) {
				problems.push(`${JSON.stringify(folder || '.')} is a repository inside the repository`);
			}
		}
	}

	return problems;
}
