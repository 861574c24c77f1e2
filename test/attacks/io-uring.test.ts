import {noFilter, sandboxAttack} from '../support/attack.ts';

sandboxAttack({
	title: 'reach io_uring',
	source: 'io_uring goes round system call filters, and had many holes',
	// A bad pointer: the kernel's own answer would be EFAULT (14).
	script: () => 'perl -e \'$r = syscall(425, 1, 1); print $r == -1 ? "errno " . ($! + 0) : "ring"\'',
	succeeded: ({output}) => output === 'errno 14' || output === 'ring' || output === 'errno 38',
	without: {title: 'the system call filter', arguments: noFilter},
});
