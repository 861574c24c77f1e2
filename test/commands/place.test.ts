import assert from 'node:assert/strict';
import {execFileSync, spawnSync} from 'node:child_process';
import {chmodSync, chownSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {test} from 'node:test';
import {Fleet, program, until} from '../support/fleet.ts';

/* Where a verb is typed, by whom, and in what kind of repository. */

test('the folder decides which repository is meant, also where only one project is known', async t => {
	const fleet = new Fleet(t);
	const elsewhere = path.join(fleet.folder, 'elsewhere');
	const nested = path.join(fleet.project, 'nested');
	const linked = path.join(fleet.folder, 'linked');
	const below = path.join(fleet.project, 'below');
	for (const folder of [elsewhere, nested, below]) {
		mkdirSync(folder);
	}

	const git = (...argv: string[]) => execFileSync('git', argv, {env: fleet.env, stdio: 'pipe'});
	git('init', '--quiet', nested);
	git('-C', nested, 'commit', '--quiet', '--allow-empty', '-m', 'n');
	fleet.git('worktree', 'add', '--quiet', '-b', 'linked', linked);
	git('-c', 'protocol.file.allow=always', '-C', fleet.project, 'submodule', '--quiet', 'add', nested, 'module');
	await fleet.agent('first', 'true');
	const tree = fleet.json('show', 'first')['worktree'] as string;
	for (const [folder, because, hint] of [
		[elsewhere, /is in no git repository/, /--project project/],
		[nested, /nested, is not a project/, /fleet project add \., or --project project/],
		[path.join(fleet.project, 'module'), /module, is not a project/, /fleet project add \./],
		[linked, /linked, is not a project/, /fleet project add \., or --project project/],
		[tree, /a run's own tree/, /--project project/],
	] as const) {
		for (const argv of [
			['run', '--', 'true'],
			['project', 'init', '--verify', 'true'],
			['project', 'show'],
		]) {
			const {code, stderr} = fleet.run(argv, {cwd: folder});
			assert.equal(code, 2, `${folder}: ${stderr}`);
			assert.match(stderr, because);
			assert.match(stderr, hint);
		}

		assert.equal(
			fleet.run(['project', 'show', '--project', 'project'], {cwd: folder}).code,
			0,
			'the hint works as typed',
		);
	}

	assert.deepEqual(
		fleet.json<any[]>('list', '--all').map(run => run.id),
		['first'],
		'no run was begun anywhere',
	);
	for (const folder of [fleet.project, below, path.join(fleet.project, '.git')]) {
		assert.match(fleet.run(['project', 'show'], {cwd: folder}).stdout, new RegExp(`root +${fleet.project}\n`), folder);
	}

	assert.equal(fleet.run(['project', 'add', '.'], {cwd: linked}).code, 0);
	assert.match(fleet.run(['project', 'show'], {cwd: linked}).stdout, /linked\n/);
});

test("a project is known by its folder's name, too, where that has capitals", t => {
	const fleet = new Fleet(t, {add: false});
	const folder = path.join(fleet.folder, 'cJSON');
	execFileSync('git', ['clone', '--quiet', fleet.project, folder], {env: fleet.env, stdio: 'pipe'});
	assert.match(fleet.must('project', 'add', folder), /added cjson/);
	assert.match(fleet.run(['project', 'show', 'cJSON'], {cwd: '/'}).stdout, /^root {6}.*cJSON$/m);
	assert.equal(fleet.run(['project', 'show', 'CJSON'], {cwd: '/'}).code, 2);
});

test('a branch that is named fleet keeps no run from starting', async t => {
	const fleet = new Fleet(t);
	fleet.git('branch', 'fleet');
	assert.match(
		await fleet.agent('one', 'echo b > b; git add b; git commit -qm b; git branch --list --all'),
		/fleet-runs\/one/,
	);
	fleet.must('verify', 'one');
	assert.equal(fleet.git('log', '-1', '--format=%s', 'fleet-runs/one'), 'b');
	fleet.must('discard', 'one');
	fleet.git('branch', 'fleet-runs');
	const seen = await fleet.agent('two', 'echo c > c; git add c; git commit -qm c; git branch --list --all');
	assert.match(seen, /fleet-runs-2\/two/);
	await fleet
		.agent('three', 'git branch --list --all > all; cat all')
		.then(all =>
			assert.ok(!all.includes('/two') && all.includes('/three'), `another run's branch is not shown: ${all}`),
		);
	fleet.must('verify', 'two');
	fleet.must('approve', 'two', '--because', 'x', '--confirm', 'yes');
	fleet.must('merge', 'two');
	assert.equal(fleet.git('log', '-1', '--format=%s', 'main^2'), 'c');
});

test('an account that no list of accounts knows can do all of it', async t => {
	const fleet = new Fleet(t, {add: false});
	// One file system and one process tree, another uid.
	const as = (...argv: string[]) =>
		spawnSync(
			'/usr/bin/bwrap',
			[
				'--dev-bind',
				'/',
				'/',
				'--unshare-user',
				'--uid',
				'12345',
				'--gid',
				'12345',
				'--',
				process.execPath,
				program,
				...argv,
			],
			{cwd: fleet.project, env: fleet.env, encoding: 'utf8', timeout: 60_000},
		);
	const must = (...argv: string[]) => {
		const {status, stdout, stderr} = as(...argv);
		assert.equal(status, 0, `${argv.join(' ')}: ${stdout}${stderr}`);
		return stdout;
	};

	must('list');
	must('project', 'add');
	must('run', '--name', 'one', '--', 'sh', '-c', 'echo b > b; git add b; git commit -qm b');
	await until(() => JSON.parse(must('show', 'one', '--json')).stage === 'stopped', 'the run ends');
	assert.match(must('journal', 'one'), /uid-12345/);
	must('verify', 'one');
	must('approve', 'one', '--because', 'x', '--confirm', 'yes');
	must('merge', 'one');
	must('discard', 'one');
});

test('whatever bytes a path has, it works or is one line', async t => {
	const fleet = new Fleet(t, {add: false});
	const plain = path.join(fleet.folder, 'sp ace \'quote\' "double" $(x) ü');
	const odd: Buffer[] = [
		Buffer.from(path.join(fleet.folder, 'new\nline')),
		Buffer.from(path.join(fleet.folder, 'escape\u001B[31m')),
		Buffer.concat([Buffer.from(`${fleet.folder}/raw-`), Buffer.from([0xff, 0xfe])]),
		Buffer.from(path.join(fleet.folder, '-dash')),
	];
	for (const folder of [Buffer.from(plain), ...odd]) {
		mkdirSync(folder);
		const made = spawnSync(
			'sh',
			[
				'-c',
				'cd "$(printf "%b" "$1")" || exit 1; git init -q -b main; mkdir .fleet; ' +
					'printf "verify: [\\"true\\"]\\n" > .fleet/policy.yaml; git add -A; git commit -qm start',
				'sh',
				[...folder].map(byte => `\\0${byte.toString(8).padStart(3, '0')}`).join(''),
			],
			{env: fleet.env, encoding: 'utf8'},
		);
		assert.equal(made.status, 0, made.stderr);
		const typed = spawnSync(
			'sh',
			[
				'-c',
				'cd "$(printf "%b" "$1")" || exit 1; shift; exec "$@" project add',
				'sh',
				[...folder].map(byte => `\\0${byte.toString(8).padStart(3, '0')}`).join(''),
				process.execPath,
				program,
			],
			{env: fleet.env, encoding: 'utf8'},
		);
		const name = folder.toString('latin1');
		if (odd.slice(0, 3).includes(folder)) {
			assert.equal(typed.status, 2, `${name}: ${typed.stdout}${typed.stderr}`);
			assert.match(typed.stderr, /^fleet: .+\n {2}hint: .+\n$/, name);
		} else {
			assert.equal(typed.status, 0, `${name}: ${typed.stderr}`);
		}
	}

	const run = fleet.run(['run', '--name', 'plain', '--', 'sh', '-c', 'echo b > b; git add b; git commit -qm b'], {
		cwd: plain,
	});
	assert.equal(run.code, 0, run.stderr);
	await fleet.until('plain', 'stopped');
	await until(() => fleet.run(['verify', 'plain']).code === 0, 'it is verified');
	assert.equal(
		fleet.run(['project', 'add', '--', '-dash'], {cwd: fleet.folder}).code,
		2,
		"what stands after -- is an agent's",
	);
	assert.equal(fleet.run(['project', 'add', './-dash'], {cwd: fleet.folder}).code, 0);
	writeFileSync(path.join(fleet.folder, 'x'), '');
	for (const home of [
		`${fleet.folder}/a\nb`,
		`${fleet.folder}/a\u001Bb`,
		`${fleet.folder}/x/below`,
		'relative',
		`${fleet.folder}/${'x'.repeat(300)}`,
	]) {
		const {code, stderr} = fleet.run(['list'], {env: {FLEET_HOME: home}});
		assert.equal(code, 2, `${home}: ${stderr}`);
		assert.match(stderr, /^fleet: .+\n {2}hint: .+\n$/);
	}

	for (const home of [`${fleet.folder}/sp ace`, `${fleet.folder}/quo'te"$(x)`, `${fleet.folder}/ü/-dash`]) {
		const {code, stderr} = fleet.run(['list'], {env: {FLEET_HOME: home}});
		assert.equal(code, 0, `${home}: ${stderr}`);
	}
});

test('settings and folders that somebody else may change are refused, and the hint works as typed', t => {
	const fleet = new Fleet(t, {add: false});
	const home = path.join(fleet.folder, 'a home');
	const config = path.join(home, 'config');
	const list = (own = home) => fleet.run(['list'], {env: {FLEET_HOME: own}});
	assert.equal(list().code, 0);
	/** Refused, mended by the hint, and well. */
	const mended = (title: string) => {
		const {code, stderr} = list();
		assert.equal(code, 2, `${title}: ${stderr}`);
		const hint = /hint: (.+)\n/.exec(stderr)?.[1] ?? '';
		execFileSync('sh', ['-c', hint], {env: fleet.env});
		assert.equal(list().code, 0, `${title}: ${hint}`);
	};

	chmodSync(config, 0o777);
	mended('a config folder that all may write');
	writeFileSync(path.join(config, 'preferences.json'), '{}');
	chmodSync(path.join(config, 'preferences.json'), 0o666);
	mended('a file of it that all may write');
	symlinkSync('/etc/hostname', path.join(config, 'trusted-includes.json'));
	mended('a file of it that is a link');
	chmodSync(path.join(home, 'state'), 0o755);
	mended('a state folder that others read');
	chmodSync(home, 0o777);
	mended('FLEET_HOME that all may write');
	chmodSync(fleet.folder, 0o777);
	mended('a folder above it that all may write');
	const shared = path.join(fleet.folder, 'shared');
	mkdirSync(shared);
	chmodSync(shared, 0o777);
	symlinkSync(home, path.join(shared, 'link'));
	assert.match(list(path.join(shared, 'link')).stderr, /shared, which .+ lies in, can be changed by others/);
	symlinkSync(path.join(shared, 'link'), path.join(fleet.folder, 'round'));
	assert.match(
		list(path.join(fleet.folder, 'round')).stderr,
		/shared, which .+ lies in, can be changed by others/,
		'a link to a link',
	);
	rmSync(config, {recursive: true});
	symlinkSync(shared, config);
	assert.match(list().stderr, /is not a folder/);
	if (process.getuid?.() === 0) {
		rmSync(config);
		mkdirSync(config);
		chownSync(config, 12_345, 12_345);
		assert.match(list().stderr, /config belongs to somebody else[^]*hint: export FLEET_HOME/);
	}
});

test('a folder for sockets that somebody took before keeps no run from starting', async t => {
	const fleet = new Fleet(t, {add: false});
	fleet.env['FLEET_HOME'] = path.join(fleet.folder, 'long'.repeat(25));
	fleet.must('project', 'add');
	await fleet.agent('one', 'true');
	const note = path.join(fleet.env['FLEET_HOME'], 'state', 'sockets-are-in');
	const taken = readFileSync(note, 'utf8');
	chmodSync(taken, 0o777);
	await fleet.agent('two', 'true');
	assert.notEqual(readFileSync(note, 'utf8'), taken);
	rmSync(taken, {recursive: true});
});

test('a file where a folder would have to be is nothing that is there, and no fault', async t => {
	const fleet = new Fleet(t, {add: false});
	fleet.git('rm', '-r', '--quiet', '.fleet');
	fleet.git('commit', '--quiet', '--message=no policy');
	writeFileSync(path.join(fleet.project, '.fleet'), 'mine\n');
	const file = path.join(fleet.folder, 'file');
	writeFileSync(file, '');
	fleet.git('config', 'core.excludesFile', path.join(file, 'ignore'));
	fleet.git('config', 'core.attributesFile', path.join(file, 'attributes'));
	fleet.env['SSL_CERT_FILE'] = path.join(file, 'ca.pem');
	fleet.must('project', 'add');
	const refused = fleet.run(['project', 'init', '--verify', 'true']);
	assert.match(refused.stderr, /^fleet: \.fleet is a file here.*\n {2}hint: git mv \.fleet fleet\.old\n$/);
	assert.equal(refused.code, 2);
	assert.equal(readFileSync(path.join(fleet.project, '.fleet'), 'utf8'), 'mine\n');
	await fleet.agent('works', 'echo two > b.txt');
});
