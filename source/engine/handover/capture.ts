import {existsSync, rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {branchRef, capturedExtras, capturedHead, runHead, runRefs} from '../../core/git/refs.ts';
import type {Changes} from '../../core/run/changes.ts';
import {printable} from '../../core/names.ts';
import {commitFlags, commitFormat, parseCommits} from '../../core/review/commits.ts';
import {defaultLimits, type Mount} from '../../core/plan.ts';
import {limitsOf} from '../../core/policy.ts';
import {gateRefusal, Refusal} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import {liveStages} from '../../core/run/stages.ts';
import {Git} from '../../host/git.ts';
import type {Journal} from '../../host/journal.ts';
import type {RunPaths} from '../../host/paths.ts';
import {makeOwnGit} from '../../host/own-git.ts';
import {adminName, baseMounts, giveToRun} from '../../host/worktree.ts';
import {alone} from '../sandbox/alone.ts';
import {readChanges, rememberChanges} from './changes-file.ts';
import type {Context} from '../context.ts';
import {lendIndex} from '../run/fill.ts';
import {jail, makeScratch, sweep} from '../sandbox/jail.ts';
import {coAuthor, identityVariables, personOf} from './identity.ts';
import {ownBase} from './own-base.ts';
import {readPolicy} from '../project/policy.ts';
import {openRun} from '../project/projects.ts';
import {submodulesOf, type Submodule} from '../run/submodules.ts';

/*
 * Taking a run's work over: git runs over the agent's files only in a
 * jail; what comes out is text and a pack, and the host checks both.
 */

/** Bytes that a run may bring into the repository at once. */
const packLimit = 2 * 1024 ** 3;

/** Memory of the host's git that unpacks it, bytes: whatever its objects are made of. */
const indexMemory = 4 * 1024 ** 3;

/**
 * Refs of the agent's own that are kept under names of their own;
 * the others are kept together, as the parents of one commit.
 */
const namedLimit = 50;
/** Notes of earlier captures that are said again. */
const noteLimit = 100;
/** Refs that are looked at. */
const refLimit = 2000;

const objectName = /^[0-9a-f]{40}$|^[0-9a-f]{64}$/;

/** How long a live run is looked at: what it does meanwhile may hold the look up, milliseconds. */
const livePatience = 60_000;

/** Of a tree that is taken over: files and folders, bytes of one path (PATH_MAX), and of all paths together. */
const treeLimits = {entries: 2_000_000, path: 4096, bytes: 1024 ** 3};

/** Bytes of one file that are taken over. */
const largestFile = 1024 ** 3;

/**
 * In the jail: names the tip, the other refs and HEAD, and writes the folder as a tree over the tip, ignored files
 * left out and nested repositories taken as plain files. Configuration is the host's; nothing of the agent's is.
 * Lists are separated by NUL: a name may hold anything else.
 */
const lookScript = `
set -u
# Counted before anything unpacks it: a few objects name any number of files.
# Git is stopped at the first that is too much.
count() {
	git ls-tree -r -t --name-only "$1" 2> /dev/null | awk '{
		bytes += length($0)
		if (NR > ${treeLimits.entries} || length($0) > ${treeLimits.path} || bytes > ${treeLimits.bytes}) {
			split($0, part, "/")
			print "wide", part[1]
			exit
		}
	}'
}
P=/run/fleet/private S=/run/fleet/scratch branch=$1 admin=$2 W=$3 base=$4
# Whoever opens a FIFO waits. A run that has ended is swept first, so that only a live one still has any.
{
	find "$P" -xdev ! -type f ! -type d ! -type l -print -quit
	find "$W" -xdev \\( -name .gitignore -o -name .gitattributes \\) ! -type f ! -type d ! -type l -print -quit
} 2> /dev/null | grep -q . && { echo special; exit 0; }
mkdir -p "$S/objects/info" "$S/objects/pack" "$S/empty" "$S/none/objects/info" "$S/none/refs"
ls -d /run/fleet/base/* 2>/dev/null > "$S/none/objects/info/alternates"
{ echo "$P/objects"; cat "$S/none/objects/info/alternates"; } > "$S/objects/info/alternates"
export GIT_OBJECT_DIRECTORY="$S/objects"
private() { git --git-dir="$P" -c core.fsmonitor=false -c core.hooksPath=/dev/null "$@"; }
tip=$(private rev-parse --verify --quiet "refs/heads/$branch^{commit}") || {
	if private rev-parse --git-dir 2>&1 > /dev/null | grep '^fatal: ' > "$S/errors"; then
		echo "unreadable $(head -n 1 "$S/errors")"
	else
		echo missing
	fi
	exit 0
}
echo "tip $tip"
echo "refs $(private for-each-ref --format=x | wc -l)"
private for-each-ref --count=${refLimit} --format='%(objectname) %(refname)' > "$S/refs"
# Older stashes stand in the reflog alone.
[ -f "$P/logs/refs/stash" ] && tail -n ${refLimit} "$P/logs/refs/stash" | awk '
	/^[0-9a-f]+ [0-9a-f]+ / { old[n++] = $2 }
	END { for (i = 1; i < n; i++) print old[n - 1 - i], "refs/stash@{" i "}" }' >> "$S/refs"
cut -d' ' -f1 "$S/refs" |
	GIT_OBJECT_DIRECTORY="$S/none/objects" git --git-dir=/run/fleet/git cat-file --batch-check='%(objecttype)' |
	paste -d' ' - "$S/refs" | awk '$2 == "missing" { print $3, $4 }' > "$S/new"
cut -d' ' -f1 "$S/new" | private cat-file --batch-check='%(objecttype)' |
	awk '{ print $2 == "missing" ? "missing" : $1 }' | paste -d' ' - "$S/new" > "$S/typed"
whole() { GIT_DIR=/run/fleet/git git rev-list --objects --quiet --no-object-names "$@" --not "$base" > /dev/null 2>&1; }
cut -d' ' -f2 "$S/typed" | grep -v -x "$tip" > "$S/wanted"
if [ -s "$S/wanted" ] &&
	! GIT_DIR=/run/fleet/git git rev-list --objects --quiet --no-object-names --stdin --not "$base" \\
		< "$S/wanted" > /dev/null 2>&1; then
	while read -r type object name; do whole "$object" || type=missing; echo "ref $object $type $name"; done < "$S/typed"
else
	sed -E 's/^([a-z]+) ([0-9a-f]+) /ref \\2 \\1 /' "$S/typed"
fi
head=$(git --git-dir="$P/worktrees/$admin" rev-parse --verify --quiet 'HEAD^{commit}') &&
	whole "$head" && echo "head $head"
for part in rebase-merge:rebase rebase-apply:rebase MERGE_HEAD:merge CHERRY_PICK_HEAD:cherry-pick REVERT_HEAD:revert; do
	[ -e "$P/worktrees/$admin/\${part%%:*}" ] && echo "unfinished \${part##*:}" && break
done
export GIT_DIR=/run/fleet/git GIT_WORK_TREE="$W" GIT_INDEX_FILE="$S/index" base
wide=$(count "$tip")
[ "$wide" != "" ] && { echo "$wide"; exit 0; }
cd "$W" || exit 1
# What the files were like when they were written is known:
# those that nobody touched are not read, and stay what they are.
[ -f "$GIT_DIR/first-index" ] && cp -p "$GIT_DIR/first-index" "$S/index"
git read-tree -m "$tip" 2> /dev/null || { rm -f "$S/index"; git read-tree "$tip"; } || {
	echo "note the branch's tip cannot be read"
	exit 0
}
# What is not checked out is not deleted: marked over an empty folder, since marking over this one would change it.
[ -f "$GIT_DIR/info/sparse-checkout" ] && GIT_WORK_TREE="$S/empty" git read-tree -m -u "$tip"
find . -xdev -path ./.git -prune -o -name .git -prune -fprintf "$S/nested" '%h\\0' \\
	-o -type f -size +${largestFile / 1024}k -fprintf "$S/large" '%P\\0' \\
	-o \\( -type f ! -readable -o -type d \\( ! -readable -o ! -executable \\) \\) -fprintf "$S/closed" '%P\\0' \\
	2> /dev/null
# Git passes what no path reaches in silence: PATH_MAX, which takes sixteen folders at least.
find . -mindepth 16 -xdev \\( -type f -o -type l \\) ! -path '*/.git/*' -printf '%P\\0' 2> /dev/null |
	tr '\\n\\0' '\\001\\n' | awk 'length($0) >= ${treeLimits.path}' | tr '\\n\\001' '\\0\\n' > "$S/long"
sed -i -z 's|^\\./||' "$S/nested"
# What lies in a submodule is looked at by itself.
git ls-tree -r -z "$base" | grep -z '^160000 ' | sed -z 's/^[^\\t]*\\t//' | tr '\\0' '\\n' > "$S/submodules"
[ -s "$S/submodules" ] && for list in nested large closed long; do
	tr '\\0' '\\n' < "$S/$list" | awk '
		NR == FNR { link[$0] = 1; next }
		{
			count = split($0, part, "/")
			at = ""
			for (i = 1; i <= count; i++) { at = at (i > 1 ? "/" : "") part[i]; if (at in link) next }
			print
		}' "$S/submodules" - | tr '\\n' '\\0' > "$S/outside" && mv "$S/outside" "$S/$list"
done
{ cat "$S/nested" "$S/large"; [ -f "$GIT_DIR/included" ] && cat "$GIT_DIR/included"; } | sort -z -u > "$S/apart"
# Git refuses to be told to leave out what it leaves out by itself.
git check-ignore -z --stdin < "$S/apart" 2> /dev/null | sort -z | comm -z -13 - "$S/apart" |
	sed -z 's/^/:(top,exclude,literal)/' > "$S/left-out"
# Of what nobody changed, what is in another encoding may be none that git can read today.
if {
	git ls-files -z -- .gitattributes '*/.gitattributes' | xargs -0 -r cat
	cat "$GIT_DIR/info/attributes" "$GIT_DIR/fleet-attributes"
} 2> /dev/null | grep -q working-tree-encoding; then
	export S tip
	git diff-files -z --name-only --diff-filter=M --ignore-submodules=all |
		git check-attr -z --stdin working-tree-encoding |
		xargs -0 -r -n 3 sh -c '[ "$2" = unspecified ] || printf "%s\\0" "$0"' > "$S/encoded"
	(cd "$S/empty" && GIT_INDEX_FILE="$S/index" GIT_WORK_TREE="$S/empty" \\
		git checkout-index -z --stdin --quiet --prefix="$S/form/" < "$S/encoded")
	xargs -0 -r sh -c 'for f do
		[ ! -h "$f" ] && cmp -s -- "$S/form/$f" "$f" && printf "%s\\0" "$f"
	done' sh < "$S/encoded" | git update-index --assume-unchanged -z --stdin
	rm -rf "$S/form"
fi
{ printf '.\\0'; cat "$S/left-out"; } > "$S/wanted-paths"
git add --all --sparse --ignore-errors --pathspec-from-file="$S/wanted-paths" --pathspec-file-nul 2> "$S/errors" || {
	head -n 3 "$S/errors" | sed 's/^/incomplete /'
}
# What the agent's own sparse checkout left out is not deleted. To leave a file as it was can be nobody's harm.
GIT_INDEX_FILE="$P/worktrees/$admin/index" git ls-files -t -z 2> /dev/null |
	grep -z '^S ' | sed -z 's/^S //' | sort -z > "$S/skipped"
if [ -s "$S/skipped" ]; then
	git diff-index --cached --no-renames --diff-filter=D -z --name-only "$tip" |
		sort -z | comm -z -12 "$S/skipped" - > "$S/kept"
	[ -s "$S/kept" ] &&
		git --literal-pathspecs reset -q --pathspec-from-file="$S/kept" --pathspec-file-nul "$tip" > /dev/null
fi
# What the agent's index holds besides is work, too:
# ignored files that were added by force, another commit of a submodule.
if GIT_INDEX_FILE="$P/worktrees/$admin/index" git ls-files -s -z > "$S/staged" 2> /dev/null; then
	git ls-files -z | sort -z > "$S/names"
	sed -z 's/^[^\\t]*\\t//' "$S/staged" | sort -z -u | comm -z -13 "$S/names" - | xargs -0 -r sh -c 'for f do
		{ [ -f "$f" ] || [ -h "$f" ]; } && printf "%s\\0" ":(top,literal)$f"
	done' sh > "$S/forced"
	[ -s "$S/forced" ] && {
		cat "$S/forced" "$S/left-out" > "$S/wanted-paths"
		git add --force --sparse --ignore-errors --pathspec-from-file="$S/wanted-paths" --pathspec-file-nul 2> /dev/null
	}
	git ls-files -s -z | grep -z '^160000 ' | tr '\\0' '\\n' > "$S/links"
	[ -s "$S/links" ] && tr '\\0' '\\n' < "$S/staged" | grep '^160000 [0-9a-f]* 0' | awk -F'\\t' '
		NR == FNR { link[$2] = $1; next }
		($2 in link) && link[$2] != $1' "$S/links" - | tr '\\n' '\\0' | git update-index -z --index-info
fi
xargs -0 -r -n 1 sh -c '
	plain=$1
	git check-ignore -q -- "$plain" && exit 0
	git update-index --force-remove -- "$plain" 2> /dev/null
	find "./$plain" -xdev -name .git -prune -o \\( -type f -o -type l \\) -print0 | git update-index --add -z --stdin &&
		printf "nested %s\\n" "$plain" || printf "incomplete %s\\n" "$plain"
' sh < "$S/nested"
for list in large closed long; do
	head -z -n 50 "$S/$list" | xargs -0 -r -n 1 sh -c '
		git --literal-pathspecs ls-files --error-unmatch -- "$1" > /dev/null 2>&1 &&
			git --literal-pathspecs diff-files --quiet -- "$1" && exit 0
		git check-ignore -q -- "$1" 2> /dev/null && exit 0
		printf "$0 %s\\n" "$1"
	' "$list"
done
# A file whose content is just what git would write for the commit's own is not changed,
# whatever git would make of it now: line ends, encodings, expanded keywords.
git diff-index --cached --no-renames --diff-filter=M -z --name-only "$tip" > "$S/changed"
if [ -s "$S/changed" ]; then
	export TIP="$S/tip-index" S
	GIT_INDEX_FILE="$TIP" git read-tree "$tip"
	(cd "$S/empty" && GIT_INDEX_FILE="$TIP" GIT_WORK_TREE="$S/empty" \\
		git checkout-index -z --stdin --quiet --prefix="$S/form/" < "$S/changed")
	xargs -0 -r sh -c 'for f do
		[ -f "$f" ] && [ ! -h "$f" ] && [ -f "$S/form/$f" ] && [ ! -h "$S/form/$f" ] &&
			cmp -s -- "$S/form/$f" "$f" || continue
		mode=$(git --literal-pathspecs ls-files -s -- "$f" | cut -c1-6)
		object=$(GIT_INDEX_FILE="$TIP" git --literal-pathspecs ls-files -s -- "$f" | cut -d" " -f2)
		git update-index --cacheinfo "$mode,$object,$f"
	done' sh < "$S/changed"
fi
# What was changed in a submodule is no part of the tree; it is kept beside it.
shift 4
for submodule do
	number=\${submodule%%:*} commit=\${submodule#*:} commit=\${commit%%:*} place=\${submodule#*:*:}
	(cd "$W/$place" 2> /dev/null && [ "$(pwd -P)" = "$W/$place" ]) || continue
	(
		cd "$W/$place"
		export GIT_WORK_TREE="$W/$place" GIT_INDEX_FILE="$S/submodule-$number"
		export GIT_ALTERNATE_OBJECT_DIRECTORIES=/run/fleet/submodules/$number
		if [ -d "$GIT_ALTERNATE_OBJECT_DIRECTORIES" ] && git read-tree "$commit"; then
			from=$commit
		else
			from=$(git hash-object -t tree /dev/null)
		fi
		find . -xdev -mindepth 2 -name .git -prune -printf '%h\\0' | sed -z 's|^\\./||' > "$S/nested"
		{ printf '.\\0'; sed -z 's/^/:(exclude,literal)/' "$S/nested"; } > "$S/wanted-paths"
		git add --all --sparse --ignore-errors --pathspec-from-file="$S/wanted-paths" --pathspec-file-nul 2> /dev/null ||
			echo "incomplete $place"
		xargs -0 -r -n 1 sh -c 'git check-ignore -q -- "$1" || {
			git update-index --force-remove -- "$1" 2> /dev/null
			find "./$1" -xdev -name .git -prune -o \\( -type f -o -type l \\) -print0 | git update-index --add -z --stdin
		}' sh < "$S/nested" || echo "incomplete $place"
		git diff-index --cached --no-renames -z --name-only --diff-filter=AMT "$from" > "$S/changed-$number"
		gone=$(git diff-index --cached --no-renames --name-only --diff-filter=D "$from" | wc -l)
		[ -s "$S/changed-$number" ] || {
			[ "$gone" -eq 0 ] || echo "note in the submodule $place, $gone files were deleted, which is not taken over"
			exit 0
		}
		git ls-files -s -z | GIT_INDEX_FILE="$S/part-$number" git update-index -z --index-info
		git diff-index --cached --no-renames -z --name-only "$from" | sort -z > "$S/kept-$number"
		git ls-files -z | sort -z | comm -z -23 - "$S/kept-$number" |
			GIT_INDEX_FILE="$S/part-$number" git update-index -z --force-remove --stdin
		tree=$(GIT_INDEX_FILE="$S/part-$number" git write-tree --missing-ok) &&
			echo "submodule $tree $(tr -cd '\\0' < "$S/changed-$number" | wc -c) $gone $place"
	)
done
echo "tree $(git write-tree)"
`;

/** A diff as it is, and nothing run for it. */
export const diffFlags = [
	'--no-ext-diff',
	'--no-textconv',
	'--submodule=short',
	'--ignore-submodules=dirty',
	'--no-color',
	'--find-renames',
];

/**
 * In the jail: what is new as a pack, once it is known to be no larger
 * than that when it is unpacked. A few bytes can stand for terabytes.
 */
const packScript = `
set -u
S=/run/fleet/scratch
export GIT_DIR=/run/fleet/git GIT_OBJECT_DIRECTORY="$S/objects"
cat > "$S/revs"
git rev-list --objects --no-object-names --stdin < "$S/revs" > "$S/new" || exit 1
git cat-file --buffer --batch-check='%(objectsize)' < "$S/new" |
	awk -v most="$1" '{ sum += $1 } END { exit sum > most }' || {
	echo "what is new in it takes more than $(($1 / 1048576)) MiB, which is more than a run may bring" >&2
	exit 1
}
exec git pack-objects --revs --stdout --thin -q < "$S/revs"
`;

type Look = {
	/** What its folder is in the middle of. */ unfinished?: string;
	tip: string;
	tree: string;
	head: string | undefined;
	refs: Array<{name: string; object: string; type: string}>;
	submodules: Array<{path: string; tree: string}>;
	notes: string[];
	incomplete: string | undefined;
};

function jailMounts(run: Run, places: RunPaths, commonDir: string, submodules: readonly Submodule[]): Mount[] {
	return [
		...submodules.flatMap(({objects}, number): Mount[] =>
			objects === undefined ? [] : [{source: objects, target: `/run/fleet/submodules/${number}`, mode: 'read'}],
		),
		...baseMounts(commonDir),
		{source: places.privateGit, target: '/run/fleet/private', mode: 'read'},
		{source: places.worktree, target: run.worktree, mode: 'read'},
		{source: places.jailGit, target: '/run/fleet/git', mode: 'read'},
		{source: places.scratch, target: '/run/fleet/scratch', mode: 'write'},
	];
}

function parseLook(text: string): Look | string {
	const look: {
		unfinished?: string;
		tip?: string;
		tree?: string;
		head?: string;
		refs: Look['refs'];
		submodules: Look['submodules'];
		notes: string[];
		incomplete: string | undefined;
	} = {refs: [], submodules: [], notes: [], incomplete: undefined};
	const missing = (what: string) => {
		look.incomplete ??= printable(what, 200);
		look.notes.push(`could not be captured: ${printable(what, 200)}`);
	};

	for (const line of text.split('\n')) {
		const [word = '', value = '', type = '', ...rest] = line.split(' ');
		const name = rest.join(' ');
		const words = line.slice(word.length + 1);
		if (word === 'missing') {
			return "the run's branch is gone from its private repository";
		}

		if (word === 'unreadable') {
			return `its private repository cannot be read: ${printable(words.replace(/^fatal: /, ''), 200)}`;
		}

		if (word === 'wide') {
			return (
				'its branch has more files and folders than can be taken over, or deeper ones, ' +
				`below ${JSON.stringify(printable(words, 100))}`
			);
		}

		if (word === 'special') {
			return 'a FIFO, a socket or a device lies where git reads: whoever opens it waits';
		}

		if ((word === 'tip' || word === 'tree' || word === 'head') && objectName.test(value)) {
			look[word] = value;
		} else if (word === 'ref' && objectName.test(value) && name.startsWith('refs/')) {
			if (type === 'missing') {
				look.notes.push(
					`gone: ${printable(name, 200)} names ${value.slice(0, 10)}, and not all of its objects are there`,
				);
			} else {
				look.refs.push({name, object: value, type});
			}
		} else if (word === 'refs' && Number(value) > refLimit) {
			missing(`${Number(value) - refLimit} of ${value} branches and tags of its own`);
		} else if (word === 'unfinished') {
			look.unfinished = value;
			look.notes.push(`its folder is in the middle of a ${value}`);
		} else if (word === 'nested') {
			look.notes.push(`nested repository taken as plain files: ${printable(words, 200)}`);
		} else if (word === 'incomplete') {
			missing(words);
		} else if (word === 'large') {
			missing(`${words} is larger than ${largestFile / 1024 ** 3} GiB`);
		} else if (word === 'closed') {
			missing(`${words} cannot be read`);
		} else if (word === 'long') {
			missing(`a file with a path of more than ${treeLimits.path - 1} bytes, below ${words.slice(0, 100)}`);
		} else if (word === 'submodule' && objectName.test(value)) {
			const [gone = '', ...path] = rest;
			look.submodules.push({path: path.join(' '), tree: value});
			look.notes.push(
				`in the submodule ${printable(path.join(' '), 200)}, ${type} ${type === '1' ? 'file was' : 'files were'} ` +
					`changed${gone === '0' ? '' : ` and ${gone} deleted`}: kept beside the branch, ` +
					'which is to say at what commit it stands',
			);
		} else if (word === 'note') {
			look.notes.push(printable(words, 200));
		}
	}

	return look.tip && look.tree ? (look as Look) : "the run's folder could not be read as a tree";
}

/**
 * Brings objects out of the jail into the quarantine: a pack stream, capped and checked.
 * @param most bytes that they may take when they are unpacked: what the run's folders may grow by
 */
async function importObjects(
	context: Context,
	run: Run,
	places: RunPaths,
	mounts: readonly Mount[],
	wanted: string[],
	known: string[],
	most: number,
	quarantine: Git,
): Promise<void> {
	const {process: index} = await quarantine.spawn(
		['index-pack', '--stdin', '--fix-thin', '--strict', `--max-input-size=${packLimit}`],
		indexMemory,
	);
	index.stdin.on('error', () => {});
	const outcome = await jail(context, run.id, places, {
		script: packScript,
		argv: [String(most)],
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
			'its folder is kept as it is; fleet show names it',
		);
	}
}

/** Objects that nothing leads to from base and tips would be a branch with holes. */
async function checkConnected(quarantine: Git, names: string[]): Promise<void> {
	const {code, stderr} = await quarantine.run([
		'rev-list',
		'--objects',
		'--quiet',
		'--no-object-names',
		...names,
		'--not',
		'--all',
	]);
	if (code !== 0) {
		throw gateRefusal(
			`the run's branch has holes: ${stderr.trim().split('\n').at(-1) ?? ''}`,
			'its folder is kept as it is',
		);
	}
}

/**
 * Files that a person had copied into the run, beside what its
 * base has: they are for the run to read, and in no commit.
 */
export async function broughtFiles(git: Git, run: Run): Promise<string[]> {
	const {included = []} = run;
	if (included.length === 0) {
		return [];
	}

	const kept = new Set(
		(
			await git.must([
				'--literal-pathspecs',
				'ls-tree',
				'-z',
				'--name-only',
				'--full-tree',
				'-r',
				run.base,
				'--',
				...included,
			])
		).split('\0'),
	);
	return included.filter(name => !kept.has(name));
}

/** `base`: where its own work begins. */
export type Captured = {
	/** Such as a rebase that stopped at a conflict. */ readonly unfinished: string | undefined;
	readonly head: string;
	readonly base: string;
	readonly commits: number;
	readonly files: number;
	readonly wip: boolean;
	readonly extra: string[];
	readonly notes: string[];
	/** What in its commits' messages and names is to be looked at first. */ readonly commitFlags: string[];
	/** What is not in it, the first of it; undefined where it is whole. */ readonly incomplete: string | undefined;
};

type Imported = {
	captured: Captured;
	changes: Omit<Changes, 'untracked'>;
	quarantine: Git;
	git: Git;
	places: RunPaths;
	extraRefs: string[];
};

/**
 * Brings the run's commits and its uncommitted work into the quarantine, and names the result.
 * Works on a live run too (nothing inside is changed by it), for looking.
 * @throws Refusal where what the agent left cannot be taken over as it is
 */
export async function importWork(context: Context, run: Run): Promise<Imported> {
	return alone(context.paths.run(run.id), () => importAlone(context, run));
}

async function importAlone(context: Context, run: Run): Promise<Imported> {
	const places = context.paths.run(run.id);
	const {git, commonDir} = await openRun(context, run);
	if (!existsSync(places.worktree) || !existsSync(places.privateGit)) {
		throw new Refusal(`the worktree of ${run.id} is gone`, `fleet restore ${run.id}, or look at ${run.branch} itself`);
	}

	const jailGit = places.jailGit;
	await makeOwnGit(jailGit, {git, commonDir, seenAt: '/run/fleet/git', admin: adminName(places)});
	lendIndex(places.firstIndex, jailGit);
	writeFileSync(path.join(jailGit, 'included'), (await broughtFiles(git, run)).map(name => `${name}\0`).join(''));
	giveToRun(run.id, jailGit);
	makeScratch(run.id, places);
	const target = await git.resolve(`${run.target}^{commit}`);
	const quarantine = new Git({gitDir: places.quarantine, own: true});
	const submodules = await submodulesOf(git, commonDir, run.project.root, run.base);
	const mounts = jailMounts(run, places, commonDir, submodules);
	try {
		const {stdout, code, stderr, timedOut, over} = await jail(context, run.id, places, {
			script: lookScript,
			argv: [
				run.branch,
				adminName(places),
				run.worktree,
				run.base,
				...submodules.map(({path: place, commit}, number) => `${number}:${commit}:${place}`),
			],
			mounts,
			cwd: run.worktree,
			...(liveStages.has(run.stage) ? {timeout: livePatience} : {}),
		});
		if (timedOut || code !== 0) {
			throw gateRefusal(
				timedOut
					? "the run's folder could not be read in time"
					: `the run's folder could not be read: ${over ?? stderr.trim().split('\n').at(-1)?.slice(0, 200) ?? ''}`,
				'its folder is kept as it is',
			);
		}

		const look = parseLook(stdout);
		if (typeof look === 'string') {
			throw gateRefusal(
				look,
				look.startsWith('its branch has')
					? `its folder is kept as it is; fleet resume ${run.id} "take it out of the branch"`
					: 'its folder is kept as it is',
			);
		}

		// Only what the project does not have, and what is not the branch itself, is an extra.
		const extra = new Map<string, string>();
		if (look.head && look.head !== look.tip) {
			extra.set('HEAD', look.head);
		}

		const candidates = look.refs.filter(({name, object}) => name !== branchRef(run.branch) && object !== look.tip);
		const rest: string[] = [];
		// Commits can stand together as parents of one; what else a ref may name needs a name of its own.
		for (const {name, object, type} of [
			...candidates.filter(({type}) => type !== 'commit'),
			...candidates.filter(({type}) => type === 'commit'),
		]) {
			if (extra.size < namedLimit) {
				extra.set(name, object);
			} else if (type === 'commit') {
				rest.push(object);
			} else {
				look.incomplete ??= printable(name, 200);
				look.notes.push(`could not be captured: ${printable(name, 200)}, one of very many tags of its own`);
			}
		}

		await importObjects(
			context,
			run,
			places,
			mounts,
			[look.tip, look.tree, ...look.submodules.map(({tree}) => tree), ...extra.values(), ...rest],
			[run.base, ...(target === undefined ? [] : [target])],
			limitsOf((await readPolicy(git, run.base)).policy, defaultLimits).growth,
			quarantine,
		);
		await checkConnected(quarantine, [look.tip, ...extra.values(), ...rest]);
		await checkConnected(quarantine, [look.tree]);
		if (
			(await quarantine.line('cat-file', '-t', look.tip)) !== 'commit' ||
			(await quarantine.run(['merge-base', run.base, look.tip])).code !== 0
		) {
			throw gateRefusal(
				"the run's branch has nothing to do with the commit it started from",
				'its folder is kept as it is',
			);
		}

		const wip = (await quarantine.line('rev-parse', `${look.tip}^{tree}`)) !== look.tree;
		const head = wip
			? (
					await quarantine.must(
						[
							'commit-tree',
							look.tree,
							'-p',
							look.tip,
							'-m',
							`Uncommitted work of run ${run.id}`,
							'-m',
							'Taken over by fleet: the agent left it in its folder.',
							'-m',
							`Co-authored-by: ${coAuthor(context, run)}`,
						],
						{env: await stamp(git, run)},
					)
				).trim()
			: look.tip;
		// What was kept before stays under its name: the run may hold it no more.
		const kept = new Map(
			(await git.raw('for-each-ref', '--format=%(objectname) %(refname)', `${runRefs(run.id)}/extra`))
				.split('\n')
				.filter(line => line !== '')
				.map(line => line.split(' ') as [string, string]),
		);
		const names = new Set([...kept.values()].map(ref => ref.slice(ref.lastIndexOf('/') + 1)));
		const free = (wanted: string) => {
			let name = wanted;
			for (let number = wanted === '' ? 1 : 2; name === '' || names.has(name); number++) {
				name = wanted === '' ? String(number) : `${wanted}-${number}`;
			}

			names.add(name);
			return name;
		};

		const extraRefs: string[] = [];
		const keep = async (object: string, what: string) => {
			const name = kept.get(object)?.split('/').at(-1) ?? free('');
			extraRefs.push(`${capturedExtras}/${name}`);
			await quarantine.must(['update-ref', `${capturedExtras}/${name}`, object]);
			look.notes.push(`kept as ${runRefs(run.id)}/extra/${name}: ${printable(what, 200)}`);
		};

		for (const [name, object] of extra) {
			await keep(object, name);
		}

		for (const {path: place, tree} of look.submodules) {
			await checkConnected(quarantine, [tree]);
			const commit = (
				await quarantine.must(
					['commit-tree', tree, '-m', `What run ${run.id} changed in the submodule ${printable(place, 200)}`],
					{env: await stamp(git, run)},
				)
			).trim();
			extra.set(`the files of the submodule ${place}`, commit);
			await keep(commit, `the files of the submodule ${place}`);
		}

		if (rest.length > 0) {
			const parents = [...new Set(rest)].flatMap(object => ['-p', object]);
			const together = await quarantine.must(
				['commit-tree', look.tree, ...parents, '-m', `Other branches and tags of run ${run.id}`],
				{env: await stamp(git, run)},
			);
			const name = kept.get(together.trim())?.split('/').at(-1) ?? free('rest');
			await quarantine.must(['update-ref', `${capturedExtras}/${name}`, together.trim()]);
			extraRefs.push(`${capturedExtras}/${name}`);
			look.notes.push(
				`kept together, as the parents of ${runRefs(run.id)}/extra/${name}: ${rest.length} more branches and tags`,
			);
		}

		await quarantine.must(['update-ref', capturedHead, head]);
		const base = await ownBase(quarantine, run, target, head);
		const commits = Number(await quarantine.line('rev-list', '--count', head, `^${base}`));
		const changes = readNumbers(await quarantine.raw('diff-tree', '-r', '-z', '--numstat', ...diffFlags, base, head));
		return {
			changes,
			captured: {
				unfinished: look.unfinished,
				head,
				base,
				commits,
				files: changes.files,
				wip,
				extra: [...extra.keys()],
				notes: look.notes,
				commitFlags: await flaggedCommits(quarantine, base, head),
				incomplete: look.incomplete,
			},
			quarantine,
			git,
			places,
			extraRefs,
		};
	} finally {
		rmSync(places.scratch, {recursive: true, force: true});
	}
}

/**
 * Captures of the same content get the same commit, so that an
 * approval survives a second look: dates are the run's own.
 */
async function stamp(git: Git, run: Run): Promise<Record<string, string>> {
	return identityVariables(await personOf(git), `@${Math.floor(Date.parse(run.createdAt) / 1000)} +0000`);
}

/** Characters of messages and names that are looked through. */
const maxWords = 64 * 1024 ** 2;

/** What in the messages and names of the run's commits is to be looked at first: a merge brings them to the target. */
async function flaggedCommits(git: Git, base: string, head: string): Promise<string[]> {
	const {code, stdout} = await git.run(
		['log', '-z', '--encoding=UTF-8', `--format=${commitFormat}`, head, `^${base}`],
		{limit: maxWords},
	);
	return [
		...commitFlags(parseCommits(stdout)),
		...(code === 0
			? []
			: [`its commits say more than ${maxWords / 1024 ** 2} MiB, of which the rest was not looked through`]),
	];
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
	return alone(context.paths.run(journal.run.id), () => captureAlone(context, journal));
}

async function captureAlone(context: Context, journal: Journal): Promise<Captured> {
	const {run} = journal;
	const places = context.paths.run(run.id);
	const swept = await sweep(context, run.id, places);
	const {captured, changes, git, extraRefs} = await importAlone(context, run);
	// The list shows what the review will: counted as the review counts.
	rememberChanges(places, {...changes, untracked: readChanges(places)?.untracked ?? 0});
	const branch = branchRef(run.branch);
	const published = await git.resolve(runHead(run.id));
	const current = await git.resolve(branch);
	const extraSpecs = extraRefs.map(name => `+${name}:${name.replace(capturedExtras, `${runRefs(run.id)}/extra`)}`);
	if (current !== captured.head) {
		const expected = published ?? run.base;
		if (current !== undefined && current !== expected) {
			throw gateRefusal(
				`the branch ${run.branch} was moved outside of fleet, to ${current.slice(0, 10)}`,
				`git branch NEW-NAME ${current.slice(0, 10)}, then git branch -f ${run.branch} ${expected.slice(0, 10)}`,
			);
		}

		await fetchRefs(git, places.quarantine, [`+${capturedHead}:${runHead(run.id)}`, ...extraSpecs]);
		await git.must([
			'update-ref',
			'-m',
			`fleet: work of run ${run.id}`,
			branch,
			captured.head,
			current ?? '0'.repeat(captured.head.length),
		]);
	} else if (published !== captured.head || extraRefs.length > 0) {
		// A stash, or a branch of the agent's own, is work even where its branch did not move.
		await fetchRefs(git, places.quarantine, extraSpecs);
		await git.must(['update-ref', runHead(run.id), captured.head]);
	}

	// What was kept or removed before is so still, though it is not found again.
	const there = new Set((await git.raw('for-each-ref', '--format=%(refname)', runRefs(run.id))).split('\n'));
	const said = (journal.run.captured?.notes ?? []).filter(
		note => note.startsWith('removed ') || there.has(/^kept .*?(refs\/fleet\/runs\/[^:]+):/.exec(note)?.[1] ?? ''),
	);
	const notes = [...new Set([...said.slice(-noteLimit), ...swept, ...captured.notes])];
	if (
		journal.run.captured?.head !== captured.head ||
		journal.run.captured.base !== captured.base ||
		journal.run.captured.notes.join('\n') !== notes.join('\n') ||
		journal.run.captured.commitFlags.join('\n') !== captured.commitFlags.join('\n')
	) {
		const {head, base, commits, files, wip, extra, commitFlags} = captured;
		journal.append({type: 'run.captured', head, base, commits, files, wip, extra, notes, commitFlags}, 'fleet');
	}

	return captured;
}

async function fetchRefs(git: Git, from: string, specs: string[]): Promise<void> {
	if (specs.length > 0) {
		await git.must([
			'-c',
			'fetch.fsckObjects=true',
			'fetch',
			'--quiet',
			'--no-tags',
			'--no-write-fetch-head',
			'--refmap=',
			'--no-recurse-submodules',
			from,
			...specs,
		]);
	}
}
