import {sandboxAttack, sentinel, without} from '../support/attack.ts';

let pid = 0;
sandboxAttack({
	title: 'read the arguments and the environment of a process of the host',
	source: '/proc/*/cmdline and environ, where tokens usually are',
	prepare() {
		const child = sentinel('token-of-the-host');
		pid = child.pid!;
		return () => child.kill('SIGKILL');
	},
	script: () => `sleep 0.1; cat /proc/${pid}/environ /proc/${pid}/cmdline`,
	succeeded: ({output}) => output.includes('token-of-the-host'),
	without: {title: 'a pid namespace', arguments(argv) {
		const at = argv.indexOf('--proc');
		return without(argv, '--unshare-pid').map((argument, index) => index === at - 1 ? '--dev-bind' : argument).toSpliced(at, 0, '/proc');
	}},
});
