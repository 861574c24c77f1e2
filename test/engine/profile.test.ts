import assert from 'node:assert/strict';
import {
	chmodSync,
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import path from 'node:path';
import {test, type TestContext} from 'node:test';
import {Fleet} from '../support/fleet.ts';

/* A person's own agent in their runs. A script stands for Claude Code: it shows what is in its HOME. */

const ghp = `ghp_${'Zq7Wx3Tv9Lm2Kp8Bn4Rc6Jd1Hf5Gs0YaQw2E'.slice(0, 36)}`;

type Shown = {
	state: string;
	digest: string | null;
	files: Array<{path: string; kind: string; real: string | null; executable: boolean}>;
	left: Array<{path: string; because: string; expected: boolean}>;
	changes: {added: string[]; changed: string[]; removed: string[]} | null;
	settings: Record<string, unknown>;
};

/** A fleet with a program in the place of Claude Code, and files in the person's HOME. */
function make(t: TestContext, files: Readonly<Record<string, string>> = {}, script?: string) {
	const fleet = new Fleet(t);
	const bin = path.join(fleet.folder, 'bin');
	mkdirSync(bin);
	writeFileSync(
		path.join(bin, 'claude'),
		`#!/bin/sh\n${script ?? 'cd "$HOME"; find .claude -type f | sort; grep -r . .claude'}\n`,
	);
	chmodSync(path.join(bin, 'claude'), 0o755);
	Object.assign(fleet.env, {PATH: `${bin}:${fleet.env['PATH']}`});
	const write = (name: string, text: string) => {
		mkdirSync(path.dirname(path.join(fleet.home, name)), {recursive: true});
		writeFileSync(path.join(fleet.home, name), text);
	};

	for (const [name, text] of Object.entries(files)) {
		write(name, text);
	}

	const start = async (name: string, ...options: string[]) => {
		const {stderr, code} = fleet.run(['run', '--agent', 'claude-code', '--no-model', '--name', name, ...options, 'go']);
		assert.equal(code, 0, stderr);
		await fleet.until(name, 'stopped');
		return {stderr, logs: fleet.must('logs', name), show: fleet.json('show', name)};
	};

	const show = () => fleet.json<Shown>('profile', 'claude-code');
	return {fleet, write, start, show};
}

const mine = {
	'.claude/CLAUDE.md': 'say MARK-ONE\n',
	'.claude/skills/review/SKILL.md': '---\nname: review\ndescription: x\n---\nMARK-SKILL\n',
	'.claude/skills/review/run.sh': 'echo hi\n',
	'.claude/commands/fix.md': 'MARK-COMMAND\n',
	'.claude/settings.json': JSON.stringify({model: 'opus', hooks: {Stop: []}, env: {A: 'MARK-ENV'}, autoUpdates: true}),
	'.claude/.credentials.json': '{"MARK": "LOGIN"}',
	'.claude/history.jsonl': 'MARK-HISTORY\n',
	'.claude/hooks/evil.sh': 'MARK-HOOK\n',
};

test('a run has it once a person said yes to exactly that, and never silently', async t => {
	const {fleet, write, start, show} = make(t, mine);
	chmodSync(path.join(fleet.home, '.claude/skills/review/run.sh'), 0o755);
	const first = await start('first');
	assert.doesNotMatch(first.logs, /MARK/);
	assert.match(
		first.show['notes'].join('\n'),
		/without your profile of Claude Code \(5 files\).*: fleet profile claude-code --approve/,
	);
	assert.match(first.stderr, /fleet profile claude-code --approve/);
	assert.equal(first.show['profile'], null);

	const listed = show();
	assert.equal(listed.state, 'new');
	assert.deepEqual(
		listed.files.map(({path, kind}) => `${kind} ${path}`),
		[
			'instructions .claude/CLAUDE.md',
			'command .claude/commands/fix.md',
			'skill .claude/skills/review/SKILL.md',
			'skill .claude/skills/review/run.sh',
			'settings .claude/settings.json',
		],
	);
	assert.deepEqual(listed.settings, {model: 'opus'});
	assert.deepEqual(
		listed.left.map(({path}) => path),
		[
			'.claude/settings.json: hooks',
			'.claude/settings.json: env',
			'.claude/settings.json: autoUpdates',
			'.claude/.credentials.json',
			'.claude/hooks',
			'.claude/history.jsonl',
		],
	);

	// The hint, as it was said.
	fleet.must('profile', 'claude-code', '--approve');
	const second = await start('second');
	for (const word of ['MARK-ONE', 'MARK-SKILL', 'MARK-COMMAND']) {
		assert.ok(second.logs.includes(word), `${word}\n${second.logs}`);
	}

	assert.doesNotMatch(second.logs, /MARK-ENV|LOGIN|MARK-HISTORY|MARK-HOOK|"hooks"/);
	assert.match(second.logs, /"model":"opus"/);
	assert.match(second.logs, /"autoUpdates":false/, "the adapter's own counts");
	assert.equal(second.show['profile'].digest, show().digest);
	assert.equal(second.show['profile'].files.length, 5);
	const given = fleet.json<Array<Record<string, any>>>('journal', 'second').find(({type}) => type === 'profile.given');
	assert.deepEqual(
		given!['files'].map((file: {path: string}) => file.path),
		listed.files.map(({path}) => path),
	);
	assert.match(fleet.must('show', 'second'), /profile +yours, 5 files, digest [0-9a-f]{10}/);

	// One file changes: asked again, with what changed.
	write('.claude/CLAUDE.md', 'say MARK-TWO\n');
	write('.claude/commands/new.md', 'MARK-NEW\n');
	rmSync(path.join(fleet.home, '.claude/commands/fix.md'));
	assert.deepEqual(show().changes, {
		added: ['.claude/commands/new.md'],
		changed: ['.claude/CLAUDE.md'],
		removed: ['.claude/commands/fix.md'],
	});
	const third = await start('third');
	assert.doesNotMatch(third.logs, /MARK/);
	assert.match(third.show['notes'].join('\n'), /changed since it was approved \(1 changed, 1 added, 1 removed\)/);

	// What is left out of the settings is not what was approved.
	write('.claude/CLAUDE.md', mine['.claude/CLAUDE.md']);
	write('.claude/commands/fix.md', mine['.claude/commands/fix.md']);
	rmSync(path.join(fleet.home, '.claude/commands/new.md'));
	write('.claude/settings.json', '{"model": "opus", "hooks": {"Start": []}}');
	assert.equal(show().state, 'approved');
	chmodSync(path.join(fleet.home, '.claude/skills/review/run.sh'), 0o644);
	assert.equal(show().state, 'changed', 'what becomes a program, or is one no more, is another file');

	assert.match((await start('yes', '--profile')).logs, /MARK-ONE/);
	const without = await start('without', '--no-profile');
	assert.doesNotMatch(without.logs, /MARK/);
	assert.doesNotMatch(without.show['notes'].join('\n'), /profile/);
	assert.match(fleet.must('show', 'without'), /profile +none, as asked for/);
	fleet.must('profile', 'claude-code', '--forget');
	assert.equal(show().state, 'new');
	assert.equal(fleet.run(['profile', 'claude-code', '--forget']).code, 2);
});

test('what a run does with its copy changes nothing of the person’s, and the next attempt has what is approved then', async t => {
	const {fleet, write, start} = make(
		t,
		mine,
		'cd "$HOME"; grep -r . .claude/CLAUDE.md .claude/commands; echo evil >> .claude/CLAUDE.md; ' +
			'rm -rf .claude/skills; echo evil > .claude/commands/evil.md; chmod 777 .claude/commands/fix.md',
	);
	const before = readdirSync(path.join(fleet.home, '.claude'), {recursive: true}).map(String).sort();
	fleet.must('profile', 'claude-code', '--approve');
	await start('writes');
	assert.deepEqual(readdirSync(path.join(fleet.home, '.claude'), {recursive: true}).map(String).sort(), before);
	for (const [name, text] of Object.entries(mine)) {
		assert.equal(readFileSync(path.join(fleet.home, name), 'utf8'), text);
	}

	assert.equal(statSync(path.join(fleet.home, '.claude/commands/fix.md')).mode & 0o777, 0o644);
	assert.match(fleet.must('profile'), /claude-code +approved/);

	rmSync(path.join(fleet.home, '.claude/commands/fix.md'));
	write('.claude/CLAUDE.md', 'say MARK-TWO\n');
	const again = async () => {
		fleet.must('resume', 'writes', 'again');
		await fleet.until('writes', 'stopped');
		return fleet.must('logs', 'writes').split('again').at(-1)!;
	};

	await again();
	assert.match(fleet.json('show', 'writes')['notes'].join('\n'), /what the run was given before stays/);
	assert.ok(fleet.json('show', 'writes')['profile'], 'it has the first one');
	fleet.must('profile', 'claude-code', '--approve');
	await again();
	const last = fleet.must('logs', 'writes');
	assert.match(last, /MARK-TWO/);
	assert.deepEqual(
		fleet.json('show', 'writes')['profile'].files.filter((name: string) => name.includes('fix')),
		[],
	);
	const home = path.join(fleet.env['FLEET_HOME']!, 'state', 'runs', 'writes', 'home', '.claude');
	assert.ok(!existsSync(path.join(home, 'commands', 'fix.md')), 'what was taken out is taken out');
	assert.ok(existsSync(path.join(home, 'commands', 'evil.md')), 'what the agent wrote is its own');
	fleet.must('profile', 'claude-code', '--forget');
	await again();
	assert.doesNotMatch(readFileSync(path.join(home, 'CLAUDE.md'), 'utf8'), /MARK/, 'what was forgotten is taken out');
	assert.equal(fleet.json('show', 'writes')['profile'], null);
});

test('a link is followed where the list says where to, and nowhere else', t => {
	const {fleet, write, show} = make(t, {
		...mine,
		'dotfiles/claude/skills/deploy/SKILL.md': 'MARK-LINKED\n',
		'dotfiles/claude/rules/a.md': 'MARK-RULE\n',
		'.ssh/id_ed25519': 'MARK-KEY\n',
		'notes/private.md': 'MARK-PRIVATE\n',
		'.claude/skills/bad/SKILL.md': 'x\n',
		'.config/other/skills/kept/SKILL.md': 'x\n',
	});
	const at = (name: string) => path.join(fleet.home, name);
	symlinkSync('../../dotfiles/claude/skills/deploy', at('.claude/skills/deploy'));
	symlinkSync('../dotfiles/claude/rules', at('.claude/rules'));
	symlinkSync(at('.ssh'), at('.claude/skills/keys'));
	symlinkSync(at('notes/private.md'), at('.claude/skills/bad/notes.md'));
	symlinkSync(at('notes'), at('.claude/skills/bad/all'));
	symlinkSync(at('.claude/.credentials.json'), at('.claude/commands/login.md'));
	symlinkSync('/etc/passwd', at('.claude/commands/passwd.md'));
	symlinkSync('/nowhere', at('.claude/commands/none.md'));
	symlinkSync(fleet.home, at('.claude/skills/home'));
	symlinkSync(at('.claude/skills'), at('.claude/skills/circle'));
	mkdirSync(at('.claude/skills/kept'));
	symlinkSync(at('.config/other/skills/kept/SKILL.md'), at('.claude/skills/kept/SKILL.md'));
	const {files, left} = show();
	const real = Object.fromEntries(files.map(file => [file.path, file.real]));
	assert.equal(real['.claude/skills/deploy/SKILL.md'], at('dotfiles/claude/skills/deploy/SKILL.md'));
	assert.equal(real['.claude/rules/a.md'], at('dotfiles/claude/rules/a.md'));
	assert.equal(real['.claude/skills/kept/SKILL.md'], at('.config/other/skills/kept/SKILL.md'));
	assert.equal(real['.claude/CLAUDE.md'], null);
	assert.ok(!files.some(file => /id_ed25519|private|login|passwd|none/.test(file.path)), JSON.stringify(files));
	const names = left.filter(({expected}) => !expected).map(one => one.path);
	for (const name of [
		'skills/keys',
		'skills/bad/notes.md',
		'skills/bad/all',
		'commands/login.md',
		'commands/passwd.md',
		'commands/none.md',
		'skills/home',
	]) {
		assert.ok(names.includes(`.claude/${name}`), `${name}: ${names.join(', ')}`);
	}

	fleet.must('profile', 'claude-code', '--approve');
	rmSync(at('.claude/skills/deploy'));
	write('elsewhere/deploy/SKILL.md', 'MARK-LINKED\n');
	symlinkSync(at('elsewhere/deploy'), at('.claude/skills/deploy'));
	assert.deepEqual(
		show().changes?.changed,
		['.claude/skills/deploy/SKILL.md'],
		'the same text elsewhere is another file',
	);
	write('dotfiles/claude/rules/a.md', 'MARK-OTHER\n');
	assert.ok(show().changes?.changed.includes('.claude/rules/a.md'));
});

test('a file with a secret is refused with its line, and what is no text or too much is not taken', async t => {
	const {fleet, write, start, show} = make(t, {
		...mine,
		'.claude/commands/key.md': `one\ntwo ${ghp}\n`,
		'.claude/skills/review/logo.png': 'x\0y',
		'.claude/skills/review/large.txt': 'x'.repeat(1024 ** 2 + 1),
	});
	fleet.env['OUTSIDE'] = 'a-value-of-the-vault-77';
	fleet.must('secret', 'add', 'mine', '--user', '--host', 'a.example', '--from', 'env:OUTSIDE');
	write('.claude/rules/b.md', 'fine\n\nthe word is a-value-of-the-vault-77\n');
	const why = Object.fromEntries(show().left.map(one => [one.path, one.because]));
	assert.match(why['.claude/commands/key.md']!, /^line 2 looks like a secret \(github\)/);
	assert.ok(!why['.claude/commands/key.md']!.includes(ghp));
	assert.match(why['.claude/rules/b.md']!, /^line 3 holds the value of a secret of the vault/);
	assert.equal(why['.claude/skills/review/logo.png'], 'not text');
	assert.match(why['.claude/skills/review/large.txt']!, /larger than 1 MiB/);
	fleet.must('profile', 'claude-code', '--approve');
	const {logs, show: run} = await start('with');
	assert.match(logs, /MARK-ONE/);
	assert.ok(!logs.includes(ghp) && !logs.includes('a-value-of'));
	assert.match(run['notes'].join('\n'), /left out of your profile: \.claude\/.*and 2 more: fleet profile claude-code/);
	for (let index = 0; index < 1001; index++) {
		write(`.claude/rules/many/${index}.md`, 'x');
	}

	const {code, stderr} = fleet.run(['profile', 'claude-code']);
	assert.equal(code, 2);
	assert.match(stderr, /holds more than 1000 files/);
	const many = await start('many');
	assert.doesNotMatch(many.logs, /MARK/);
	assert.match(many.show['notes'].join('\n'), /without your profile: .*more than 1000 files/);
});

test('a folder that a variable moves is read there, and what is typed wrong is refused', t => {
	const {fleet} = make(t, {'moved/CLAUDE.md': 'MARK\n', '.codex/AGENTS.md': 'x\n', 'xdg/opencode/AGENTS.md': 'y\n'});
	fleet.env['CLAUDE_CONFIG_DIR'] = path.join(fleet.home, 'moved');
	fleet.env['XDG_CONFIG_HOME'] = path.join(fleet.home, 'xdg');
	const all = fleet.json<Array<Shown & {agent: string}>>('profile');
	const files = Object.fromEntries(all.map(one => [one.agent, one.files.map(file => file.path)]));
	assert.deepEqual(files['claude-code'], ['.claude/CLAUDE.md']);
	assert.deepEqual(files['codex'], ['.codex/AGENTS.md']);
	assert.deepEqual(files['opencode'], ['.config/opencode/AGENTS.md']);
	assert.deepEqual(files['gemini'], []);
	for (const argv of [
		['profile', 'nobody'],
		['profile', '--approve'],
		['profile', 'gemini', '--approve'],
		['profile', 'codex', '--approve', '--forget'],
	]) {
		const {code, stderr} = fleet.run(argv);
		assert.equal(code, 2, argv.join(' '));
		assert.match(stderr, /\n {2}hint: /, stderr);
	}
});
