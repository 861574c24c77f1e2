import {sandboxAttack} from '../support/attack.ts';

sandboxAttack({
	title: 'fill memory through /dev/shm',
	source: 'tmpfs without a size is half of the machine\'s memory',
	script: () => 'head -c 300000000 /dev/zero > /dev/shm/big; stat -c %s /dev/shm/big',
	succeeded: ({output}) => output.includes('300000000'),
	without: {title: 'a size for /dev/shm', arguments: argv => argv.map((argument, index) => argument === '268435456' && argv[index + 4] === '/dev/shm' ? '400000000' : argument)},
});
