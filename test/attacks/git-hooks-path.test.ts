import {existsSync} from 'node:fs';
import {gitAttack} from '../support/attack.ts';

gitAttack({
	title: 'point core.hooksPath into the worktree',
	source: 'core.hooksPath, include.path: configuration that names other files',
	script: ({marker}) => `mkdir h && printf '#!/bin/sh\\ntouch ${marker}\\n' > h/pre-commit && chmod +x h/pre-commit && git config core.hooksPath "$PWD/h"; git config include.path "$PWD/extra"; printf '[core]\\n\\tfsmonitor = touch ${marker}\\n' > extra`,
	person: git => git('commit', '--quiet', '--allow-empty', '--message=mine'),
	harmed: ({marker}) => existsSync(marker),
});
