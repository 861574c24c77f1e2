import {sandboxAttack} from '../support/attack.ts';

sandboxAttack({
	title: 'leave a core file with the memory of a process',
	source: 'core dumps hold secrets, and run what core_pattern names',
	script: () => 'ulimit -c unlimited 2> /dev/null; ulimit -c',
	succeeded: ({output}) => output !== '0',
	without: {title: 'a limit of 0', invocation: invocation => ({...invocation, argv: invocation.argv.map(argument => argument === '--core=0' ? '--core=unlimited' : argument)})},
});
