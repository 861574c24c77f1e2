import {readFileSync, readdirSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import {sandboxAttack, without} from '../support/attack.ts';

const seconds = String(100_000 + process.pid);

function find(): string[] {
	return readdirSync('/proc').filter(name => /^\d+$/.test(name)).filter(pid => {
		try {
			return readFileSync(`/proc/${pid}/cmdline`, 'utf8') === `sleep\0${seconds}\0`;
		} catch {
			return false;
		}
	});
}

sandboxAttack({
	title: 'leave a process behind',
	source: 'daemons that survive the agent',
	script: () => `setsid sleep ${seconds} > /dev/null 2>&1 < /dev/null & sleep 0.2`,
	async succeeded() {
		await sleep(300);
		const pids = find();
		for (const pid of pids) {
			process.kill(Number(pid), 'SIGKILL');
		}

		return pids.length > 0;
	},
	without: {title: 'a pid namespace that dies with its first process', arguments(argv) {
		const at = argv.indexOf('--proc');
		return without(without(argv, '--unshare-pid').map((argument, index) => index === at - 1 ? '--dev-bind' : argument).toSpliced(at, 0, '/proc'), '--die-with-parent');
	}},
});
