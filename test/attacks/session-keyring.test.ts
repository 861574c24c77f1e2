import {noFilter, sandboxAttack} from '../support/attack.ts';

sandboxAttack({
	title: 'read the kernel\'s session keyring',
	source: 'keyrings are not namespaced; reachable in other agent sandboxes',
	// keyctl(KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 1): the x64 and arm64 numbers.
	script: () => `perl -e '$n = \`uname -m\` =~ /aarch64/ ? 219 : 250; $r = syscall($n, 0, -3, 1); print $r == -1 ? "errno " . ($! + 0) : "keyring $r"'`,
	succeeded: ({output}) => output.startsWith('keyring '),
	without: {title: 'the system call filter', arguments: noFilter},
});
