import {sandboxAttack} from '../support/attack.ts';

sandboxAttack({
	title: 'fill memory through /tmp',
	source: 'tmpfs without a size is half of the machine\'s memory',
	plan: plan => ({...plan, scratch: plan.scratch.map(scratch => scratch.target === '/tmp' ? {...scratch, size: 4 * 1024 ** 2} : scratch)}),
	script: () => 'head -c 8388608 /dev/zero > /tmp/big; stat -c %s /tmp/big',
	succeeded: ({output}) => output.includes('8388608'),
	without: {title: 'a size for /tmp', plan: plan => ({...plan, scratch: plan.scratch.map(scratch => scratch.target === '/tmp' ? {...scratch, size: 64 * 1024 ** 2} : scratch)})},
});
