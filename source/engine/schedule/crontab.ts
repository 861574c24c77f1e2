import {spawnSync} from 'node:child_process';
import process from 'node:process';
import {printable} from '../../core/names.ts';
import {Refusal} from '../../core/refusal.ts';
import {findOnPath} from '../../host/program.ts';

/* The person's own crontab, by the program of that name: cron alone knows where it keeps it, and that it changed. */

/** How long the program may take, milliseconds, and how long a crontab may be, bytes. */
const limits = {timeout: 20_000, maxBuffer: 1024 ** 2};

function run(argv: readonly string[], input?: string) {
	const {status, stdout, stderr, error} = spawnSync('crontab', argv, {
		...limits,
		...(input === undefined ? {} : {input: Buffer.from(input, 'latin1')}),
		stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
		env: {...process.env, LC_ALL: 'C'},
	});
	const said = printable(stderr?.toString('utf8').trim().split('\n')[0] || error?.message || '', 200);
	return {status, text: stdout?.toString('latin1') ?? '', said};
}

/** @throws Refusal where there is no such program */
function checkProgram(): void {
	if (!findOnPath('crontab')) {
		throw new Refusal(
			'there is no crontab here, and fleet has no service of its own that would start a run',
			'sudo apt-get install cron (Debian, Ubuntu), sudo dnf install cronie (Fedora)',
		);
	}
}

/** The crontab of whoever runs this, byte for byte (latin1); empty where there is none. @throws Refusal */
export function readCrontab(): string {
	checkProgram();
	const {status, text, said} = run(['-l']);
	if (status === 0) {
		return text;
	}

	if (/^(?:crontab: )?no crontab for /i.test(said)) {
		return '';
	}

	throw new Refusal(`your crontab cannot be read: ${said}`, 'crontab -l');
}

/** Puts another text in its place; none at all where it is empty. @throws Refusal where cron does not take it */
export function writeCrontab(text: string): void {
	const {status, said} = text === '' ? run(['-r']) : run(['-'], text);
	if (status !== 0) {
		throw new Refusal(`cron did not take the new crontab, and yours is as it was: ${said}`, 'crontab -l');
	}

	// What is in force is what is read back: a program that took it and kept something else is told of.
	if (readCrontab() !== text) {
		throw new Refusal('the crontab is not what was written', 'crontab -l, and look at it');
	}
}
