import {execFileSync, spawn} from 'node:child_process';
import {chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {giveToRun} from '../host/run-owner.ts';
import type {SandboxAttack} from './attack.ts';
import {boxId, type Box} from './box.ts';
import {socketBait} from './bait.ts';

/** A folder of the host's beside the sandbox's own, with one file that holds a word. */
function place(box: Box, folder: string, word: string): void {
	mkdirSync(path.join(box.folder, folder), {recursive: true});
	writeFileSync(path.join(box.folder, folder, 'file'), word, {mode: 0o666});
	chmodSync(path.join(box.folder, folder), 0o777);
	chmodSync(path.join(box.folder, folder, 'file'), 0o666);
}

/** Reads a canary through a path that the script spells. */
function reading(row: Pick<SandboxAttack, 'id' | 'title' | 'source' | 'script'>): SandboxAttack {
	return {
		...row,
		kind: 'sandbox',
		answer: 'an empty file system: the file is not there',
		prepare(box) {
			place(box, 'host', 'canary-of-the-host');
			return {};
		},
		came: ({output}) => output.includes('canary-of-the-host'),
	};
}

/** Writes into a folder of the host's through a path that the script spells. */
function writing(row: Pick<SandboxAttack, 'id' | 'title' | 'source' | 'script'>): SandboxAttack {
	return {
		...row,
		kind: 'sandbox',
		answer: 'an empty file system: the folder is not there',
		prepare(box) {
			place(box, 'host', 'untouched');
			return {};
		},
		came: (_result, box) =>
			readFileSync(path.join(box.folder, 'host', 'file'), 'utf8') !== 'untouched' ||
			existsSync(path.join(box.folder, 'host', 'planted')),
	};
}

/** A folder that is granted to read, with something of the host's in it. */
function inGiven(
	about: Pick<SandboxAttack, 'id' | 'title' | 'source'>,
	prepare: SandboxAttack['prepare'],
	script: (given: string) => string,
): SandboxAttack {
	const given = (folder: string) => path.join(folder, 'given');
	return {
		kind: 'sandbox',
		...about,
		answer: "a folder is given to read under an overlay, in which sockets and FIFOs are not the host's",
		plan(plan, folder) {
			mkdirSync(given(folder), {recursive: true});
			chmodSync(given(folder), 0o755);
			const {dev, ino} = statSync(given(folder), {bigint: true});
			return {
				...plan,
				mounts: [
					...plan.mounts,
					{source: given(folder), target: given(folder), mode: 'read', identity: `${dev}:${ino}`},
				],
			};
		},
		prepare: prepare!,
		script: box => script(given(box.folder)),
		came: ({output}) => output.includes('hello from the host'),
	};
}

export const fileAttacks: readonly SandboxAttack[] = [
	inGiven(
		{
			id: 'socket-in-folder',
			title: 'connect to a socket in a folder that was given to read',
			source: 'a read-only mount stops no connect(): docker.sock in such a folder is the account',
		},
		box => socketBait(path.join(box.folder, 'given', 'host.sock')),
		given =>
			"perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0); " +
			`print connect(S, sockaddr_un("${given}/host.sock")) ? <S> : "no: $!"'`,
	),
	inGiven(
		{
			id: 'fifo-in-folder',
			title: 'read what a program of the host writes into a FIFO',
			source: 'a read-only mount stops no open() of a FIFO',
		},
		box => {
			const fifo = path.join(box.folder, 'given', 'fifo');
			execFileSync('mkfifo', ['-m', '666', fifo]);
			const writer = spawn(
				'sh',
				['-c', 'exec > "$1"; while :; do echo hello from the host; sleep 0.1; done', 'sh', fifo],
				{stdio: 'ignore'},
			);
			return {close: () => writer.kill('SIGKILL')};
		},
		given => `timeout 3 head -n 1 ${given}/fifo`,
	),
	reading({
		id: 'read-secret-file',
		title: "read a key in the person's home",
		source: 'the first thing that an injected prompt asks for',
		script: box => `cat ${box.folder}/host/file`,
	}),
	reading({
		id: 'symlink-to-secret',
		title: 'follow a link out of the worktree',
		source: 'links to secrets in cloned repositories',
		script: box => `ln -s ${box.folder}/host/file link; cat link`,
	}),
	reading({
		id: 'symlinked-folder',
		title: 'swap a folder for a link while it is read',
		source: 'time-of-check races in path checks',
		script: box => `mkdir d; rmdir d; ln -s ${box.folder}/host d; cat d/file`,
	}),
	reading({
		id: 'proc-self-root',
		title: 'go round by /proc/self/root',
		source: 'path checks that compare text',
		script: box => `cat /proc/self/root${box.folder}/host/file`,
	}),
	reading({
		id: 'proc-1-root',
		title: 'go round by the root of pid 1',
		source: "the sandbox's own monitor may see more",
		script: box => `cat /proc/1/root${box.folder}/host/file /proc/1/cwd/../host/file`,
	}),
	reading({
		id: 'dot-dot',
		title: 'climb out with ..',
		source: 'path checks that compare text',
		script: box => `cat ${box.work}/../host/file; cat ../host/file; cd ..; cat host/file`,
	}),
	reading({
		id: 'old-root',
		title: 'look for the root that pivot_root left behind',
		source: 'sandboxes that forget to unmount it',
		script: box => `for r in /oldroot /newroot /.pivot_root /proc/1/fd/*; do cat "$r${box.folder}/host/file"; done`,
	}),
	reading({
		id: 'hard-link-new',
		title: 'make a hard link to a file of the host',
		source: 'a hard link pierces every bind mount',
		script: box => `ln ${box.folder}/host/file here; cat here`,
	}),
	writing({
		id: 'write-through-link',
		title: 'write through a link, such as node_modules into the main checkout',
		source: 'worktrees that link node_modules to the checkout',
		script: box => `ln -s ${box.folder}/host node_modules; echo evil > node_modules/file; touch node_modules/planted`,
	}),
	writing({
		id: 'plant-configuration',
		title: 'plant .envrc, tasks.json, .mcp.json or settings beside the project',
		source: 'configuration that the next tool runs',
		script: box => `for f in .envrc .mcp.json .npmrc planted; do echo evil > ${box.folder}/host/$f; done`,
	}),
	writing({
		id: 'write-profile',
		title: "write into the person's own instructions, skills and hooks",
		source: 'a mounted ~/.claude or ~/.codex: what is written there runs on the host at the next start',
		script: box =>
			`cd ${box.folder}/host && echo evil > file && mkdir -p .claude/skills/planted && ` +
			`echo '{"hooks": {}}' > .claude/settings.json && touch planted`,
	}),
	{
		kind: 'sandbox',
		id: 'write-toolchain',
		title: 'change a program that the person will run',
		source: 'toolchains that are shared with the host',
		answer: 'read-only mounts',
		plan(plan, folder) {
			const tools = path.join(folder, 'tools');
			mkdirSync(tools, {recursive: true});
			giveToRun(boxId, tools);
			return {...plan, mounts: [...plan.mounts, {source: tools, target: tools, mode: 'read'}]};
		},
		script: box => `echo evil > ${box.folder}/tools/cc`,
		came: (_result, box) => existsSync(path.join(box.folder, 'tools', 'cc')),
	},
	{
		kind: 'sandbox',
		id: 'lease',
		title: "have every program wait that opens a file of the person's",
		source:
			'a lease (F_SETLEASE) may be taken on what is read-only, by whoever has the same user: git log took 45 ' +
			'seconds for each object',
		answer: 'the system call filter: no leases',
		prepare(box) {
			writeFileSync(path.join(box.folder, 'tools', 'object'), 'x', {mode: 0o644});
			giveToRun(boxId, path.join(box.folder, 'tools', 'object'));
			return {};
		},
		plan(plan, folder) {
			const tools = path.join(folder, 'tools');
			mkdirSync(tools, {recursive: true});
			return {...plan, mounts: [...plan.mounts, {source: tools, target: tools, mode: 'read'}]};
		},
		script: box =>
			`perl -e 'open(my $f, "<", "${box.folder}/tools/object") or die "open: $!"; ` +
			`print fcntl($f, 1024, 1) ? "it is leased" : "no: $!"'`,
		came: ({output}) => output.includes('it is leased'),
	},
	{
		kind: 'sandbox',
		id: 'remount-writable',
		title: 'make a read-only mount writable',
		source: 'without --cap-drop ALL, root inside remounts read-only binds',
		answer: 'no capabilities, and mount is refused by the system call filter',
		plan(plan, folder) {
			const tools = path.join(folder, 'tools');
			mkdirSync(tools, {recursive: true});
			giveToRun(boxId, tools);
			return {...plan, mounts: [...plan.mounts, {source: tools, target: tools, mode: 'read'}]};
		},
		script: box => `mount -o remount,bind,rw ${box.folder}/tools; echo evil > ${box.folder}/tools/cc`,
		came: (_result, box) => existsSync(path.join(box.folder, 'tools', 'cc')),
	},
	{
		kind: 'sandbox',
		id: 'write-system',
		title: 'write below /etc, /usr or /',
		source: "persistence in the sandbox's own system folders",
		answer: 'the root folder is read-only',
		script: () => 'for folder in / /etc /run /dev; do touch "$folder/planted" && echo written; done',
		came: ({output}) => output.includes('written'),
	},
];
