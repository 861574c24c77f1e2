import process from 'node:process';
import {sandboxAttack} from '../support/attack.ts';

sandboxAttack({
	title: 'open core_pattern for writing',
	source: 'bubblewrap started by root, and two agent sandboxes: code execution on the host',
	// Opened and closed, never written.
	script: () => 'if ( : >> /proc/sys/kernel/core_pattern ) 2> /dev/null; then echo opened; fi',
	succeeded: ({output}) => output.includes('opened'),
	// An ordinary user may not open it whatever the sandbox is.
	provable: process.getuid?.() === 0,
	without: {
		title: 'the uid drop and a read-only /proc/sys',
		arguments(argv) {
			const at = argv.findIndex((argument, index) => argument === '--ro-bind' && argv[index + 1] === '/proc/sys');
			// The folder belongs to the uid that is not dropped to here.
			return [...argv.toSpliced(at, 3).slice(0, -2), '--chdir', '/tmp'];
		},
		invocation(invocation) {
			const at = invocation.argv.indexOf('--reuid');
			const end = invocation.argv.indexOf('--', at);
			// Without setpriv, nsenter keeps uid 0, which owns the files of /proc/sys in every namespace.
			return {...invocation, argv: invocation.argv.toSpliced(at - 1, end - at + 2)};
		},
	},
	network: false,
});
