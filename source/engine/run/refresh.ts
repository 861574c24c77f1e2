import {existsSync, readFileSync} from 'node:fs';
import path from 'node:path';
import {branchName, branchRef, targetRef} from '../../core/git/refs.ts';
import type {Run} from '../../core/run/run.ts';
import type {ProjectGit} from '../../host/git.ts';
import type {RunPaths} from '../../host/paths.ts';
import {adminName, connectQuarantine} from '../../host/worktree.ts';
import {baseMounts, keepBorrowed, projectRefs} from '../../host/borrowed.ts';
import {replaceFile} from '../../host/write.ts';
import type {Context} from '../context.ts';
import {jail} from '../sandbox/jail.ts';

/**
 * In the jail, since the run's git folder is the agent's: object folders and shallow history
 * as they are today, and every ref that is still where the host put it moved to where it is
 * now. A ref that the agent moved, made or removed, or that is checked out in its folder, is
 * left alone; where that is the target, its tip is `refs/fleet/target` besides.
 */
const script = `
set -u
P=/run/fleet/private admin=$1 target=$2 tip=$3
cat > /tmp/in
private() { git --git-dir="$P" -c core.fsmonitor=false -c core.hooksPath=/dev/null "$@"; }
rm -rf "$P/objects/info/alternates"
mkdir -p "$P/objects/info" && sed -n 's/^alternate //p' /tmp/in > "$P/objects/info/alternates" || exit 1
{ [ -f "$P/shallow" ] && cat "$P/shallow"; sed -n 's/^shallow //p' /tmp/in; } | sort -u > /tmp/shallow
[ -s /tmp/shallow ] && rm -rf "$P/shallow" && cp /tmp/shallow "$P/shallow"
private for-each-ref --format='have %(refname) %(objectname)' refs/heads refs/tags refs/remotes > /tmp/have
head=$(git --git-dir="$P/worktrees/$admin" symbolic-ref -q HEAD)
awk -v head="$head" '
	$1 == "have" { have[$2] = $3; next }
	$1 == "ref" && $2 != head {
		now = ($2 in have) ? have[$2] : "-"
		if (now == $3 && now != $4) {
			if ($4 == "-") print "delete " $2 " " now
			else if (now == "-") print "create " $2 " " $4
			else print "update " $2 " " $4 " " now
		}
	}' /tmp/have /tmp/in > /tmp/moves
# All at once; one by one where one of them cannot be, such as below a branch of the agent's.
private update-ref --stdin < /tmp/moves 2> /dev/null || while IFS= read -r line; do
	printf '%s\\n' "$line" | private update-ref --stdin 2> /dev/null
done < /tmp/moves
private update-ref -d ${targetRef} 2> /dev/null
if [ "$(private rev-parse -q --verify "$target^{commit}")" = "$tip" ]; then
	echo "target $target"
else
	private update-ref ${targetRef} "$tip" && echo "target ${targetRef}"
fi
`;

/** Refs by name. */
function parse(text: string): Map<string, string> {
	return new Map(
		text
			.split('\n')
			.filter(line => line !== '')
			.map(line => [line.slice(line.indexOf(' ') + 1), line.slice(0, line.indexOf(' '))]),
	);
}

/**
 * Brings what the project has today into the run's own git folder. Nothing of the agent's own is overwritten.
 * @returns the name by which the run finds its target, and what could not be done; no name where the target is gone
 */
export async function refresh(
	context: Context,
	run: Run,
	{git, commonDir, places}: ProjectGit & {readonly places: RunPaths},
): Promise<{target: string | undefined; notes: string[]}> {
	connectQuarantine(commonDir, places);
	// Kept where only the host writes: what differs from it in the run's own git folder is the run's own.
	const file = places.givenRefs;
	const [before, now] = [
		parse(existsSync(file) ? readFileSync(file, 'utf8') : ''),
		parse(await projectRefs(git, run.branch)),
	];
	const own = branchRef(run.branch);
	const tip = now.get(run.target);
	const names = [...new Set([...before.keys(), ...now.keys()])].filter(
		name => name !== own && before.get(name) !== now.get(name),
	);
	if (tip === undefined) {
		return {target: undefined, notes: [`${branchName(run.target)} is gone from the project`]};
	}

	if (run.attempt === 0 && names.length === 0 && before.size > 0) {
		return {target: branchName(run.target), notes: []};
	}

	await keepBorrowed(git, places, run);
	const shallow = path.join(commonDir, 'shallow');
	const input = [
		...baseMounts(commonDir).map(({target}) => `alternate ${target}`),
		...(existsSync(shallow)
			? readFileSync(shallow, 'utf8')
					.split('\n')
					.filter(line => line !== '')
					.map(line => `shallow ${line}`)
			: []),
		// Of a run that was made by an earlier version only the commit it began at is known.
		...names.map(
			name =>
				`ref ${name} ${before.get(name) ?? (before.size === 0 && name === run.target ? run.base : '-')} ` +
				`${now.get(name) ?? '-'}`,
		),
	];
	const {code, stdout, timedOut} = await jail(context, {
		runId: run.id,
		places,
		script,
		argv: [adminName(places), run.target, tip],
		input: input.map(line => `${line}\n`).join(''),
		timeout: 60_000,
		mounts: [...baseMounts(commonDir), {source: places.privateGit, target: '/run/fleet/private', mode: 'write'}],
	});
	const target = /^target (\S+)$/m.exec(stdout)?.[1];
	if (code !== 0 || timedOut || target === undefined) {
		return {target: undefined, notes: ["the project's branches could not be brought up to date in its git folder"]};
	}

	replaceFile(file, [...now].map(([name, object]) => `${object} ${name}\n`).join(''));
	return {target: branchName(target), notes: []};
}
