// The screen, through a real pseudo-terminal: first frame, key to painted frame, cost at rest
// and under load. With --neighbours, ccmanager beside it; with --long, the soak takes an hour.
import {execFileSync, fork, spawnSync, type ChildProcess} from 'node:child_process';
import {appendFileSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import type {RunEvent} from '../../source/core/run/event.ts';
import {Journal} from '../../source/host/journal.ts';
import {findPaths, type Paths} from '../../source/host/paths.ts';
import {openTerminal, type Terminal} from '../../source/host/pty.ts';
import {median, openTable, report, sleep} from './table.ts';

if (process.argv[2] === 'flood') {
	await flood(process.argv.slice(4), Number(process.argv[3]));
}

/** Writes lines to logs, so many each second to each, until it is ended. */
async function flood(files: readonly string[], rate: number): Promise<never> {
	const handles = files.map(file => openSync(file, 'a'));
	let line = 0;
	const began = Date.now();
	for (let sent = 0; ;) {
		const due = Math.floor(((Date.now() - began) / 1000) * rate) - sent;
		if (due > 0) {
			const text = Array.from(
				{length: due},
				() => `${line++} \u001B[32mok\u001B[0m a line of a test's output, about as long as they are in practice\n`,
			).join('');
			for (const handle of handles) {
				writeSync(handle, text);
			}

			sent += due;
		}

		await sleep(10);
	}
}

const root = path.resolve(import.meta.dirname, '..', '..');
const program = path.join(root, 'dist', 'fleet.cjs');
const {add, rows} = openTable();
const long = process.argv.includes('--long');
const folder = mkdtempSync(path.join(os.tmpdir(), 'fleet-bench-screen-'));
const children = new Set<ChildProcess>();
const p95 = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.95)]!;
const ms = (value: number) => `${value.toFixed(1)} ms`;

execFileSync(process.execPath, [path.join(root, 'scripts', 'build.mjs')], {cwd: root, stdio: 'inherit'});

/** A fleet with so many runs, of which the first few are alive: their journals' locks are held here. */
class Crowd {
	readonly home: string;
	readonly env: Record<string, string>;
	readonly paths: Paths;
	readonly #journals: Journal[] = [];

	constructor(name: string, count: number, alive: number) {
		this.home = path.join(folder, name);
		mkdirSync(this.home, {mode: 0o700});
		this.env = {
			PATH: `${path.dirname(process.execPath)}:${process.env['PATH']}`,
			HOME: this.home,
			FLEET_HOME: path.join(this.home, 'fleet'),
			LANG: 'C.UTF-8',
			TERM: 'xterm-256color',
			USER: 'bench',
		};
		this.paths = findPaths(this.env);
		for (let index = 0; index < count; index++) {
			// The newest is the first in the list.
			const id = `run-${String(index).padStart(4, '0')}`;
			const places = this.paths.run(id);
			const journal = Journal.open(places)!;
			const events: RunEvent[] = [
				{
					type: 'run.created',
					id,
					name: id,
					project: {id: `p${index % 7}`, name: 'p', root: '/p'},
					agent: 'command',
					argv: ['x'],
					branch: `fleet/${id}`,
					base: 'b'.repeat(40),
					target: 'refs/heads/main',
					worktree: '/w',
					grants: [],
				},
				{type: 'run.started', attempt: 1, pid: process.pid, sandbox: 's', notes: []},
				...(index < count - alive
					? [{type: 'run.exited', code: 0, signal: null, because: 'the agent finished'} satisfies RunEvent]
					: []),
			];
			for (const event of events) {
				journal.append(event, 'fleet', false);
			}

			appendFileSync(places.output, 'one line\n');
			if (index < count - alive) {
				journal.close();
			} else {
				this.#journals.push(journal);
			}
		}
	}

	close(): void {
		for (const journal of this.#journals) {
			journal.close();
		}
	}
}

/** A program in a terminal, whose bytes are seen as they come. */
class Pty {
	readonly terminal: Terminal;
	text = '';
	bytes = 0;
	#wanted: {pattern: string; resolve(at: number): void} | undefined;
	readonly ended: Promise<void>;

	constructor(argv: readonly string[], env: Record<string, string>, cwd = '/') {
		let end = () => {};
		this.ended = new Promise(resolve => {
			end = resolve;
		});
		this.terminal = openTerminal(
			{argv, cwd, env},
			{columns: 140, rows: 45},
			{
				onData: bytes => {
					this.bytes += bytes.length;
					this.text = (this.text + Buffer.from(bytes).toString('latin1')).slice(-200_000);
					if (this.#wanted && this.text.includes(this.#wanted.pattern)) {
						this.#wanted.resolve(performance.now());
						this.#wanted = undefined;
					}
				},
				onExit: () => end(),
			},
		);
	}

	/** When a text came; only what comes from now on counts. */
	async see(pattern: string, patience = 20_000): Promise<number> {
		let timer: NodeJS.Timeout | undefined;
		try {
			return await Promise.race([
				new Promise<number>(resolve => {
					this.#wanted = {pattern, resolve};
				}),
				new Promise<number>((_resolve, reject) => {
					timer = setTimeout(
						() =>
							reject(
								new Error(
									`${JSON.stringify(pattern)} did not come; the last: ${JSON.stringify(this.text.slice(-300))}`,
								),
							),
						patience,
					);
				}),
			]);
		} finally {
			clearTimeout(timer);
		}
	}

	/** Milliseconds from a key to the frame that shows what it did. */
	async key(key: string, pattern: string): Promise<number> {
		this.text = '';
		const began = performance.now();
		const seen = this.see(pattern);
		this.terminal.write(key);
		return (await seen) - began;
	}

	/** Seconds of processor that it has used, itself and its threads. */
	get processor(): number {
		const fields = readFileSync(`/proc/${this.terminal.pid}/stat`, 'latin1')
			.replace(/^.*\) /, '')
			.split(' ');
		return (Number(fields[11]) + Number(fields[12])) / 100;
	}

	/** Megabytes that are its own. */
	get memory(): number {
		return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${this.terminal.pid}/smaps_rollup`, 'latin1'))![1]) / 1024;
	}

	async end(): Promise<void> {
		this.terminal.kill('SIGTERM');
		await this.ended;
	}
}

function startFlood(rate: number, files: readonly string[]): ChildProcess {
	const child = fork(import.meta.filename, ['flood', String(rate), ...files], {stdio: 'ignore'});
	children.add(child);
	return child;
}

/** A screen with its first frame. @param settleMs how long it is left alone after that */
async function openScreen(crowd: Crowd, settleMs = 0): Promise<Pty> {
	const pty = new Pty([process.execPath, program], crowd.env, crowd.home);
	await pty.see(' fleet');
	await sleep(settleMs);
	return pty;
}

/** From the start of the process to the first frame. @returns milliseconds */
async function firstFrame(
	argv: readonly string[],
	env: Record<string, string>,
	pattern: string,
	cwd: string,
): Promise<number> {
	const began = performance.now();
	const pty = new Pty(argv, env, cwd);
	const took = (await pty.see(pattern)) - began;
	await pty.end();
	return took;
}

/**
 * From the start of the process to what a key does that is pressed as soon as there is a frame.
 * @returns milliseconds
 */
async function firstKey(crowd: Crowd): Promise<number> {
	const began = performance.now();
	const pty = await openScreen(crowd);
	await pty.key(':', 'Command palette');
	const took = performance.now() - began;
	await pty.end();
	return took;
}

function bareNode(): number {
	const began = performance.now();
	spawnSync(process.execPath, ['-e', '0']);
	return performance.now() - began;
}

/** What a start of Node takes just now: a shared machine is several times as fast in one minute as in the next. */
function nodeNow(): number[] {
	return Array.from({length: 5}, bareNode);
}

/** Keys that open and close something that is told by one text. */
async function paints(pty: Pty, count: number, keys: ReadonlyArray<readonly [string, string]>): Promise<number[]> {
	const took: number[] = [];
	for (let index = 0; index < count; index++) {
		const [key, pattern] = keys[index % keys.length]!;
		took.push(await pty.key(key, pattern));
		await sleep(60 + ((index * 37) % 60));
	}

	return took;
}

async function load(pty: Pty, seconds: number): Promise<{processor: number; bytes: number}> {
	const [processor, bytes] = [pty.processor, pty.bytes];
	await sleep(seconds * 1000);
	return {processor: (100 * (pty.processor - processor)) / seconds, bytes: (pty.bytes - bytes) / seconds};
}

/** What Ink writes after each frame: of a key that moves only marks change, whose place the frame alone knows. */
const frameEnd = '\u001B[?2026l';
const upAndDown: ReadonlyArray<readonly [string, string]> = [
	['j', frameEnd],
	['k', frameEnd],
];

try {
	const few = new Crowd('few', 10, 0);
	const many = new Crowd('many', 1000, 0);
	const bare: number[] = [];
	const first: Record<string, number[]> = {few: [], many: []};
	const used: number[] = [];
	for (let round = 0; round < Number(process.env.ROUNDS ?? 15); round++) {
		bare.push(bareNode());
		first['few']!.push(await firstFrame([process.execPath, program], few.env, ' fleet', few.home));
		first['many']!.push(await firstFrame([process.execPath, program], many.env, ' fleet', many.home));
		used.push(await firstKey(few));
	}

	const node = median(bare);
	add(
		'first frame, 10 runs',
		ms(median(first['few']!)),
		`${(median(first['few']!) / node).toFixed(1)} × node -e 0 (${ms(node)})`,
		'≤ 2 ×',
	);
	add(
		'first frame, 1,000 runs',
		ms(median(first['many']!)),
		`${(median(first['many']!) / node).toFixed(1)} × node -e 0`,
		'≤ 3 ×',
	);

	add(
		'…and a key pressed at once shows what it did',
		`${ms(median(used))} from the start`,
		`${(median(used) / node).toFixed(1)} × node -e 0`,
		'',
	);

	const calm = await openScreen(few, 1500);
	const keysFew = await paints(calm, 60, upAndDown);
	await calm.end();
	add('key to painted, 10 runs', `${ms(median(keysFew))}, p95 ${ms(p95(keysFew))}`, '', '');

	const crowd = await openScreen(many, 1500);
	const nodes = nodeNow();
	const keysMany = await paints(crowd, 60, upAndDown);
	const nodeThen = median([...nodes, ...nodeNow()]);
	add(
		'key to painted, 1,000 runs',
		`${ms(median(keysMany))}, p95 ${ms(p95(keysMany))}`,
		`${(median(keysMany) / nodeThen).toFixed(2)} × node -e 0, p95 ${(p95(keysMany) / nodeThen).toFixed(2)} × (${ms(nodeThen)})`,
		'p95 ≤ 15 ms, 0.5 × node -e 0',
	);
	await sleep(1000);
	const idle = await load(crowd, 30);
	add(
		'idle, 1,000 runs',
		`${idle.processor.toFixed(2)} % of a core, ${idle.bytes.toFixed(0)} bytes/s`,
		`${crowd.memory.toFixed(0)} MB`,
		'< 0.5 %, about 0',
	);
	await crowd.end();

	const busy = new Crowd('busy', 1000, 60);
	for (const rate of [50_000, 200_000]) {
		const log = busy.paths.run('run-0999').output;
		const writer = startFlood(rate, [log]);
		const screen = await openScreen(busy, 2000);
		// What is followed is the selected run's.
		screen.terminal.write('/run-0999\r');
		await sleep(500);
		// The log stays followed while a question is opened over it and closed again.
		const took: number[] = [];
		for (let index = 0; index < 60; index++) {
			took.push(await screen.key(':', 'Command palette'));
			await sleep(40);
			screen.terminal.write('\u001B');
			await sleep(80 + ((index * 37) % 60));
		}

		const cost = await load(screen, 5);
		add(
			`key to painted, 1,000 runs, ${rate / 1000},000 lines/s followed`,
			`${ms(median(took))}, p95 ${ms(p95(took))}`,
			`${cost.processor.toFixed(0)} % of a core`,
			'p95 ≤ 30 ms',
		);
		writer.kill();
		await screen.end();
		rmSync(log, {force: true});
	}

	const streams = Array.from({length: 50}, (_, index) => busy.paths.run(`run-0${950 + index}`).output);
	const writer = startFlood(20, streams);
	const screen = await openScreen(busy, 3000);
	const cost = await load(screen, 20);
	add(
		'50 runs that stream, 20 lines/s each',
		`${cost.processor.toFixed(1)} % of a core`,
		`${screen.memory.toFixed(0)} MB, ${(cost.bytes / 1024).toFixed(1)} KiB/s to the terminal`,
		'≤ 4 %, ≤ 85 MB',
	);
	writer.kill();

	const soak = long ? 3600 : 60;
	const hot = startFlood(50_000, [busy.paths.run('run-0999').output]);
	await sleep(5000);
	const before = screen.memory;
	for (let second = 0; second < soak; second++) {
		screen.terminal.write(second % 2 === 0 ? 'T' : '.');
		await sleep(1000);
	}

	add(
		`memory after ${soak} s of 50,000 lines/s`,
		`${screen.memory.toFixed(0)} MB`,
		`${before.toFixed(0)} MB before`,
		'flat',
	);
	hot.kill();
	await screen.end();

	// The only run, and so the selected one.
	const one = new Crowd('one', 1, 0);
	const big = one.paths.run('run-0000').output;
	execFileSync('sh', [
		'-c',
		"yes 'a line of a log that is a gigabyte long, over and over again until it is' | " +
			`head -c 1073741824 > ${big}; ` +
			`echo pattern >> ${big}; yes 'another line of it, after what is looked for' | head -n 20 >> ${big}; ` +
			`sed -i '1s/.*/the very first line/' ${big}`,
	]);
	const opened = new Pty([process.execPath, program], one.env, one.home);
	const shown = performance.now();
	await opened.see('another line of it');
	add('a log of a gigabyte: first frame with its end', ms(performance.now() - shown), '', 'at once');
	await sleep(1000);
	opened.terminal.write('\r');
	await sleep(500);
	add('…to its beginning', ms(await opened.key('\u001B[H', 'the very first')), '', '');
	await sleep(300);
	opened.terminal.write('G');
	await sleep(500);
	opened.terminal.write('/pattern');
	await sleep(500);
	add('…a search for what is near the end', ms(await opened.key('\r', 'pattern')), '', '');
	await opened.end();
	rmSync(big);
	one.close();
	few.close();
	many.close();
	busy.close();

	// A change of fifty thousand lines, of a real run.
	const project = path.join(folder, 'project');
	mkdirSync(project);
	const own = {
		...few.env,
		HOME: path.join(folder, 'review-home'),
		FLEET_HOME: path.join(folder, 'review-home', 'fleet'),
	};
	mkdirSync(own.HOME, {mode: 0o700});
	const inProject = (argv: readonly string[]) =>
		execFileSync(argv[0]!, argv.slice(1), {cwd: project, env: own, stdio: 'pipe'});
	inProject(['git', 'init', '--quiet', '--initial-branch=main']);
	inProject([
		'git',
		'-c',
		'user.name=b',
		'-c',
		'user.email=b@b.invalid',
		'commit',
		'--quiet',
		'--allow-empty',
		'--message=start',
	]);
	inProject([process.execPath, program, 'project', 'add']);
	inProject([
		process.execPath,
		program,
		'run',
		'--name',
		'large',
		'--',
		'sh',
		'-c',
		'i=0; while [ $i -lt 50000 ]; do echo "export const value$i = [$i, \'text\', () => other($i)];"; ' +
			'i=$((i+1)); done > big.ts',
	]);
	await sleep(4000);
	const review = new Pty([process.execPath, program], own, project);
	await review.see(' fleet');
	await sleep(1500);
	const shownAt = await review.key('d', 'value7');
	await sleep(3000);
	const scrolled: number[] = [];
	for (let index = 0; index < 60; index++) {
		// A page at a time, so that every line is a new one.
		scrolled.push(await review.key('\u001B[6~', 'value'));
		await sleep(80);
	}

	add(
		'a change of 50,000 lines: shown, and a page further',
		`${ms(shownAt)}; ${ms(median(scrolled))}, p95 ${ms(p95(scrolled))}`,
		'',
		'',
	);
	await review.end();

	if (process.argv.includes('--neighbours')) {
		const place = path.join(os.tmpdir(), 'fleet-bench-ccmanager');
		mkdirSync(place, {recursive: true});
		if (!existsSync(path.join(place, 'node_modules', '@kodaikabasawa'))) {
			execFileSync(
				'npm',
				[
					'install',
					'--no-audit',
					'--no-fund',
					'--prefix',
					place,
					`@kodaikabasawa/ccmanager-linux-${process.arch}@4.4.3`,
				],
				{cwd: place, stdio: 'inherit'},
			);
		}

		const repository = path.join(folder, 'repository');
		const env = {...few.env, HOME: path.join(folder, 'neighbour-home'), SHELL: '/bin/sh'};
		mkdirSync(env.HOME);
		const git = (...argv: string[]) =>
			execFileSync('git', ['-c', 'user.name=b', '-c', 'user.email=b@b.invalid', '-C', repository, ...argv], {
				env,
				stdio: 'pipe',
			});
		mkdirSync(repository);
		git('init', '--quiet', '--initial-branch=main');
		git('commit', '--quiet', '--allow-empty', '--message=start');
		for (let index = 0; index < 10; index++) {
			git('worktree', 'add', '--quiet', `../wt-${index}`, '-b', `b${index}`);
		}

		// Its own program, compiled; the package around it only looks for this one.
		const binary = path.join(
			place,
			'node_modules',
			'@kodaikabasawa',
			`ccmanager-linux-${process.arch}`,
			'bin',
			'ccmanager',
		);
		const frames: number[] = [];
		for (let round = 0; round < 7; round++) {
			frames.push(await firstFrame([binary], env, 'b0', repository));
		}

		add(
			'ccmanager 4.4.3: first frame, 10 worktrees',
			ms(median(frames)),
			`${(median(frames) / node).toFixed(1)} × node -e 0`,
			'',
		);
		const other = new Pty([binary], env, repository);
		await other.see('b0');
		await sleep(5000);
		const keys: number[] = [];
		for (let index = 0; index < 40; index++) {
			keys.push(await other.key(index % 2 === 0 ? '\u001B[B' : '\u001B[A', 'b0'));
			await sleep(100);
		}

		add('ccmanager: key to painted, 10 worktrees', `${ms(median(keys))}, p95 ${ms(p95(keys))}`, '', '');
		const rest = await load(other, 20);
		add(
			'ccmanager: idle, 10 worktrees',
			`${rest.processor.toFixed(2)} % of a core, ${rest.bytes.toFixed(0)} bytes/s`,
			`${other.memory.toFixed(0)} MB`,
			'',
		);
		await other.end();
	}
} finally {
	for (const child of children) {
		child.kill();
	}

	rmSync(folder, {recursive: true, force: true});
}

report(rows, process.argv);
