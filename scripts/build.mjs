import {execFileSync} from 'node:child_process';
import {
	chmodSync,
	copyFileSync,
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	utimesSync,
	writeFileSync,
} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {fileURLToPath} from 'node:url';
import {build} from 'esbuild';
import {buildScreen} from './build-screen.mjs';
import {standIns} from './stand-ins.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
process.chdir(root);
const began = new Date();
// Beside what is in use: a verb that is typed meanwhile, a screen that is open and runs that live find all of theirs.
const outdir = `dist.next-${process.pid}`;
for (const name of readdirSync('.')) {
	if (/^dist\.next-\d+$/.test(name) && !existsSync(`/proc/${name.slice('dist.next-'.length)}`)) {
		rmSync(name, {recursive: true, force: true});
	}
}

const common = {
	bundle: true,
	platform: 'node',
	format: 'esm',
	target: 'esnext',
	jsx: 'automatic',
	logLevel: 'error',
	legalComments: 'none',
	plugins: [standIns],
	// yoga carries its WebAssembly as a data: address and would fetch it, which loads Node's whole HTTP client; without
	// fetch it decodes it itself.
	define: {fetch: 'undefined', 'process.env.NODE_ENV': '"production"', 'process.env.DEV': '"false"'},
	// Bundled CommonJS packages still ask for require and for __dirname.
	banner: {
		js: 'import {createRequire as __createRequire} from "node:module"; const require = __createRequire(import.meta.url);',
	},
	// Native addons cannot be bundled; react-devtools-core is a development aid of Ink's that is not installed.
	external: ['@lydell/node-pty', 'keytar', 'react-devtools-core'],
};

await build({
	...common,
	entryPoints: {main: 'source/programs/main.ts', 'supervisor-main': 'source/programs/supervisor-main.ts'},
	outdir,
	splitting: true,
	chunkNames: 'chunk-[hash]',
});
await buildScreen(common, outdir);
// The bin checks the version in syntax that an old Node can parse,
// so it is not bundled; the probe runs inside the sandbox, alone.
await build({entryPoints: ['source/programs/fleet.cjs'], outdir, outExtension: {'.js': '.cjs'}, logLevel: 'error'});
// What is loaded before everything else: each by itself, so that no chunk brings other modules along.
await build({
	...common,
	banner: {},
	format: 'cjs',
	entryPoints: {inherited: 'source/host/inherited.ts'},
	outdir,
	outExtension: {'.js': '.cjs'},
});
await build({
	entryPoints: {supervisor: 'source/programs/supervisor.js'},
	format: 'esm',
	outdir,
	logLevel: 'error',
});
await build({...common, banner: {}, entryPoints: {probe: 'source/probe/main.ts'}, outdir});
copyFileSync('source/programs/fleet.sh', `${outdir}/fleet`);
copyFileSync('source/programs/panic.sh', `${outdir}/panic.sh`);
chmodSync(`${outdir}/fleet`, 0o755);
chmodSync(`${outdir}/fleet.cjs`, 0o755);
for (const [what, name] of [
	['man', 'fleet.1'],
	['bash', 'fleet.bash'],
	['zsh', '_fleet'],
	['fish', 'fleet.fish'],
]) {
	writeFileSync(`${outdir}/${name}`, said(what));
}

// What changed since this build began is newer than it.
utimesSync(`${outdir}/fleet.cjs`, began, began);
putInPlace();

/** What the verbs' records make: the manual page, and the completion of a shell. */
function said(what) {
	// An older Node can build, and not run, what is built; npm start has noted another one for that.
	const noted = path.join(root, 'scripts', 'node', 'path');
	const [major, minor] = process.versions.node.split('.').map(Number);
	const isOld = major < 22 || (major === 22 && minor < 22);
	const node = isOld && existsSync(noted) ? readFileSync(noted, 'utf8').trim() : process.execPath;
	return execFileSync(node, [path.join(root, outdir, 'fleet.cjs'), 'completion', what], {
		env: {...process.env, NODE_DISABLE_COMPILE_CACHE: '1'},
		stdio: ['ignore', 'pipe', 'inherit'],
	});
}

/**
 * Moves the build to dist/, a file at a time, each in one step. A file with its content's hash in its name is never
 * another one, so those come first; what asks for them comes after, and what is started last.
 */
function putInPlace() {
	mkdirSync('dist', {recursive: true});
	const names = readdirSync(outdir);
	const rank = name => (/^(?:chunk|screen)-[\w-]+\.js$/.test(name) ? 0 : 1) + (name.startsWith('fleet') ? 1 : 0);
	for (const name of names.sort((a, b) => rank(a) - rank(b))) {
		renameSync(`${outdir}/${name}`, `dist/${name}`);
	}

	rmSync(outdir, {recursive: true, force: true});
	const old = readdirSync('dist').filter(name => !names.includes(name) && name !== '.npmignore');
	if (old.length > 0 && isInUse()) {
		// They are loaded when they are needed, by whatever runs since before. Not a part of the package.
		writeFileSync('dist/.npmignore', old.map(name => `/${name}\n`).join(''));
		return;
	}

	for (const name of [...old, '.npmignore']) {
		rmSync(`dist/${name}`, {recursive: true, force: true});
	}
}

/** Whether a screen, a verb or a run's supervisor is alive: those of this folder, or some whose folder cannot be told. */
function isInUse() {
	const places = [path.join(root, 'dist', 'fleet'), path.join(root, 'dist', 'supervisor')];
	return (existsSync('/proc') ? readdirSync('/proc') : [])
		.filter(name => /^\d+$/.test(name) && name !== String(process.pid))
		.some(pid => {
			try {
				const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
				return line.startsWith('fleet-supervisor ') || places.some(place => line.includes(place));
			} catch {
				// It ended meanwhile.
				return false;
			}
		});
}
