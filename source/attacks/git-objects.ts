import {existsSync} from 'node:fs';
import path from 'node:path';
import type {GitAttack} from './attack.ts';
import {broken, common, unchanged} from './git-rows.ts';

/* What damages the person's object store, or brings trees and names into it that git itself would not make. */

export const objectAttacks: readonly GitAttack[] = [
	unchanged({
		id: 'git-objects',
		batch: 'store',
		title: "delete the repository's objects",
		source: 'the object store is in the common folder',
		script: `${common}; rm -rf "$c"/objects/??; rm -f "$c"/objects/pack/*`,
		came: broken,
	}),
	unchanged({
		id: 'git-corrupt-pack',
		batch: 'store',
		title: 'overwrite a pack',
		source: 'the object store is in the common folder',
		script: `${common}; chmod u+w "$c"/objects/pack/*; for f in "$c"/objects/pack/*; do echo evil > "$f"; done`,
		came: broken,
		prepare: git => git('repack', '-a', '-d', '--quiet'),
	}),
	unchanged({
		id: 'git-alternates',
		batch: 'store',
		title: 'hang the repository on objects that can be taken away',
		source: 'objects/info/alternates',
		script: `${common}; mkdir -p "$c/objects/info"; echo "$PWD/gone/objects" > "$c/objects/info/alternates"`,
		came: ({project}) => existsSync(path.join(project, '.git', 'objects', 'info', 'alternates')),
	}),
	unchanged({
		id: 'git-missing-objects',
		title: 'hand over a branch with holes',
		source: 'a later gc or clone fails',
		script:
			'echo secret-content > hole.txt; git add hole.txt; git commit --quiet -m hole; ' +
			`b=$(git rev-parse HEAD:hole.txt); ${common}; ` +
			'rm -f "$c/objects/$(echo "$b" | cut -c1-2)/$(echo "$b" | cut -c3-)"',
		came: broken,
	}),
	unchanged({
		id: 'git-replace',
		batch: 'refs',
		title: 'replace a commit by another one',
		source: 'refs/replace changes what every command shows',
		script: 'b=$(echo evil | git hash-object -w --stdin); git replace -f "$(git rev-parse main:a.txt)" "$b"',
		came: ({git}) => git('show', 'main:a.txt') === 'evil',
	}),
	unchanged({
		id: 'git-grafts',
		batch: 'history',
		title: 'cut history with grafts',
		source: 'info/grafts',
		script: `${common}; mkdir -p "$c/info"; git rev-parse main > "$c/info/grafts"`,
		came: ({git}) => git('rev-list', '--count', 'main') === '1',
		prepare: git => git('commit', '--quiet', '--allow-empty', '--message=second'),
	}),
	unchanged({
		id: 'git-shallow',
		batch: 'history',
		title: 'cut history with a shallow file',
		source: 'shallow',
		script: `${common}; git rev-parse main > "$c/shallow"`,
		came: ({git}) => git('rev-list', '--count', 'main') === '1',
		prepare: git => git('commit', '--quiet', '--allow-empty', '--message=second'),
	}),
	unchanged({
		id: 'git-dot-git-entry',
		title: 'commit a tree with an entry ".git"',
		source: 'CVE-2014-9390 and later ones',
		script:
			'b=$(echo evil | git hash-object -w --stdin); t=$(printf "100644 blob %s\\t.git\\n" "$b" | ' +
			'git mktree 2>/dev/null || printf "100644 .git\\0$(echo "$b" | sed "s/../\\\\\\\\x&/g")" | ' +
			'git hash-object -w -t tree --literally --stdin); [ -n "$t" ] || ' +
			't=$(perl -e \'print "100644 .git\\0", pack("H*", shift)\' "$b" | ' +
			'git hash-object -w -t tree --literally --stdin); k=$(git commit-tree "$t" -p HEAD -m evil); ' +
			'git update-ref "$(git symbolic-ref HEAD)" "$k"',
		came: broken,
	}),
	unchanged({
		id: 'git-climbing-entry',
		title: 'commit a tree with an entry ".."',
		source: 'checkouts that climb out',
		script:
			'b=$(echo evil | git hash-object -w --stdin); t=$(perl -e \'print "100644 ..\\0", pack("H*", shift)\' "$b" | ' +
			'git hash-object -w -t tree --literally --stdin); ' +
			'k=$(git commit-tree "$t" -p HEAD -m evil); git update-ref "$(git symbolic-ref HEAD)" "$k"',
		came: broken,
	}),
	unchanged({
		id: 'git-object-link',
		title: "make an object file a link to a file of the person's",
		source: 'CVE-2022-39253: a local clone follows it',
		script:
			`${common}; mkdir -p "$c/objects/aa"; ` +
			'ln -s /etc/passwd "$c/objects/aa/11111111111111111111111111111111111111"',
		came: ({project}) =>
			existsSync(path.join(project, '.git', 'objects', 'aa', '11111111111111111111111111111111111111')),
	}),
	unchanged({
		id: 'git-gitmodules-link',
		title: 'commit .gitmodules as a link',
		source: 'CVE-2018-11235, CVE-2024-32002',
		script:
			'b=$(printf /etc/passwd | git hash-object -w --stdin); ' +
			't=$(printf "120000 blob %s\\t.gitmodules\\n" "$b" | git mktree); ' +
			'k=$(git commit-tree "$t" -p HEAD -m evil); git update-ref "$(git symbolic-ref HEAD)" "$k"',
		came: broken,
	}),
	unchanged({
		id: 'git-gitmodules-option',
		title: 'give a submodule an address that is an option',
		source: 'CVE-2018-17456',
		script:
			'printf "[submodule \\"x\\"]\\n\\tpath = x\\n\\turl = -u./payload\\n" > .gitmodules; git add .gitmodules; ' +
			'git commit --quiet -m x',
		came: broken,
	}),
];
