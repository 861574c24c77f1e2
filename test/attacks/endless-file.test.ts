import {statSync} from 'node:fs';
import path from 'node:path';
import {sandboxAttack} from '../support/attack.ts';

sandboxAttack({
	title: 'fill the disk with one file',
	source: 'no neighbour limits disk by default',
	plan: plan => ({...plan, limits: {...plan.limits, fileSize: 4 * 1024 ** 2}}),
	script: () => 'head -c 8388608 /dev/zero > big',
	succeeded: (_result, box) => statSync(path.join(box.work, 'big')).size === 8 * 1024 ** 2,
	without: {title: 'a limit of file size', plan: plan => ({...plan, limits: {...plan.limits, fileSize: 1024 ** 3}})},
});
