import {sandboxAttack} from '../support/attack.ts';

sandboxAttack({
	title: 'read the sandbox\'s own first environment',
	source: 'bwrap --clearenv leaves the old environment in /proc/1/environ',
	script: () => 'cat /proc/1/environ /proc/self/environ',
	succeeded: ({output}) => output.includes('host-token'),
	without: {title: 'an environment that is built', invocation: invocation => ({...invocation, env: {...invocation.env, TOKEN: 'host-token'}})},
});
