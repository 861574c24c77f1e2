import {appendFileSync} from 'node:fs';
import path from 'node:path';
import {gitAttack} from '../support/attack.ts';

gitAttack({
	title: 'drop the person\'s stash',
	source: 'a real worktree shares the stash with all',
	prepare(git, project) {
		appendFileSync(path.join(project, 'a.txt'), 'unfinished work\n');
		git('stash');
	},
	script: () => 'git stash clear; git update-ref -d refs/stash',
	harmed: ({git}) => git('stash', 'list') === '',
});
