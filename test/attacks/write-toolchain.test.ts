import {existsSync, mkdirSync} from 'node:fs';
import path from 'node:path';
import {giveToRun} from '../../source/host/worktree.ts';
import {sandboxAttack} from '../support/attack.ts';

sandboxAttack({
	title: 'change a program that the person will run',
	source: 'toolchains that are shared with the host',
	plan(plan, folder) {
		const tools = path.join(folder, 'tools');
		mkdirSync(tools);
		giveToRun('box', tools);
		return {...plan, mounts: [...plan.mounts, {source: tools, target: tools, mode: 'read'}]};
	},
	script: box => `echo evil > ${box.folder}/tools/cc`,
	succeeded: (_result, box) => existsSync(path.join(box.folder, 'tools', 'cc')),
	without: {title: 'read-only mounts', plan: plan => ({...plan, mounts: plan.mounts.map(mount => mount.target.endsWith('/tools') ? {...mount, mode: 'write'} : mount)})},
});
