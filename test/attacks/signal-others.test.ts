import {sandboxAttack, sentinel, without} from '../support/attack.ts';

let alive = true;
let pid = 0;
sandboxAttack({
	title: 'end a process of the host',
	source: 'agents that "clean up" with kill',
	prepare() {
		const child = sentinel();
		alive = true;
		pid = child.pid!;
		child.once('exit', () => {
			alive = false;
		});
		return () => child.kill('SIGKILL');
	},
	script: () => `sleep 0.1; kill -9 ${pid}; sleep 0.2`,
	succeeded: () => !alive,
	without: {title: 'a pid namespace', arguments(argv) {
		const at = argv.indexOf('--proc');
		return without(argv, '--unshare-pid').map((argument, index) => index === at - 1 ? '--dev-bind' : argument).toSpliced(at, 0, '/proc');
	}},
});
