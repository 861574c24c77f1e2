import path from 'node:path';
import process from 'node:process';
import {build} from 'esbuild';

/*
 * The screen's own build, since people wait for its first frame. All that the first frame needs is one CommonJS file:
 * Node reads that without its loader of ES modules, which takes longer to begin than all of it takes to run. What comes
 * later is ES modules in chunks, which ask that file for the modules that it has already.
 */

const program = 'source/programs/screen.ts';
const eagerName = 'screen.cjs';

/** Modules of Node's that take milliseconds to load, and that no first frame calls. */
const lateModules = /^node:(?:child_process|crypto|sqlite)$/;

/** In their place: each function loads its module at its first call. */
const lateBuiltins = {
	name: 'late-builtins',
	setup(context) {
		context.onResolve({filter: lateModules}, ({path: name}) => ({path: name, namespace: 'late-builtin'}));
		context.onLoad({filter: /.*/, namespace: 'late-builtin'}, ({path: name}) => {
			const module = process.getBuiltinModule(name);
			const names = Object.keys(module).filter(key => typeof module[key] === 'function' && key !== 'default');
			return {
				contents: [
					`const load = () => process.getBuiltinModule(${JSON.stringify(name)});`,
					`const late = key => new Proxy(function () {}, {
						apply: (_, self, given) => Reflect.apply(load()[key], self, given),
						construct: (_, given) => Reflect.construct(load()[key], given),
						get: (_, property) => load()[key][property],
					});`,
					'export default /* @__PURE__ */ new Proxy({}, {get: (_, property) => load()[property]});',
					...names.map(key => `export const ${key} = /* @__PURE__ */ late(${JSON.stringify(key)});`),
				].join('\n'),
			};
		});
	},
};

/** Modules of Node's that many of the project's files import, each as a whole. */
const wholeModules = /^node:(?:path|process)$/;

/** In their place: taken once, where each file that imports one would make a copy with a getter for each property. */
const wholeBuiltins = {
	name: 'whole-builtins',
	setup(context) {
		context.onResolve({filter: wholeModules}, ({path: name}) => ({path: name, namespace: 'whole-builtin'}));
		context.onLoad({filter: /.*/, namespace: 'whole-builtin'}, ({path: name}) => ({
			contents: `export default process.getBuiltinModule(${JSON.stringify(name)});`,
		}));
	},
};

/** @param common what all builds of the program have in common @param outdir where the files go */
export async function buildScreen(common, outdir) {
	const {eager, late} = await filesAtStart(common);
	const names = await exportsOf(common, eager);
	const shared = new Set();
	const chunks = await build({
		...common,
		entryPoints: late,
		outdir,
		splitting: true,
		metafile: true,
		entryNames: 'screen-[name]-[hash]',
		chunkNames: 'screen-[hash]',
		plugins: [sharing(eager, names, shared), ...common.plugins],
	});
	const chunkOf = new Map(
		Object.entries(chunks.metafile.outputs).flatMap(([file, {entryPoint}]) =>
			entryPoint === undefined ? [] : [[entryPoint, `./${path.basename(file)}`]],
		),
	);
	await build({
		...common,
		format: 'cjs',
		banner: {},
		define: {...common.define, 'import.meta.url': '__url'},
		stdin: {
			contents: [
				...[...shared].map((file, index) => `import * as m${index} from './${file}';`),
				`import './${program}';`,
				`export const shared = {${[...shared].map((file, index) => `${JSON.stringify(file)}: m${index}`).join(', ')}};`,
			].join('\n'),
			resolveDir: process.cwd(),
		},
		outfile: path.join(outdir, eagerName),
		plugins: [
			onDynamicImport(file => ({path: chunkOf.get(file), external: true})),
			lateBuiltins,
			wholeBuiltins,
			...common.plugins,
		],
	});
}

/** Calls back with the file, from the project's root, that a dynamic import names. */
function onDynamicImport(found) {
	return {
		name: 'dynamic-imports',
		setup(context) {
			context.onResolve({filter: /.*/}, async ({path: name, kind, importer, resolveDir, pluginData}) => {
				if (kind !== 'dynamic-import' || pluginData === 'resolved') {
					return undefined;
				}

				const place = await context.resolve(name, {kind, importer, resolveDir, pluginData: 'resolved'});
				return place.external ? place : found(path.relative(process.cwd(), place.path));
			});
		},
	};
}

/** The project's own files that are loaded at the start, and those that are imported later by one of them. */
async function filesAtStart(common) {
	const late = new Set();
	const {metafile} = await build({
		...common,
		entryPoints: [program],
		write: false,
		metafile: true,
		plugins: [
			onDynamicImport(file => {
				late.add(file);
				return {path: file, external: true};
			}),
			...common.plugins,
		],
	});
	const eager = Object.keys(metafile.inputs).filter(file => file.startsWith('source/'));
	return {eager: new Set(eager), late: [...late]};
}

/** The names that each file exports, types left out. */
async function exportsOf(common, files) {
	const {metafile} = await build({
		...common,
		bundle: false,
		plugins: [],
		external: undefined,
		entryPoints: [...files],
		outdir: '.',
		outbase: '.',
		write: false,
		metafile: true,
	});
	return new Map(Object.values(metafile.outputs).map(({entryPoint, exports}) => [entryPoint, exports]));
}

/** Takes a module that the first file has from there. */
function sharing(eager, names, shared) {
	return {
		name: 'shared-modules',
		setup(context) {
			context.onResolve({filter: /.*/}, async ({path: name, kind, importer, namespace, resolveDir, pluginData}) => {
				if (kind === 'entry-point' || namespace === 'shared' || pluginData === 'resolved') {
					return undefined;
				}

				const found = await context.resolve(name, {kind, importer, namespace, resolveDir, pluginData: 'resolved'});
				const file = path.relative(process.cwd(), found.path);
				return eager.has(file) ? {path: file, namespace: 'shared'} : found;
			});
			context.onLoad({filter: /.*/, namespace: 'shared'}, ({path: file}) => {
				shared.add(file);
				const own = names.get(file);
				return {
					contents: [
						`const module = require('./${eagerName}').shared[${JSON.stringify(file)}];`,
						...own.map(name =>
							name === 'default' ? 'export default module.default;' : `export const ${name} = module.${name};`,
						),
					].join('\n'),
				};
			});
			context.onResolve({filter: new RegExp(`^\\./${eagerName}$`), namespace: 'shared'}, ({path: name}) => ({
				path: name,
				external: true,
			}));
		},
	};
}
