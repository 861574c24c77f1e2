import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import process from 'node:process';
import {test} from 'node:test';
import {Fleet, program, until} from '../support/fleet.ts';
import {openScreen} from '../support/screen.ts';
import {VerbOnTerminal} from '../support/verb-on-terminal.ts';

/* What may go wrong with the screen: texts that no command line takes, verbs that do not start, its own end. */

/** Code that runs in the screen alone, not in the verbs that it starts. */
function inScreen(code: string) {
	const module =
		'import cp from "node:child_process"; import {syncBuiltinESMExports} from "node:module"; ' +
		`if (process.argv.length === 2 && /fleet/.test(process.argv[1])) { ${code} }`;
	return {NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(module)}`};
}

const paste = (text: string) => `\u001B[200~${text}\u001B[201~`;

test('a prompt longer than a command line takes reaches the agent, or is refused in a line, and kept', async t => {
	const fleet = new Fleet(t);
	const screen = openScreen(t, fleet, {size: {columns: 150, rows: 40}});
	await screen.see('no runs yet');
	await screen.press('n');
	await screen.see('New run');
	await screen.press('sh -c "printf %s \\"$FLEET_PROMPT\\" | wc -c; sleep 60"', 'enter');
	screen.write(paste('q'.repeat(200_000)));
	await screen.idle();
	await screen.press('ctrl-s');
	await screen.see(/what the agent is told is 196 KiB; a command line takes 128 KiB in one argument; hint: /);
	await screen.see('qqqqqqqq');
	assert.equal(fleet.json('list', '--all').length, 0);
	await screen.press('ctrl-u', 'ctrl-u');
	screen.write(paste(`- begins with a dash ${'p'.repeat(100_000)}`));
	await screen.idle();
	await screen.press('ctrl-s');
	await screen.see(/running/);
	await screen.see('100021');
	assert.equal(screen.exited, undefined);
});

test('what is told to a run that goes on is kept where it is too long', async t => {
	const fleet = new Fleet(t);
	await fleet.agent('one', 'echo {prompt}');
	const refused = fleet.run(['resume', 'one', '--prompt-file', '-'], {input: 'z'.repeat(200_000)});
	assert.equal(refused.code, 2);
	assert.match(
		refused.stderr,
		/^fleet: what the agent is told is 196 KiB; a command line takes 128 KiB in one argument\n {2}hint: put what is long into a committed file, and name it in the prompt\n$/,
	);
	assert.equal(fleet.json('show', 'one')['stage'], 'stopped');
});

test('a prompt comes from a file or from stdin, and what is none is refused', async t => {
	const fleet = new Fleet(t, {files: {'PROMPT.md': 'from a file: ü\n', 'empty.md': '\n'}});
	fleet.must('run', '--name', 'file', '--prompt-file', 'PROMPT.md', '--', 'sh', '-c', 'echo "got: $FLEET_PROMPT"');
	await fleet.until('file', 'stopped');
	assert.match(fleet.must('logs', 'file'), /got: from a file: ü\n/);
	assert.equal(
		fleet.run(['run', '--name', 'stdin', '--prompt-file', '-', '--', 'sh', '-c', 'echo "got: $FLEET_PROMPT"'], {
			input: `- a dash, ${'x'.repeat(100_000)}\n`,
		}).code,
		0,
	);
	await fleet.until('stdin', 'stopped');
	assert.match(fleet.must('logs', 'stdin'), /got: - a dash, x{1000}/);
	const unseen = fleet.run(['run', '--name', 'unseen', 'fix it\u{E0048}\u200B, please 👩🏽‍💻', '--', 'true']);
	assert.deepEqual(
		[unseen.code, unseen.stderr],
		[0, '  note: the prompt holds 2 invisible characters (U+E0048, U+200B); the agent reads them\n'],
	);
	const cases: Array<[string[], string, RegExp]> = [
		[['one', '--prompt-file', 'PROMPT.md'], '', /two prompts/],
		[['--prompt-file', 'nowhere.md'], '', /"nowhere.md" cannot be read: ENOENT/],
		[['--prompt-file', '.'], '', /"\." cannot be read: it is a folder/],
		[['--prompt-file', 'empty.md'], '', /is empty/],
		[['--prompt-file', '-'], '', /stdin is empty/],
		[['--prompt-file', '-'], 'a\0b', /NUL/],
		[['--prompt-file', '-'], 'x'.repeat(5 * 1024 ** 2), /4 MiB/],
	];
	for (const [argv, input, wanted] of cases) {
		const {code, stderr} = fleet.run(['run', ...argv, '--', 'true'], {input});
		assert.equal(code, 2, stderr);
		assert.match(stderr, wanted);
		assert.match(stderr, /^fleet: .*\n {2}hint: .*\n$/);
	}
});

test('a verb that cannot be started is a line, and the screen goes on', async t => {
	const fleet = new Fleet(t);
	fleet.start('goes', 'sleep 100');
	const faults: Array<[string, RegExp]> = [
		...['E2BIG', 'ENOMEM'].map((code): [string, RegExp] => [
			`cp.spawn = () => { throw Object.assign(new Error("spawn ${code}"), {code: "${code}", ` +
				'syscall: "spawn x"}); }; syncBuiltinESMExports();',
			code === 'E2BIG' ? /longer than the system takes/ : /no memory is left: a program was not started/,
		]),
		...['EAGAIN', 'EMFILE', 'ENOENT'].map((code): [string, RegExp] => [
			'const {EventEmitter} = await import("node:events"); cp.spawn = () => { const child = new EventEmitter(); ' +
				`process.nextTick(() => child.emit("error", Object.assign(new Error("spawn ${code}"), {code: "${code}", ` +
				'syscall: "spawn x"}))); return child; }; syncBuiltinESMExports();',
			{
				EAGAIN: /no more processes can be started/,
				EMFILE: /too many files open/,
				ENOENT: /was not started: spawn ENOENT/,
			}[code]!,
		]),
		[
			'const {spawn} = cp; cp.spawn = (file, argv, options) => spawn("sh", ["-c", "kill -9 $$"], options); ' +
				'syncBuiltinESMExports();',
			/pause was ended by SIGKILL/,
		],
		[
			'const {spawn} = cp; cp.spawn = (file, argv, options) => spawn("sh", ["-c", "head -c 3000000 /dev/urandom; ' +
				'head -c 100000 /dev/urandom >&2; exit 1"], options); syncBuiltinESMExports();',
			/./,
		],
	];
	for (const [fault, wanted] of faults) {
		fleet.env['NODE_OPTIONS'] = inScreen(fault).NODE_OPTIONS;
		const screen = openScreen(t, fleet, {size: {columns: 150, rows: 40}});
		delete fleet.env['NODE_OPTIONS'];
		await screen.see(/goes .*running/);
		await screen.press('!');
		await screen.idle();
		await screen.see(wanted);
		await screen.press('?');
		await screen.see(/Keys|keys/);
		await screen.press('esc');
		// And what takes the terminal.
		await screen.press('t');
		await screen.idle();
		assert.equal(screen.exited, undefined, fault);
		screen.kill('SIGKILL');
	}
});

test('with few open files fleet works, or says so in a line', async t => {
	const fleet = new Fleet(t);
	const limited = (limit: number, argv: string) => {
		const {status, stdout, stderr} = spawnSync(
			'/bin/sh',
			['-c', `ulimit -n ${limit}; exec ${process.execPath} ${program} ${argv}`],
			{cwd: fleet.project, env: fleet.env, encoding: 'utf8', timeout: 60_000},
		);
		return {code: status, stdout, stderr};
	};

	assert.match(limited(64, 'run --name few -- sh -c "echo from the agent; sleep 100"').stdout, /^few running/);
	for (const verb of ['run --name more -- true', 'attach few', 'verify few', 'project add .', '', 'doctor']) {
		const {code, stderr} = limited(24, verb);
		assert.equal(code, 2, `${verb}: ${stderr}`);
		assert.match(
			stderr,
			/^fleet: a program may have 24 files open here, and fleet [a-z]+ needs 40\n {2}hint: ulimit -n 1024.*\n$/,
			verb,
		);
	}

	for (const verb of ['list', 'freeze few', 'thaw few', 'logs few', 'show few']) {
		assert.equal(limited(24, verb).code, 0, `${verb}: ${limited(24, verb).stderr}`);
	}

	// The screen and the agent's own terminal.
	for (const [verb, wanted] of [
		['', /few .*running/],
		['attach few', /from the agent/],
	] as const) {
		const screen = new VerbOnTerminal(fleet, verb, {columns: 100, rows: 30, before: 'ulimit -n 64'});
		t.after(() => screen.end());
		await until(() => wanted.test(screen.emulator.text()), String(wanted));
		screen.write(verb === '' ? 'q' : '\u0011');
		await screen.isAsBefore(fleet, verb);
		screen.end();
	}

	assert.equal(limited(24, 'stop few').code, 0);
});

test('where the system watches no more folders, the screen looks for itself', async t => {
	const fleet = new Fleet(t);
	fleet.env['NODE_OPTIONS'] = inScreen(
		'const {default: fs} = await import("node:fs"); fs.watch = () => { ' +
			'throw Object.assign(new Error("too many watches"), {code: "EMFILE"}); }; syncBuiltinESMExports();',
	).NODE_OPTIONS;
	const screen = openScreen(t, fleet, {size: {columns: 150, rows: 40}});
	delete fleet.env['NODE_OPTIONS'];
	await screen.see('no runs yet');
	fleet.start('new-one', 'echo begun; sleep 1; echo gone on; sleep 100');
	await screen.see(/new-one .*running/);
	await screen.see('gone on');
});

test('whatever ends the screen, the terminal is as before', async t => {
	const fleet = new Fleet(t);
	fleet.start('goes', 'sleep 100');
	const size = {columns: 100, rows: 30};
	for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT'] as const) {
		const screen = new VerbOnTerminal(fleet, '', size);
		t.after(() => screen.end());
		await screen.see(/\u001B\[\?1006h/);
		process.kill(screen.pid, signal);
		await screen.isAsBefore(fleet, signal);
		screen.end();
	}

	for (const fault of [
		'setTimeout(() => { throw new Error("a fault"); }, 3000);',
		'setTimeout(() => { Promise.reject(new Error("a fault")); }, 3000);',
	]) {
		const screen = new VerbOnTerminal(fleet, '', {...size, env: inScreen(fault)});
		t.after(() => screen.end());
		await screen.see(/\u001B\[\?1006h/);
		await screen.isAsBefore(fleet, fault);
		assert.match(
			screen.emulator.text(),
			/fleet: internal error: a fault\n {2}hint: /,
			JSON.stringify(screen.raw.slice(-600)),
		);
		screen.end();
	}
});
