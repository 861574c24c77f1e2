import {chmodSync, copyFileSync, rmSync} from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {build} from 'esbuild';
import {standIns} from './stand-ins.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
process.chdir(root);
rmSync('dist', {recursive: true, force: true});

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
	outdir: 'dist',
	splitting: true,
	chunkNames: 'chunk-[hash]',
});
// By itself, so that few files are read before its first frame; what comes later is in chunks of its own.
await build({
	...common,
	entryPoints: {screen: 'source/programs/screen.ts'},
	outdir: 'dist',
	splitting: true,
	chunkNames: 'screen-[hash]',
});
// The bin checks the version in syntax that an old Node can parse,
// so it is not bundled; the probe runs inside the sandbox, alone.
await build({entryPoints: ['source/programs/fleet.js'], outdir: 'dist', logLevel: 'error'});
// What is loaded before everything else: each by itself, so that no chunk brings other modules along.
await build({...common, banner: {}, entryPoints: {inherited: 'source/host/inherited.ts'}, outdir: 'dist'});
await build({
	entryPoints: {supervisor: 'source/programs/supervisor.js'},
	format: 'esm',
	outdir: 'dist',
	logLevel: 'error',
});
await build({...common, banner: {}, entryPoints: {probe: 'source/probe/main.ts'}, outdir: 'dist'});
copyFileSync('source/programs/fleet.sh', 'dist/fleet');
copyFileSync('source/programs/panic.sh', 'dist/panic.sh');
chmodSync('dist/fleet', 0o755);
chmodSync('dist/fleet.js', 0o755);
