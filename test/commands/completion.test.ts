import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {test, type TestContext} from 'node:test';
import {verbs} from '../../source/commands/verbs.ts';
import {distance, nearest} from '../../source/core/text/near.ts';
import {openTerminal} from '../../source/host/pty.ts';
import {Fleet, program, root, until} from '../support/fleet.ts';

/* Completion, in the real shells, and the manual page; both from the verbs' own records. */

/** A fleet with two runs, and a shell's search path that has it. */
async function prepared(t: TestContext): Promise<Fleet & {path: string}> {
	const fleet = new Fleet(t);
	for (const name of ['first', 'second']) {
		await fleet.agent(name, 'true');
	}

	const bin = path.join(fleet.folder, 'bin');
	mkdirSync(bin);
	writeFileSync(path.join(bin, 'fleet'), `#!/bin/sh\nexec ${process.execPath} ${program} "$@"\n`, {mode: 0o755});
	return Object.assign(fleet, {path: `${bin}:${fleet.env['PATH']}`});
}

/** What is typed, and what is offered for its last word: all of it, or some. */
const cases: ReadonlyArray<readonly [string, readonly string[]]> = [
	['fleet acknowl', ['acknowledge']],
	['fleet show ', ['first', 'second']],
	['fleet show fi', ['first']],
	['fleet doctor --pa', ['--path']],
	['fleet secret add key --store a', ['age']],
	['fleet run --after se', ['second']],
	['fleet run --project pr', ['project']],
	['fleet project ini', ['init']],
	['fleet allow --for 5m fi', ['first']],
	['fleet completion z', ['zsh']],
];

test('bash completes verbs, options, runs and projects', async t => {
	const fleet = await prepared(t);
	const script = path.join(fleet.folder, 'completion.bash');
	writeFileSync(script, fleet.must('completion', 'bash'));
	for (const [typed, offered] of cases) {
		const words = typed.split(' ');
		const {stdout, stderr} = spawnSync(
			'bash',
			[
				'--norc',
				'-c',
				'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _fleet; printf "%s\\n" "${COMPREPLY[@]}"',
				script,
				...words,
			],
			{cwd: fleet.project, env: {...fleet.env, PATH: fleet.path}, encoding: 'utf8'},
		);
		assert.deepEqual(stdout.trim().split('\n').sort(), offered, `${typed}: ${stderr}`);
		assert.equal(stderr, '', typed);
	}
});

test('fish completes verbs, options, runs and projects', async t => {
	const fleet = await prepared(t);
	const script = path.join(fleet.folder, 'completion.fish');
	writeFileSync(script, fleet.must('completion', 'fish'));
	for (const [typed, offered] of cases) {
		// What an option takes does not count as an argument: fish cannot tell here, and offers nothing.
		if (typed.includes('--for 5m')) {
			continue;
		}

		const {stdout, stderr} = spawnSync('fish', ['--no-config', '-c', `source ${script}; complete -C "${typed}"`], {
			cwd: fleet.project,
			env: {...fleet.env, PATH: fleet.path},
			encoding: 'utf8',
		});
		const found = stdout
			.trim()
			.split('\n')
			.map(line => line.split('\t')[0]!);
		assert.deepEqual(found.sort(), offered, `${typed}: ${stderr}`);
	}
});

test('zsh completes verbs, options, runs and projects', async t => {
	const fleet = await prepared(t);
	const functions = path.join(fleet.folder, 'functions');
	mkdirSync(functions);
	writeFileSync(path.join(functions, '_fleet'), fleet.must('completion', 'zsh'));
	let said = '';
	const shell = openTerminal(
		{
			argv: ['/usr/bin/env', 'zsh', '-f', '-i'],
			cwd: fleet.project,
			env: {...fleet.env, PATH: fleet.path, TERM: 'dumb'},
		},
		{columns: 200, rows: 40},
		{
			onData: bytes => {
				said += Buffer.from(bytes).toString('utf8');
			},
			onExit() {},
		},
	);
	t.after(() => shell.kill('SIGKILL'));
	shell.write(
		Buffer.from(`fpath=(${functions} $fpath); ` + "autoload -Uz compinit; compinit -u -D; PS1='rea''dy> '\r"),
	);
	await until(() => said.includes('ready> '), `zsh is ready: ${said}`);
	for (const [typed, offered] of cases.filter(([, offered]) => offered.length === 1)) {
		said = '';
		shell.write(Buffer.from(`${typed}\t`));
		const whole = typed.split(' ').slice(0, -1).concat(offered[0]!).join(' ');
		await until(() => said.includes(whole), `${whole} in ${JSON.stringify(said)}`);
		shell.write(Buffer.from('\u0015'));
	}
});

test('the manual page names every verb and option, and man has nothing against it', async t => {
	const fleet = new Fleet(t, {add: false});
	const page = fleet.must('completion', 'man');
	assert.equal(page, readFileSync(path.join(root, 'dist', 'fleet.1'), 'utf8'));
	for (const [name, load] of Object.entries(verbs)) {
		assert.match(page, new RegExp(`^\\.SS fleet ${name}\\b`, 'm'));
		for (const option of Object.keys((await load()).verb.options)) {
			const dashed = option.replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`).replaceAll('-', String.raw`\-`);
			assert.ok(page.includes(String.raw`\-\-${dashed}`), `${name} --${option}`);
		}
	}

	// No line of a text is taken for a request.
	assert.deepEqual(page.match(/^\.(?!(?:TH|SH|SS|TP|B)\b).*$/gm), null);
});

test('the version is the package’s', t => {
	const {version} = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {version: string};
	assert.equal(new Fleet(t, {add: false}).must('--version').trim(), version);
});

test('what was most likely meant', t => {
	assert.equal(distance('abcd', 'acbd'), 1);
	assert.equal(distance('', 'abc'), 3);
	const names = Object.keys(verbs);
	for (const [typed, meant] of [
		['lsit', 'list'],
		['aprove', 'approve'],
		['verfiy', 'verify'],
		['doc', 'doctor'],
		['nonsense', undefined],
		['x', undefined],
	] as const) {
		assert.equal(nearest(typed, names), meant, typed);
	}

	const fleet = new Fleet(t, {add: false});
	assert.match(
		fleet.run(['kill', 'x']).stderr,
		/unknown command "kill" \(did you mean stop\?\)\n {2}hint: fleet stop --help/,
	);
	assert.match(fleet.run(['doctor', '--fxi']).stderr, /unknown option '--fxi' \(did you mean --fix\?\)\n/);
});
