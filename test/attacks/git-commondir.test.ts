import {existsSync} from 'node:fs';
import path from 'node:path';
import {gitAttack} from '../support/attack.ts';

gitAttack({
	title: 'redirect the worktree\'s common folder',
	source: 'commondir and config.worktree: making only worktrees/<id> writable is an escape',
	script: ({marker}) => `g=$(git rev-parse --git-dir); common=$(git rev-parse --git-common-dir); mkdir -p evil; cp -r "$common/." evil/ 2>/dev/null; printf '[core]\\n\\trepositoryformatversion = 0\\n\\tfsmonitor = touch ${marker}; false\\n' > evil/config; printf '%s\\n' "$PWD/evil" > "$g/commondir"`,
	person: (git, {worktree}) => git('-C', path.resolve(worktree), 'status', '--short'),
	harmed: ({marker}) => existsSync(marker),
});
