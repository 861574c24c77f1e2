// The attacks on the sandbox, tried against srt and Codex as well: what each of them
// stops as it comes out of the box. Needs `npm run bench -- sandbox --neighbours` once.
import {chmodSync, existsSync, mkdirSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import type {SandboxAttack} from '../../source/attacks/attack.ts';
import {attacks} from '../../source/attacks/catalogue.ts';
import {trySandboxAttack} from '../../source/attacks/try.ts';
import type {Invocation} from '../../source/core/plan.ts';
import type {Sandbox} from '../../source/core/seams.ts';
import {local} from '../../source/executors/local/index.ts';
import {toolchains} from '../../source/toolchains/registry.ts';
import {closeInheritedLate} from '../../test/support/descriptors.ts';
import {bubblewrap} from '../../source/sandboxes/bubblewrap/index.ts';

closeInheritedLate();
const bin = (name: string) => path.join(os.tmpdir(), 'fleet-bench-neighbours', 'node_modules', '.bin', name);
// Codex refuses a home in /tmp.
const home = path.join('/var/tmp', `fleet-bench-home-${process.getuid?.()}`);
mkdirSync(home, {recursive: true});
const settings = path.join(home, 'srt.json');

/**
 * Another tool in the sandbox's place: the same script, in the same
 * folder, with nothing granted. Its own proxy stands in for ours.
 */
function neighbour(id: string, command: (script: string, work: string) => string[]): Sandbox {
	return {
		...bubblewrap,
		id,
		prepare(plan, folder) {
			const prepared = bubblewrap.prepare(plan, folder);
			const inside = (inner: Invocation): Invocation => {
				const script = path.join(plan.cwd, 'attack.sh');
				writeFileSync(script, inner.argv[2]!);
				chmodSync(plan.cwd, 0o777);
				writeFileSync(
					settings,
					JSON.stringify({
						network: {allowedDomains: [], deniedDomains: []},
						filesystem: {denyRead: [], allowWrite: [plan.cwd], denyWrite: []},
					}),
				);
				return {
					argv: command(script, plan.cwd),
					cwd: plan.cwd,
					env: {PATH: process.env['PATH']!, HOME: home, TERM: 'xterm'},
				};
			};

			return {...prepared, enter: inside, alone: inside};
		},
	};
}

const tools: Sandbox[] = [
	bubblewrap,
	neighbour('srt', script => [bin('srt'), '--settings', settings, 'sh', script]),
	neighbour('codex', script => [
		bin('codex'),
		'sandbox',
		'-c',
		'sandbox_mode="workspace-write"',
		'--',
		'/bin/sh',
		script,
	]),
];
// The proxy's own attacks are about how ours decides; the others have theirs, with nothing to grant in it here.
const list = attacks
	.filter((attack): attack is typeof attack & SandboxAttack => attack.kind === 'sandbox')
	.filter(attack => attack.area !== 'network' || attack.network === false || /socket|interfaces/.test(attack.id));
const totals = new Map<string, Record<string, number>>();
const lines: string[] = [];
for (const attack of list) {
	const row: string[] = [];
	for (const tool of tools) {
		let status = 'missing';
		if (tool === bubblewrap || existsSync(bin(tool.id))) {
			try {
				status = (await trySandboxAttack({executor: local, toolchains}, attack, {sandbox: tool}))
					? 'through'
					: 'stopped';
			} catch {
				status = 'error';
			}
		}

		row.push(status);
		const sum = totals.get(tool.id) ?? {};
		sum[status] = (sum[status] ?? 0) + 1;
		totals.set(tool.id, sum);
	}

	lines.push(`| ${attack.area}/${attack.id} | ${row.join(' | ')} |`);
	process.stderr.write(`${lines.at(-1)}\n`);
}

const sums = [...totals].map(([id, sum]) => {
	const counts = Object.entries(sum).map(([status, count]) => `${count} ${status}`);
	return `${id === 'bubblewrap' ? 'fleet' : id}: ${counts.join(', ')}`;
});
process.stdout.write(
	`| Attack | fleet | srt | codex |\n| --- | --- | --- | --- |\n${lines.join('\n')}\n\n${sums.join('\n')}\n` +
		`(as ${process.getuid?.() === 0 ? 'root' : 'an ordinary user'}; the other tools let programs read the disk ` +
		'by design, so what is about reading comes through there)\n',
);
process.exit(0);
