// Makes a clean checkout ready, on any Node from 18: finds (or installs, from this checkout's own
// lock file) a Node that fleet runs on, installs the packages, builds. Written so that Node 18 can parse it.
import {spawnSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {
	copyFileSync,
	existsSync,
	lstatSync,
	mkdirSync,
	readFileSync,
	readdirSync,
	renameSync,
	rmSync,
	statSync,
	writeFileSync,
} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {fileURLToPath} from 'node:url';

export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const needed = [22, 22];

function fail(because, hint) {
	process.stderr.write(`fleet: ${because}\n  hint: ${hint}\n`);
	process.exit(1);
}

function isNewEnough(version) {
	const [major, minor] = version.split('.').map(Number);
	return major > needed[0] || (major === needed[0] && minor >= needed[1]);
}

/** A setup step stays silent unless it fails: `npm start` is to be quiet but for fleet's own words. */
function npm(node, cwd, argv) {
	const cli = process.env.npm_execpath;
	const usable = cli && cli.endsWith('.js');
	const command = usable ? node : 'npm';
	// npm hands its own settings down as npm_config_*: those of the
	// outer call (--prefix, --loglevel) are not meant for this one.
	const env = Object.fromEntries(
		Object.entries(process.env).filter(
			([key]) => !/^npm_config_(local_prefix|prefix|loglevel|global)$/.test(key) && key !== 'NODE_ENV',
		),
	);
	const run = () =>
		spawnSync(command, [...(usable ? [cli] : []), ...argv], {
			cwd,
			env,
			encoding: 'utf8',
			stdio: ['ignore', 'pipe', 'pipe'],
			maxBuffer: 1e8,
		});
	let result = run();
	// A registry may fail once in a gigabyte.
	for (let tries = 1; result.status !== 0 && tries < 3; tries++) {
		Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, tries * 3000);
		result = run();
	}

	if (result.status !== 0) {
		process.stderr.write(`${result.stdout ?? ''}${result.stderr ?? ''}`);
		fail(
			`"npm ${argv.join(' ')}" failed in ${cwd}`,
			"read npm's words above; the registry must be reachable the first time",
		);
	}
}

/** Runs `npm ci` in a folder when its lock file is not the one that was installed last. @param what is said to come */
export function install(node, folder, what = 'packages') {
	const stamp = path.join(folder, 'node_modules', '.installed');
	const wanted = createHash('sha256')
		.update(readFileSync(path.join(folder, 'package-lock.json')))
		.digest('hex');
	if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) {
		return;
	}

	process.stderr.write(`fleet: installing ${what}…\n`);
	const options = ['--include=dev', '--include=optional', '--ignore-scripts', '--no-audit', '--no-fund'];
	const argv = ['ci', ...options, '--loglevel=error'];
	const modules = path.dirname(stamp);
	if (lstatSync(modules, {throwIfNoEntry: false})?.isDirectory()) {
		installBeside(node, folder, argv);
	} else {
		npm(node, folder, argv);
		mkdirSync(modules, {recursive: true});
	}

	writeFileSync(stamp, wanted);
}

/** Beside what verbs that are typed meanwhile, screens and runs load from; then the two change places. */
function installBeside(node, folder, argv) {
	const beside = path.join(folder, `node_modules.next-${process.pid}`);
	const tidy = () => rmSync(beside, {recursive: true, force: true});
	process.on('exit', tidy);
	mkdirSync(path.join(beside, 'node_modules'), {recursive: true});
	for (const name of ['package.json', 'package-lock.json', '.npmrc']) {
		if (existsSync(path.join(folder, name))) {
			copyFileSync(path.join(folder, name), path.join(beside, name));
		}
	}

	npm(node, beside, argv);
	mkdirSync(path.join(beside, 'node_modules'), {recursive: true});
	renameSync(path.join(folder, 'node_modules'), path.join(beside, 'old'));
	renameSync(path.join(beside, 'node_modules'), path.join(folder, 'node_modules'));
	tidy();
	process.off('exit', tidy);
}

/** The Node that works on this checkout: the one that runs this script, or a pinned one from the registry. */
function findNode() {
	if (isNewEnough(process.versions.node)) {
		return process.execPath;
	}

	const folder = path.join(root, 'scripts', 'node');
	install(process.execPath, folder, `a newer Node for itself alone, this one is ${process.versions.node}`);
	for (const name of [`node-${process.platform}-${process.arch}`, `node-bin-${process.platform}-${process.arch}`]) {
		const candidate = path.join(folder, 'node_modules', name, 'bin', 'node');
		if (existsSync(candidate)) {
			return candidate;
		}
	}

	return fail(
		`Node ${needed.join('.')} or later is needed, this is ${process.versions.node}`,
		'install Node 22.22 or later from https://nodejs.org',
	);
}

function newest(folder) {
	let latest = 0;
	for (const entry of readdirSync(folder, {withFileTypes: true})) {
		const full = path.join(folder, entry.name);
		latest = Math.max(latest, entry.isDirectory() ? newest(full) : statSync(full).mtimeMs);
	}

	return latest;
}

function build(node) {
	const output = path.join(root, 'dist', 'fleet.cjs');
	const inputs = Math.max(
		newest(path.join(root, 'source')),
		statSync(path.join(root, 'scripts', 'build.mjs')).mtimeMs,
		statSync(path.join(root, 'package-lock.json')).mtimeMs,
	);
	if (existsSync(output) && statSync(output).mtimeMs > inputs) {
		return;
	}

	const result = spawnSync(node, [path.join(root, 'scripts', 'build.mjs')], {
		cwd: root,
		stdio: ['ignore', 'ignore', 'inherit'],
	});
	if (result.status !== 0) {
		fail('the build failed', 'npm run build says why');
	}
}

/** For dist/fleet, which a person may call without npm. */
function noteNode(node) {
	const file = path.join(root, 'scripts', 'node', 'path');
	try {
		if (!existsSync(file) || readFileSync(file, 'utf8') !== `${node}\n`) {
			writeFileSync(file, `${node}\n`);
		}
	} catch {
		// A checkout that cannot be written: then it is the Node on PATH.
	}
}

/**
 * @returns {{node: string, env: Record<string, string>}} the
 * Node to use, and an environment in which `node` is that one.
 */
export function bootstrap() {
	if (process.platform !== 'linux') {
		fail(
			'fleet runs on Linux in this version: here it has no sandbox',
			'start it on a Linux machine, a virtual one, or WSL 2',
		);
	}

	const node = findNode();
	install(node, root);
	build(node);
	noteNode(node);
	const env = {...process.env, PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH ?? ''}`};
	return {node, env};
}
