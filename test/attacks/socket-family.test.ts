import {noFilter, sandboxAttack} from '../support/attack.ts';

sandboxAttack({
	title: 'open a packet socket',
	source: 'rare socket families: AF_VSOCK reaches the hypervisor, AF_PACKET the wire, others the kernel\'s less-tested code',
	// What the filter answers is EAFNOSUPPORT (97); any other answer is the kernel's own.
	script: () => 'perl -e \'print socket(S, 17, 3, 0) ? "open" : "errno " . ($! + 0)\'',
	succeeded: ({output}) => output === 'open' || output !== 'errno 97',
	without: {title: 'the system call filter', arguments: noFilter},
});
