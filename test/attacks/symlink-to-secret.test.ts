import {mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {bound, sandboxAttack} from '../support/attack.ts';

sandboxAttack({
	title: 'follow a link out of the worktree',
	source: 'links to secrets in cloned repositories',
	prepare(box) {
		mkdirSync(path.join(box.folder, 'secret'), {recursive: true});
		writeFileSync(path.join(box.folder, 'secret', 'file'), 'linked-secret', {mode: 0o644});
		return () => {};
	},
	script: box => `ln -s ${box.folder}/secret/file link; cat link; cat /proc/self/root${box.folder}/secret/file; cat ${box.work}/../secret/file`,
	succeeded: ({output}) => output.includes('linked-secret'),
	without: bound('secret'),
});
