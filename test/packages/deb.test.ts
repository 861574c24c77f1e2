import assert from 'node:assert/strict';
import {execFileSync, spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {test} from 'node:test';
import {Fleet, root} from '../support/fleet.ts';

/*
 * The Debian package: built, looked at, and installed with the real dpkg on this machine's own system, over which a
 * layer in memory lies that only the test sees.
 */

const isDebian = existsSync('/usr/bin/dpkg-deb');

function build(folder: string): string {
	return execFileSync(process.execPath, [path.join(root, 'scripts', 'deb.mjs'), folder], {
		cwd: root,
		encoding: 'utf8',
		stdio: ['ignore', 'pipe', 'pipe'],
	}).trim();
}

test('the .deb depends on bubblewrap, and holds what the npm package does', {skip: !isDebian}, t => {
	const fleet = new Fleet(t, {add: false});
	const file = build(fleet.folder);
	const field = (name: string) => execFileSync('dpkg-deb', ['--field', file, name], {encoding: 'utf8'}).trim();
	assert.match(field('Depends'), /^bubblewrap \(>= 0\.8\), git \(>= 1:2\.38\)/);
	const listed = execFileSync('dpkg-deb', ['--contents', file], {encoding: 'utf8'}).trim().split('\n');
	assert.deepEqual(
		listed.filter(line => !/^(?:[-d]rw[x-]r-[x-]r-[x-]|lrwxrwxrwx) root\/root /.test(line)),
		[],
		"all of it is root's, and nobody else may write it",
	);
	const home = './usr/lib/command-fleet/';
	const own = listed
		.map(line => line.split(/\s+/)[5]!)
		.filter(name => name.startsWith(home) && !name.endsWith('/'))
		.map(name => name.slice(home.length));
	const [{files}] = JSON.parse(
		execFileSync('npm', ['pack', '--dry-run', '--ignore-scripts', '--json'], {
			cwd: root,
			encoding: 'utf8',
			stdio: ['ignore', 'pipe', 'ignore'],
		}),
	) as [{files: Array<{path: string}>}];
	assert.deepEqual(own.filter(name => !name.startsWith('node_modules/')).sort(), files.map(file => file.path).sort());
	const natives = own.filter(name => name.endsWith('.node')).map(name => name.split('/')[1]);
	assert.deepEqual(new Set(natives), new Set(['@lydell', 'keytar']));
});

test(
	'the .deb installs with dpkg, works, and goes again without a trace',
	{skip: !isDebian || process.getuid?.() !== 0 ? 'needs dpkg and root' : false},
	t => {
		const fleet = new Fleet(t, {add: false});
		const file = build(fleet.folder);
		const memory = path.join(fleet.folder, 'memory');
		mkdirSync(memory);
		// No trigger of the machine's is run: it is the files and the dependencies that are looked at.
		writeFileSync(
			path.join(fleet.folder, 'try.sh'),
			`set -eu
mount -t tmpfs none ${memory}
for place in usr var/lib/dpkg; do
	mkdir -p ${memory}/$place/upper ${memory}/$place/work
	mount -t overlay overlay -o lowerdir=/$place,upperdir=${memory}/$place/upper,workdir=${memory}/$place/work /$place
done
dpkg --no-triggers -i ${file} >/dev/null
cd ${fleet.project}
fleet --version
fleet project add
fleet run --name one -- sh -c 'test -t 0 && echo on a terminal'
for _ in $(seq 100); do fleet show one --json | grep -q '"stage": "stopped"' && break; sleep 0.1; done
fleet logs one
zcat /usr/share/man/man1/fleet.1.gz | head -1
bash -n /usr/share/bash-completion/completions/fleet
node -e 'require("/usr/lib/command-fleet/node_modules/keytar/package.json")'
fleet uninstall --discard --yes
dpkg --no-triggers -r command-fleet >/dev/null
test ! -e /usr/lib/command-fleet && test ! -e /usr/bin/fleet && echo gone
`,
		);
		const {status, stdout, stderr} = spawnSync(
			'/usr/bin/unshare',
			['--mount', '/bin/sh', path.join(fleet.folder, 'try.sh')],
			{env: {...fleet.env, PATH: `${fleet.env['PATH']}:/usr/sbin:/sbin`}, encoding: 'utf8', timeout: 120_000},
		);
		assert.equal(status, 0, stdout + stderr);
		assert.match(stdout, /^\d+\.\d+\.\d+\nadded project/);
		assert.match(stdout, /on a terminal/);
		assert.match(stdout, /^\.TH FLEET 1/m);
		assert.match(stdout, /the program itself: sudo apt-get remove command-fleet\ngone\n$/);
		assert.ok(!existsSync('/usr/lib/command-fleet'), 'this machine is as it was');
	},
);
