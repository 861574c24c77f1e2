import {existsSync} from 'node:fs';
import {gitAttack} from '../support/attack.ts';

gitAttack({
	title: 'plant configuration that the person\'s git status runs',
	source: 'core.fsmonitor, core.pager, core.sshCommand, aliases, filters: git config is code',
	script: ({marker}) => `git config core.fsmonitor 'touch ${marker}; false'; git config alias.st '!touch ${marker}'; git config filter.x.clean 'touch ${marker}; cat'`,
	person: git => git('status', '--short'),
	harmed: ({marker}) => existsSync(marker),
});
