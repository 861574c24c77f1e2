import {execFileSync} from 'node:child_process';
import {sandboxAttack, without} from '../support/attack.ts';

let id = '';
sandboxAttack({
	title: 'read System V shared memory of the host',
	source: 'open in other agent sandboxes',
	prepare() {
		id = /(\d+)/.exec(execFileSync('ipcmk', ['--shmem', '4096', '--mode', '0666'], {encoding: 'utf8'}))![1]!;
		return () => execFileSync('ipcrm', ['--shmem-id', id]);
	},
	script: () => 'cat /proc/sysvipc/shm',
	succeeded: ({output}) => new RegExp(`^\\s*-?\\d+\\s+${id}\\s`, 'm').test(output),
	without: {title: 'an ipc namespace', arguments: argv => without(argv, '--unshare-ipc')},
});
