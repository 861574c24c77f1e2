// Makes a Debian package of what `npm pack` packs, and of the two native modules that it loads: npm run deb -- FOLDER
import {execFileSync} from 'node:child_process';
import {
	chmodSync,
	copyFileSync,
	cpSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {fileURLToPath} from 'node:url';
import {gzipSync} from 'node:zlib';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const {name, version, description} = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const architecture = {x64: 'amd64', arm64: 'arm64'}[process.arch];
/** Where the package lies: `fleet uninstall` knows it by that. */
const home = `usr/lib/${name}`;
/** What dist/ asks for by name and cannot have in it. */
const native = ['@lydell/node-pty', `@lydell/node-pty-linux-${process.arch}`, 'keytar'];

const destination = path.resolve(process.env.INIT_CWD ?? process.cwd(), process.argv[2] ?? '.');
const work = mkdtempSync(path.join(os.tmpdir(), 'fleet-deb-'));
const tree = path.join(work, 'tree');
const place = file => {
	const whole = path.join(tree, file);
	mkdirSync(path.dirname(whole), {recursive: true, mode: 0o755});
	return whole;
};

try {
	mkdirSync(destination, {recursive: true});
	// It was built already: by `npm run deb`, or by who calls this.
	const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', work], {
		cwd: root,
		encoding: 'utf8',
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	execFileSync('tar', ['-xzf', path.join(work, JSON.parse(packed)[0].filename), '-C', work]);
	cpSync(path.join(work, 'package'), place(home), {recursive: true});
	for (const module of native) {
		const from = path.join(root, 'node_modules', module);
		if (existsSync(from)) {
			cpSync(from, place(`${home}/node_modules/${module}`), {
				recursive: true,
				dereference: true,
				// Of what was compiled, what this machine can load.
				filter: source => !/\/prebuilds\/.+/.test(source) || source.includes(`/prebuilds/linux-${process.arch}`),
			});
		}
	}

	const dist = path.join(tree, home, 'dist');
	symlinkSync(`../lib/${name}/dist/fleet`, place('usr/bin/fleet'));
	writeFileSync(place('usr/share/man/man1/fleet.1.gz'), gzipSync(readFileSync(path.join(dist, 'fleet.1')), {level: 9}));
	copyFileSync(path.join(dist, 'fleet.bash'), place('usr/share/bash-completion/completions/fleet'));
	copyFileSync(path.join(dist, '_fleet'), place('usr/share/zsh/vendor-completions/_fleet'));
	copyFileSync(path.join(dist, 'fleet.fish'), place('usr/share/fish/vendor_completions.d/fleet.fish'));
	copyFileSync(path.join(root, 'license'), place(`usr/share/doc/${name}/copyright`));
	const size = execFileSync('du', ['-sk', tree], {encoding: 'utf8'}).split('\t')[0];
	// Node is recommended only: a distribution's own may be too old, and one of another origin is as good.
	writeFileSync(
		place('DEBIAN/control'),
		`Package: ${name}
Version: ${version}
Architecture: ${architecture}
Maintainer: the maintainers of ${name} <maintainers@example.invalid>
Installed-Size: ${size}
Depends: bubblewrap (>= 0.8), git (>= 1:2.38), util-linux, libc6, libstdc++6
Recommends: nodejs (>= 22.22), perl-base, libsecret-1-0
Section: devel
Priority: optional
Description: ${description}
`,
	);
	execFileSync('chmod', ['-R', 'u+rwX,go+rX,go-w', tree]);
	chmodSync(path.join(dist, 'fleet'), 0o755);
	const file = path.join(destination, `${name}_${version}_${architecture}.deb`);
	execFileSync('dpkg-deb', ['--build', '--root-owner-group', '-Zxz', '-z1', tree, file], {
		stdio: ['ignore', 'ignore', 'inherit'],
	});
	process.stdout.write(`${file}\n`);
} finally {
	rmSync(work, {recursive: true, force: true});
}
