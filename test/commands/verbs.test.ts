import assert from 'node:assert/strict';
import {execFileSync, spawnSync} from 'node:child_process';
import {chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {test} from 'node:test';
import {Journal} from '../../source/host/journal.ts';
import {findPaths} from '../../source/host/paths.ts';
import {Fleet, program, until} from '../support/fleet.ts';
import {VerbOnTerminal} from '../support/verb-on-terminal.ts';

/* The verbs, as they are typed, on real repositories with real sandboxes. */

test('bad input: one line, a hint, exit code 2, and nothing half-done', t => {
	const fleet = new Fleet(t, {policy: 'verfy: [x]\n'});
	const before = fleet.git('for-each-ref');
	const cases: Array<[string[], number, RegExp]> = [
		[['nonsense'], 2, /unknown command/],
		[['lst'], 2, /unknown command/],
		[['run'], 2, /nothing to run/],
		[['run', '--nope'], 2, /unknown option/],
		[['run', 'prompt'], 2, /no command/],
		[['run', '--', ''], 2, /no command/],
		[['run', '--agent', 'ghost', '--', 'x'], 2, /no agent "ghost"/],
		[['run', '--project', 'ghost', '--', 'x'], 2, /no project "ghost"/],
		[['run', '--name', '../x', '--', 'x'], 2, /not a run name/],
		[['run', '--base', 'ghost', '--', 'x'], 2, /no branch or commit/],
		[['run', '--base', '--upload-pack=x', '--', 'x'], 2, /./],
		[['run', '--allow', 'network:a.test', '--', 'x'], 2, /needs a reason/],
		[['verify', 'x', '--key', 'k'], 2, /--key is for --waive-secrets alone/],
		[['doctor', '--with', 'gh'], 2, /--with is for --forge alone[^]*hint: fleet doctor --forge --with gh/],
		[['logs', 'x', '--verify', '--deploy'], 2, /--verify and --deploy do not go together/],
		[['logs', 'x', '--pager', '--follow'], 2, /--pager and --follow/],
		[['logs', 'x', '--editor', '--raw'], 2, /--editor and --raw/],
		[['run', '--allow', 'blah', '--', 'x'], 2, /"blah" is not a scope/],
		[['run', '--allow', 'network:EXAMPLE..org', '--', 'x'], 2, /empty label/],
		[['run', '--allow', 'secret:x', '--', 'x'], 2, /there is no secret/],
		[['run', '--allow', 'secret:x', '--because', 'y', '--', 'x'], 2, /there is no secret fleet:\/\/project\/x/],
		[['run', '--allow', 'model:codex', '--because', 'y', '--', 'x'], 2, /needs the secret "openai"/],
		[['run', '--agent', 'claude-code'], 2, /./],
		[['run', '--budget', 'much', '--', 'x'], 2, /not a budget/],
		[['run', '--allow', 'deploy:x', '--because', 'y', '--', 'x'], 2, /never deploy/],
		[['run', '--', 'x'], 2, /policy\.yaml:1: "verfy" is not a key/],
		[['show', 'ghost'], 2, /no run "ghost"/],
		[['show'], 2, /missing required/],
		[['allow', 'ghost', 'network:x', '--because', 'y'], 2, /no run/],
		[['attach', 'ghost'], 2, /./],
		[['project', 'add', '/nonexistent'], 2, /no folder/],
		[['project', 'add', '/'], 2, /not a git repository/],
		[['project', 'erase'], 2, /no action "erase"/],
		[['list', 'extra'], 2, /too many arguments/],
		[['journal', 'ghost'], 2, /no run/],
		[['demo'], 2, /no terminal/],
		[[], 2, /needs a terminal/],
	];
	for (const [argv, code, pattern] of cases) {
		const result = fleet.run(argv);
		assert.equal(result.code, code, `${argv.join(' ')}: ${result.stderr}`);
		assert.match(result.stderr, /^fleet: [^\n]+\n {2}hint: [^\n]+\n$/, argv.join(' '));
		assert.match(result.stderr, pattern, argv.join(' '));
		assert.equal(result.stdout, '', argv.join(' '));
	}

	assert.equal(fleet.git('for-each-ref'), before, 'no branch was left');
	assert.deepEqual(readdirSync(path.join(fleet.env['FLEET_HOME']!, 'state', 'runs')), []);
	assert.deepEqual(readdirSync(path.join(fleet.env['FLEET_HOME']!, 'state', 'worktrees')), []);
	assert.equal(fleet.run(['list'], {env: {FLEET_HOME: 'relative'}}).code, 2);
});

test('help fits a terminal of 80 columns: a command, and below it what it does', async t => {
	const fleet = new Fleet(t, {add: false});
	const terminal = new VerbOnTerminal(fleet, '--help', {columns: 80});
	await terminal.see(/ended-0/);
	const shown = terminal.raw.replaceAll('\r', '');
	assert.match(shown, /\n {2}list \[--all\] \[--json\]\n {6}the runs of all projects\n/);
	assert.match(shown, / --verify CMD \|\n {4}remove NAME\n {6}the repositories whose runs are managed\n/);
});

test("help names every verb, and version is the package's", t => {
	const fleet = new Fleet(t, {add: false});
	const help = fleet.must('--help');
	for (const verb of [
		'demo',
		'doctor',
		'project',
		'run',
		'list',
		'show',
		'logs',
		'attach',
		'stop',
		'resume',
		'allow',
		'revoke',
		'audit',
		'diff',
		'verify',
		'approve',
		'reject',
		'merge',
		'deploy',
		'discard',
		'restore',
		'journal',
	]) {
		assert.match(help, new RegExp(`^  ${verb} `, 'm'));
		assert.equal(fleet.run([verb, '--help']).code, 0, verb);
	}

	assert.equal(
		fleet.must('--version').trim(),
		JSON.parse(readFileSync(path.resolve(import.meta.dirname, '../../package.json'), 'utf8')).version,
	);
});

test('a run works in its sandbox as in an ordinary worktree', async t => {
	const fleet = new Fleet(t, {
		files: {Makefile: 'all:\n\t@echo made\n', 'package.json': '{"name":"x","scripts":{"test":"node --version"}}'},
	});
	fleet.git('tag', 'v1');
	const output = await fleet.agent(
		'work',
		`
set -e
git status --short --branch
echo two > b.txt && git add b.txt && git commit -qm "Add b" && git commit -q --amend -m "Add b, amended"
echo three >> a.txt && git stash -q && git stash list && git stash pop -q
git diff --stat
git log --oneline main..HEAD
git checkout -q -b side && git commit -q --allow-empty -m side && git checkout -q -
git tag v2 && git tag --list
git rebase -q --autostash main && echo rebased
git worktree list | wc -l
make && python3 -c 'print("python")' && npm test --silent && node -e 'console.log("node")'
id -un; pwd; hostname; echo "$FLEET_RUN"
`,
	);
	for (const wanted of [
		/## fleet\/work/,
		/stash@\{0\}/,
		/a\.txt \| 1 \+/,
		/Add b, amended/,
		/v1\nv2/,
		/rebased/,
		/made/,
		/python/,
		/^v\d+\.\d+/m,
		/^node$/m,
		/^agent$/m,
		/^fleet$/m,
		/^work$/m,
	]) {
		assert.match(output.replaceAll('\r', ''), wanted);
	}

	assert.equal(fleet.git('tag', '--list'), 'v1', "tags of the run are the run's");
	assert.equal(fleet.git('stash', 'list'), '');
	assert.match(fleet.git('worktree', 'list'), /fleet\/work\] locked/);
	const run = fleet.json('show', 'work');
	assert.equal(run['exit'].code, 0);
	assert.match(
		readFileSync(path.join(run['worktree'], '.git'), 'utf8'),
		/nonexistent/,
		'a removedMark stands in the tree',
	);
	fleet.must('verify', 'work');
	assert.match(fleet.git('log', '--oneline', 'fleet/work'), /Uncommitted work[^]*Add b, amended/);
	assert.match(
		fleet.json('show', 'work')['captured'].notes.join('\n'),
		/kept as refs\/fleet\/runs\/work\/extra/,
		'the side branch is kept',
	);
});

test('--json: the fields that are documented', async t => {
	const fleet = new Fleet(t);
	await fleet.agent('doc', 'echo x > x.txt');
	const [run] = fleet.json<any[]>('list');
	assert.deepEqual(
		[
			'id',
			'name',
			'project',
			'branch',
			'agent',
			'stage',
			'because',
			'scopes',
			'checks',
			'worktree',
			'createdAt',
		].filter(key => !(key in run)),
		[],
	);
	assert.deepEqual(
		[run.id, run.name, run.project, run.branch, run.agent, run.stage, run.scopes, run.checks],
		['doc', 'doc', 'project', 'fleet/doc', 'command', 'stopped', ['repo', 'build'], {passed: 0, total: 6}],
	);
	const documents = readFileSync(path.resolve(import.meta.dirname, '../../docs/json.md'), 'utf8');
	for (const document of [
		run,
		fleet.json('show', 'doc'),
		fleet.json<any[]>('journal', 'doc')[0],
		fleet.json<any[]>('project', 'list')[0],
		fleet.json('doctor'),
	]) {
		for (const key of Object.keys(document)) {
			assert.match(documents, new RegExp(`\`${key}\``), `docs/json.md says nothing of ${key}`);
		}
	}

	assert.deepEqual(JSON.parse(fleet.must('journal', 'verify', '--json'))[0].status, 'whole');
});

test('a prompt reaches the agent by {prompt} and by FLEET_PROMPT', async t => {
	const fleet = new Fleet(t);
	fleet.must(
		'run',
		'fix the "login" $HOME',
		'--name',
		'p',
		'--',
		'sh',
		'-c',
		'echo "argv: $1"; echo "env: $FLEET_PROMPT"',
		'sh',
		'{prompt}',
	);
	await fleet.until('p', 'stopped');
	assert.match(fleet.must('logs', 'p'), /argv: fix the "login" \$HOME\r?\nenv: fix the "login" \$HOME/);
});

test('of a spinner its last state is printed, whether the log is followed or not', async t => {
	const fleet = new Fleet(t);
	const bar = String.raw`printf 'one\r\033[Ktwo\nbar 0\n\033[1A\033[2Kbar 1\nend\n'`;
	fleet.must('run', '--name', 'spins', '--', 'sh', '-c', bar);
	await fleet.until('spins', 'stopped');
	for (const follow of [[], ['--follow']]) {
		assert.match(fleet.must('logs', 'spins', ...follow), /^two\r?\nbar 1\r?\nend\r?\n$/);
	}
});

test("an approval: the policy's word, and a signature of exactly what is approved", async t => {
	const fleet = new Fleet(t, {policy: 'verify: ["true"]\napprove:\n  word: ship-it\n  sign: true\n'});
	const key = (name: string) => {
		const file = path.join(fleet.home, name);
		execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', file]);
		return file;
	};

	const [own, other] = [key('own'), key('other')];
	const commit = (signers: string) => {
		writeFileSync(path.join(fleet.project, '.fleet', 'signers'), signers);
		fleet.git('add', '.');
		fleet.git('commit', '--quiet', '--message=signers');
	};

	await fleet.agent('g', 'echo two >> a.txt; git commit -qam "Add two"');
	const refused = (argv: string[], pattern: RegExp, code = 3) => {
		const result = fleet.run(argv);
		assert.equal(result.code, code, `${argv.join(' ')}: ${result.code} ${result.stderr}`);
		assert.match(result.stderr, pattern);
		assert.equal(fleet.json('show', 'g')['approval'], null);
	};

	fleet.must('verify', 'g');
	refused(['approve', 'g'], /asks for a word[^]*--confirm ship-it/);
	refused(['approve', 'g', '--confirm', 'yes'], /asks for a word/);
	refused(['approve', 'g', '--confirm', 'ship-it', '--key', own], /names nobody who may sign/);
	commit(`ann@fleet.invalid ${readFileSync(`${own}.pub`, 'utf8')}`);
	fleet.must('verify', 'g');
	refused(['approve', 'g', '--confirm', 'ship-it'], /you have no key for that/, 2);
	refused(['approve', 'g', '--confirm', 'ship-it', '--key', path.join(fleet.home, 'none')], /could not sign/, 2);
	refused(['approve', 'g', '--confirm', 'ship-it', '--key', other], /not one of the project's signers/);

	// An approval that somebody wrote into the journal without signing it, or with another's signature, merges nothing.
	const {base, head, tree, policy, digest} = fleet.json('show', 'g')['verification'];
	const places = findPaths(fleet.env).run('g');
	const forge = (more: Record<string, unknown>) => {
		const journal = Journal.open(places, 1000)!;
		journal.append(
			{type: 'review.approved', base, head, tree, policy, verify: digest, because: 'mine', ...more},
			'person:root',
		);
		journal.close();
	};

	forge({});
	assert.match(fleet.run(['merge', 'g']).stderr, /wants approvals signed, and this one is not/);
	assert.match(
		fleet.must('approve', 'g', '--confirm', 'ship-it', '--key', own, '--because', 'read it'),
		/signed by ann@fleet\.invalid/,
	);
	// Another's name in the journal is nobody's signature, and the names on the merge are those of the signatures.
	forge({accepted: {by: ['bob'], fourEyes: true}});
	assert.equal(fleet.git('log', '-1', '--format=%s').trim(), 'signers', 'nothing was merged');

	fleet.git('config', 'user.signingKey', own);
	fleet.must('approve', 'g', '--confirm', 'ship-it', '--because', 'read it');
	fleet.must('merge', 'g');
	const message = fleet.git('log', '-1', '--format=%B');
	assert.match(message, /^Reviewed-by: ann@fleet\.invalid$/m);
	assert.match(message, /^Fleet-Four-Eyes: false$/m);
	assert.match(message, /^Fleet-Statement: [\w+/=]+\.[\w+/=]+$/m);
});

test('what verifies a project is committed by one verb, and nothing else that is changed there', t => {
	const fleet = new Fleet(t, {policy: '', files: {'package.json': '{"scripts": {"test": "node --test"}}'}});
	fleet.git('rm', '--quiet', '.fleet/policy.yaml');
	fleet.git('commit', '--quiet', '--message=none');
	writeFileSync(path.join(fleet.project, 'a.txt'), 'mine\n');
	writeFileSync(path.join(fleet.project, 'staged.txt'), 'mine\n');
	fleet.git('add', 'staged.txt');
	const refused = fleet.run(['project', 'init']);
	assert.equal(refused.code, 2);
	assert.match(refused.stderr, /hint: fleet project init project --verify "npm test"/);
	assert.match(
		fleet.must('project', 'init', '--verify', 'npm test', '--verify', 'test -f a.txt'),
		/policy\.yaml is committed on main/,
	);
	assert.equal(fleet.git('show', '--name-only', '--format=%an', 'HEAD'), 'Test Person\n\n.fleet/policy.yaml');
	assert.equal(fleet.git('show', 'HEAD:.fleet/policy.yaml'), 'verify:\n  - npm test\n  - test -f a.txt');
	assert.deepEqual(
		fleet
			.git('status', '--short')
			.split('\n')
			.map(line => line.trim()),
		['M a.txt', 'A  staged.txt'],
	);
	assert.match(fleet.run(['project', 'init', '--verify', 'true']).stderr, /has verify commands/);

	// One that has other things in it keeps them; one with changes of the person's is left alone.
	writeFileSync(path.join(fleet.project, '.fleet', 'policy.yaml'), '# ours\nnetwork: [a.test]\n');
	assert.match(
		fleet.run(['project', 'init', '--verify', 'true']).stderr,
		/has verify commands/,
		'what is committed counts',
	);
	fleet.git('commit', '--quiet', '--message=network', '--', '.fleet/policy.yaml');
	writeFileSync(path.join(fleet.project, '.fleet', 'policy.yaml'), '# ours, and more\nnetwork: [a.test]\n');
	assert.match(fleet.run(['project', 'init', '--verify', 'true']).stderr, /changes of yours/);
	fleet.git('checkout', '--quiet', '--', '.fleet/policy.yaml');
	fleet.must('project', 'init', '--verify', 'true');
	assert.match(
		fleet.git('show', 'HEAD:.fleet/policy.yaml'),
		/^# ours\nnetwork:[^]*a\.test[^]*verify:\n {2}- "?true"?$/,
	);
	fleet.git('checkout', '--quiet', '--detach');
	assert.equal(fleet.run(['project', 'init', '--verify', 'true']).code, 2);
});

/** A window that is three days away, whenever that is. */
function elsewhen(): string {
	return `${['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'][(new Date().getDay() + 3) % 7]} 00:00-23:59`;
}

test('gates: verify, approve, merge, deploy, and every way round them', async t => {
	const fleet = new Fleet(t, {
		policy:
			'verify:\n  - grep -q two a.txt\ndeploy:\n  shelf:\n' +
			'    command: cp a.txt ../shelf.txt; echo "token $TOKEN"; pwd; ls -a; git log -1 --format=%s; ' +
			'git status --porcelain | wc -l; git remote | wc -l; git ls-files | wc -l\n    credentials: [TOKEN]\n' +
			'  broken:\n    command: exit 5\n  killed:\n    command: kill -9 $$\n  later:\n    command: echo now\n' +
			`    window: ${elsewhen()}\n`,
	});
	await fleet.agent('g', 'echo two >> a.txt; git commit -qam "Add two"');
	const refused = (argv: string[], pattern: RegExp, input?: string) => {
		const result = fleet.run(argv, input === undefined ? {} : {input});
		assert.equal(result.code, 3, `${argv.join(' ')}: ${result.code} ${result.stderr}`);
		assert.match(result.stderr, pattern);
	};

	refused(['approve', 'g'], /not verified/);
	refused(['merge', 'g'], /not approved/);
	refused(['deploy', 'g', 'shelf', '--confirm', 'shelf'], /not merged/);
	fleet.must('verify', 'g');
	refused(['merge', 'g'], /not approved/);
	fleet.must('approve', 'g', '--because', 'read it');

	// One commit more, after the approval.
	fleet.must('resume', 'g');
	await fleet.until('g', 'stopped');
	refused(['merge', 'g'], /not approved/);
	fleet.must('verify', 'g');
	fleet.must('approve', 'g', '--because', 'read it');

	// The target moves.
	writeFileSync(path.join(fleet.project, 'other.txt'), 'x');
	fleet.git('add', '.');
	fleet.git('commit', '--quiet', '--message=other');
	refused(['merge', 'g'], /stale: the target branch and the merged tree moved/);
	fleet.must('verify', 'g');
	fleet.must('approve', 'g', '--because', 'read it');

	// The branch moves, behind fleet's back.
	const head = fleet.git('rev-parse', 'fleet/g');
	fleet.git('update-ref', 'refs/heads/fleet/g', 'main');
	refused(['merge', 'g'], /stale: the run's branch/);
	fleet.git('update-ref', 'refs/heads/fleet/g', head);

	// A checkout that would lose something.
	writeFileSync(path.join(fleet.project, 'a.txt'), 'my own unfinished work\n');
	refused(['merge', 'g'], /the merge would overwrite what is in/);
	assert.equal(readFileSync(path.join(fleet.project, 'a.txt'), 'utf8'), 'my own unfinished work\n');
	fleet.git('checkout', '--', 'a.txt');
	writeFileSync(path.join(fleet.project, 'unrelated.txt'), 'stays\n');
	fleet.must('merge', 'g');
	assert.equal(readFileSync(path.join(fleet.project, 'a.txt'), 'utf8'), 'one\ntwo\ntwo\n');
	assert.equal(readFileSync(path.join(fleet.project, 'unrelated.txt'), 'utf8'), 'stays\n');
	assert.match(
		fleet.git('log', '-1', '--format=%B'),
		/^Merge run g\n\nCo-authored-by: [^\n]*\nFleet-Run: g\n[^]*Fleet-Verify: [0-9a-f]{64}/,
	);
	assert.equal(fleet.git('status', '--porcelain', '--untracked-files=no'), '');
	refused(['merge', 'g'], /merged already/);
	refused(['approve', 'g'], /merged already/);

	refused(['deploy', 'g', 'shelf'], /not confirmed/);
	refused(['deploy', 'g', 'shelf', '--confirm', 'Shelf', '--credential', 'TOKEN=-'], /not confirmed/, 'secret-token\n');
	for (const [argv, pattern] of [
		[['nowhere', '--confirm', 'nowhere'], /no deploy target/],
		[['shelf', '--confirm', 'shelf'], /waits for TOKEN/],
		[['shelf', '--confirm', 'shelf', '--credential', 'TOKEN=abc'], /NAME=-/],
		[['shelf', '--confirm', 'shelf', '--credential', 'OTHER=-'], /needs no credential/],
	] as Array<[string[], RegExp]>) {
		const result = fleet.run(['deploy', 'g', ...argv]);
		assert.equal(result.code, 2, argv.join(' '));
		assert.match(result.stderr, pattern);
	}

	const deployed = fleet.run(['deploy', 'g', 'shelf', '--confirm', 'shelf', '--credential', 'TOKEN=-'], {
		input: 'secret-token\n',
	});
	assert.equal(deployed.code, 0, deployed.stderr);
	assert.match(deployed.stdout, /token \*{6}-\*{5}/);
	assert.match(deployed.stdout, /^Merge run g\n0\n0\n\d+$/m, 'git knows the merged commit');
	assert.doesNotMatch(
		deployed.stdout,
		/unrelated|\.git\b/,
		'a clean checkout of the merged commit, with nothing else in it',
	);
	assert.match(
		fleet.must('logs', 'g', '--deploy'),
		/token \*{6}-\*{5}/,
		'what it wrote is kept, without the credential',
	);
	refused(
		['deploy', 'g', 'later', '--confirm', 'later'],
		/outside the deploy window of later \([a-z]+ 00:00-23:59\): it opens in /,
	);
	assert.equal(
		fleet.run(['deploy', 'g', 'later', '--confirm', 'later', '--outside-window']).code,
		2,
		'not without a reason',
	);
	fleet.must('deploy', 'g', 'later', '--confirm', 'later', '--outside-window', '--because', 'an outage');
	assert.match(
		fleet.must('journal', 'g'),
		/deploy\.started .*later: echo now, outside of [a-z]+ 00:00-23:59: an outage/,
	);
	assert.equal(fleet.run(['deploy', 'g', 'broken', '--confirm', 'broken']).code, 3);
	assert.equal(fleet.stage('g'), 'deploy-failed');
	assert.equal(fleet.run(['deploy', 'g', 'killed', '--confirm', 'killed']).code, 4);
	assert.equal(fleet.stage('g'), 'deploy-unknown');
	const kept = spawnSync('grep', ['-rl', 'secret-token', fleet.folder], {encoding: 'utf8'});
	assert.equal(kept.stdout, '', 'the credential is nowhere on disk');
	fleet.must('journal', 'verify');
});

test('deploy --dry-run: what it would run and which commits it would bring, and nothing is done', async t => {
	const fleet = new Fleet(t, {
		policy: 'verify: ["true"]\ndeploy:\n  shelf:\n    command: touch ../deployed\n    credentials: [TOKEN]\n',
	});
	type Plan = Record<'added' | 'removed', {count: number; newest: Array<{commit: string; subject: string}>} | null> & {
		last: {run: string; commit: string} | null;
	};
	const plan = (run: string): Plan => fleet.json('deploy', run, 'shelf', '--dry-run');
	for (const [run, subject] of [
		['first', 'Add one'],
		['second', 'Add two'],
	] as const) {
		await fleet.agent(run, `echo ${run} > ${run}.txt; git add .; git commit -qm "${subject}"`);
		if (run === 'first') {
			const early = fleet.run(['deploy', run, 'shelf', '--dry-run']);
			assert.deepEqual([early.code, /not merged/.test(early.stderr)], [3, true], early.stderr);
			assert.doesNotMatch(fleet.must('journal', run), /gate\.refused/, 'a question is no line of the journal');
		}

		fleet.must('verify', run);
		fleet.must('approve', run, '--because', 'read it');
		fleet.must('merge', run);
	}

	const before = fleet.must('journal', 'first');
	const anew = plan('first');
	assert.deepEqual([anew.last, anew.added, anew.removed], [null, null, null]);
	assert.match(fleet.must('deploy', 'first', 'shelf', '--dry-run'), /last good +none: the first deploy there/);
	assert.equal(fleet.must('journal', 'first'), before);
	assert.ok(!existsSync(path.join(fleet.project, '..', 'deployed')), 'nothing was run');
	fleet.run(['deploy', 'first', 'shelf', '--confirm', 'shelf', '--credential', 'TOKEN=-'], {input: 'a-token\n'});

	const next = plan('second');
	assert.equal(next.last?.run, 'first');
	assert.deepEqual(
		next.added?.newest.map(({subject}) => subject),
		['Merge run second', 'Add two'],
	);
	assert.deepEqual([next.added?.count, next.removed], [2, {count: 0, newest: []}]);
	assert.match(
		fleet.must('deploy', 'second', 'shelf', '--dry-run'),
		/brings +2 commits\n +[0-9a-f]{10} Merge run second/,
	);
	fleet.run(['deploy', 'second', 'shelf', '--confirm', 'shelf', '--credential', 'TOKEN=-'], {input: 'a-token\n'});
	const back = plan('first');
	assert.deepEqual([back.last?.run, back.added?.count, back.removed?.count], ['second', 0, 2]);
	const documents = readFileSync(path.resolve(import.meta.dirname, '../../docs/json.md'), 'utf8');
	for (const key of [...Object.keys(back), ...Object.keys(back.removed!)]) {
		assert.match(documents, new RegExp(`\`${key}`), `docs/json.md says nothing of ${key}`);
	}

	assert.equal(fleet.run(['deploy', 'first', 'nowhere', '--dry-run']).code, 2);
});

test('verify: what fails, conflicts, has no commands or must not be merged is refused', async t => {
	const fleet = new Fleet(t, {policy: 'verify:\n  - grep -q good a.txt\n  - touch should-not-run\n'});
	const verify = (name: string) => fleet.run(['verify', name]);
	await fleet.agent('fails', 'echo bad > a.txt');
	assert.equal(verify('fails').code, 3);
	assert.equal(fleet.stage('fails'), 'verify-failed');
	assert.equal(fleet.run(['approve', 'fails']).code, 3);
	await fleet.agent('nothing', 'true');
	assert.match(verify('nothing').stderr, /changed nothing/);
	await fleet.agent('conflict', 'echo mine > a.txt');
	writeFileSync(path.join(fleet.project, 'a.txt'), 'theirs good\n');
	fleet.git('commit', '--quiet', '--all', '--message=theirs');
	assert.match(verify('conflict').stderr, /conflicts with main in "a.txt"/);
	// The policy that counts is the target's, not the one that the run brought along.
	await fleet.agent('policy', 'printf "verify: [\\"true\\"]\\n" > .fleet/policy.yaml; echo bad > a.txt');
	assert.equal(verify('policy').code, 3);
	await fleet.agent(
		'bare',
		'git init -q --bare inner && echo x > inner/objects/x && echo x > inner/refs/x && echo good > a.txt',
	);
	assert.match(verify('bare').stderr, /repository inside the repository/);
	await fleet.agent(
		'link',
		'mkdir n && git update-index --add --cacheinfo "160000,$(git rev-parse HEAD),n" && git commit -qm n; ' +
			'echo good > a.txt',
	);
	assert.match(verify('link').stderr, /link to another repository/);
	await fleet.agent('nested', 'git init -q n && echo inside > n/file && echo good > a.txt');
	const nested = verify('nested');
	assert.equal(nested.code, 0, nested.stderr);
	assert.match(
		fleet.git('ls-tree', '-r', '--name-only', 'fleet/nested'),
		/n\/file/,
		'a nested repository is taken as plain files',
	);
	fleet.git('rm', '--quiet', '.fleet/policy.yaml');
	fleet.git('commit', '--quiet', '--message=no policy');
	await fleet.agent('none', 'echo good >> a.txt');
	const none = verify('none');
	assert.equal(none.code, 4);
	assert.match(
		none.stdout,
		/^inconclusive: the project's policy has no verify commands on main\n {2}hint: fleet project init project --verify/,
	);
	assert.equal(fleet.stage('none'), 'inconclusive');
});

test('verify runs with no network and no credentials, on the merged tree', async t => {
	const fleet = new Fleet(t, {
		policy:
			'verify:\n  - test -f theirs.txt && test -f mine.txt && git log -1 --format=%s\n' +
			'  - test "$(tail -n +3 /proc/net/dev | grep -vc lo:)" = 0 && ! env | grep -qi _proxy\n' +
			'  - \'! env -u NODE_USE_ENV_PROXY node -e "require(\\"node:net\\").connect(3128, ' +
			'\\"127.0.0.1\\").on(\\"connect\\", () => process.exit(0)).on(\\"error\\", () => process.exit(1))"\'\n' +
			'  - test -z "$FLEET_CANARY"\n',
	});
	await fleet.agent('m', 'echo x > mine.txt');
	writeFileSync(path.join(fleet.project, 'theirs.txt'), 'x');
	fleet.git('add', '.');
	fleet.git('commit', '--quiet', '--message=theirs');
	const result = fleet.run(['verify', 'm'], {env: {FLEET_CANARY: 'x'}});
	assert.equal(result.code, 0, result.stdout + result.stderr);
});

test('setup runs before the agent, in the sandbox', async t => {
	const fleet = new Fleet(t, {policy: 'setup:\n  - echo prepared > prepared.txt\nverify: ["true"]\n'});
	assert.match(await fleet.agent('s', 'cat prepared.txt'), /prepared/);
	const broken = new Fleet(t, {policy: 'setup:\n  - exit 3\n'});
	broken.must('run', '--name', 'b', '--', 'sh', '-c', 'echo the agent ran');
	await broken.until('b', 'failed');
	assert.equal(broken.json('show', 'b')['because'], 'setup: exit 3 ended with exit code 3');
	assert.doesNotMatch(broken.must('logs', 'b'), /the agent ran/);
});

test('files:PATH takes effect at the next start, and says so', async t => {
	const fleet = new Fleet(t);
	const folder = path.join(fleet.folder, 'data');
	mkdirSync(folder);
	writeFileSync(path.join(folder, 'file'), 'granted data\n', {mode: 0o644});
	fleet.start('f', `cat ${folder}/file; touch ${folder}/new; sleep 60`);
	assert.match(fleet.must('allow', 'f', `files:${folder}`, '--because', 'needs it'), /when the run is next started/);
	fleet.must('stop', 'f');
	assert.doesNotMatch(fleet.must('logs', 'f'), /granted data/);
	fleet.must('resume', 'f');
	await until(() => fleet.must('logs', 'f').includes('granted data'), 'the data is read');
	assert.ok(!existsSync(path.join(folder, 'new')), 'it is read-only');
});

test('discard never loses what nobody else has', async t => {
	const fleet = new Fleet(t);
	await fleet.agent(
		'd',
		'echo uncommitted > u.txt; git checkout -q -b side; echo s > s.txt; git add s.txt; git commit -qm side',
	);
	fleet.must('discard', 'd', '--because', 'not needed');
	const {worktree} = JSON.parse(fleet.must('show', 'd', '--json')) as {worktree: string};
	assert.ok(!existsSync(worktree));
	assert.equal(fleet.git('branch', '--list', 'fleet/d'), '');
	assert.match(fleet.git('ls-tree', '-r', '--name-only', 'refs/fleet/trash/d/head'), /u\.txt/);
	assert.match(fleet.git('for-each-ref', 'refs/fleet/trash/d'), /extra\/1/);
	assert.deepEqual(fleet.json<unknown[]>('list'), []);
	assert.equal(JSON.parse(fleet.must('list', '--all', '--json')).length, 1);
	assert.equal(fleet.run(['discard', 'd']).code, 2);
	fleet.must('restore', 'd');
	assert.equal(readFileSync(path.join(worktree, 'u.txt'), 'utf8'), 'uncommitted\n');
	fleet.must('resume', 'd');
	await fleet.until('d', 'stopped');
});

test('a discard that cannot capture everything keeps the folder; what is only closed is captured', async t => {
	const fleet = new Fleet(t);
	await fleet.agent('k', 'echo x > a.txt; truncate -s 1100M large');
	const result = fleet.run(['discard', 'k']);
	assert.equal(result.code, 3);
	assert.match(result.stderr, /is incomplete, so its folder is kept: .*"?large"? is larger than 1 GiB/);
	assert.ok(existsSync(path.join(fleet.json('show', 'k')['worktree'], 'large')));
	await fleet.agent('c', 'mkdir locked && echo x > locked/file && chmod 000 locked/file locked');
	fleet.must('discard', 'c');
	assert.equal(fleet.git('show', 'refs/fleet/trash/c/head:locked/file'), 'x');
});

test('what fleet does is refused while the run is at work', t => {
	const fleet = new Fleet(t);
	fleet.start('w', 'sleep 60');
	for (const verb of ['verify', 'approve', 'merge', 'reject', 'discard']) {
		const {code, stderr} = fleet.run([verb, 'w']);
		assert.equal(code, 3, `${verb}: ${stderr}`);
	}

	assert.equal(fleet.run(['resume', 'w']).code, 3);
	const {pid} = JSON.parse(fleet.must('journal', 'w', '--json'))[1] as {pid: number};
	assert.match(readFileSync(`/proc/${pid}/cmdline`, 'utf8'), /\bw\b/, "the run's id is in the supervisor's argv");
	fleet.must('stop', 'w');
	assert.equal(fleet.run(['stop', 'w']).code, 2);
	assert.equal(fleet.stage('w'), 'stopped');
});

test('a journal that was edited is named at its line, and nothing is decided on it', async t => {
	const fleet = new Fleet(t);
	await fleet.agent('j', 'echo x > x.txt');
	const file = path.join(fleet.env['FLEET_HOME']!, 'state', 'runs', 'j', 'journal.jsonl');
	const text = readFileSync(file, 'utf8');
	writeFileSync(file, text.replace('the agent is', 'the agent was').replace('"attempt":1', '"attempt":7'));
	const verify = fleet.run(['journal', 'verify', 'j']);
	assert.equal(verify.code, 3);
	assert.match(verify.stdout, /j broken, .*line 3/);
	assert.equal(fleet.run(['verify', 'j']).code, 3);
	// Whoever looks at it is told, too.
	assert.match(fleet.must('show', 'j'), /^JOURNAL +broken at line 3: /m);
	assert.match(fleet.must('journal', 'j'), /^broken at line 3: .*not believed$/m);
	writeFileSync(file, text.slice(0, -20));
	const torn = fleet.run(['journal', 'verify', 'j']);
	assert.equal(torn.code, 3);
	assert.match(torn.stdout, /j torn, .*cut off/);
	rmSync(file);
	assert.equal(fleet.run(['journal', 'verify', 'j']).code, 3);
});

test('no sandbox: refused with what to do, never a weaker run', t => {
	const fleet = new Fleet(t);
	// A machine without bubblewrap, as far as fleet can see: its folders are hidden in a mount namespace of our own.
	const script =
		'mount -t tmpfs none /mnt && for d in /usr/bin; do mkdir -p /mnt/upper /mnt/work; ' +
		'mount -t overlay overlay -o lowerdir=$d,upperdir=/mnt/upper,workdir=/mnt/work $d && rm -f $d/bwrap; done; ' +
		'exec "$@"';
	const run = (...argv: string[]) => {
		try {
			return {
				code: 0,
				text: execFileSync(
					'unshare',
					[
						'--mount',
						'--map-root-user',
						'--propagation',
						'private',
						'sh',
						'-c',
						script,
						'sh',
						process.execPath,
						program,
						...argv,
					],
					{cwd: fleet.project, env: {...fleet.env, CI: ''}, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']},
				),
			};
		} catch (error) {
			const {status, stdout, stderr} = error as {status: number; stdout: string; stderr: string};
			return {code: status, text: stdout + stderr};
		}
	};

	const result = run('run', '--name', 'x', '--', 'true');
	assert.equal(result.code, 2, result.text);
	assert.match(result.text, /no sandbox works here: bubblewrap is not installed\n {2}hint: fleet doctor --fix/);
	assert.deepEqual(fleet.json<unknown[]>('list'), []);
	const doctor = run('doctor');
	assert.equal(doctor.code, 3);
	assert.match(doctor.text, /FAILS {2}sandbox bubblewrap/);
});

test('a target that moves in the last moment of a merge is not overwritten', async t => {
	const fleet = new Fleet(t);
	await fleet.agent('late', 'echo two >> a.txt');
	fleet.must('verify', 'late');
	fleet.must('approve', 'late', '--because', 'read it');
	const other = fleet.git('commit-tree', '-p', 'main', '-m', "somebody else's", 'main^{tree}');
	// A git that lets somebody else's push arrive between the decision and the swap.
	const bin = path.join(fleet.folder, 'bin');
	mkdirSync(bin);
	writeFileSync(
		path.join(bin, 'git'),
		`#!/bin/sh\ncase " $* " in *" commit-tree "*) /usr/bin/git -C '${fleet.project}' update-ref refs/heads/main ` +
			`${other};; esac\nexec /usr/bin/git "$@"\n`,
		{mode: 0o755},
	);
	const result = fleet.run(['merge', 'late'], {env: {PATH: `${bin}:${fleet.env['PATH']}`}});
	assert.equal(result.code, 3, result.stdout);
	assert.match(result.stderr, /moved in the last moment; nothing was merged/);
	assert.equal(fleet.git('rev-parse', 'main'), other);
	assert.equal(fleet.stage('late'), 'approved', 'nothing crashed');
	assert.match(fleet.must('journal', 'late'), /merge\.aborted/);
	assert.match(fleet.run(['merge', 'late']).stderr, /stale: the target branch/);
	fleet.git('reset', '--quiet', '--hard');
	fleet.must('verify', 'late');
	fleet.must('approve', 'late', '--because', 'read it');
	fleet.must('merge', 'late');
	assert.match(fleet.git('log', '--format=%s'), /Merge run late[^]*somebody else's/);
});

test('where fleet keeps its things: what is odd is refused or gone round, never trusted', t => {
	const fleet = new Fleet(t, {add: false});
	const open = path.join(fleet.folder, 'open');
	mkdirSync(open, {mode: 0o755});
	assert.equal(fleet.run(['list'], {env: {FLEET_HOME: open}}).code, 0, "the folder itself may be anybody's to look at");
	assert.equal(statSync(path.join(open, 'state')).mode & 0o777, 0o700);
	chmodSync(path.join(open, 'state'), 0o777);
	assert.match(fleet.run(['list'], {env: {FLEET_HOME: open}}).stderr, /not a private folder of yours/);
	assert.equal(fleet.run(['list'], {env: {FLEET_HOME: '/proc/nowhere'}}).code, 2);
	for (const runtime of ['/nonexistent', '/usr', `${fleet.folder}/${'long/'.repeat(20)}`]) {
		fleet.run(['project', 'add']);
		const {code, stderr} = fleet.run(['run', '--', 'true'], {env: {XDG_RUNTIME_DIR: runtime}});
		assert.equal(code, 0, `${runtime}: ${stderr}`);
	}
});

for (const [title, make] of [
	[
		'sha256',
		(fleet: Fleet, folder: string) => {
			const git = (...argv: string[]) => execFileSync('git', ['-C', folder, ...argv], {env: fleet.env, stdio: 'pipe'});
			mkdirSync(folder);
			git('init', '--quiet', '--initial-branch=main', '--object-format=sha256');
			mkdirSync(path.join(folder, '.fleet'));
			writeFileSync(path.join(folder, '.fleet', 'policy.yaml'), 'verify: ["test -f n.txt"]\n');
			git('add', '.');
			git('commit', '--quiet', '--message=1');
		},
	],
	[
		'bare',
		(fleet: Fleet, folder: string) =>
			execFileSync('git', ['clone', '--quiet', '--bare', fleet.project, folder], {env: fleet.env, stdio: 'pipe'}),
	],
	[
		'shallow',
		(fleet: Fleet, folder: string) =>
			execFileSync('git', ['clone', '--quiet', '--depth=1', `file://${fleet.project}`, folder], {
				env: fleet.env,
				stdio: 'pipe',
			}),
	],
	[
		'shared with another',
		(fleet: Fleet, folder: string) =>
			execFileSync('git', ['clone', '--quiet', '--shared', fleet.project, folder], {env: fleet.env, stdio: 'pipe'}),
	],
	[
		'itself a linked worktree',
		(fleet: Fleet, folder: string) => fleet.git('worktree', 'add', '--quiet', '-b', 'side', folder),
	],
] as Array<[string, (fleet: Fleet, folder: string) => unknown]>) {
	test(`a repository that is ${title}, from a task to merged`, async t => {
		const fleet = new Fleet(t, {add: false, policy: 'verify: ["test -f n.txt"]\n'});
		fleet.git('commit', '--quiet', '--allow-empty', '--message=2');
		const folder = path.join(fleet.folder, 'kind');
		make(fleet, folder);
		fleet.must('project', 'add', folder);
		const output = await fleet.agent(
			'k',
			'echo n > n.txt; git add n.txt; git commit -qm n && git status --short && echo committed',
			'--project',
			'kind',
		);
		assert.match(output, /committed/);
		fleet.must('verify', 'k');
		fleet.must('approve', 'k', '--because', 'read it');
		fleet.must('merge', 'k');
		const target = title === 'itself a linked worktree' ? 'side' : 'main';
		assert.match(
			execFileSync('git', ['-C', folder, 'log', '-1', '--format=%s', target], {env: fleet.env, encoding: 'utf8'}),
			/Merge run k/,
		);
		assert.equal(existsSync(path.join(folder, 'n.txt')), title !== 'bare', 'the checkout follows');
	});
}
