import {chmodSync, copyFileSync, rmSync} from 'node:fs';
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {build} from 'esbuild';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
process.chdir(root);
rmSync('dist', {recursive: true, force: true});

/**
 * What the first frame does not need is not made before it: string-width builds large emoji expressions and a
 * segmenter when it is loaded, although plain text asks for neither. Each becomes an object that makes itself at its
 * first use.
 */
const lazyWidths = {
	name: 'lazy-widths',
	setup(context) {
		const files =
			/node_modules[\\/](?:string-width[\\/]index|slice-ansi[\\/]tokenize-ansi|wrap-ansi[\\/]index|cli-truncate[\\/]index|ink[\\/]build[\\/]line-update)\.js$/;
		const helper =
			'const __lazy = make => { let made; const get = () => made ??= make(); return {' +
			'test: text => get().test(text), exec: text => get().exec(text), segment: text => get().segment(text), ' +
			'[Symbol.match]: text => get()[Symbol.match](text), ' +
			'[Symbol.matchAll]: text => get()[Symbol.matchAll](text), ' +
			'[Symbol.replace]: (text, by) => get()[Symbol.replace](text, by), ' +
			'[Symbol.split]: (text, limit) => get()[Symbol.split](text, limit), ' +
			'[Symbol.search]: text => get()[Symbol.search](text)}; };\n';
		context.onLoad({filter: files}, async ({path: file}) => {
			// Marks that the screen itself draws are as narrow as ASCII,
			// and as common: they need neither a segmenter nor a table.
			const text = (await readFile(file, 'utf8')).replace('/[^\\u{20}-\\u{7E}]/v', `/[^${narrow}]/v`);
			// Only constants of one line, at the top level; `lastIndex` and
			// `flags` are not reached through a lazy one, so what uses them stays.
			const changed = text.replaceAll(
				/^const (\w+) = (new Intl\.Segmenter\([^;\n]*\)|new RegExp\([^\n]*\)|\/[^\n]*\/[a-z]*);$/gm,
				(whole, name, expression) =>
					new RegExp(`\\b${name}\\.(?:lastIndex|flags|source)\\b|\\b${name}\\)`).test(text)
						? whole
						: `const ${name} = __lazy(() => ${expression});`,
			);
			return {contents: helper + changed, loader: 'js'};
		});
	},
};

/** ASCII, and the marks that the screen itself draws: one cell and one unit each. */
const narrow = String.raw`\u{20}-\u{7E}\u{B7}\u{D7}‘’“”…←-↓─-╿█░-▓▌▸▾◂✔✘⏎‹›–—`;

/**
 * Ink measures and takes apart every line of every frame anew; what it found is kept from frame to frame. And a line of
 * narrow characters needs no segmenter: its styles are read as ever, and the rest is one cell for each character.
 */
const keepLines = {
	name: 'keep-lines',
	setup(context) {
		context.onLoad({filter: /node_modules[\\/]ink[\\/]build[\\/]output\.js$/}, async ({path: file}) => {
			const text = await readFile(file, 'utf8');
			const changed = text
				.replace('    caches = new OutputCaches();', '    caches = keptCaches;')
				.replace(
					'export default class Output',
					`const keptCaches = new OutputCaches();
const narrowLine = /^(?:[${narrow}]|\\u001B\\[[\\d;]*m)*$/v;
const sgrTokens = new Map();
const narrowChars = line => {
	const codes = [];
	let styles = [];
	return line.split(/(\\u001B\\[[\\d;]*m)/).flatMap(piece => {
		if (piece.startsWith('\\u001B')) {
			if (!sgrTokens.has(piece) && sgrTokens.size < 1000) {
				sgrTokens.set(piece, tokenize(piece));
			}

			codes.push(...sgrTokens.get(piece) ?? tokenize(piece));
			styles = styledCharsFromTokens([...codes, {type: 'char', value: ' ', fullWidth: false}])[0].styles;
			return [];
		}

		return Array.from(piece, value => ({type: 'char', value, fullWidth: false, styles}));
	});
};
export default class Output`,
				)
				.replace(
					'cached = styledCharsFromTokens(tokenize(line)).filter(',
					'cached = narrowLine.test(line) ? narrowChars(line) : styledCharsFromTokens(tokenize(line)).filter(',
				)
				.replace(
					'getStyledChars(line) {',
					'getStyledChars(line) {\n        if (this.styledChars.size > 500 || this.widths.size > 2000) {\n' +
						'            this.styledChars.clear();\n            this.widths.clear();\n' +
						'            this.blockWidths.clear();\n        }',
				);
			if (
				changed.split('keptCaches').length !== 3 ||
				changed.split('narrowChars').length !== 3 ||
				!changed.includes('> 500')
			) {
				throw new Error('Ink is not what this was written for: look at what its output keeps');
			}

			return {contents: changed, loader: 'js'};
		});
	},
};

const common = {
	bundle: true,
	platform: 'node',
	format: 'esm',
	target: 'esnext',
	jsx: 'automatic',
	logLevel: 'error',
	legalComments: 'none',
	plugins: [lazyWidths, keepLines],
	// yoga carries its WebAssembly as a data: address and would fetch it, which
	// loads Node's whole HTTP client; without fetch it decodes it itself.
	define: {fetch: 'undefined', 'process.env.NODE_ENV': '"production"', 'process.env.DEV': '"false"'},
	// One of them for all: several packages bring an older one along.
	alias: {'string-width': path.join(root, 'node_modules', 'string-width', 'index.js')},
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
