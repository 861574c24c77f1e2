import {existsSync} from 'node:fs';
import {gitAttack} from '../support/attack.ts';

gitAttack({
	title: 'plant a hook for the person\'s next commit',
	source: 'hooks live in the common folder, which a worktree shares',
	script: ({marker}) => `hooks=$(git rev-parse --git-path hooks); mkdir -p "$hooks"; for h in pre-commit post-checkout post-commit reference-transaction; do printf '#!/bin/sh\\ntouch ${marker}\\n' > "$hooks/$h"; chmod +x "$hooks/$h"; done`,
	person: git => git('commit', '--quiet', '--allow-empty', '--message=mine'),
	harmed: ({marker}) => existsSync(marker),
});
