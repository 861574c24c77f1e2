// What containment costs: start-up, whole life, proxy, memory, idle runs. Side by side with
// srt and Codex where they are installed (--neighbours installs them into a scratch folder).
import {execFileSync, spawn, spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync} from 'node:fs';
import http from 'node:http';
import type {AddressInfo} from 'node:net';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {openBox, type Box} from '../../source/attacks/box.ts';
import {ThrowawayProject} from '../../source/attacks/project.ts';
import {local} from '../../source/executors/local/index.ts';
import {toolchains} from '../../source/toolchains/registry.ts';
import {closeInheritedLate} from '../../test/support/descriptors.ts';
import {bubblewrap} from '../../source/sandboxes/bubblewrap/index.ts';
import {findTools} from '../../source/sandboxes/bubblewrap/probe.ts';
import {attackContext} from '../../test/support/attack.ts';
import {median, openTable, report, sleep} from './table.ts';
import {Fleet} from '../../test/support/fleet.ts';

closeInheritedLate();
const argv = process.argv.slice(2);
const flag = (name: string) => argv.includes(name);
const {rows, add} = openTable();
const ms = (value: number) => `${value.toFixed(1)} ms`;

/** Milliseconds from the start of a process to its first byte. */
function firstByte(
	[program, ...rest]: readonly string[],
	env: Record<string, string> = {PATH: process.env['PATH']!, HOME: os.homedir()},
	cwd = '/tmp',
): Promise<number> {
	return new Promise((resolve, reject) => {
		const began = performance.now();
		const child = spawn(program!, rest, {env, cwd, stdio: ['ignore', 'pipe', 'pipe']});
		let words = '';
		child.stderr.on('data', data => {
			words += String(data);
		});
		child.stdout.once('data', () => resolve(performance.now() - began));
		child.once('error', reject);
		child.once('close', code => reject(new Error(`${program} wrote nothing (${code}): ${words.slice(0, 300)}`)));
	});
}

async function repeat(times: number, work: () => Promise<number>): Promise<number> {
	const values: number[] = [];
	for (let number = 0; number < times; number++) {
		values.push(await work());
	}

	return median(values);
}

async function startUp(): Promise<void> {
	const {tools} = findTools();
	const root = process.getuid?.() === 0;
	// The same drop of rights and the same namespaces, with nothing of fleet's.
	const drop = root
		? [tools.setpriv, '--reuid', '210000000', '--regid', '210000000', '--clear-groups', '--no-new-privs', '--']
		: [];
	const plain = await repeat(30, () =>
		firstByte([
			...drop,
			tools.bwrap,
			'--unshare-all',
			'--unshare-user',
			'--disable-userns',
			'--ro-bind',
			'/usr',
			'/usr',
			'--symlink',
			'usr/bin',
			'/bin',
			'--symlink',
			'usr/lib',
			'/lib',
			'--symlink',
			'usr/lib64',
			'/lib64',
			'--proc',
			'/proc',
			'--dev',
			'/dev',
			'--tmpfs',
			'/tmp',
			'--cap-drop',
			'ALL',
			'--die-with-parent',
			'--',
			'/bin/echo',
			'x',
		]),
	);
	add('bubblewrap alone, the same namespaces, to the first byte', ms(plain));
	add(
		'node -e 0',
		ms(
			await repeat(10, async () => {
				const began = performance.now();
				spawnSync(process.execPath, ['-e', '0']);
				return performance.now() - began;
			}),
		),
	);
	const whole: number[] = [];
	const entering: number[] = [];
	for (let number = 0; number < 20; number++) {
		const began = performance.now();
		const box = await openBox({executor: local, toolchains}, bubblewrap);
		const {argv, env} = box.session.prepared.enter(
			{argv: ['/bin/echo', 'x'], cwd: box.work, env: {}},
			box.session.holderPid,
		);
		entering.push(await firstByte(argv, {...env}, '/'));
		whole.push(performance.now() - began);
		await box.close();
	}

	add(
		'fleet: namespace, proxy and agent, to the first byte',
		ms(median(whole)),
		`${(median(whole) / plain).toFixed(1)} × bubblewrap alone`,
		'under 2 ×',
	);
	add(
		"fleet: of that, from the namespace to the agent's first byte",
		ms(median(entering)),
		`${(median(entering) / plain).toFixed(1)} × bubblewrap alone`,
	);
	const neighbours = path.join(os.tmpdir(), 'fleet-bench-neighbours');
	if (flag('--neighbours') && !existsSync(path.join(neighbours, 'node_modules'))) {
		mkdirSync(neighbours, {recursive: true});
		writeFileSync(path.join(neighbours, 'package.json'), '{"private": true}');
		execFileSync(
			'npm',
			[
				'install',
				'--no-audit',
				'--no-fund',
				'--loglevel=error',
				'@anthropic-ai/sandbox-runtime@0.0.83',
				'@openai/codex@0.169',
			],
			{cwd: neighbours, stdio: ['ignore', 'ignore', 'inherit']},
		);
	}

	const bin = (name: string) => path.join(neighbours, 'node_modules', '.bin', name);
	for (const [title, command] of [
		['srt', [bin('srt'), 'echo', 'x']],
		['codex sandbox', [bin('codex'), 'sandbox', '--', '/bin/echo', 'x']],
	] as const) {
		if (!existsSync(command[0])) {
			add(`${title}, to the first byte`, 'not installed (--neighbours)');
			continue;
		}

		try {
			const value = await repeat(7, () => firstByte(command, {PATH: process.env['PATH']!, HOME: os.homedir()}));
			add(
				`${title}, to the first byte`,
				ms(value),
				`fleet takes ${(median(whole) / value).toFixed(2)} of it`,
				title === 'srt' ? 'a fifth' : '',
			);
		} catch (error) {
			add(`${title}, to the first byte`, `did not run: ${(error as Error).message.split('\n')[0]}`);
		}
	}
}

async function life(): Promise<void> {
	const project = await ThrowawayProject.make(attackContext());
	try {
		let number = 0;
		add(
			'whole life of a run of "true", with hand-over',
			ms(
				await repeat(7, async () => {
					const began = performance.now();
					const {run} = await project.agent('true', {name: `run-${number++}`});
					await project.handle(run, ['capture']);
					return performance.now() - began;
				}),
			),
			'worktree, sandbox, agent, sweep, capture',
		);
	} finally {
		project.close();
	}
}

const client = `
const http = require('node:http');
const [url, proxied] = process.argv.slice(1);
const agent = new http.Agent({keepAlive: true});
const where = new URL(url);
const get = path => new Promise((resolve, reject) => {
	const began = performance.now();
	let size = 0;
	const direct = {host: where.hostname, port: where.port, path: '/' + path, agent};
	const through = {host: '127.0.0.1', port: 3128, path: url + path, agent};
	http.get(proxied === 'yes' ? through : direct, response => {
		response.on('data', data => { size += data.length; });
		response.on('end', () => resolve({ms: performance.now() - began, size}));
	}).on('error', reject);
});
(async () => {
	for (let n = 0; n < 50; n++) await get('small');
	const times = [];
	for (let n = 0; n < 400; n++) times.push((await get('small')).ms);
	times.sort((a, b) => a - b);
	const {ms, size} = await get('big');
	const tunnel = proxied === 'yes' ? await new Promise(resolve => {
		const socket = require('node:net').connect(3128, '127.0.0.1', () => {
			socket.write('CONNECT ' + where.host + ' HTTP/1.1\\r\\n\\r\\n');
		});
		let size = 0;
		let began = 0;
		socket.on('data', data => {
			if (began === 0) {
				began = performance.now();
				socket.write('GET /big HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n');
			} else {
				size += data.length;
			}
		});
		socket.on('close', () => resolve(size / 1e6 / ((performance.now() - began) / 1000)));
	}) : 0;
	console.log(JSON.stringify({latency: times[200], rate: size / 1e6 / (ms / 1000), tunnel}));
})();
`;

type Measured = {readonly latency: number; readonly rate: number; readonly tunnel: number};

async function proxy(): Promise<void> {
	const big = Buffer.alloc(1024 ** 2, 'x');
	const server = http.createServer((request, response) => {
		if (!request.url!.endsWith('big')) {
			response.end('small');
			return;
		}

		let left = 400;
		const write = () => {
			while (left-- > 0) {
				if (!response.write(big)) {
					response.once('drain', write);
					return;
				}
			}

			response.end();
		};

		write();
	});
	await new Promise<void>(resolve => {
		server.listen(0, '127.0.0.1', resolve);
	});
	const {port} = server.address() as AddressInfo;
	const url = `http://127.0.0.1:${port}/`;
	const box: Box = await openBox({executor: local, toolchains}, bubblewrap);
	box.rules = [{host: '127.0.0.1', port, source: 'bench'}];
	box.privateHosts = box.rules;
	const run = async (inside: boolean) => {
		if (!inside) {
			const child = spawn(process.execPath, ['-e', client, url, 'no'], {stdio: ['ignore', 'pipe', 'inherit']});
			let text = '';
			for await (const data of child.stdout) {
				text += String(data);
			}

			return JSON.parse(text) as Measured;
		}

		const quoted = client.replaceAll("'", "'\\''");
		const {output} = await box.run(`env -u NODE_USE_ENV_PROXY node -e '${quoted}' ${url} yes`);
		return JSON.parse(output.split('\n').at(-1)!) as Measured;
	};

	const measured: Array<{direct: Measured; proxied: Measured}> = [];
	for (let round = 0; round < 3; round++) {
		measured.push({direct: await run(false), proxied: await run(true)});
	}

	const of = (key: 'direct' | 'proxied', what: keyof Measured) => median(measured.map(round => round[key][what]));
	add('a request, direct', `${of('direct', 'latency').toFixed(2)} ms, ${Math.round(of('direct', 'rate'))} MB/s`);
	add(
		"a request, through the run's proxy",
		`${of('proxied', 'latency').toFixed(2)} ms, ${Math.round(of('proxied', 'rate'))} MB/s`,
		`+${(of('proxied', 'latency') - of('direct', 'latency')).toFixed(2)} ms, ` +
			`throughput 1 : ${(of('direct', 'rate') / of('proxied', 'rate')).toFixed(2)}`,
		'+0.3 ms, 1 : 1.3',
	);
	add(
		"a tunnel through the run's proxy",
		`${Math.round(of('proxied', 'tunnel'))} MB/s`,
		`throughput 1 : ${(of('direct', 'rate') / of('proxied', 'tunnel')).toFixed(2)}`,
		'1 : 1.3',
	);
	await box.close();
	server.close();
	server.closeAllConnections();
}

function ticks(pid: number): number {
	try {
		const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
			.replace(/^.*\) /, '')
			.split(' ');
		return Number(fields[11]) + Number(fields[12]);
	} catch {
		return 0;
	}
}

/** Every process that runs for these: supervisors, keepers, sandboxes. */
function everyProcess(roots: number[]): number[] {
	const parents = new Map<number, number[]>();
	for (const name of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
		try {
			const parent = Number(
				readFileSync(`/proc/${name}/stat`, 'utf8')
					.replace(/^.*\) /, '')
					.split(' ')[1],
			);
			parents.set(parent, [...(parents.get(parent) ?? []), Number(name)]);
		} catch {
			// It ended since its name was listed.
		}
	}

	const found: number[] = [];
	const visit = (pid: number) => {
		found.push(pid);
		for (const child of parents.get(pid) ?? []) {
			visit(child);
		}
	};

	for (const pid of roots) {
		visit(pid);
	}

	return found;
}

async function idle(): Promise<void> {
	const count = flag('--full') ? 100 : 30;
	const undo: Array<() => void> = [];
	const fleet = new Fleet({after: (work: () => void) => undo.push(work)});
	try {
		for (let number = 0; number < count; number++) {
			fleet.must('run', '--name', `idle-${number}`, '--', 'sleep', '3600');
		}

		const supervisors = Array.from({length: count}, (_, number) => {
			const lines = readFileSync(fleet.context().paths.run(`idle-${number}`).journal, 'utf8')
				.trim()
				.split('\n')
				.map(line => JSON.parse(line) as {type: string; pid?: number});
			return lines.find(line => line.type === 'run.started')!.pid!;
		});
		await sleep(15_000);
		const pss = supervisors.map(
			pid => Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))![1]) / 1024,
		);
		add(`memory of a supervisor (PSS), of ${count}`, `${median(pss).toFixed(1)} MB`, '', '15 MB');
		const all = everyProcess(supervisors);
		const before = all.reduce((sum, pid) => sum + ticks(pid), 0);
		const seconds = 30;
		await sleep(seconds * 1000);
		const used = (everyProcess(supervisors).reduce((sum, pid) => sum + ticks(pid), 0) - before) / 100;
		add(
			`${count} idle runs`,
			`${((used / seconds) * 100).toFixed(2)} % of a core`,
			`${((((used / seconds) * 100) / count) * 100).toFixed(2)} % for a hundred`,
			'under 2 % for a hundred',
		);
	} finally {
		for (const work of undo) {
			work();
		}
	}
}

/** Fifty runs that never rest, one of them a fork bomb and one a memory hog: what a person's own commands feel. */
async function crowd(): Promise<void> {
	const undo: Array<() => void> = [];
	const fleet = new Fleet(
		{after: (work: () => void) => undo.push(work)},
		{
			policy: 'verify: ["true"]\nlimits:\n  processes: 100\n  memory: 256MiB\n',
		},
	);
	const lap = (work: () => void) => {
		const began = performance.now();
		work();
		return performance.now() - began;
	};

	const feel = () => ({
		list: median(Array.from({length: 5}, () => lap(() => fleet.must('list')))),
		node: median(Array.from({length: 9}, () => lap(() => spawnSync(process.execPath, ['-e', '0'])))),
	});
	try {
		fleet.must('run', '--name', 'calm', '--', 'sleep', '3600');
		const before = feel();
		fleet.must('run', '--name', 'bomb', '--', 'perl', '-e', 'while (1) { fork; select(undef, undef, undef, 0.05) }');
		for (let number = 0; number < 48; number++) {
			fleet.must('run', '--name', `busy-${number}`, '--', 'sh', '-c', 'while :; do :; done');
		}

		fleet.must('run', '--name', 'hog', '--', 'perl', '-e', 'my @x; while (1) { push @x, "a" x (8 * 1024 * 1024) }');
		await sleep(5000);
		const after = feel();
		add(
			'"fleet list" among fifty runs that never rest, a fork bomb and a memory hog among them',
			ms(after.list),
			`${(after.list / before.list).toFixed(1)} × with one idle run (${ms(before.list)})`,
		);
		add('"node -e 0" among them', ms(after.node), `${(after.node / before.node).toFixed(1)} × (${ms(before.node)})`);
	} finally {
		for (const work of undo) {
			work();
		}
	}
}

const parts: Record<string, () => Promise<void>> = {start: startUp, life, proxy, idle, crowd};
const only = argv.filter(name => parts[name]);
for (const [name, part] of Object.entries(parts)) {
	if (only.length === 0 || only.includes(name)) {
		await part();
	}
}

report(rows, argv);
process.exit(0);
