import {existsSync, mkdirSync} from 'node:fs';
import path from 'node:path';
import type {Changes} from '../../core/run/changes.ts';
import type {Run} from '../../core/run/run.ts';
import {adminName} from '../../host/worktree.ts';
import {baseMounts} from '../../host/borrowed.ts';
import {giveToRun} from '../../host/run-owner.ts';
import {makeOwnGit} from '../../host/own-git.ts';
import {commandsOf} from '../../core/git/filters.ts';
import {lfsSeenAt} from '../../host/lfs.ts';
import {broughtFiles} from './brought-files.ts';
import {renameFlags} from './diff-flags.ts';
import type {Context} from '../context.ts';
import {lendIndex} from '../run/fill.ts';
import {jail} from '../sandbox/jail.ts';
import {openRun, rootOf} from '../project/projects.ts';
import {toolsOf} from '../sandbox/tools.ts';

/** New files whose lines are counted; of more, it is enough to know that there are many. */
const countedNew = 1000;

/** New files that are counted: each of its own, as a diff has them, however deep in new folders. */
const listedNew = 100_000;

/**
 * In the jail: an index of the base, kept from look to look so that only what changed is read, held against the folder.
 * A link counts as its one line, and is not followed. Neither the
 * agent's index nor any configuration of its own has a part in it.
 */
const script = `
W=$1 base=$2 target=$3 admin=$4
export GIT_DIR=/run/fleet/changes/git GIT_WORK_TREE="$W" GIT_INDEX_FILE=/run/fleet/changes/index GIT_OPTIONAL_LOCKS=1
export GIT_ALTERNATE_OBJECT_DIRECTORIES=$(ls -d /run/fleet/base/[0-9]* | tr '\\n' ':' | sed 's/:$//')
cd "$W" || exit 1
# Whoever opens a FIFO waits.
find . -xdev \\( -name .gitignore -o -name .gitattributes \\) ! -type f ! -type d ! -type l -print -quit 2> /dev/null |
	grep -q . && exit 1
rm -f "$GIT_INDEX_FILE.lock"
# Brought onto its target, it is held against what it holds of that.
if [ -n "$target" ] &&
	tip=$(git --git-dir="/run/fleet/private/worktrees/$admin" rev-parse -q --verify 'HEAD^{commit}'); then
	export GIT_ALTERNATE_OBJECT_DIRECTORIES="$GIT_ALTERNATE_OBJECT_DIRECTORIES:/run/fleet/private/objects"
	found=$(git merge-base "$target" "$tip") && git merge-base --is-ancestor "$base" "$found" && base=$found
fi
[ "$(cat /run/fleet/changes/base 2> /dev/null)" = "$base" ] || rm -f "$GIT_INDEX_FILE"
echo "$base" > /run/fleet/changes/base
[ -f "$GIT_INDEX_FILE" ] || {
	[ -f "$GIT_DIR/first-index" ] && cp -p "$GIT_DIR/first-index" "$GIT_INDEX_FILE" &&
		git read-tree -m "$base" 2> /dev/null
} || git read-tree "$base" || exit 1
[ -f "$GIT_DIR/info/sparse-checkout" ] && mkdir -p /run/fleet/changes/empty &&
	GIT_WORK_TREE=/run/fleet/changes/empty git read-tree -m -u "$base"
git update-index -q --refresh > /dev/null 2>&1
new=/run/fleet/changes/new
git ls-files --others --exclude-standard -z | head -z -n ${listedNew} > "$new"
untracked=$(tr -cd '\\0' < "$new" | wc -c)
# Files, lines added, lines removed: of a renamed file, both names follow. A line feed in a name is none of ours.
sum() {
	tr '\\n\\0' '\\001\\n' | awk -F'\\t' '
		names > 0 { names--; next }
		$1 ~ /^([0-9]+|-)$/ && $2 ~ /^([0-9]+|-)$/ { files++; added += $1; removed += $2; names = $3 == "" ? 2 : 0 }
		END { printf "%d %d %d", files, added, removed }'
}
numbers='--numstat -z --no-ext-diff --no-textconv --ignore-submodules=all'
# A new file may be one that is gone, with another name: as the diff will tell it, where both are there to compare.
if [ "$untracked" -gt 0 ] && [ "$untracked" -le ${countedNew} ] &&
	! git diff-files --quiet --diff-filter=D --ignore-submodules=all; then
	joined=/run/fleet/changes/joined-index
	nested=$(grep -z '/$' < "$new" | tr -cd '\\0' | wc -c)
	rm -f "$joined" "$joined.lock"
	if cp "$GIT_INDEX_FILE" "$joined" && grep -zv '/$' < "$new" |
		GIT_INDEX_FILE=$joined git --literal-pathspecs add --intent-to-add --sparse --pathspec-from-file=- \\
			--pathspec-file-nul > /dev/null 2>&1 &&
		GIT_INDEX_FILE=$joined timeout 20 git diff-files $numbers ${renameFlags.join(' ')} > "$new.numbers"; then
		sum < "$new.numbers"
		printf ' %d %d 0' "$untracked" "$nested"
		rm -f "$joined"
		exit 0
	fi
fi
git diff-files $numbers --no-renames | sum
printf ' %d %d ' "$untracked" "$untracked"
{
	head -z -n ${countedNew} < "$new" |
		xargs -0 -r sh -c 'for f do if [ -L "$f" ]; then echo 1 >&3; else printf "%s\\0" "$f"; fi; done' sh |
		xargs -0 -r timeout 20 grep -D skip -I -h -c '' -- 2> /dev/null
} 3>&1 | awk '{ added += $1 } END { printf "%d", added }'
`;

/**
 * What a run's folder differs by from where its own work begins, without running anything that the agent can influence.
 * @returns undefined where it could not be told in time
 */
export async function countChanges(context: Context, run: Run): Promise<Changes | undefined> {
	const places = context.paths.run(run.id);
	const {git, commonDir} = await openRun(context, run);
	const folder = places.changesWork;
	if (!existsSync(folder)) {
		mkdirSync(folder, {mode: 0o700});
	}

	await makeOwnGit(path.join(folder, 'git'), {
		git,
		commonDir,
		seenAt: '/run/fleet/changes/git',
		admin: adminName(places),
		brought: await broughtFiles(git, run),
		passes: {filters: run.filters, write: '/run/fleet/changes/lfs', read: [lfsSeenAt]},
	});
	lendIndex(places.firstIndex, path.join(folder, 'git'));
	giveToRun(run.id, folder);
	const tip = await git.resolve(`${run.target}^{commit}`);
	const {code, stdout} = await jail(context, {
		runId: run.id,
		places,
		script,
		argv: [run.worktree, run.base, tip === undefined || tip === run.base ? '' : tip, adminName(places)],
		timeout: 60_000,
		tools: commandsOf(run.filters).length > 0 ? await toolsOf(context, rootOf(context, run)) : undefined,
		mounts: [
			...baseMounts(commonDir),
			{source: places.privateGit, target: '/run/fleet/private', mode: 'read'},
			{source: places.worktree, target: run.worktree, mode: 'read'},
			{source: folder, target: '/run/fleet/changes', mode: 'write'},
		],
	});
	// Files and lines, new files, and what of those and their lines is not among the first.
	const numbers = /^(\d+) (\d+) (\d+) (\d+) (\d+) (\d+)$/.exec(stdout.trim());
	return code === 0 && numbers
		? {
				files: Number(numbers[1]) + Number(numbers[5]),
				added: Number(numbers[2]) + Number(numbers[6]),
				removed: Number(numbers[3]),
				untracked: Number(numbers[4]),
			}
		: undefined;
}
