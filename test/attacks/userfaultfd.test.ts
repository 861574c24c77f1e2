import {noFilter, sandboxAttack} from '../support/attack.ts';

sandboxAttack({
	title: 'reach userfaultfd',
	source: 'makes races in the kernel winnable',
	// An invalid flag: the kernel's own answer would be EINVAL (22), or ENOSYS (38) where it is not built in.
	script: () => `perl -e '$n = \`uname -m\` =~ /aarch64/ ? 282 : 323; $r = syscall($n, 0x40000001); print $r == -1 ? "errno " . ($! + 0) : "descriptor"'`,
	succeeded: ({output}) => output === 'errno 22' || output === 'errno 38' || output === 'descriptor',
	without: {title: 'the system call filter', arguments: noFilter},
});
