import {readFileSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import process from 'node:process';
import type {Fleet} from '../../test/support/fleet.ts';

/* What the benches share: rows, and how they are written down. Run by itself it does nothing. */

type Row = {readonly what: string; readonly value: string; readonly against: string; readonly goal: string};

/** A table that is also told line by line, as it grows. */
export function openTable(): {
	readonly rows: Row[];
	add(what: string, value: string, against?: string, goal?: string): void;
} {
	const rows: Row[] = [];
	return {
		rows,
		add(what, value, against = '', goal = '') {
			rows.push({what, value, against, goal});
			process.stderr.write(`${what}: ${value}${against === '' ? '' : ` (${against})`}\n`);
		},
	};
}

export const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(2)} s`;

/** What a test gives a fleet of its own: work to be done when all is over. */
export function openUndo(): {readonly hooks: {after(work: () => void): void}; undo(): void} {
	const works: Array<() => void> = [];
	return {
		hooks: {
			after(work) {
				works.push(work);
			},
		},
		undo() {
			works.forEach(work => work());
		},
	};
}

export const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

export const sleep = (milliseconds: number) =>
	new Promise(resolve => {
		setTimeout(resolve, milliseconds);
	});

/** Milliseconds from `fleet run` to the agent's first byte. */
export async function firstByte(fleet: Fleet, name: string): Promise<number> {
	const began = Date.now();
	fleet.must('run', '--name', name, '--', 'sh', '-c', 'echo "at $(date +%s%N)"');
	for (;;) {
		const stamp = /^at (\d+)/m.exec(fleet.run(['logs', name]).stdout)?.[1];
		if (stamp !== undefined) {
			return Number(BigInt(stamp) / 1_000_000n) - began;
		}

		await sleep(100);
	}
}

/** Prints the table in Markdown, with the machine it was made on; with `--json FILE` it is written there, too. */
export function report(rows: readonly Row[], argv: readonly string[]): void {
	const cpu = /^model name\s*:\s*(.+)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? process.arch;
	const machine =
		`${cpu}, ${os.availableParallelism()} cores, Linux ${os.release().split('-')[0]}, ` +
		`Node ${process.versions.node}, as ${process.getuid?.() === 0 ? 'root' : 'an ordinary user'}, ` +
		`${new Date().toISOString().slice(0, 10)}`;
	process.stdout.write(
		`\n${machine}\n\n| What | Figure | Against | Goal |\n| --- | --- | --- | --- |\n` +
			`${rows.map(row => `| ${row.what} | ${row.value} | ${row.against} | ${row.goal} |`).join('\n')}\n`,
	);
	const at = argv.indexOf('--json');
	if (at !== -1) {
		writeFileSync(argv[at + 1]!, `${JSON.stringify({machine, rows}, undefined, '\t')}\n`);
	}
}
