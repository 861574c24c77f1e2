import {spawnSync} from 'node:child_process';
import {chmodSync, mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';

/*
 * The real `crontab`, with a spool of a test's own: in a user namespace its folder lies over the machine's. No crontab of
 * the machine's is read or written.
 */

export type Crontab = {
	/** The folder of the program, for the front of PATH. */
	readonly folder: string;
	/** The crontab as it is, byte for byte; undefined where there is none. */
	read(): string | undefined;
	write(text: string): {readonly code: number | null; readonly stderr: string};
};

export function privateCrontab(place: string): Crontab {
	const folder = path.join(place, 'cron-bin');
	const spool = path.join(place, 'cron-spool');
	mkdirSync(folder, {recursive: true});
	mkdirSync(spool, {recursive: true});
	const program = path.join(folder, 'crontab');
	writeFileSync(
		program,
		'#!/bin/sh\n' +
			'exec bwrap --unshare-user --uid 0 --gid 0 --bind / / --dev-bind /dev /dev ' +
			`--bind '${spool}' /var/spool/cron/crontabs /usr/bin/crontab "$@"\n`,
	);
	chmodSync(program, 0o755);
	const run = (argv: readonly string[], input = '') =>
		spawnSync(program, argv, {
			input: Buffer.from(input, 'latin1'),
			encoding: 'latin1',
			env: {PATH: '/usr/bin:/bin', LC_ALL: 'C'},
		});
	return {
		folder,
		read() {
			const {status, stdout} = run(['-l']);
			return status === 0 ? stdout : undefined;
		},
		write(text) {
			const {status, stderr} = run(['-'], text);
			return {code: status, stderr};
		},
	};
}

/**
 * What cron hands to the shell of a command as it stands in a crontab: a `%` ends the command, unless it is escaped; then
 * the backslash goes. A backslash before anything else stays, and escapes it.
 * @param isDebians whether of two backslashes one goes, as in Debian's cron: measured, no manual says so
 */
export function asCronReads(command: string, isDebians: boolean): string {
	let read = '';
	let isEscaped = false;
	for (const character of command) {
		if (isEscaped) {
			const goes = character === '%' || (isDebians && character === '\\');
			read = goes ? read.slice(0, -1) + character : read + character;
			isEscaped = false;
			continue;
		}

		if (character === '%') {
			return read;
		}

		isEscaped = character === '\\';
		read += character;
	}

	return read;
}
