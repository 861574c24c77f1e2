import {existsSync} from 'node:fs';
import path from 'node:path';
import {gitAttack} from '../support/attack.ts';

gitAttack({
	title: 'commit a link to a nested repository that runs a program on git status',
	source: 'a top-level git status runs code out of a nested repository that is a gitlink',
	script: ({marker}) => `git init --quiet nested && git -C nested -c user.name=x -c user.email=x@x.invalid commit --quiet --allow-empty -m x && git add nested && git commit --quiet -m nested && git -C nested config core.fsmonitor 'touch ${marker}; false'`,
	person: (git, {worktree}) => git('-C', path.resolve(worktree), 'status', '--short'),
	harmed: ({marker, git}) => existsSync(marker) || git('ls-tree', '-r', 'main').includes('160000'),
});
