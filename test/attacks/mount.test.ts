import {noFilter, sandboxAttack, without} from '../support/attack.ts';

sandboxAttack({
	title: 'mount a file system over what is there',
	source: 'without --cap-drop ALL, root inside remounts read-only binds and unmounts masks',
	script: () => 'mkdir -p /tmp/m && mount -t tmpfs none /tmp/m && echo mounted',
	succeeded: ({output}) => output.includes('mounted'),
	without: {title: 'dropped capabilities and the system call filter', arguments: argv => without(noFilter(argv), '--disable-userns').map((argument, index, all) => argument === '--cap-drop' ? '--cap-add' : all[index - 1] === '--uid' || all[index - 1] === '--gid' ? '0' : argument)},
});
