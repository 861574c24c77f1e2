import {existsSync} from 'node:fs';
import path from 'node:path';
import {gitAttack} from '../support/attack.ts';

gitAttack({
	title: 'swap the worktree\'s .git file for a repository of one\'s own',
	source: 'reproduced in another agent sandbox: the person\'s next git status ran a program',
	script: ({marker}) => `cp .git dotgit.bak; rm -rf .git; git init --quiet . && git config core.fsmonitor 'touch ${marker}; false'`,
	person: (git, {worktree}) => git('-C', path.resolve(worktree), 'status', '--short'),
	harmed: ({marker}) => existsSync(marker),
});
