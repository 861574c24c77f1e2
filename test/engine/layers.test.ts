import assert from 'node:assert/strict';
import {execFileSync, spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {test} from 'node:test';
import {openCgroup} from '../../source/host/cgroup.ts';
import {layerGroup} from '../../source/engine/layers/store.ts';
import {Fleet, until} from '../support/fleet.ts';
import {serveTls, world} from '../support/tls.ts';

/* What setup leaves is made once, shared by what needs the same, and nobody's to change for the others. */

/** A setup that needs no registry: a module, a tool with its place written into it, and something in HOME. */
const setup = [
	'mkdir -p vendor/.bin .venv/bin "$HOME/.cache/tool"',
	'cat package.json > vendor/made-of; date +%s%N > vendor/stamp; echo one > vendor/module',
	'printf \'#!/bin/sh\\ncat %s/vendor/module\\n\' "$PWD" > vendor/.bin/tool; chmod +x vendor/.bin/tool',
	'echo warm > "$HOME/.cache/tool/state"',
];
const policyOf = (commands: readonly string[], verify = 'vendor/.bin/tool', more = '') =>
	`setup: ${JSON.stringify(commands)}\nverify: ${JSON.stringify([verify])}\n${more}`;
const files = {'package.json': '{"version": 1}\n', '.gitignore': 'vendor\n.venv\n'};

function layersOf(fleet: Fleet): string[] {
	const folder = path.join(fleet.env['FLEET_HOME']!, 'state', 'layers');
	return existsSync(folder) ? readdirSync(folder).filter(name => !/\.lock(?:-journal)?$/.test(name)) : [];
}

type Finished = {type: string; of: string; layer: string; reused: boolean; notes: string[]};
function setups(fleet: Fleet, run: string): Finished[] {
	return fleet.json<Finished[]>('journal', run).filter(({type}) => type === 'setup.finished');
}

/** Everything that a layer holds, for comparing. */
function contentOf(fleet: Fleet, key: string): string {
	const folder = path.join(fleet.env['FLEET_HOME']!, 'state', 'layers', key);
	return execFileSync(
		'sh',
		['-c', 'find tree home -printf "%p %y %m %s %l\\n" | sort; find tree home -type f | sort | xargs sha1sum'],
		{
			cwd: folder,
			encoding: 'utf8',
		},
	);
}

/** Whether this machine lets fleet make control groups. */
const writesGroups = openCgroup(`probe-${process.pid}`, {memory: 1024 ** 3, processes: 10, weight: 50});
writesGroups?.remove();

/** Control groups of a setup, by the beginning of its key. */
function groupsOf(fleet: Fleet, key: string): string[] {
	const name = layerGroup(fleet.context().paths, key);
	const found = spawnSync('find', ['/sys/fs/cgroup', '-maxdepth', '5', '-type', 'd', '-name', name], {
		encoding: 'utf8',
	});
	return found.stdout.split('\n').filter(line => line !== '');
}

/** The process of a run's supervisor. */
function supervisorOf(run: string): number {
	const pid = readdirSync('/proc').find(name => {
		try {
			return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'utf8').startsWith(`fleet-supervisor ${run}`);
		} catch {
			// It ended meanwhile.
			return false;
		}
	});
	assert.ok(pid);
	return Number(pid);
}

test('setup is run once for all that need the same; what a run changes of it is its own, and stays its own', async t => {
	const hook = 'mkdir -p .git/hooks; echo exit 1 > .git/hooks/pre-commit; git config user.name x';
	const fleet = new Fleet(t, {policy: policyOf([...setup, hook]), files});
	const first = await fleet.agent(
		'first',
		'vendor/.bin/tool; cat "$HOME/.cache/tool/state"; echo two > vendor/module; rm -r .venv; echo cold > "$HOME/.cache/tool/state"; ' +
			'vendor/.bin/tool; git status --short; echo work > b.txt',
	);
	assert.match(first, /one\r?\nwarm\r?\ntwo\r?\n(?!\?\?)/);
	assert.ok(!existsSync(path.join(fleet.project, '.git', 'hooks', 'pre-commit')), "hooks of packages are nobody's");
	const [key] = layersOf(fleet);
	assert.equal(layersOf(fleet).length, 1);
	const content = contentOf(fleet, key!);

	const second = await fleet.agent(
		'second',
		'vendor/.bin/tool; cat "$HOME/.cache/tool/state"; ls -d .venv; echo > c.txt',
	);
	assert.match(second, /^one\r?\nwarm\r?\n\.venv\r?\n/);
	assert.deepEqual(
		setups(fleet, 'first').map(({reused, of}) => [of, reused]),
		[['run', false]],
	);
	assert.deepEqual(
		setups(fleet, 'second').map(({reused, of, layer}) => [of, reused, layer]),
		[['run', true, key]],
	);

	fleet.must('resume', 'first');
	await fleet.until('first', 'stopped');
	assert.match(fleet.must('logs', 'first'), /two\r?\ncold\r?\n/, 'what it changed is there at its next attempt');
	assert.match(fleet.must('verify', 'second'), /^one$/m);
	assert.match(
		fleet.must('verify', 'first'),
		/^one$/m,
		'a verification has what setup left, not what the run made of it',
	);
	assert.deepEqual(fleet.json('show', 'first')['captured'].files, 1, 'nothing of it counts as the work of the run');
	assert.equal(contentOf(fleet, key!), content);
	assert.equal(layersOf(fleet).length, 1);
	assert.equal(fleet.git('status', '--porcelain'), '', 'nothing of it is in the checkout of the person');
});

test('two that need the same at once make it once', async t => {
	const fleet = new Fleet(t, {policy: policyOf(['sleep 2', ...setup]), files});
	const [one, other] = [
		fleet.spawn(['run', '--name', 'one', '--', 'sh', '-c', 'cat vendor/stamp']),
		fleet.spawn(['run', '--name', 'other', '--', 'sh', '-c', 'cat vendor/stamp']),
	];
	await Promise.all([one, other].map(child => new Promise(resolve => child.once('exit', resolve))));
	await fleet.until('one', 'stopped');
	await fleet.until('other', 'stopped');
	const stamps = ['one', 'other'].map(name => /^\d{15,}/m.exec(fleet.must('logs', name))?.[0]);
	assert.ok(stamps[0]);
	assert.equal(stamps[0], stamps[1]);
	assert.equal([...setups(fleet, 'one'), ...setups(fleet, 'other')].filter(({reused}) => reused).length, 1);
});

test('a setup that fails, is stopped or dies in the middle leaves nothing, and is made anew', async t => {
	const fleet = new Fleet(t, {
		policy: policyOf([
			'echo begun; mkdir -p vendor; echo half > vendor/half; test ! -e slow || sleep 60; test ! -e bad',
			...setup,
		]),
		files: {...files, bad: '', slow: ''},
	});
	fleet.start('dies', 'true');
	await until(() => fleet.run(['logs', 'dies']).stdout.includes('begun'), 'setup begins');
	assert.equal(fleet.stage('dies'), 'starting');
	assert.match(fleet.json('show', 'dies')['because'], /^setup: echo begun/);
	const refused = fleet.run(['pause', 'dies']);
	assert.equal(refused.code, 2);
	fleet.must('stop', 'dies');
	await fleet.until('dies', 'stopped');
	assert.deepEqual(layersOf(fleet), []);

	fleet.must('resume', 'dies');
	await until(() => layersOf(fleet).length === 1, 'setup begins again');
	await until(() => (fleet.run(['logs', 'dies']).stdout.match(/^begun/gm) ?? []).length > 1, 'its command runs');
	process.kill(supervisorOf('dies'), 'SIGKILL');
	await fleet.until('dies', 'crashed');
	const [killed] = layersOf(fleet);
	assert.match(killed!, /\.new$/, 'what it had made is there, and no layer');
	assert.ok(groupsOf(fleet, killed!.slice(0, 12)).length > 0 || !writesGroups, 'it had a control group');

	fleet.git('rm', '--quiet', 'slow');
	fleet.git('commit', '--quiet', '--message=faster');
	fleet.start('fails', 'echo the agent ran');
	await fleet.until('fails', 'failed');
	assert.match(fleet.json('show', 'fails')['because'], /^setup: echo begun; .* ended with exit code 1$/);
	assert.deepEqual(layersOf(fleet), [], 'what the killed one left went, too');
	assert.deepEqual(groupsOf(fleet, killed!.slice(0, 12)), [], 'its control group, too');

	fleet.git('rm', '--quiet', 'bad');
	fleet.git('commit', '--quiet', '--message=good');
	assert.match(await fleet.agent('works', 'vendor/.bin/tool; cat vendor/half'), /one\r?\nhalf/);
});

test('where a run changes what setup depends on, its verification has a layer of its own, that nobody else ever gets', async t => {
	const fleet = new Fleet(t, {
		// What a lock file does not tell: a script of the project that setup runs by another one.
		policy: policyOf([...setup, 'sh ./outer.sh'], 'cat vendor/made-of vendor/hook'),
		files: {...files, 'outer.sh': 'sh ./inner.sh\n', 'inner.sh': 'echo harmless > vendor/hook\n'},
	});
	await fleet.agent('evil', 'echo \'{"version": 2}\' > package.json; echo "echo planted > vendor/hook" > inner.sh');
	assert.match(fleet.must('verify', 'evil'), /"version": 2[^]*planted/);
	// The same lock file, without the script: as a person would take it over by hand.
	await fleet.agent('honest', 'echo \'{"version": 2}\' > package.json');
	assert.match(fleet.must('verify', 'honest'), /"version": 2[^]*harmless/);
	writeFileSync(path.join(fleet.project, 'package.json'), '{"version": 2}\n');
	fleet.git('commit', '--quiet', '--all', '--message=the new version');
	assert.match(await fleet.agent('after', 'cat vendor/made-of vendor/hook'), /"version": 2[^]*harmless/);
	// What setup does not depend on changes no key, and then the script of the run has no hand in it either.
	await fleet.agent('late', 'echo "echo planted > vendor/hook" > inner.sh');
	assert.match(fleet.must('verify', 'late'), /"version": 2[^]*harmless/);
});

test('a run that changed what setup depends on sets up again at its next attempt, over what it had', async t => {
	const fleet = new Fleet(t, {
		policy: policyOf(['cat package.json > vendor.txt', ...setup], 'true'),
		files: {...files, '.gitignore': 'vendor\n.venv\ndeps.txt\n'},
	});
	await fleet.agent('again', 'cat vendor.txt; echo \'{"version": 3}\' > package.json');
	fleet.must('verify', 'again');
	fleet.must('resume', 'again');
	await fleet.until('again', 'stopped');
	assert.match(fleet.must('logs', 'again'), /"version": 3/);
});

test('what setup changes that git keeps is left out; what git does not ignore counts as the work of the run; both are said', async t => {
	const fleet = new Fleet(t, {
		policy: policyOf(['echo changed > a.txt; echo new > stray.txt; mkdir vendor; echo x > vendor/x'], 'true'),
		files,
	});
	await fleet.agent(
		'notes',
		'cat a.txt stray.txt; git add --force vendor/x; git commit -qm "with a file of setup"; echo > b.txt',
	);
	assert.match(fleet.must('logs', 'notes'), /one\r?\nnew/);
	const notes: string[] = setups(fleet, 'notes')[0]!.notes;
	assert.match(notes.join('\n'), /setup changed what git keeps, and that is left out: a\.txt/);
	assert.match(notes.join('\n'), /setup left what git does not ignore.*: stray\.txt/);
	assert.match(fleet.must('show', 'notes'), /note +setup left what git does not ignore/);
	fleet.must('verify', 'notes');
	assert.equal(fleet.git('show', 'fleet/notes:vendor/x'), 'x', 'a file of setup that the run committed is in its work');
	assert.equal(fleet.git('show', 'fleet/notes:stray.txt'), 'new');
});

test('where the policy says so, setup runs in each run, as it may start something', async t => {
	const fleet = new Fleet(t, {
		policy:
			'setup:\n  commands:\n    - mkdir vendor; date +%s%N > vendor/stamp; (sleep 300 &)\n  reuse: false\nverify: ["true"]\n',
		files,
	});
	const stamp = async (name: string) => /\d{15,}/.exec(await fleet.agent(name, 'cat vendor/stamp'))?.[0];
	assert.notEqual(await stamp('one'), await stamp('two'));
	assert.deepEqual(layersOf(fleet), []);
});

test('a setup has no secret, no file of the person, and the network of the policy and the grants of its run', async t => {
	const fleet = new Fleet(t, {
		policy: policyOf(
			[
				'env | grep -i canary; cat ../../../../canary; curl --silent --max-time 5 http://granted.example.invalid/; curl --silent --max-time 5 http://other.example.invalid/; mkdir vendor; echo > vendor/x',
			],
			'true',
		),
		files,
	});
	writeFileSync(path.join(fleet.folder, 'canary'), 'canary-value');
	fleet.env['FLEET_CANARY'] = 'canary-value';
	await fleet.agent('walls', 'true', '--allow', 'network:granted.example.invalid', '--because', 'it is needed');
	assert.doesNotMatch(fleet.must('logs', 'walls'), /canary-value/);
	const denied = fleet.json<{denied: Array<{target: string; because: string}>}>('show', 'walls').denied;
	assert.ok(denied.some(({target}) => target === 'other.example.invalid:80'));
	assert.ok(
		!denied.some(({target, because}) => target === 'granted.example.invalid:80' && /not granted/.test(because)),
	);
});

test('where this machine lays no folder over another, the layer is copied', async t => {
	const fleet = new Fleet(t, {policy: policyOf(setup), files});
	await fleet.agent('maker', 'true');
	const [key] = layersOf(fleet);
	const described = path.join(fleet.env['FLEET_HOME']!, 'state', 'layers', key!, 'layer.json');
	writeFileSync(described, readFileSync(described, 'utf8').replace('"overlay": true', '"overlay": false'));
	const content = contentOf(fleet, key!);
	const output = await fleet.agent(
		'copies',
		'vendor/.bin/tool; cat "$HOME/.cache/tool/state"; echo two > vendor/module; vendor/.bin/tool; echo > b',
	);
	assert.match(output, /^one\r?\nwarm\r?\ntwo/);
	fleet.must('resume', 'copies');
	await fleet.until('copies', 'stopped');
	assert.match(fleet.must('logs', 'copies'), /^two\r?\nwarm\r?\ntwo/m, 'its files are not copied over what it changed');
	assert.match(fleet.must('verify', 'copies'), /^one$/m);
	assert.equal(contentOf(fleet, key!), content);
});

test('a layer that a crash of the machine may have left half written is not believed', async t => {
	const fleet = new Fleet(t, {policy: policyOf(setup), files});
	await fleet.agent('before', 'true');
	const [key] = layersOf(fleet);
	const folder = path.join(fleet.env['FLEET_HOME']!, 'state', 'layers', key!);
	await until(() => existsSync(path.join(folder, 'durable')), 'the disk has it');
	const described = path.join(folder, 'layer.json');
	writeFileSync(described, readFileSync(described, 'utf8').replace(/"boot": "[^"]*"/, '"boot": "another"'));
	await fleet.agent('believes', 'true');
	assert.equal(setups(fleet, 'believes')[0]!.reused, true);
	rmSync(path.join(folder, 'durable'));
	await fleet.agent('doubts', 'true');
	assert.equal(setups(fleet, 'doubts')[0]!.reused, false);
	mkdirSync(path.join(folder, 'tree'), {recursive: true});
});

test('a private registry is read with a pointer: by setup alone, and by no run', async t => {
	const token = 'npm_Qw7Zr2Tx9Lm4Kp8Vn3Bc6Hd5';
	const asked: string[] = [];
	const port = await serveTls(t, (request, response) => {
		asked.push(
			`${request.method} ${request.headers.authorization === `Bearer ${token}` ? 'with the token' : 'without'}`,
		);
		response.end(`package for ${request.headers.authorization}\n`);
	});
	const ca = path.join(os.tmpdir(), `fleet-world-${process.pid}.pem`);
	writeFileSync(ca, world.certificate);
	t.after(() => rmSync(ca, {force: true}));
	const url = `https://host.fleet.internal:${port}`;
	const fetched = `curl --silent --show-error -H "Authorization: Bearer $NPM_TOKEN" ${url}`;
	const fleet = new Fleet(t, {
		files,
		policy:
			`setup:\n  commands:\n    - 'mkdir vendor; ${fetched}/pkg > vendor/pkg; env > vendor/env'\n` +
			`    - '${fetched}/pkg -X PUT -d published > vendor/put; cat vendor/put; cp /run/fleet/pointers/npm vendor/pointer'\n` +
			'  secrets: [npm]\nverify: ["cat vendor/pkg"]\n',
	});
	fleet.env['NODE_EXTRA_CA_CERTS'] = ca;
	fleet.env['OUTSIDE'] = token;
	const refused = fleet.run(['run', '--name', 'none', '--', 'true']);
	assert.match(
		refused.stderr,
		/setup reads with the secret "npm", and this project has none\n {2}hint: fleet secret add npm --project --class setup/,
	);
	fleet.must(
		'secret',
		'add',
		'npm',
		'--project',
		'--class',
		'setup',
		'--host',
		`host.fleet.internal:${port}`,
		'--env',
		'NPM_TOKEN',
		'--from',
		'env:OUTSIDE',
	);
	const output = await fleet.agent(
		'reads',
		`cat vendor/pkg; env | grep -c NPM_TOKEN; ls /run/fleet/pointers; ${fetched}/pkg`,
	);
	assert.deepEqual(asked, ['GET with the token'], 'what it reads with publishes nothing');
	assert.match(output, /package for Bearer \*+/, 'what comes back is blanked');
	assert.doesNotMatch(output, new RegExp(token));
	assert.match(output, /^0\r?$/m, 'the run has no pointer of it');
	const [key] = layersOf(fleet);
	const folder = path.join(fleet.env['FLEET_HOME']!, 'state', 'layers', key!, 'tree', 'vendor');
	assert.ok(!readFileSync(path.join(folder, 'env'), 'utf8').includes(token));
	const allowed = fleet.run(['allow', 'reads', 'secret:npm', '--because', 'x']);
	assert.match(allowed.stderr, /for the project's setup, and no run is given it/);
	fleet.must('run', '--name', 'again', '--', 'sh', '-c', 'echo > b');
	await fleet.until('again', 'stopped');
	delete fleet.env['OUTSIDE'];
	assert.match(fleet.must('verify', 'again'), /package for/, 'what is there needs no secret');
	assert.equal(asked.length, 1);

	// Over what an agent wrote, setup has it only where a person says so.
	fleet.env['OUTSIDE'] = token;
	await fleet.agent('changes', 'echo \'{"version": 9}\' > package.json');
	const verified = fleet.run(['verify', 'changes']);
	assert.equal(verified.code, 4);
	assert.match(verified.stdout, /what it would run here is the agent's.*--setup-secrets/);
	assert.equal(asked.length, 1);
	// The server is in this process, which has to go on meanwhile.
	const child = fleet.spawn(['verify', 'changes', '--setup-secrets']);
	assert.equal(await new Promise(resolve => child.once('exit', resolve)), 0);
	assert.deepEqual(asked.slice(1), ['GET with the token']);
	const based = fleet.run(['run', '--name', 'based', '--base', 'fleet/changes', '--', 'true']);
	assert.match(based.stderr, /is none that a person took in/);
});

test('what setup leaves is copied through no link of the tree that it is copied into', async t => {
	const setup = ['mkdir -p vendor d; sh ./setup.sh'];
	const fleet = new Fleet(t, {
		policy: policyOf(setup, 'ls -l d; cat vendor/x d/y; test -h d/x'),
		files: {'setup.sh': 'echo x > vendor/x', '.gitignore': 'vendor\n'},
	});
	const victim = path.join(fleet.folder, 'victim');
	writeFileSync(victim, 'untouched');
	// Its own setup puts files in the place of its links, closes their folder, and tries to have all copied.
	const own = [
		'mkdir -p made/x; echo x > vendor/x; rm -f d/x d/z',
		'echo planted > d/x; mkdir d/z; echo planted > d/z/victim; echo y > d/y; chmod 555 d',
	].join('\n');
	await fleet.agent(
		'links',
		`mkdir d; ln -s ${victim} d/x; ln -s ${fleet.folder} d/z; printf '%s' '${own}' > setup.sh; git add -A; git commit -qm x`,
	);
	assert.match(fleet.must('verify', 'links'), /^x\ny$/m);
	assert.equal(readFileSync(victim, 'utf8'), 'untouched');
	for (const key of layersOf(fleet)) {
		const folder = path.join(fleet.env['FLEET_HOME']!, 'state', 'layers', key);
		assert.ok(!existsSync(path.join(folder, 'tree', 'd', 'x')), 'what git keeps is in no layer');
		const described = readFileSync(path.join(folder, 'layer.json'), 'utf8');
		assert.match(described, /"overlay": true/, 'nothing in a layer keeps it from being laid under');
		writeFileSync(path.join(folder, 'layer.json'), described.replace('"overlay": true', '"overlay": false'));
		if (existsSync(path.join(folder, 'tree', 'd'))) {
			// As a layer of another tree would have it.
			writeFileSync(path.join(folder, 'tree', 'd', 'x'), 'planted');
			mkdirSync(path.join(folder, 'tree', 'd', 'z'));
			writeFileSync(path.join(folder, 'tree', 'd', 'z', 'victim'), 'planted');
		}
	}

	assert.match(fleet.must('verify', 'links'), /^x\ny$/m);
	assert.equal(readFileSync(victim, 'utf8'), 'untouched');
});

test('downloads that are kept, and its git folder, count to what a setup may write', async t => {
	const fill =
		'for i in 1 2 3 4; do head -c 20m /dev/zero > "$HOME/.npm/_cacache/$i"; cp "$HOME/.npm/_cacache/$i" .git; done';
	const fleet = new Fleet(t, {policy: policyOf([`${fill}; sleep 45`], 'true', 'limits: {disk: 100MiB}\n'), files});
	fleet.start('fills', 'true');
	await fleet.until('fills', 'failed');
	assert.match(fleet.json('show', 'fills')['because'], /was ended: its folders and its output grew by/);
});

test('a layer has no file of a submodule, and is made anew for another commit of it', async t => {
	const fleet = new Fleet(t, {
		policy: policyOf(['mkdir sub/vendor; echo one > sub/vendor/module'], 'ls sub; cat sub/vendor/module'),
		files: {...files, 'package.json': '{}'},
	});
	const sub = path.join(fleet.folder, 'sub');
	const git = (cwd: string, ...argv: string[]) =>
		execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', '-c', 'protocol.file.allow=always', ...argv], {
			cwd,
			encoding: 'utf8',
			stdio: ['ignore', 'pipe', 'ignore'],
		}).trim();
	git(fleet.folder, 'init', '--quiet', 'sub');
	writeFileSync(path.join(sub, 'kept'), '');
	writeFileSync(path.join(sub, 'gone'), '');
	git(sub, 'add', '.');
	git(sub, 'commit', '--quiet', '--message=one');
	git(sub, 'rm', '--quiet', 'gone');
	git(sub, 'commit', '--quiet', '--message=two');
	git(fleet.project, 'submodule', 'add', '--quiet', sub, 'sub');
	git(path.join(fleet.project, 'sub'), 'checkout', '--quiet', 'HEAD~1');
	fleet.git('add', '--all');
	fleet.git('commit', '--quiet', '--message=a submodule');
	const output = await fleet.agent(
		'moves',
		`ls -x sub; git update-index --cacheinfo 160000,${git(sub, 'rev-parse', 'HEAD')},sub; git commit -qm x`,
	);
	assert.match(output, /^gone +kept +vendor\r?$/m);
	for (const key of layersOf(fleet)) {
		assert.deepEqual(readdirSync(path.join(fleet.env['FLEET_HOME']!, 'state', 'layers', key, 'tree', 'sub')), [
			'vendor',
		]);
	}

	assert.match(fleet.must('verify', 'moves'), /^kept\nvendor\none$/m);
	assert.equal(layersOf(fleet).length, 2, 'what is in a submodule may be an input of setup');
});

test('what setup made of the sources of the project is made again where a run changed them', async t => {
	const built = ['mkdir -p dist; cat src.* > dist/out.js'];
	const fleet = new Fleet(t, {
		policy: policyOf(built, 'grep good dist/out.js'),
		files: {'src.js': 'good\n', '.gitignore': 'dist\n'},
	});
	await fleet.agent('evil', 'echo evil > src.js');
	assert.equal(fleet.run(['verify', 'evil']).code, 3, 'what is tested is what would be merged');
	await fleet.agent('fine', 'echo very good > src.js');
	assert.match(fleet.must('verify', 'fine'), /setup makes dist\/out\.js of the project's own files[^]*very good/);
	await fleet.agent('first', 'cat dist/out.js');
	assert.match(fleet.must('logs', 'first'), /^good/m);
});

test('a package that pip built of the project is one of these, and one that it links to is not', async t => {
	const info = (editable: string) =>
		`mkdir -p .venv/lib/x-1.dist-info; echo '{"url": "file:///run/fleet/project"${editable}}' > .venv/lib/x-1.dist-info/direct_url.json`;
	const builds = async (policy: string) => {
		const fleet = new Fleet(t, {policy, files});
		await fleet.agent('one', 'true');
		const [key] = layersOf(fleet);
		return JSON.parse(readFileSync(path.join(fleet.env['FLEET_HOME']!, 'state', 'layers', key!, 'layer.json'), 'utf8'))
			.builds;
	};
	assert.match((await builds(policyOf([info('')], 'true'))).join(), /direct_url\.json/);
	assert.deepEqual(await builds(policyOf([info(', "dir_info": {"editable": true}')], 'true')), []);
});
