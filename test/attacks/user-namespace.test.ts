import {noFilter, sandboxAttack, without} from '../support/attack.ts';

sandboxAttack({
	title: 'make a user namespace of one\'s own',
	source: 'the usual first step of kernel privilege escalations',
	script: () => 'unshare --user --map-root-user id -u',
	succeeded: ({output}) => output === '0',
	without: {title: '--disable-userns and the system call filter', arguments: argv => without(noFilter(argv), '--disable-userns')},
});
