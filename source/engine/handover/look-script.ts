/*
 * What is read of a worktree from inside the jail, as one script: git runs over the agent's files there alone. What it
 * writes, a line for each find, `parseLook` reads. One text, since a shell's steps share its variables and its files.
 */

/** Of a tree that is taken over: files and folders, bytes of one path (PATH_MAX), and of all paths together. */
export const treeLimits = {entries: 2_000_000, pathBytes: 4096, allPathsBytes: 1024 ** 3};

/** Bytes of one file that are taken over. */
export const maxFileBytes = 1024 ** 3;

/** Refs that are looked at. */
export const maxRefs = 2000;

/**
 * In the jail: names the tip, the other refs and HEAD, and writes the folder as a tree over the tip, ignored files
 * left out and nested repositories taken as plain files. Configuration is the host's; nothing of the agent's is.
 * Lists are separated by NUL: a name may hold anything else.
 */
export const lookScript = `
set -u
# Counted before anything unpacks it: a few objects name any number of files.
# Git is stopped at the first that is too much.
count() {
	git ls-tree -r -t --name-only "$1" 2> /dev/null | awk '{
		bytes += length($0)
		if (NR > ${treeLimits.entries} || length($0) > ${treeLimits.pathBytes} || bytes > ${treeLimits.allPathsBytes}) {
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
ls -d /run/fleet/base/[0-9]* 2>/dev/null > "$S/none/objects/info/alternates"
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
private for-each-ref --count=${maxRefs} --format='%(objectname) %(refname)' > "$S/refs"
# Older stashes stand in the reflog alone.
[ -f "$P/logs/refs/stash" ] && tail -n ${maxRefs} "$P/logs/refs/stash" | awk '
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
	-o -type f -size +${maxFileBytes / 1024}k -fprintf "$S/large" '%P\\0' \\
	-o \\( -type f ! -readable -o -type d \\( ! -readable -o ! -executable \\) \\) -fprintf "$S/closed" '%P\\0' \\
	2> /dev/null
# Git passes what no path reaches in silence: PATH_MAX, which takes sixteen folders at least.
find . -mindepth 16 -xdev \\( -type f -o -type l \\) ! -path '*/.git/*' -printf '%P\\0' 2> /dev/null |
	tr '\\n\\0' '\\001\\n' | awk 'length($0) >= ${treeLimits.pathBytes}' | tr '\\n\\001' '\\0\\n' > "$S/long"
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
