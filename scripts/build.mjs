import {chmodSync, rmSync} from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {build} from 'esbuild';

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
	define: {'process.env.NODE_ENV': '"production"', 'process.env.DEV': '"false"'},
	// Bundled CommonJS packages still ask for require and for __dirname.
	banner: {js: 'import {createRequire as __createRequire} from "node:module"; const require = __createRequire(import.meta.url);'},
	// Native addons cannot be bundled; react-devtools-core is a development aid of Ink's that is not installed.
	external: ['@lydell/node-pty', 'keytar', 'react-devtools-core'],
};

await build({
	...common,
	entryPoints: {main: 'source/cli.ts', supervisor: 'source/supervisor.ts'},
	outdir: 'dist',
	splitting: true,
	chunkNames: 'chunk-[hash]',
});
// The bin checks the version in syntax that an old Node can parse, so it is not bundled; the probe runs inside the sandbox, alone.
await build({entryPoints: ['source/fleet.js'], outdir: 'dist', logLevel: 'error'});
await build({...common, banner: {}, entryPoints: {probe: 'source/probe/main.ts'}, outdir: 'dist'});
chmodSync('dist/fleet.js', 0o755);
