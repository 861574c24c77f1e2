import {existsSync, readFileSync, readlinkSync, statSync} from 'node:fs';
import os from 'node:os';
import {looked, settingNames, type Looked, type Machine} from './cures.ts';

function readSetting(name: string): string | undefined {
	try {
		return readFileSync(`/proc/sys/${name}`, 'utf8').trim();
	} catch {
		// A kernel without it.
		return undefined;
	}
}

/** Whether this process was put into a folder by chroot: no mount is its root, or the first process has another. */
function isInChroot(): boolean {
	try {
		const mounts = readFileSync('/proc/self/mountinfo', 'utf8').trimEnd().split('\n');
		if (!mounts.some(line => line.split(' ')[4] === '/')) {
			return true;
		}

		const [own, first] = [statSync('/'), statSync('/proc/1/root/.')];
		return own.ino !== first.ino || own.dev !== first.dev;
	} catch {
		// Only root may look at the first process.
		return false;
	}
}

function isLink(file: string): boolean {
	try {
		return readlinkSync(file).replace(/^\//, '').startsWith('usr/');
	} catch {
		return false;
	}
}

/** Looks at this machine. */
export function findMachine(): Machine {
	const settings = Object.values(settingNames).flatMap(name => {
		const value = readSetting(name);
		return value === undefined ? [] : [[name, value] as const];
	});
	return {
		settings: Object.fromEntries(settings),
		kernel: os.release(),
		there: new Set((Object.keys(looked) as Looked[]).filter(name => existsSync(looked[name]))),
		isChroot: isInChroot(),
		hasMergedUsr: isLink('/lib'),
	};
}
